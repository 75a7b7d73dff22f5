"""What the daemon knows of a job: its order, and what is stored beside what clients see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fresco_client.values import Failure, JobState, Plan, ResultInfo, StageProgress
from fresco_media.files.state import ClipState, FileState

Values = Mapping[str, Any]
"""Plain values as JSON knows them."""


@dataclass(frozen=True, kw_only=True)
class ModelOrder:
    """Which model; `None` is the bundled one. `loras` are files with their weights.

    In `folders` is what prompts name; `vae` is a file, folder, or the name of a file there.
    """

    source: str | None = None
    control_source: str | None = None
    loras: tuple[tuple[str, float], ...] = ()
    vae: str | None = None
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """What a worker needs to know to do a job, and what a client may read again.

    `clip` is a path that was checked. `settings` are those of the engine (`as_dict`). `codec` is
    the engine's ("h264", "lossless") or "frames" for no file; `suffix` the file's ending.
    `request` is what the client sent, opaque here. `clip_info` describes the clip. `upload` is
    the digest of the upload the clip is, if it is one, `mask_upload` that of its subject's mask,
    `reference_upload` that of the reference picture.
    `clip_state` and `mask_state` tell whether both still are what they were when it was made, and
    `file_states` the same of all other files that are named.
    """

    clip: str
    settings: Values
    model: ModelOrder = ModelOrder()
    frame_rate: str | None = None
    codec: str = "h264"
    suffix: str = ".mp4"
    device: str = ""
    title: str = ""
    upload: str | None = None
    mask_upload: str | None = None
    reference_upload: str | None = None
    clip_state: ClipState | None = None
    mask_state: ClipState | None = None
    file_states: tuple[FileState, ...] = ()
    parent_id: str | None = None
    clip_info: Values = field(default_factory=dict[str, Any])
    request: Values = field(default_factory=dict[str, Any])

    @property
    def uploads(self) -> Mapping[str, str]:
        """Digests of what was sent for it, by the setting that names it; the clip by none."""
        named = {
            "": self.upload,
            "subject_mask": self.mask_upload,
            "reference": self.reference_upload,
        }
        return {name: digest for name, digest in named.items() if digest is not None}


@dataclass(frozen=True, kw_only=True)
class StoredJob:
    """A job as it is stored. Times are seconds since the epoch.

    `wanted` is what a client has asked for that has yet to happen: "", "cancel" or "pause".
    `restarts` counts how often everything made became void.
    """

    id: str
    state: JobState
    order: JobOrder
    created: float
    updated: float
    progress: tuple[StageProgress, ...] = ()
    remaining_s: float | None = None
    plan: Plan | None = None
    warnings: tuple[str, ...] = ()
    result: ResultInfo | None = None
    failure: Failure | None = None
    last_sequence: int = 0
    is_fetched: bool = False
    wanted: str = ""
    jobs_ahead: int = 0
    ready_keyframes: tuple[int, ...] = ()
    ready_frames: int = 0
    restarts: int = 0
