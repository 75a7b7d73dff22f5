"""The window: prompt, style, strength, the frame before and after, and jobs. Needs PyQt6."""

from __future__ import annotations

from fresco_davinci.window.run import run_window, show_sentence

__all__ = ["run_window", "show_sentence"]
