"""Keyframes painted by hand → the whole clip in their style; no model is needed.

The frames between two keys are made from both, those before the first and after the last from
one. Nothing is carried over a cut that has keys on both sides.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fresco_media.clip import Clip
from fresco_media.painted.keys import PaintedKeys, check_keys, find_painted_keys
from fresco_media.painted.known import KnownKeys
from fresco_media.stills.images import WorkingSize, fit, limit_told, own_size, unfit, working_size
from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader

from fresco_engine.checkpoint import NoCheckpoint
from fresco_engine.interpolation.choice import make_interpolator, shared_cores
from fresco_engine.interpolation.keyframe_span import longest_segment
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.interpolation.stored import StoredInterpolator
from fresco_engine.keyframes import find_shots
from fresco_engine.pipeline import run_pipeline
from fresco_engine.planning import analyse_range, range_of
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.propagation_settings import PropagateSettings
from fresco_engine.run import Keyframe, MadeFrame, Run
from fresco_engine.types import ClipAnalysed, Event, Progress, RunWarned

_FORMAT = "1"
"""Part of the names of stored segments; changes when the same input gives other pixels."""


def propagate(
    clip: Clip,
    key_folder: Path,
    settings: PropagateSettings,
    *,
    interpolator: Interpolator | None = None,
    device: str = "cpu",
    tracker: ProgressTracker | None = None,
    resume: Path | None = None,
    keeps_errors: bool = False,
) -> Generator[Event, None, None]:
    """Carry the keys in `key_folder` over `clip`; yields events, closing the iterator cancels.

    Every frame of the range comes exactly once and in order, with its error map if `keeps_errors`.
    Finished segments are kept in the folder `resume`, so that interrupted work goes on with them.

    Raises:
        KeyframesUnusable: see `find_painted_keys` and `read_key`.
        FileChanged: a key is another one than when the work began.
        RangeOutsideClip: the settings name frames the clip does not have.
        OutputNotWritable, DiskFull: finished segments cannot be kept.
    """
    tracker = tracker or ProgressTracker()
    start, stop = range_of(clip, settings)
    keys = find_painted_keys(key_folder, clip, start, stop, first_number=settings.first_number)
    known = KnownKeys.of(clip, keys.files)
    size = _size(clip, settings)
    told = (*clip.warnings, *keys.warnings, *filter(None, (limit_told(size),)))
    yield from map(RunWarned, told)
    # Every key is read once, so that a bad one is told before work begins.
    yield from map(RunWarned, check_keys(keys.files.values(), clip.info))
    plan = yield from _planned(clip, keys, settings, tracker)
    yield plan
    at_once, workers = shared_cores(device)
    if interpolator is None:
        kind = settings.interpolation
        interpolator = make_interpolator(kind, device=device, workers=workers)
        if resume is not None:
            interpolator = StoredInterpolator(interpolator, resume, f"{kind} {_FORMAT}")
    width, height = size.padded
    run = Run(
        clip=clip,
        plan=plan,
        size=size,
        keyframes=_PaintedKeyframes(known, size),
        interpolator=interpolator,
        at_once=at_once,
        checkpoint=NoCheckpoint(),
        tracker=tracker,
        longest=longest_segment(height, width),
        keeps_errors=keeps_errors,
    )
    yield from run_pipeline(run)


@dataclass(frozen=True)
class _PaintedKeyframes:
    """Keyframes that are files."""

    keys: KnownKeys
    size: WorkingSize

    def of_shot(
        self, keyframes: tuple[int, ...], frames: SpanReader
    ) -> Generator[Keyframe, None, None]:
        """The keys of a shot, at the working size."""
        for index in keyframes:
            yield Keyframe(index, fit(self.keys.read(index), self.size))

    def at_source_size(self, keyframe: Keyframe) -> Image:
        """The key exactly as it was painted."""
        return self.keys.read(keyframe.index)

    def frame_at_source_size(self, frame: MadeFrame) -> Image:
        """The whole frame as it was made, a key as it was painted."""
        return self.keys.read(frame.index) if frame.is_keyframe else unfit(frame.image, self.size)

    def steps_left(self, shots: Sequence[tuple[int, ...]], done: int = 0) -> int:
        """Nothing is translated."""
        return 0


def _size(clip: Clip, settings: PropagateSettings) -> WorkingSize:
    info = clip.info
    if settings.size is None:
        return own_size(info.width, info.height)
    return working_size(info.width, info.height, settings.size)


def _planned(
    clip: Clip, keys: PaintedKeys, settings: PropagateSettings, tracker: ProgressTracker
) -> Generator[Progress | RunWarned, None, ClipAnalysed]:
    start, stop = range_of(clip, settings)
    found = find_shots((yield from analyse_range(clip, start, stop, tracker)))
    shots = shots_with_keys(found, list(keys.files))
    if len(shots) < len(found):
        yield RunWarned(
            f"{len(found) - len(shots)} of the clip's {len(found)} shots hold no key, so that the "
            "look is carried over a cut; paint a key in every shot"
        )
    return ClipAnalysed(
        info=clip.info,
        settings=settings,
        start=start,
        stop=stop,
        shots=shots,
        keyframes=tuple(keys.files),
        working_size=_size(clip, settings).padded,
    )


def shots_with_keys(
    shots: tuple[tuple[int, int], ...], keys: list[int]
) -> tuple[tuple[int, int], ...]:
    """`shots` with each that holds no key joined to the one before, or to the one after."""
    joined: list[tuple[int, int]] = []
    for start, stop in shots:
        is_empty = not any(start <= key < stop for key in keys)
        had_none = joined and not any(joined[-1][0] <= key < joined[-1][1] for key in keys)
        if joined and (is_empty or had_none):
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return tuple(joined)
