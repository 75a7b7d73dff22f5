"""How many frames a second a file's timecode counts, which FFmpeg says nowhere.

Cameras of 50 and 60 frames a second may count 25 and 30: each number then stands for two frames.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from fresco_media.video.quicktime import atoms

_DESCRIPTIONS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
# Version and count of descriptions come first; of one of the format `tmcd`: size and format, what
# all kinds have, flags, timescale and duration of a frame, and then how many are in a second.
_TMCD_FORMAT, _TMCD_COUNT = 8 + 4, 8 + 8 + 8 + 4 + 4 + 4 + 4
# A timecode component of MXF (SMPTE 377-1) up to its length, and the tag of its rounded base.
_MXF_COMPONENT = bytes.fromhex("060e2b34025301010d01010101011400")
_MXF_BASE = 0x1502
_MXF_HEADER_BYTES = 1 << 20
_MXF = bytes.fromhex("060e2b34")


def counted_frames(path: Path) -> int | None:
    """Frames a second of the first timecode in the file; None where the file does not say it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_MXF_HEADER_BYTES)
        found = _in_mxf(head) if head.startswith(_MXF) else _in_quicktime(file)
    return found or None


def _in_quicktime(file: BinaryIO) -> int | None:
    for place in list(atoms(file, *_DESCRIPTIONS)):
        file.seek(place)
        body = file.read(_TMCD_COUNT + 1)
        if body[_TMCD_FORMAT:][:4] == b"tmcd" and len(body) > _TMCD_COUNT:
            return body[_TMCD_COUNT]
    return None


def _in_mxf(head: bytes) -> int | None:
    at = head.find(_MXF_COMPONENT)
    if at < 0:
        return None
    at += len(_MXF_COMPONENT)
    # The length is one byte, or says how many bytes follow that hold it.
    first = head[at]
    longer = first & 0x7F if first & 0x80 else 0
    length = int.from_bytes(head[at + 1 : at + 1 + longer], "big") if longer else first
    at += 1 + longer
    end = min(at + length, len(head))
    while at + 4 <= end:
        tag, size = struct.unpack_from(">2H", head, at)
        if tag == _MXF_BASE:
            return int.from_bytes(head[at + 4 : at + 4 + size], "big")
        at += 4 + size
    return None
