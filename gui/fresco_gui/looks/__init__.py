"""Looks: one frame restyled with several seeds, beside each other, to choose from."""

from __future__ import annotations

from fresco_gui.looks.maker import LookMaker, LookPicture, LookRequest
from fresco_gui.looks.sheet import ContactSheet

__all__ = ["ContactSheet", "LookMaker", "LookPicture", "LookRequest"]
