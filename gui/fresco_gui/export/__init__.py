"""Writing results into files that editors and players open."""

from fresco_gui.export.options import ExportKind, ExportOptions
from fresco_gui.export.worker import Export

__all__ = ["Export", "ExportKind", "ExportOptions"]
