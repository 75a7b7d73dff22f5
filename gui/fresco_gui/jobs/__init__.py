"""Jobs: following one closely, and all of them in a list."""

from __future__ import annotations

from fresco_gui.jobs.follower import JobFollower
from fresco_gui.jobs.model import JobListModel
from fresco_gui.jobs.panel import JobsPanel

__all__ = ["JobFollower", "JobListModel", "JobsPanel"]
