"""Pictures written one behind the other into one file, as programs do that write to a pipe."""

from __future__ import annotations

from pathlib import Path

from fresco_media.files.faults import reading
from fresco_media.files.opening import read_file
from fresco_media.stills.formats import HEAD_BYTES, kind_of

JOINED = (
    "the file holds several pictures, one behind the other; the first one is used, so save the "
    "others as files of their own, or the whole as a video"
)
_PNG_END = b"IEND\xaeB`\x82"
_PNG, _EXR = b"\x89PNG\r\n\x1a\n", b"\x76\x2f\x31\x01"
_DPX = (b"SDPX", b"XPDS")
_TGA_HEAD, _TGA_FOOT = 18, 26
_TGA_RAW = (2, 3)
_MOST_BYTES = 4 << 30


def is_joined(path: Path) -> bool:
    """Whether another picture of the same kind follows the first one in the file at `path`.

    Told of PNG, OpenEXR, DPX and BMP, and of TGA that is not compressed.

    Raises:
        ClipUnreadable: it cannot be read.
    """
    with reading(path):
        data = read_file(path, _MOST_BYTES)
    kind = kind_of(data[:HEAD_BYTES])
    if kind == "PNG":
        return _PNG_END + _PNG in data
    if kind == "EXR":
        # With the version behind it, as four bytes alone may be those of a pixel.
        return data.find(_EXR + data[4:8], 8) > 0
    if kind == "DPX":
        order = "big" if data.startswith(_DPX[0]) else "little"
        return data[int.from_bytes(data[16:20], order) :].startswith(_DPX)
    if kind == "BMP":
        return data[int.from_bytes(data[2:6], "little") :].startswith(b"BM")
    return kind is None and path.suffix.lower() == ".tga" and _is_joined_targa(data)


def _is_joined_targa(data: bytes) -> bool:
    """Whether a second header like the first one stands behind the pixels."""
    head = data[:_TGA_HEAD]
    if len(head) < _TGA_HEAD or head[2] not in _TGA_RAW:
        return False
    width, height = (int.from_bytes(head[at : at + 2], "little") for at in (12, 14))
    palette = int.from_bytes(head[5:7], "little") * -(-head[7] // 8) if head[1] else 0
    end = _TGA_HEAD + head[0] + palette + width * height * -(-head[16] // 8)
    return head in (data[start : start + _TGA_HEAD] for start in (end, end + _TGA_FOOT))
