"""What a container says beside its streams: title, date, place, chapters."""

from __future__ import annotations

import logging
from fractions import Fraction

import av.container
import av.error
import av.stream
from av.stream import Disposition

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
    "com.apple.quicktime.make": "make",
    "com.apple.quicktime.model": "model",
}


# Not to be missed: hints for servers, and titles of chapters, which are taken over as chapters.
_TAGS_OF_NOTHING = {"rtp ", "text"}


def left_out(source: av.container.InputContainer, *, keeps_timecode: bool = False) -> list[str]:
    """A sentence on what a result does not take over of `source`; empty where that is nothing."""
    streams = source.streams
    has_track = any(_tag_of(one) == "tmcd" for one in streams.data)
    has_timecode = (has_track or timecode_in(source) is not None) and not keeps_timecode
    covers = [one for one in streams.video if one.disposition & Disposition.attached_pic]
    others = [one for one in streams.data if _tag_of(one) not in {"tmcd", *_TAGS_OF_NOTHING}]
    attachments = [one for one in streams if one.type == "attachment"]
    kinds = [
        name
        for name, found in (
            ("subtitles", streams.subtitles),
            ("timecode", has_timecode),
            ("cover picture", covers),
            ("data tracks", others),
            ("attached files", attachments),
        )
        if found
    ]
    if not kinds:
        return []
    *most, last = kinds
    named = f"{', '.join(most)} and {last}" if most else last
    is_one = kinds in (["timecode"], ["cover picture"])
    verb, them = ("is", "it") if is_one else ("are", "them")
    return [f"the clip's {named} {verb} not taken over; add {them} to the result in your editor"]


def timecode_in(source: av.container.InputContainer) -> str | None:
    """The timecode of the first frame; None where it was never set."""
    # DV and MXF state it for the whole file, and have no stream for it.
    holders = (*source.streams, source)
    stated = (
        value
        for holder in holders
        for name, value in holder.metadata.items()
        if name.lower() == "timecode"
    )
    # What counts from zero is what any editor gives the result.
    return next((one for one in stated if any(digit in "123456789" for digit in one)), None)


def _tag_of(stream: av.stream.Stream) -> str:
    # Streams that nothing decodes have no context to ask; their handlers have a name all the same.
    handler = stream.metadata.get("handler_name", "").lower()
    if "timecode" in stream.metadata or "time code" in handler:
        return "tmcd"
    if "rtp" in handler or "hint" in handler:
        return "rtp "
    return "text" if stream.container.chapters() and "subtitle" in handler else ""


def copy_names(source: av.stream.Stream, target: av.stream.Stream) -> None:
    """Give a track of pictures the title and the language of another."""
    # Handlers' names, which programs write of themselves, are no titles.
    title = source.metadata.get("title") or source.metadata.get("name")
    language = source.metadata.get("language", "und")
    if title:
        target.metadata["title"] = title
    if language != "und":
        target.metadata["language"] = language


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
