"""What tests of windows need of the system; `python tests/system_packages.py` prints it for apt."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "gui"))

from fresco_gui.qt_libraries import PACKAGES as QT_PACKAGES

PACKAGES = (*QT_PACKAGES, "blender", "xvfb", "xdotool", "imagemagick")
"""Names in Debian and Ubuntu."""

if __name__ == "__main__":
    print(*PACKAGES)  # noqa: T201
