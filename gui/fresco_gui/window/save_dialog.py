"""Asking where something is to be saved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtWidgets import QFileDialog, QWidget

from fresco_gui.confirming import may_replace


def ask_where_to_save(
    window: QWidget, title: str, proposed: str, suffixes: Sequence[str], kinds: str = ""
) -> Path | None:
    """Where to, as a name that ends in one of `suffixes`; None where nobody wants to.

    A name without one gets the first, and as the dialog has asked about what was typed, a file of
    that longer name is asked about here. `kinds` are what the dialog shows.
    """
    name, _ = QFileDialog.getSaveFileName(window, title, proposed, kinds)
    if not name:
        return None
    path = Path(name)
    if path.suffix.lower() in suffixes:
        return path
    path = path.with_name(path.name + suffixes[0])
    return path if not os.path.lexists(path) or may_replace(window, path) else None
