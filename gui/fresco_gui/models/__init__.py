"""The model manager: what there is, what is loaded, what is downloaded."""

from __future__ import annotations

from fresco_gui.models.dialog import ModelManager

__all__ = ["ModelManager"]
