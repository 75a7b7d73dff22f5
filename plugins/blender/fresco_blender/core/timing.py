"""Arithmetic between frames of the timeline and frames of a source.

A strip's *origin* is the timeline frame on which frame 0 of its source would lie if nothing were
trimmed. Ends are one past the last frame, as everywhere in Fresco.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Span:
    """Frames from `start` to one before `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many frames there are."""
        return max(self.stop - self.start, 0)

    def cut_to(self, other: Span) -> Span:
        """The part that also lies in `other`; of length 0 if there is none."""
        start = max(self.start, other.start)
        return Span(start=start, stop=max(start, min(self.stop, other.stop)))

    def joined(self, other: Span) -> Span:
        """The shortest span that holds both."""
        return Span(start=min(self.start, other.start), stop=max(self.stop, other.stop))

    def moved(self, by: int) -> Span:
        """The same, later by so many frames."""
        return Span(start=self.start + by, stop=self.stop + by)


@dataclass(frozen=True, kw_only=True)
class StripTiming:
    """Where a strip lies and what of its source it shows, at one source frame a timeline frame."""

    left: int
    """First visible timeline frame."""
    right: int
    """One past the last visible timeline frame."""
    content_start: int
    """Timeline frame on which the strip's content begins, visible or not."""
    trim_start: int = 0
    """Source frames that were cut off for good before the content."""
    content_length: int | None = None
    """Frames of content, beyond which the strip holds its first or last one; None if unknown."""

    @property
    def visible(self) -> Span:
        """Timeline frames on which it is seen."""
        return Span(start=self.left, stop=self.right)

    @property
    def origin(self) -> int:
        """Timeline frame of source frame 0."""
        return self.content_start - self.trim_start

    @property
    def content(self) -> Span:
        """Timeline frames on which its content lies, visible or not."""
        if self.content_length is None:
            return Span(start=self.content_start, stop=max(self.content_start, self.right))
        return Span(start=self.content_start, stop=self.content_start + self.content_length)

    def source_frames(self, count: int | None = None) -> Span:
        """What is seen of the source; of `count` frames, beyond which a strip holds its ends."""
        shown = self.visible.cut_to(self.content).moved(-self.origin)
        return shown.cut_to(Span(start=0, stop=shown.stop if count is None else count))

    def covered(self, made: Span) -> Span:
        """Where a result that lies on `made` is to be seen: where its source is, held ends too.

        A result that ends where the source's content ends holds the frame that the source holds.
        """
        shown = made.cut_to(self.visible)
        if not shown.length:
            return shown
        start = self.left if made.start <= self.content.start else shown.start
        return Span(start=start, stop=self.right if made.stop >= self.content.stop else shown.stop)

    def widened(self, span: Span, handles: int, count: int | None) -> Span:
        """`span` with so many more source frames on both sides, as far as there are any."""
        stop = span.stop + handles
        return Span(
            start=max(0, span.start - handles), stop=stop if count is None else min(stop, count)
        )


def keyframe_spans(keyframes: Sequence[int], start: int, stop: int) -> list[tuple[int, Span]]:
    """Each keyframe with the source frames it stands for until the next one takes over.

    The first also stands for what comes before it.
    """
    ends = [*keyframes[1:], stop]
    begins = [start, *keyframes[1:]]
    return [
        (index, Span(start=begin, stop=end))
        for index, begin, end in zip(keyframes, begins, ends, strict=True)
        if end > begin
    ]


def nearest(keyframes: Sequence[int], index: int) -> int | None:
    """The keyframe closest to a source frame, of two the earlier; None if there are none."""
    return min(keyframes, key=lambda keyframe: (abs(keyframe - index), keyframe), default=None)


def rate_of(fps: int, fps_base: float) -> Fraction:
    """A scene's frame rate as an exact fraction: 24 and 1.001 stand for 24000/1001."""
    return Fraction(fps) / Fraction(fps_base).limit_denominator(10_000)
