"""The part of its pictures that a file says is to be seen, which FFmpeg's decoders leave whole.

Matroska and WebM say it by how much is cropped at each side, MOV and MP4 by a clean aperture. Films
of AVIF and HEIF say how they are to be turned in the same place, which FFmpeg leaves undone too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import av

from fresco_media.colour.orientation import Orientation, from_properties
from fresco_media.files.opening import open_file
from fresco_media.video.ebml import (
    CLUSTER,
    HEIGHT,
    MOST_NUMBER_BYTES,
    SEGMENT,
    TRACKS,
    WIDTH,
    Element,
    elements,
    number_in,
    video_tracks,
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
# Handlers of tracks that FFmpeg has as video: films, those of AVIF and HEIF, and their alpha.
_PICTURES = (b"vide", b"pict", b"auxv")
_DAMAGE = (struct.error, ValueError, IndexError, ZeroDivisionError)
_TRANSFORMS = (b"irot", b"imir")
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
    try:
        with open_file(path) as file:
            if container.format.name.startswith(_MATROSKA):
                place = [one.index for one in container.streams.video].index(video.index)
                found = [_cropped(track) for track in _video_elements(file)]
                return found[place] if place < len(found) else None
            entry = _entry_of(file, video)
            return None if entry is None else _aperture(file, entry)
    except _DAMAGE:
        return None


def stated_orientation(path: Path, video: av.VideoStream) -> Orientation | None:
    """How the file at `path` has a film of AVIF or HEIF turned; None where it says nothing.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with open_file(path) as file:
            entry = _entry_of(file, video)
            found = [] if entry is None else _properties(file, entry, *_TRANSFORMS)
            return from_properties(found) if found else None
    except _DAMAGE:
        return None


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
    for _, video in video_tracks(file, tracks):
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


def _entry_of(file: BinaryIO, video: av.VideoStream) -> _Part | None:
    """The first description of the track that `video` is; None in files of other kinds."""
    if not video.container.format.name.startswith(_QUICKTIME):
        return None
    return next((entry for track, entry in _video_entries(file) if track == video.id), None)


def _video_entries(file: BinaryIO) -> Iterator[tuple[int, _Part]]:
    """The number of each video track and its first description.

    FFmpeg puts the stills of the same file between them, so that their order tells nothing.
    """
    for moov in _named(_atoms(file, 0, _size(file)), b"moov"):
        for track in _named(_atoms(file, moov.begin, moov.end), b"trak"):
            header, media = _inside(file, track, b"tkhd"), _inside(file, track, *_TO_MEDIA)
            handler = None if media is None else _inside(file, media, b"hdlr")
            table = _inside(file, track, *_TO_TABLES)
            if header is None or handler is None or table is None:
                continue
            file.seek(handler.begin + 8)
            if file.read(4) in _PICTURES:
                number = _track_number(file, header)
                entries = _atoms(file, table.begin + _LIST_HEADER, table.end)
                yield from ((number, entry) for entry in islice(entries, 1))
        return


def _track_number(file: BinaryIO, header: _Part) -> int:
    file.seek(header.begin)
    # Behind the version and two times, which are longer in the second version.
    is_long = file.read(1)[0] > 0
    file.seek(header.begin + (20 if is_long else 12))
    return int.from_bytes(file.read(4), "big")


def _aperture(file: BinaryIO, entry: _Part) -> Size | None:
    found = next(_named(_atoms(file, entry.begin + _VISUAL_FIELDS, entry.end), b"clap"), None)
    if found is None:
        return None
    file.seek(found.begin)
    width, width_of, height, height_of = struct.unpack(">4I", file.read(16))
    size = round(width / width_of), round(height / height_of)
    return size if min(size) > 0 else None


def _properties(file: BinaryIO, entry: _Part, *names: bytes) -> list[tuple[bytes, bytes]]:
    """Small boxes in the description of a video track: their names and their content, in order."""
    found: list[tuple[bytes, bytes]] = []
    for part in list(_atoms(file, entry.begin + _VISUAL_FIELDS, entry.end)):
        if part.name in names:
            file.seek(part.begin)
            found.append((bytes(part.name), file.read(1)))
    return found


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
