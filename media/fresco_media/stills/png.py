"""Pictures kept without loss while a job runs: PNG, written fast and checked when read.

Measured on 512x512 pictures: run-length coding takes 14 ms for half of the raw bytes, where PNG's
usual setting takes 57 ms to save another 3 % of them; reading takes 6 ms.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_media.types import ColourTags, Image

BoolMap = NDArray[np.bool_]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = len(_SIGNATURE) + 25
PNG_HEADER_BYTES = 24
_COLOUR_TYPE, _WITH_ALPHA = 25, b"\x06"
_COMMENT = b"Comment\0"
_ORDERS = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
"""What makes of our order of colours that of OpenCV, by their number."""
_FAST = (
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_COMPRESSION,
    1,
)


def encode_png(image: Image, note: str = "", mask: BoolMap | None = None) -> bytes:
    """`image` as a PNG file, in which `note` (ASCII) stands as its comment.

    It is RGB (h, w, 3), straight RGBA (h, w, 4) or grey (h, w). A `mask` (h, w) is the alpha of
    an RGB picture: opaque where it is true.
    """
    if mask is not None:
        image = np.dstack([image, np.where(mask, 255, 0).astype(np.uint8)])
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, _ORDERS[image.shape[2]])
    _, encoded = cv2.imencode(".png", pixels, _FAST)
    data = encoded.tobytes()
    return with_note(data, note) if note else data


def with_note(data: bytes, note: str) -> bytes:
    """The PNG file `data` with `note` (ASCII) as its comment."""
    return data[:_HEADER_END] + _comment(note) + data[_HEADER_END:]


def png_note(data: bytes) -> str:
    """The note that `with_note` put into a file, empty where there is none or it is damaged."""
    for kind, body in _chunks(data):
        if kind == b"tEXt" and body.startswith(_COMMENT):
            return body.removeprefix(_COMMENT).decode("ascii", "replace")
        if kind == b"IDAT":
            break
    return ""


def _comment(note: str) -> bytes:
    body = b"tEXt" + _COMMENT + note.encode("ascii")
    return (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def decode_png(data: bytes) -> Image | None:
    """The picture in a PNG file, or None where a single bit of it is missing or wrong."""
    if not _is_whole(data):
        return None
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        return None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def decode_mask(data: bytes) -> BoolMap | None:
    """The mask that `encode_png` put into a whole file; None where it put in none."""
    if data[_COLOUR_TYPE : _COLOUR_TYPE + 1] != _WITH_ALPHA:
        return None  # Most have none, and need not be decoded for that.
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        return None
    return np.asarray(decoded[..., 3] > 0, np.bool_)


def cicp_of(data: bytes) -> ColourTags | None:
    """The colours that a PNG file states by code points (its cICP chunk), if it does."""
    for kind, body in _chunks(data):
        if kind == b"cICP" and len(body) == 4:
            primaries, transfer, _, is_full = body
            return ColourTags(
                primaries=primaries, transfer=transfer, matrix=0, is_full_range=bool(is_full)
            )
        if kind == b"IDAT":
            break
    return None


def png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of the picture in a PNG file, or None where `decode_png` gives None."""
    return png_header_size(data) if _is_whole(data) else None


def png_header_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that the first `PNG_HEADER_BYTES` of a PNG file state, if it is one."""
    if not data.startswith(_SIGNATURE) or len(data) < PNG_HEADER_BYTES:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _is_whole(data: bytes) -> bool:
    """Whether all chunks are there with the right check sums; OpenCV reads torn files too."""
    chunks = list(_chunks(data))
    size = len(_SIGNATURE) + sum(12 + len(body) for _, body in chunks)
    return bool(chunks) and chunks[-1][0] == b"IEND" and size == len(data)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of one chunk after the other, up to IEND or the first damaged one."""
    position, kind = len(_SIGNATURE), b""
    if not data.startswith(_SIGNATURE):
        return
    while position + 12 <= len(data) and kind != b"IEND":
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        if zlib.crc32(data[position + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return
        kind = data[position + 4 : position + 8]
        yield kind, data[position + 8 : end]
        position = end + 4
