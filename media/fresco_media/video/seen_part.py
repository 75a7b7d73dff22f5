"""The part of its pictures that a file says is to be seen, which FFmpeg's decoders leave whole.

Matroska and WebM say it by how much is cropped at each side, MOV and MP4 by a clean aperture.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import av

from fresco_media.files.opening import open_file
from fresco_media.video.ebml import (
    CLUSTER,
    HEIGHT,
    IS_VIDEO,
    MOST_NUMBER_BYTES,
    SEGMENT,
    TRACK,
    TRACK_TYPE,
    TRACKS,
    VIDEO,
    WIDTH,
    Element,
    elements,
    number_in,
)

Size = tuple[int, int]
"""Width and height in pixels."""

_MATROSKA, _QUICKTIME = "matroska", "mov"
# Matroska's elements (RFC 9559). A cluster holds packets; the tracks are described before the
# first of them, or where the list at the beginning says, as programs put them that changed them.
_LIST, _ENTRY, _ENTRY_NAME, _ENTRY_PLACE = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
_BOTTOM, _TOP, _LEFT, _RIGHT = 0x54AA, 0x54BB, 0x54CC, 0x54DD
# QuickTime's atoms on the way to the description of a track, which begins with fixed fields.
_TO_MEDIA, _TO_TABLES = (b"mdia",), (b"mdia", b"minf", b"stbl", b"stsd")
_LIST_HEADER, _VISUAL_FIELDS = 8, 78
_MOST_PARTS = 10_000
"""Of a damaged file more are not looked at."""


@dataclass(frozen=True)
class _Part:
    """An atom: its name, and where its content is."""

    name: bytes
    begin: int
    end: int


def seen_size(path: Path, video: av.VideoStream) -> Size | None:
    """What the file at `path`, of which `video` is a stream, lets be seen of it; None for all.

    Raises:
        OSError: it cannot be read.
    """
    container = video.container
    place = [one.index for one in container.streams.video].index(video.index)
    found = _seen_sizes(path, container.format.name)
    return found[place] if place < len(found) else None


def _seen_sizes(path: Path, container: str) -> list[Size | None]:
    """Those of all video tracks; none where the file is of another kind or damaged."""
    try:
        with open_file(path) as file:
            if container.startswith(_MATROSKA):
                return [_cropped(track) for track in _video_elements(file)]
            if container.startswith(_QUICKTIME):
                return [_aperture(file, entry) for entry in _video_entries(file)]
    except (struct.error, ValueError, IndexError, ZeroDivisionError):
        pass
    return []


def hidden_edges_told(seen: Size | None, whole: Size) -> tuple[str, ...]:
    """What to say of pictures of which only a part is to be seen; nothing if that is all."""
    if seen is None or (seen[0] >= whole[0] and seen[1] >= whole[1]):
        return ()
    return (
        f"the file says that only {seen[0]}x{seen[1]} of its {whole[0]}x{whole[1]} pixels are to "
        "be seen, which players keep to; here all of them are worked on and seen in the result, so "
        "crop the edges away first if they are not wanted",
    )


# Matroska


def _video_elements(file: BinaryIO) -> Iterator[dict[int, int]]:
    """The numbers in the description of each video track."""
    for segment in elements(file, 0, _size(file)):
        if segment.name != SEGMENT:
            continue
        tracks = _tracks_in(file, segment)
        if tracks is not None:
            yield from _videos_in(file, tracks)
        return


def _tracks_in(file: BinaryIO, segment: Element) -> Element | None:
    listed: int | None = None
    for part in elements(file, segment.begin, segment.end):
        if part.name == TRACKS:
            return part
        if part.name == CLUSTER:
            break
        if part.name == _LIST:
            listed = _listed_place(file, part)
    if listed is None:
        return None
    found = next(elements(file, segment.begin + listed, segment.end), None)
    return found if found is not None and found.name == TRACKS else None


def _listed_place(file: BinaryIO, listing: Element) -> int | None:
    """Where in the segment the list of its parts says that the tracks are."""
    for entry in elements(file, listing.begin, listing.end):
        inside = {one.name: number_in(file, one) for one in elements(file, entry.begin, entry.end)}
        if entry.name == _ENTRY and inside.get(_ENTRY_NAME) == TRACKS:
            return inside.get(_ENTRY_PLACE)
    return None


def _videos_in(file: BinaryIO, tracks: Element) -> Iterator[dict[int, int]]:
    for track in elements(file, tracks.begin, tracks.end):
        if track.name != TRACK:
            continue
        parts = {part.name: part for part in elements(file, track.begin, track.end)}
        kind, video = parts.get(TRACK_TYPE), parts.get(VIDEO)
        if kind is not None and video is not None and number_in(file, kind) == IS_VIDEO:
            inside = elements(file, video.begin, video.end)
            yield {
                one.name: number_in(file, one)
                for one in inside
                if one.end - one.begin <= MOST_NUMBER_BYTES
            }


def _cropped(video: dict[int, int]) -> Size | None:
    width = video.get(WIDTH, 0) - video.get(_LEFT, 0) - video.get(_RIGHT, 0)
    height = video.get(HEIGHT, 0) - video.get(_TOP, 0) - video.get(_BOTTOM, 0)
    is_cropped = any(video.get(side) for side in (_LEFT, _RIGHT, _TOP, _BOTTOM))
    return (width, height) if is_cropped and width > 0 and height > 0 else None


# QuickTime


def _video_entries(file: BinaryIO) -> Iterator[_Part]:
    """The first description of each video track."""
    for moov in _named(_atoms(file, 0, _size(file)), b"moov"):
        for track in _named(_atoms(file, moov.begin, moov.end), b"trak"):
            media = _inside(file, track, *_TO_MEDIA)
            handler = None if media is None else _inside(file, media, b"hdlr")
            table = _inside(file, track, *_TO_TABLES)
            if handler is None or table is None:
                continue
            file.seek(handler.begin + 8)
            if file.read(4) == b"vide":
                yield from islice(_atoms(file, table.begin + _LIST_HEADER, table.end), 1)
        return


def _aperture(file: BinaryIO, entry: _Part) -> Size | None:
    found = next(_named(_atoms(file, entry.begin + _VISUAL_FIELDS, entry.end), b"clap"), None)
    if found is None:
        return None
    file.seek(found.begin)
    width, width_of, height, height_of = struct.unpack(">4I", file.read(16))
    size = round(width / width_of), round(height / height_of)
    return size if min(size) > 0 else None


def _inside(file: BinaryIO, part: _Part, *names: bytes) -> _Part | None:
    for name in names:
        found = next(_named(_atoms(file, part.begin, part.end), name), None)
        if found is None:
            return None
        part = found
    return part


def _named(parts: Iterator[_Part], name: bytes) -> Iterator[_Part]:
    return (part for part in parts if part.name == name)


def _atoms(file: BinaryIO, begin: int, end: int) -> Iterator[_Part]:
    for _ in range(_MOST_PARTS):
        if begin + 8 > end:
            return
        file.seek(begin)
        size, name = struct.unpack(">I4s", file.read(8))
        content = begin + 8
        if size == 1:
            size, content = struct.unpack(">Q", file.read(8))[0], begin + 16
        stop = end if size == 0 else begin + size
        if stop < content:
            return
        yield _Part(name, content, min(end, stop))
        begin = stop


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)
