"""A user's hands and eyes in Blender's window."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

Step = float | Callable[[], Any]
"""What a step of a scenario in a window waits for."""


def picture(path: str) -> None:
    """The whole screen as a file."""
    subprocess.run(["import", "-window", "root", path], check=True)


def click(x: int, y: int) -> None:
    """A click at a point of the screen, counted from its top left corner."""
    subprocess.run(["xdotool", "mousemove", str(x), str(y)], check=True)
    time.sleep(0.3)
    subprocess.run(["xdotool", "mousedown", "1"], check=True)
    time.sleep(0.1)
    subprocess.run(["xdotool", "mouseup", "1"], check=True)


def point(x: int, y: int) -> None:
    """The pointer, moved to a point of the screen."""
    subprocess.run(["xdotool", "mousemove", str(x), str(y)], check=True)


def write(text: str) -> None:
    """Letters, typed into whatever has the keyboard."""
    subprocess.run(["xdotool", "type", "--delay", "30", text], check=True)


def press(key: str, x: int, y: int) -> None:
    """A key, with the pointer at a point of the screen."""
    subprocess.run(["xdotool", "mousemove", str(x), str(y)], check=True)
    time.sleep(0.3)
    subprocess.run(["xdotool", "key", key], check=True)
