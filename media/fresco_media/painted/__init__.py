"""Keyframes painted by hand: which frame each is, and whether it fits."""
