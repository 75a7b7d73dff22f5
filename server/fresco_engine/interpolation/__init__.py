"""Frames between keyframes: propagation from both sides and blending."""
