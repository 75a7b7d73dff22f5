"""The shape of pixels in a Matroska file, where FFmpeg writes none for PyAV.

H.264 says it in its own headers; of codecs that do not, such as FFV1, players know it only from
the display size in the description of the track.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

from fresco_media.video.ebml import (
    HEIGHT,
    SEGMENT,
    TRACKS,
    VIDEO,
    WIDTH,
    Element,
    element,
    elements,
    number,
    number_in,
    video_tracks,
)

_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
_VOID, _CHECKSUM = 0xEC, 0xBF
_HEAD_BYTES = 1 << 20
# A void element is two bytes long at least.
_LEAST_VOID = 2


def state_aspect(path: Path, aspect: Fraction) -> bool:
    """Write how wide pixels are by their height, into the room that FFmpeg leaves in the track.

    Returns whether there was room.

    Raises:
        OSError: the file cannot be changed.
    """
    with path.open("r+b") as file:
        head = bytearray(file.read(_HEAD_BYTES))
        try:
            tracks = _tracks_in(head)
            changed = _with_aspect(head, tracks, aspect)
        except (ValueError, IndexError, StopIteration):
            return False
        if changed:
            file.seek(tracks.start)
            file.write(head[tracks.start : tracks.end])
    return changed


def _inside(head: bytes | bytearray, outer: Element) -> list[Element]:
    return list(elements(BytesIO(head), outer.begin, outer.end))


def _tracks_in(head: bytearray) -> Element:
    whole = elements(BytesIO(head), 0, len(head))
    segment = next(one for one in whole if one.name == SEGMENT)
    inside = elements(BytesIO(head), segment.begin, segment.end)
    return next(one for one in inside if one.name == TRACKS)


def _with_aspect(head: bytearray, tracks: Element, aspect: Fraction) -> bool:
    for track, _ in video_tracks(BytesIO(head), tracks):
        made = b"".join(_rewritten(head, track, aspect))
        room = track.end - track.begin - len(made)
        if room < 0 or 0 < room < _LEAST_VOID:
            return False
        head[track.begin : track.end] = made + _void(room)
        _state_checksum(head, tracks)
        return True
    return False


def _rewritten(head: bytearray, track: Element, aspect: Fraction) -> Iterator[bytes]:
    """What the track holds but the room in it."""
    for part in _inside(head, track):
        if part.name == VIDEO:
            yield _video(head, part, aspect)
        elif part.name != _VOID:
            yield bytes(head[part.start : part.end])


def _video(head: bytearray, video: Element, aspect: Fraction) -> bytes:
    parts = _inside(head, video)
    numbers = {part.name: number_in(BytesIO(head), part) for part in parts}
    size = _display_size(numbers[WIDTH], numbers[HEIGHT], aspect)
    replaced = (_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT, _VOID)
    kept = [bytes(head[part.start : part.end]) for part in parts if part.name not in replaced]
    stated = [
        element(name, number(side))
        for name, side in zip((_DISPLAY_WIDTH, _DISPLAY_HEIGHT), size, strict=True)
    ]
    return element(VIDEO, b"".join([*kept, *stated]))


def _display_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Whole pixels of exactly this shape, about as many as are stored."""
    shape = Fraction(width, height) * aspect
    times = max(1, round(height / shape.denominator))
    return shape.numerator * times, shape.denominator * times


def _void(size: int) -> bytes:
    """Room of so many bytes; none, or two at least."""
    if not size:
        return b""
    if size < 0x7F + _LEAST_VOID:
        return bytes([_VOID, 0x80 | (size - _LEAST_VOID)]) + b"\0" * (size - _LEAST_VOID)
    return bytes([_VOID]) + (1 << 56 | (size - 9)).to_bytes(8, "big") + b"\0" * (size - 9)


def _state_checksum(head: bytearray, tracks: Element) -> None:
    """The checksum comes first and is of all that follows."""
    first = _inside(head, tracks)[0]
    if first.name == _CHECKSUM:
        checksum = zlib.crc32(head[first.end : tracks.end])
        head[first.begin : first.end] = checksum.to_bytes(4, "little")
