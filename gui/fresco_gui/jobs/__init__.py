"""Jobs: following one closely, and all of them in a list."""

from __future__ import annotations

from fresco_gui.jobs.follower import JobFollower
from fresco_gui.jobs.model import JobsModel
from fresco_gui.jobs.panel import JobsPanel

__all__ = ["JobFollower", "JobsModel", "JobsPanel"]
