"""Blender's real window on a virtual screen; for tests, measurements and pictures."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.blender.blenders import INSIDE, Blender, Plugin, blender_program

PROGRAMS = ("Xvfb", "xdotool", "import")


def what_is_missing() -> str:
    """Why no window can be opened here; empty if one can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if blender_program() is None:
        missing.append("blender")
    return f"not installed: {', '.join(missing)}" if missing else ""


@contextmanager
def screen(width: int, height: int) -> Iterator[str]:
    """A virtual screen; its name for DISPLAY."""
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-screen", "0", f"{width}x{height}x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp"], pass_fds=[writes], stderr=subprocess.DEVNULL
    )
    os.close(writes)
    try:
        with os.fdopen(reads) as answer:
            number = answer.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def window(
    plugin: Plugin | None, home: Path, size: tuple[int, int] = (1600, 900)
) -> Iterator[Blender]:
    """A Blender that plays its scenarios in a window; without `plugin`, one that has it already."""
    program = blender_program()
    assert program is not None
    with screen(*size) as display:
        # The Python inside takes the first python3 of PATH for its own home, and the modules of
        # any but the system's (pyenv's for instance) do not suit it.
        environment = (f"DISPLAY={display}", "LIBGL_ALWAYS_SOFTWARE=1", f"PATH={os.defpath}")
        geometry = ("-p", "0", "0", str(size[0]), str(size[1]))
        # Where the plugin is to be found as users have it, folders are those of the home.
        usual = () if plugin else ("-u", "BLENDER_USER_RESOURCES", "-u", "FRESCO_DATA")
        command = (
            *("env", *usual, *environment, program),
            *("--factory-startup", "--app-template", "Video_Editing", *geometry),
            *("--python", str(INSIDE / "live.py"), "--"),
        )
        yield replace(Blender(command, plugin, home))


def seconds_until_end(process: subprocess.Popen[str], since: float) -> float:
    """How long a process still took, from a moment of `time.time()` on."""
    process.wait(60)
    return time.time() - since
