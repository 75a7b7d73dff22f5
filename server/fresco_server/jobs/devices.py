"""Devices that jobs can run on, as clients see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DeviceState = Literal["stopped", "starting", "ready", "busy"]


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    """A device and what its process is doing; `memory_bytes` 0 where it is not known.

    `node` is the machine of a cluster that it is on, `activity` what it makes of its job, in words.
    """

    id: str
    name: str
    memory_bytes: int = 0
    state: DeviceState = "stopped"
    model_source: str | None = None
    has_model: bool = False
    job_id: str = ""
    node: str = ""
    activity: str = ""
    is_draining: bool = False
