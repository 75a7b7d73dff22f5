"""From keyframes to all frames of the result: what runs beside the translation of later ones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

from fresco_engine.correspondence.flow import DisFlow, FlowEstimator, FlowPreset
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.quality import Judge
from fresco_engine.interpolation.segment import Interpolator, Segment
from fresco_engine.lane import LaneClosed
from fresco_engine.media.stretches import Stretches
from fresco_engine.run import Keyframe, MadeFrame, Run
from fresco_engine.types import FrameQuality, Image


def make_frames(
    run: Run, stop: int, keyframes: Iterator[Keyframe], check: Callable[[], None]
) -> Generator[MadeFrame, None, None]:
    """Every frame up to the last of `keyframes`, in order; each is stored before it is yielded.

    Reads the clip, up to `stop`, with a decoder of its own. `check` is called many times a second
    and ends the work by raising `LaneClosed`.
    """
    interpolator = run.interpolator or make_interpolator(
        run.settings.interpolation, device=run.model.device, make_flow=_flow_maker(run)
    )
    sources = Stretches(run.clip, stop, run.size)
    left: Keyframe | None = None
    for key in keyframes:
        if left is not None and not key.begins_shot:
            keys = (left, key)
            yield from _frames_between(run, sources, interpolator, keys, _asked(check))
            check()  # A segment that was cancelled has ended early.
        yield _keyframe_as_frame(run, key)
        left = key


def _flow_maker(run: Run) -> Callable[[FlowPreset], FlowEstimator]:
    return DisFlow if type(run.estimator) is DisFlow else lambda preset: run.estimator


def _asked(check: Callable[[], None]) -> Callable[[], bool]:
    """`check` as a question: whether it would end the work."""

    def is_closing() -> bool:
        try:
            check()
        except LaneClosed:
            return True
        return False

    return is_closing


def _keyframe_as_frame(run: Run, key: Keyframe) -> MadeFrame:
    is_reused = run.checkpoint.load("frames", key.index) is not None
    if not is_reused:
        run.checkpoint.save_keyframe_as_frame(key.index, key.image)
    return MadeFrame(key.index, key.image, is_keyframe=True, is_reused=is_reused)


def _frames_between(
    run: Run,
    sources: Stretches,
    interpolator: Interpolator,
    keys: tuple[Keyframe, Keyframe],
    is_cancelled: Callable[[], bool],
) -> Iterator[MadeFrame]:
    """The frames between two keyframes: what is stored, then what has to be made.

    Each frame depends on the one before, so a segment is made from its beginning or not at all.
    """
    left, right = keys
    done = left.index + 1
    while done < right.index and (image := run.checkpoint.load("frames", done)) is not None:
        yield _reused(run, done, image)
        done += 1
    if done == right.index:
        return
    segment = Segment(
        sources=list(sources.read(left.index, right.index + 1)),
        first_key=left.image,
        last_key=right.image,
        is_cancelled=is_cancelled,
    )
    judge = Judge(segment.sources, left.image, right.image)
    with closing(_as_generator(interpolator(segment))) as made:
        for frame in made:
            index = left.index + frame.offset
            if index >= done:
                quality = judge(frame.offset, frame.image, frame.error)
                yield _stored(run, index, frame.image, quality)


def _stored(run: Run, index: int, image: Image, quality: FrameQuality) -> MadeFrame:
    """A frame that was made, unless it is stored already: that is never replaced."""
    kept = run.checkpoint.load("frames", index)
    if kept is not None:
        return _reused(run, index, kept)
    run.checkpoint.save("frames", index, image, quality)
    return MadeFrame(index, image, is_keyframe=False, is_reused=False, quality=quality)


def _reused(run: Run, index: int, image: Image) -> MadeFrame:
    quality = run.checkpoint.quality(index)
    return MadeFrame(index, image, is_keyframe=False, is_reused=True, quality=quality)


def _as_generator(items: Iterator[Any]) -> Generator[Any, None, None]:
    """`items` as something that can be closed, whatever iterator it is."""
    yield from items
