"""From keyframes to all frames of the result: what runs beside the translation of later ones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from fresco_media.stretches import Stretches
from fresco_media.types import Image

from fresco_engine.correspondence.flow import DisFlow, FlowEstimator, FlowPreset
from fresco_engine.interpolation.choice import make_interpolator, shared_cores
from fresco_engine.interpolation.ordered import in_order
from fresco_engine.interpolation.quality import Judge
from fresco_engine.interpolation.segment import Interpolator, Segment
from fresco_engine.lane import Inbox, LaneClosed
from fresco_engine.run import Keyframe, MadeFrame, Run
from fresco_engine.types import FrameQuality


def make_frames(
    run: Run, stop: int, keyframes: Inbox[Keyframe], check: Callable[[], None]
) -> Generator[MadeFrame, None, None]:
    """Every frame up to the last of `keyframes`, in order; each is stored before it is yielded.

    Works on several segments at once where there are cores for it, and reads the clip, up to
    `stop`, with a decoder of its own. `check` is called many times a second, on any thread, and
    ends the work by raising `LaneClosed`.
    """
    at_once, workers = shared_cores(run.model.device)
    interpolator = run.interpolator or make_interpolator(
        run.settings.interpolation,
        device=run.model.device,
        workers=workers,
        make_flow=_flow_maker(run),
    )
    parts = _parts(run, Stretches(run.clip, stop, run.size), keyframes)
    begun = (partial(_frames_of, run, interpolator, part, check) for part in parts)
    yield from in_order(begun, at_once, is_ready=keyframes.is_ready)


@dataclass(frozen=True, eq=False)
class _Part:
    """A keyframe with what lies between it and the one before, `left`, in its shot.

    `stored` are the first frames there, as far as an earlier run made them, and `sources` all
    from keyframe to keyframe, if any frame is left to be made.
    """

    key: Keyframe
    left: Keyframe | None = None
    stored: Sequence[Image] = ()
    sources: Sequence[Image] = ()


def _parts(run: Run, sources: Stretches, keyframes: Iterator[Keyframe]) -> Iterator[_Part]:
    left: Keyframe | None = None
    for key in keyframes:
        if left is None or key.begins_shot:
            yield _Part(key)
        else:
            stored = list(_stored_between(run, left.index, key.index))
            is_whole = len(stored) == key.index - left.index - 1
            needed = () if is_whole else list(sources.read(left.index, key.index + 1))
            yield _Part(key, left, stored, needed)
        left = key


def _stored_between(run: Run, left: int, right: int) -> Iterator[Image]:
    """The stored frames from `left` on: a segment is made from its beginning or not at all."""
    for index in range(left + 1, right):
        image = run.checkpoint.load("frames", index)
        if image is None:
            return
        yield image


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


def _frames_of(
    run: Run,
    interpolator: Interpolator,
    part: _Part,
    check: Callable[[], None],
    is_cancelled: Callable[[], bool],
) -> Iterator[MadeFrame]:
    """The frames of a part: what is stored, then what has to be made, then the keyframe."""
    is_closing = _asked(check)
    if part.left is not None:
        for index, image in enumerate(part.stored, part.left.index + 1):
            yield _reused(run, index, image)
        if part.sources:
            segment = Segment(
                sources=part.sources,
                first_key=part.left.image,
                last_key=part.key.image,
                is_cancelled=lambda: is_cancelled() or is_closing(),
            )
            yield from _made(run, interpolator, segment, part)
            check()  # A segment that was cancelled has ended early.
    yield _keyframe_as_frame(run, part.key)


def _made(
    run: Run, interpolator: Interpolator, segment: Segment, part: _Part
) -> Iterator[MadeFrame]:
    assert part.left is not None
    judge = Judge(segment.sources, part.left.image, part.key.image)
    with closing(_as_generator(interpolator(segment))) as made:
        for frame in made:
            if frame.offset > len(part.stored):
                quality = judge(frame.offset, frame.image, frame.error)
                yield _stored(run, part.left.index + frame.offset, frame.image, quality)


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
