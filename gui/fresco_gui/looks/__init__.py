"""Looks: frames restyled to choose by, beside each other, and kept."""

from __future__ import annotations

from fresco_gui.looks.kept import LookFiles
from fresco_gui.looks.maker import LookMaker, LookPart, LookPicture, LookRequest
from fresco_gui.looks.sheet import ContactSheet
from fresco_gui.looks.styles import StyleLooks

__all__ = [
    "ContactSheet",
    "LookFiles",
    "LookMaker",
    "LookPart",
    "LookPicture",
    "LookRequest",
    "StyleLooks",
]
