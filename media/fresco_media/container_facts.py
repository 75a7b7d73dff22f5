"""What a container says beside its streams: title, date, place, chapters."""

from __future__ import annotations

import logging
from fractions import Fraction

import av.container
import av.error

logger = logging.getLogger(__name__)

# Facts about what is shown. Others are about the file itself, which is another one now.
_KEPT = {
    *("title", "artist", "album", "comment", "description", "synopsis", "copyright", "date"),
    *("genre", "show", "episode_id", "creation_time", "location", "location-eng", "make", "model"),
}
_ELSEWHERE = {
    "com.apple.quicktime.location.iso6709": "location",
    "com.apple.quicktime.creationdate": "date",
    "com.apple.quicktime.title": "title",
}


def copy_facts(
    source: av.container.InputContainer,
    output: av.container.OutputContainer,
    offset_s: Fraction,
    stop_s: Fraction,
) -> None:
    """Give `output` the title, date and place of `source`, and the chapters of a part of it.

    `offset_s` is the time of the source that becomes 0, `stop_s` the one where the part ends.
    """
    for key, value in source.metadata.items():
        kept = _ELSEWHERE.get(key.lower(), key.lower())
        if kept in _KEPT and kept not in output.metadata:
            output.metadata[kept] = value
    chapters = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, 1000)
        begin_s = max(chapter["start"] * base, offset_s) - offset_s
        end_s = min(chapter["end"] * base, stop_s) - offset_s
        if begin_s < end_s:
            chapters.append(
                {
                    "id": len(chapters) + 1,
                    "start": round(begin_s * 1000),
                    "end": round(end_s * 1000),
                    "time_base": Fraction(1, 1000),
                    "metadata": dict(chapter["metadata"]),
                }
            )
    if chapters:
        output.set_chapters(chapters)
