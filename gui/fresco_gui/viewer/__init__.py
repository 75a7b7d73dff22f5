"""Looking at source and result, still and moving."""

from fresco_gui.viewer.modes import ViewMode
from fresco_gui.viewer.viewer import Viewer

__all__ = ["ViewMode", "Viewer"]
