"""Looking at source and result, still and moving."""

from fresco_gui.viewer.painting import ResultNote
from fresco_gui.viewer.panes import ViewMode
from fresco_gui.viewer.viewer import Viewer

__all__ = ["ResultNote", "ViewMode", "Viewer"]
