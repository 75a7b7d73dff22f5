"""JPEG 2000: its pixels of more than 8 bits, and the colour profile that Pillow does not look for.

Of 16 bits Pillow makes black of what is white, and takes 12 bits for the lowest ones of 16.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from fresco_media.stills import film
from fresco_media.stills.formats import ColoursNotRead, check_pixels

_CODESTREAM = b"\xff\x4f\xff\x51"
_BOXED = b"\0\0\0\x0cjP  \r\n\x87\n"
_COLOURS_HEAD = 3
_NAMED, _PROFILES = 1, (2, 3)
# Numbers of colours (ISO 15444-1 and 15444-2): CMYK, and CMY, YCCK, Lab and Jab.
_CMYK, _UNREAD = 12, (11, 13, 14, 19)
_SHALLOW = 8
_FULL_RANGE = 2
_SIZE_END = 42


def bit_depth(data: bytes) -> int:
    """Bits of the deepest channel of a JPEG 2000 file.

    Raises:
        ValueError, struct.error: it is damaged.
        TooManyPixels: it is too large.
        ColoursNotRead: its colours are inks, or others that are not read here.
    """
    stream = data if data.startswith(_CODESTREAM) else _box(data, b"jp2c")
    if stream is None or not stream.startswith(_CODESTREAM):
        raise ValueError("there are no pixels in it")
    right, bottom, left, top = struct.unpack_from(">4I", stream, 8)
    check_pixels(right - left, bottom - top)
    (count,) = struct.unpack_from(">H", stream, _SIZE_END - 2)
    depths = stream[_SIZE_END : _SIZE_END + 3 * count : 3]
    deepest = max((depth & 0x7F) + 1 for depth in depths)
    _check_colours(data, is_deep=deepest > _SHALLOW)
    return deepest


def _check_colours(data: bytes, *, is_deep: bool) -> None:
    for method, body in _colours_in(data):
        named = int.from_bytes(body[:4], "big") if method == _NAMED else None
        are_inks = method in _PROFILES and body[16:20] == b"CMYK"
        if are_inks or named in _UNREAD or (is_deep and named == _CMYK):
            raise ColoursNotRead(
                "its colours are stored as inks or as Lab, which are not read here; export it as "
                "RGB"
            )


def profile_in(data: bytes) -> bytes | None:
    """The ICC profile of a JPEG 2000 file; None without one, and for other files."""
    return next((body for method, body in _colours_in(data) if method in _PROFILES), None)


def _colours_in(data: bytes) -> Iterator[tuple[int, bytes]]:
    """How colours are said, and what is said so."""
    header = _box(data, b"jp2h") if data.startswith(_BOXED) else None
    for kind, body in _boxes(header or b""):
        if kind == b"colr" and len(body) > _COLOURS_HEAD:
            yield body[0], body[_COLOURS_HEAD:]


def codes_of(data: bytes) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """RGB of 0-65535, and alpha.

    Raises:
        ValueError: it is damaged.
    """
    frame = film.decoded("jpeg2000", data, {})
    if not (frame.format.is_rgb or frame.format.name.startswith(("gray", "ya", "xyz"))):
        # What the format calls sYCC.
        frame.colorspace, frame.color_range = Colorspace.ITU601, _FULL_RANGE
    return film.codes_in(frame)


def _box(data: bytes, wanted: bytes) -> bytes | None:
    return next((body for kind, body in _boxes(data) if kind == wanted), None)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of one box after the other."""
    start = 0
    while start + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= len(data):
            (size,), head = struct.unpack_from(">Q", data, start + 8), 16
        end = start + size if size else len(data)
        if end < start + head:
            return
        yield kind, data[start + head : end]
        start = end
