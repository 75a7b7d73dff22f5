"""Looking at source and result, still and moving."""

from fresco_gui.viewer.panes import ViewMode
from fresco_gui.viewer.side import Side, SideNote
from fresco_gui.viewer.viewer import Viewer

__all__ = ["Side", "SideNote", "ViewMode", "Viewer"]
