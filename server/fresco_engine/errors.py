"""Every error the engine raises on purpose; each message says what to do about it.

FrescoError
├── …                       those of clips and results, see `fresco_media.errors`
├── PathError
│   └── CheckpointError         what an earlier run left cannot be used
│       └── CheckpointMismatch  it belongs to another clip or to other settings
├── ModelError                  weights that cannot be used
│   ├── ModelNotFound           no such folder, file or hub id
│   ├── ModelCorrupt            files are there but damaged or incomplete
│   ├── WrongModelKind          readable, but of no shape that runs here
│   ├── ResultNotFinite         it computes NaN or infinity
│   └── ControlUnavailable      the model has no ControlNet of the wanted kind
├── ResultMismatch              a result is not one of the source it is held against
└── OutOfDeviceMemory           the device has too little memory for this working size
"""

from __future__ import annotations

from pathlib import Path

from fresco_media.errors import (
    ClipChanged,
    ClipError,
    ClipNotFound,
    ClipUnreadable,
    DiskFull,
    FileChanged,
    FrescoError,
    InvalidSettings,
    KeyframesUnusable,
    MaskUnusable,
    NotPermitted,
    NoVideoStream,
    OutputError,
    OutputExists,
    OutputNotWritable,
    PathError,
    RangeOutsideClip,
    SequenceGap,
    shown,
)
from fresco_media.files.text import sized
from fresco_settings import Remedy, said

__all__ = [
    "CheckpointError",
    "CheckpointMismatch",
    "ClipChanged",
    "ClipError",
    "ClipNotFound",
    "ClipUnreadable",
    "ControlUnavailable",
    "DiskFull",
    "FileChanged",
    "FrescoError",
    "InvalidSettings",
    "KeyframesUnusable",
    "MaskUnusable",
    "ModelCorrupt",
    "ModelError",
    "ModelNotFound",
    "NoVideoStream",
    "NotPermitted",
    "OutOfDeviceMemory",
    "OutputError",
    "OutputExists",
    "OutputNotWritable",
    "RangeOutsideClip",
    "ResultMismatch",
    "ResultNotFinite",
    "SequenceGap",
    "WrongModelKind",
]


class CheckpointError(PathError):
    """What an earlier run has left in a folder cannot be used."""


class CheckpointMismatch(CheckpointError):
    """It was left by a run with another clip, model or other settings."""


class ModelError(FrescoError):
    """Weights cannot be used; `source` is the folder, file or hub id that was asked for."""

    def __init__(self, source: str | Path, reason: str) -> None:
        super().__init__(f"{shown(source)}: {reason}")
        self.source = str(source)
        self.reason = reason


class ModelNotFound(ModelError):
    """No such folder, file or hub id."""


class ModelCorrupt(ModelError):
    """The files are damaged or incomplete."""


class WrongModelKind(ModelError):
    """The files are readable but are not of the kind that was asked for."""


class ResultNotFinite(ModelError):
    """What a model computed is not a number, which would be a black picture."""

    def __init__(
        self, source: str | Path, stage: str, advice: str, remedy: Remedy | None = None
    ) -> None:
        super().__init__(
            source,
            f"the model gave values that are no numbers (NaN or infinity) while {stage}, and no "
            f"picture can be made of them; {advice}",
        )
        self.stage = stage
        self.remedy = remedy
        self.field = "guidance_scale" if remedy is Remedy.LESS_GUIDANCE else ""


class ControlUnavailable(ModelError):
    """The model has no ControlNet of the wanted kind."""

    field = "control"
    remedy = Remedy.NO_CONTROL


class ResultMismatch(FrescoError):
    """A result, or a mask, cannot be one of the source that it is held against."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{shown(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason


class OutOfDeviceMemory(FrescoError):
    """The device ran out of memory; `is_of_autoencoder`: between pictures and latents."""

    field = "size"
    remedy = Remedy.LESS_MEMORY

    def __init__(
        self,
        stage: str,
        wanted_bytes: int | None,
        free_bytes: int | None,
        *,
        is_of_autoencoder: bool = False,
    ) -> None:
        wanted = f", {sized(wanted_bytes)} wanted" if wanted_bytes else ""
        free = f", {sized(free_bytes)} free" if free_bytes else ""
        super().__init__(
            f"the device ran out of memory while {stage}{wanted}{free}; "
            f"{said(Remedy.LESS_MEMORY)}, or close other programs that use the device"
        )
        self.stage = stage
        self.is_of_autoencoder = is_of_autoencoder
        self.wanted_bytes = wanted_bytes
        self.free_bytes = free_bytes
