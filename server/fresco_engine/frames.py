"""From keyframes to all frames of the result: what runs beside the translation of later ones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader

from fresco_engine.interpolation.keyframe_span import (
    CarriedFrame,
    KeyframeSpan,
    ReadFrames,
    carry,
    plan_spans,
)
from fresco_engine.interpolation.ordered import in_order
from fresco_engine.pipeline_stage import Inbox, PipelineStageClosed
from fresco_engine.run import Keyframe, MadeFrame, Run


def make_frames(
    run: Run, keyframes: Inbox[Keyframe], check: Callable[[], None]
) -> Generator[MadeFrame, None, None]:
    """Every frame of the range in order; each is stored before it is yielded.

    `keyframes` are all those of the plan. Works on several spans at once where there are cores
    for it, and reads the clip with decoders of its own. `check` is called many times a second, on
    any thread, and ends the work by raising `PipelineStageClosed`.
    """
    begun = (partial(_frames_of, run, part, check) for part in _parts(run, keyframes, check))
    yield from in_order(begun, run.at_once, run.longest or 0, is_ready=keyframes.is_ready)


def make_span(
    run: Run, span: KeyframeSpan, check: Callable[[], None]
) -> Generator[MadeFrame, None, None]:
    """The frames of one span without its keyframes, which are stored; each is stored."""
    ends = ((span.start, span.has_first), (span.stop - 1, span.has_last))
    first, last = (_stored_keyframe(run, index) if is_one else None for index, is_one in ends)
    stored = list(_stored_in(run, span))
    reader = SpanReader(run.clip, run.plan.stop, run.size).read
    part = _Part(span, first, last, stored, len(stored), reader)
    yield from _between(run, part, check, lambda: False)


def _stored_keyframe(run: Run, index: int) -> Keyframe | None:
    image = run.checkpoint.load("keyframes", index)
    return None if image is None else Keyframe(index, image)


@dataclass(frozen=True, eq=False)
class _Part:
    """A span of a shot with the keyframes at its ends; the first came with the part before.

    `stored` are the first frames there, of which an earlier run made those before `known`. `read`
    gives the sources, if any frame is left to be made.
    """

    span: KeyframeSpan
    first: Keyframe | None
    last: Keyframe | None
    stored: Sequence[Image]
    known: int
    read: ReadFrames | None


def _parts(run: Run, keyframes: Iterator[Keyframe], check: Callable[[], None]) -> Iterator[_Part]:
    sources = SpanReader(run.clip, run.plan.stop, run.size)
    latest: Keyframe | None = None
    for span in plan_spans(run.plan.keyframes, run.plan.shots):
        first = latest if span.has_first else None
        last = latest = next(keyframes) if span.has_last else None
        known = None if run.remote is None else run.remote.frames(span, check)
        stored = list(_stored_in(run, span))
        is_whole = len(stored) == len(span.frames)
        read = None if is_whole else _reader(run, sources, span)
        yield _Part(span, first, last, stored, len(stored) if known is None else known, read)


def _reader(run: Run, sources: SpanReader, span: KeyframeSpan) -> ReadFrames:
    """Reads on where the last span ended; one of several segments is read as it is made."""
    if run.longest is not None and span.stop - span.start > run.longest:
        return SpanReader(run.clip, run.plan.stop, run.size).read
    pictures = list(sources.read(span.start, span.stop))
    return lambda start, stop: pictures[start - span.start : stop - span.start]


def _stored_in(run: Run, span: KeyframeSpan) -> Iterator[Image]:
    """The stored frames from the beginning on: a segment is made from there or not at all."""
    for index in span.frames:
        image = run.checkpoint.load("frames", index)
        if image is None:
            return
        yield image


def _asked(check: Callable[[], None]) -> Callable[[], bool]:
    """`check` as a question: whether it would end the work."""

    def is_closing() -> bool:
        try:
            check()
        except PipelineStageClosed:
            return True
        return False

    return is_closing


def _keyframe_as_frame(run: Run, key: Keyframe) -> MadeFrame:
    is_reused = run.checkpoint.load("frames", key.index) is not None
    if not is_reused:
        run.checkpoint.save_keyframe_as_frame(key.index, key.image)
    return MadeFrame(key.index, key.image, is_keyframe=True, is_reused=is_reused)


def _frames_of(
    run: Run, part: _Part, check: Callable[[], None], is_cancelled: Callable[[], bool]
) -> Iterator[MadeFrame]:
    """The frames of a part, and then its last keyframe."""
    yield from _between(run, part, check, is_cancelled)
    if part.last is not None:
        yield _keyframe_as_frame(run, part.last)


def _between(
    run: Run, part: _Part, check: Callable[[], None], is_cancelled: Callable[[], bool]
) -> Iterator[MadeFrame]:
    """The frames of a part that are no keyframes: what is stored, then what has to be made."""
    is_closing = _asked(check)
    for place, (index, image) in enumerate(zip(part.span.frames, part.stored, strict=False)):
        yield _reused(run, index, image, is_reused=place < part.known)
    if part.read is not None:
        carried = carry(
            part.span,
            (part.first and part.first.image, part.last and part.last.image),
            part.read,
            run.interpolator,
            run.longest,
            lambda: is_cancelled() or is_closing(),
        )
        with closing(carried):
            for frame in carried:
                if frame.index not in part.span.frames[: len(part.stored)]:
                    yield _stored(run, frame)
        check()  # A segment that was cancelled has ended early.


def _stored(run: Run, frame: CarriedFrame) -> MadeFrame:
    """A frame that was made, unless it is stored already: that is never replaced."""
    kept = run.checkpoint.load("frames", frame.index)
    if kept is not None:
        return _reused(run, frame.index, kept)
    run.checkpoint.save("frames", frame.index, frame.image, frame.quality)
    return MadeFrame(
        frame.index,
        frame.image,
        is_keyframe=False,
        is_reused=False,
        quality=frame.quality,
        error=frame.error if run.keeps_errors else None,
    )


def _reused(run: Run, index: int, image: Image, *, is_reused: bool = True) -> MadeFrame:
    quality = run.checkpoint.quality(index)
    return MadeFrame(index, image, is_keyframe=False, is_reused=is_reused, quality=quality)
