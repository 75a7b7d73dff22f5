"""Looking at source and result, still and moving."""

from fresco_gui.viewer.panes import ViewMode
from fresco_gui.viewer.side import SideNote, ViewedSide
from fresco_gui.viewer.viewer import Viewer

__all__ = ["SideNote", "ViewMode", "ViewedSide", "Viewer"]
