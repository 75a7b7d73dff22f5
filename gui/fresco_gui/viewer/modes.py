"""Ways to look at source and result."""

from __future__ import annotations

from enum import Enum


class ViewMode(Enum):
    """How source (A) and result (B) share the canvas; values are kept in projects."""

    SOURCE = "source"
    RESULT = "result"
    WIPE_VERTICAL = "wipe"
    """Source left of a line, result right of it."""
    WIPE_HORIZONTAL = "wipe horizontal"
    """Source above a line, result below it."""
    SIDE_BY_SIDE = "side by side"
    DIFFERENCE = "difference"
    """How far every pixel's values lie apart, made brighter by a gain."""
    ONION = "onion"
    """The result, partly transparent, over the source."""

    @property
    def is_wipe(self) -> bool:
        """Whether a line divides the canvas."""
        return self in (ViewMode.WIPE_VERTICAL, ViewMode.WIPE_HORIZONTAL)

    @property
    def is_mixed(self) -> bool:
        """Whether both pictures become one."""
        return self in (ViewMode.DIFFERENCE, ViewMode.ONION)
