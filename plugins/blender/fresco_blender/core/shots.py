"""Markers of the timeline as words for the shots that begin at them."""

from __future__ import annotations

from collections.abc import Iterable

from .timing import Span

PREFIX = "fresco:"
"""A marker whose name begins so adds the rest of its name to the prompt until the next such one."""


def marker_words(name: str) -> str | None:
    """The words a marker adds, which may be none; None if it is not meant for us."""
    head, rest = name[: len(PREFIX)], name[len(PREFIX) :]
    return rest.strip() if head.lower() == PREFIX else None


def words_by_frame(markers: Iterable[tuple[int, str]], visible: Span) -> dict[int, str]:
    """Words for every timeline frame of `visible` that has any; `markers` are frames and names.

    Which frames become keyframes is not known yet, so every frame is given its words.
    """
    ours = sorted(
        (frame, words) for frame, name in markers if (words := marker_words(name)) is not None
    )
    ends = [*(frame for frame, _ in ours[1:]), visible.stop]
    words_of: dict[int, str] = {}
    for (frame, words), end in zip(ours, ends, strict=False):
        shot = Span(start=frame, stop=max(frame, end)).cut_to(visible)
        if words:
            words_of.update(dict.fromkeys(range(shot.start, shot.stop), words))
    return words_of
