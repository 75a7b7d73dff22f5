"""Where codecs of an MPEG transport stream change (ISO/IEC 13818-1).

The program map tables that are repeated all along such a file say of what type each stream is.
FFmpeg takes a stream for what the first table says, to the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fresco_media.files.opening import open_file

_SYNC, _PACKET = 0x47, 188
# Bare packets, with a time stamp before each (Blu-ray, AVCHD), and with parity behind.
_LAYOUTS = ((188, 0), (192, 4), (204, 0))
_MAP_TABLE = 0x02
_BLOCK_PACKETS = 1 << 15
_VIDEO_TYPES = {
    0x01: "MPEG-1",
    0x02: "MPEG-2",
    0x10: "MPEG-4",
    0x1B: "H.264",
    0x20: "H.264",
    0x21: "JPEG 2000",
    0x24: "HEVC",
    0x33: "VVC",
    0x42: "AVS",
    0xD1: "Dirac",
    0xD2: "AVS2",
    0xD4: "AVS3",
    0xEA: "VC-1",
}
_SOUND_TYPES = {
    0x03: "MPEG audio",
    0x04: "MPEG audio",
    0x06: "another codec",
    0x0F: "AAC",
    0x11: "AAC in LATM",
    0x1C: "AAC without headers",
    0x80: "PCM",
    0x81: "AC-3",
    0x82: "DTS",
    0x83: "TrueHD",
    0x84: "E-AC-3",
    0x85: "DTS-HD",
    0x86: "DTS-HD",
    0x87: "E-AC-3",
}


@dataclass(frozen=True)
class CodecChange:
    """From the byte `position` of the file on, a stream is coded in another way."""

    position: int
    before: str
    after: str


@dataclass(frozen=True)
class _Table:
    """The types of the streams of a programme, by their identifiers, from a byte on.

    `types` are those of its videos, `sounds` of all that may be sound.
    """

    position: int
    programme: int
    types: dict[int, int]
    sounds: dict[int, int]


def find_codec_change(path: Path, identifier: int) -> CodecChange | None:
    """Where the codec of the pictures changes that begin as the stream `identifier`.

    Raises:
        OSError: the file cannot be read.
    """
    programme, kind = None, 0
    for table in _tables(path):
        if programme is None and identifier in table.types:
            programme, kind = table.programme, table.types[identifier]
        elif programme == table.programme and table.types:
            others = [one for one in table.types.values() if _name(one) != _name(kind)]
            if others and len(others) == len(table.types):
                return CodecChange(table.position, _name(kind), _name(others[0]))
    return None


def find_sound_changes(path: Path, identifiers: Collection[int]) -> dict[int, CodecChange]:
    """Where the codec of the sound changes that begins as these streams, of those where it does.

    Raises:
        OSError: the file cannot be read.
    """
    first: dict[int, int] = {}
    found: dict[int, CodecChange] = {}
    for table in _tables(path):
        for identifier in table.sounds.keys() & set(identifiers) - found.keys():
            kind = table.sounds[identifier]
            before, after = _SOUND_TYPES[first.setdefault(identifier, kind)], _SOUND_TYPES[kind]
            if before != after:
                found[identifier] = CodecChange(table.position, before, after)
    return found


def _name(kind: int) -> str:
    return _VIDEO_TYPES[kind]


def _tables(path: Path) -> Iterator[_Table]:
    """The program map tables of a file, each that differs from the one before of its programme."""
    latest: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
    for position, section in _sections(path):
        table = _parsed(position, section)
        if table is not None and latest.get(table.programme) != (table.types, table.sounds):
            latest[table.programme] = table.types, table.sounds
            yield table


def _sections(path: Path) -> Iterator[tuple[int, bytes]]:
    """Payloads that begin with a program map table, each with its place, without repetitions."""
    with open_file(path) as file:
        head = file.read(4 * max(size for size, _ in _LAYOUTS))
        layout = _layout(head)
        if layout is None:
            return
        file.seek(0)
        size, lead = layout
        position, latest = 0, dict[bytes, bytes]()
        while block := file.read(size * _BLOCK_PACKETS):
            packets = np.frombuffer(block, np.uint8, len(block) // size * size).reshape(-1, size)
            shift = _lost_sync(packets[:, lead])
            if shift is not None:
                packets = packets[:shift]
            for row in _beginning_tables(packets[:, lead:]):
                packet = packets[row, lead : lead + _PACKET].tobytes()
                # What comes again differs in its counter only.
                if latest.get(packet[1:3]) != packet[4:]:
                    latest[packet[1:3]] = packet[4:]
                    yield position + row * size, packet[5:]
            if shift is None:
                position += len(block)
            else:
                rest = block[shift * size + 1 :]
                found = _next_sync(rest, size, lead)
                position += shift * size + 1 + found
                file.seek(position)


def _layout(head: bytes) -> tuple[int, int] | None:
    for size, lead in _LAYOUTS:
        if all(head[place : place + 1] == b"\x47" for place in range(lead, 3 * size, size)):
            return size, lead
    return None


def _lost_sync(marks: NDArray[np.uint8]) -> int | None:
    """The first packet that does not begin like one, as where something is missing."""
    wrong = np.flatnonzero(marks != _SYNC)
    return int(wrong[0]) if len(wrong) else None


def _next_sync(data: bytes, size: int, lead: int) -> int:
    """Where in `data` three packets in a row begin again; its end if nowhere."""
    marks = np.frombuffer(data, np.uint8)
    count = len(marks) - 2 * size - lead
    if count <= 0:
        return len(data)
    is_mark = marks == _SYNC
    rows = [is_mark[lead + shift * size :][:count] for shift in range(3)]
    found = np.flatnonzero(rows[0] & rows[1] & rows[2])
    return int(found[0]) if len(found) else len(data)


def _beginning_tables(packets: NDArray[np.uint8]) -> Sequence[int]:
    """The packets, of those without adaptation field, that begin a program map table."""
    begins = (packets[:, 1] & 0x40).astype(bool) & ((packets[:, 3] & 0x30) == 0x10)
    is_table = begins & (packets[:, 4] == 0) & (packets[:, 5] == _MAP_TABLE)
    return np.flatnonzero(is_table).tolist()


def _parsed(position: int, section: bytes) -> _Table | None:
    """The table in a section; what does not fit into one packet is left out."""
    end = min(3 + ((section[1] & 0x0F) << 8 | section[2]) - 4, len(section))
    is_current = section[5] & 1
    if not (section[1] & 0x80) or not is_current:
        return None
    programme = section[3] << 8 | section[4]
    place = 12 + ((section[10] & 0x0F) << 8 | section[11])
    types: dict[int, int] = {}
    sounds: dict[int, int] = {}
    while place + 5 <= end:
        kind = section[place]
        identifier = (section[place + 1] & 0x1F) << 8 | section[place + 2]
        if kind in _VIDEO_TYPES:
            types[identifier] = kind
        elif kind in _SOUND_TYPES:
            sounds[identifier] = kind
        place += 5 + ((section[place + 3] & 0x0F) << 8 | section[place + 4])
    return _Table(position, programme, types, sounds)
