"""What stays the same while a clip is worked on, and what its two stages hand to each other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from fresco_media.clip import Clip
from fresco_media.stills.images import WorkingSize
from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader
from numpy.typing import NDArray

from fresco_engine.checkpoint import Checkpoint
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.remote_parts import RemoteParts
from fresco_engine.types import ClipAnalysed, FrameQuality, Progress, RunWarned


@dataclass(frozen=True)
class Keyframe:
    """A finished keyframe at the padded working size."""

    index: int
    image: Image


class KeyframeSource(Protocol):
    """Where the keyframes of a run come from: a model translates them, or somebody painted them."""

    def of_shot(
        self, keyframes: tuple[int, ...], frames: SpanReader
    ) -> Generator[Progress | RunWarned | Keyframe, None, None]:
        """The keyframes of one shot in order."""
        ...

    def at_source_size(self, keyframe: Keyframe) -> Image:
        """The keyframe as it comes out."""
        ...

    def frame_at_source_size(self, frame: MadeFrame) -> Image:
        """A frame of the result as it comes out, which a keyframe does once more."""
        ...

    def steps_left(self, shots: Sequence[tuple[int, ...]], done: int = 0) -> int:
        """Denoising steps for the keyframes of `shots` after the first `done` of the first."""
        ...


@dataclass(frozen=True, kw_only=True)
class Run:
    """What stays the same for a whole run.

    `interpolator` is called from several threads, for `at_once` segments at a time. Segments have
    at most `longest` frames, any number if that is `None`. The frames' error maps are kept only
    where `keeps_errors`. `remote` is who makes the parts, None where that is done here.
    """

    clip: Clip
    plan: ClipAnalysed
    size: WorkingSize
    keyframes: KeyframeSource
    interpolator: Interpolator
    at_once: int
    checkpoint: Checkpoint
    tracker: ProgressTracker
    longest: int | None = None
    keeps_errors: bool = False
    remote: RemoteParts | None = None


@dataclass(frozen=True)
class MadeFrame:
    """A frame of the result at the padded working size; `is_reused` if it was stored already."""

    index: int
    image: Image
    is_keyframe: bool
    is_reused: bool
    quality: FrameQuality | None = None
    error: NDArray[np.float32] | None = None
