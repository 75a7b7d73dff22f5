"""Elements of Matroska and WebM files (RFC 8794): how they lie in one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SEGMENT, TRACKS, TRACK, CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0x1F43B675
VIDEO, WIDTH, HEIGHT = 0xE0, 0xB0, 0xBA
_TRACK_TYPE, _IS_VIDEO = 0x83, 1
MOST_NUMBER_BYTES = 8
_MOST_ELEMENTS = 10_000
"""Of a damaged file more are not looked at."""


@dataclass(frozen=True)
class Element:
    """An element: its name, where it starts, and where its content begins and ends."""

    name: int
    start: int
    begin: int
    end: int


def elements(file: BinaryIO, begin: int, end: int) -> Iterator[Element]:
    """The elements in a span of the file, one after the other.

    Raises:
        ValueError, IndexError: it is damaged.
        OSError: it cannot be read.
    """
    for _ in range(_MOST_ELEMENTS):
        if begin >= end:
            return
        file.seek(begin)
        name, name_bytes = _variable(file, is_marked=True)
        size, size_bytes = _variable(file, is_marked=False)
        content = begin + name_bytes + size_bytes
        # All ones: nobody knew the size, and it goes on to the end.
        is_open = size == (1 << 7 * size_bytes) - 1
        stop = end if is_open else min(end, content + size)
        yield Element(name, begin, content, stop)
        begin = stop


def number_in(file: BinaryIO, element: Element) -> int:
    """The number that an element holds."""
    file.seek(element.begin)
    return int.from_bytes(file.read(min(MOST_NUMBER_BYTES, element.end - element.begin)), "big")


def element(name: int, content: bytes) -> bytes:
    """An element of this name, its length in as few bytes as can be."""
    size_bytes = next(n for n in range(1, 9) if len(content) < (1 << 7 * n) - 1)
    size = (1 << 7 * size_bytes) | len(content)
    return number(name) + size.to_bytes(size_bytes, "big") + content


def number(value: int) -> bytes:
    """A number in as few bytes as can be."""
    return value.to_bytes(max(1, -(-value.bit_length() // 8)), "big")


def video_tracks(file: BinaryIO, tracks: Element) -> Iterator[tuple[Element, Element]]:
    """Each track of pictures among `tracks`, and what it says of them."""
    for track in elements(file, tracks.begin, tracks.end):
        if track.name != TRACK:
            continue
        parts = {part.name: part for part in elements(file, track.begin, track.end)}
        kind, video = parts.get(_TRACK_TYPE), parts.get(VIDEO)
        if kind is not None and video is not None and number_in(file, kind) == _IS_VIDEO:
            yield track, video


def _variable(file: BinaryIO, *, is_marked: bool) -> tuple[int, int]:
    """A number and its length; `is_marked` keeps the bit that says how long it is."""
    first = file.read(1)[0]
    length = 9 - first.bit_length()
    if length > MOST_NUMBER_BYTES:
        raise ValueError("no number of EBML")
    rest = file.read(length - 1)
    if len(rest) < length - 1:
        raise ValueError("the file ends here")
    head = first if is_marked else first & ((1 << (8 - length)) - 1)
    return int.from_bytes(bytes([head]) + rest, "big"), length
