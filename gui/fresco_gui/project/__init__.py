"""Projects: a clip, the look chosen for it and what was made of it, in one JSON file."""

from __future__ import annotations

from fresco_gui.project.document import (
    Project,
    ProjectJob,
    ProjectLook,
    ProjectUnreadable,
    load,
    save,
)
from fresco_gui.project.relink import find_moved, fingerprint_of

__all__ = [
    "Project",
    "ProjectJob",
    "ProjectLook",
    "ProjectUnreadable",
    "find_moved",
    "fingerprint_of",
    "load",
    "save",
]
