"""The blocks of pixels in an OpenEXR file: whether all of them are there, and where they belong.

FFmpeg leaves out a block that it does not find, without a word, and takes the corner of the
display window to be at 0, 0 always. So the blocks are gone through here before it decodes them
(OpenEXR File Layout, 2023: offset tables, chunk layout).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_TILED, _MULTI_PART = 0x200, 0x1000
_FIRST_ATTRIBUTE = 8
# Rows in a block by the number of the compression: none, RLE, ZIPS, ZIP, PIZ, PXR24, B44, B44A,
# DWAA, DWAB.
_ROWS = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256)


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels, its last row and column included, as the file counts them."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, stored: bytes) -> Window:
        """The window in an attribute of kind `box2i`.

        Raises:
            struct.error: it is none.
        """
        return cls(*struct.unpack("<4i", stored))

    @property
    def width(self) -> int:
        """Its columns; below 1 where it is empty."""
        return self.right - self.left + 1

    @property
    def height(self) -> int:
        """Its rows; below 1 where it is empty."""
        return self.bottom - self.top + 1


@dataclass(frozen=True)
class Attribute:
    """What a header says under one name, and where its value begins in the file."""

    name: str
    value: bytes
    start: int


def attributes(data: bytes) -> Iterator[Attribute]:
    """The attributes of an OpenEXR file; of one in several parts, those of the first.

    Raises:
        ValueError: it is damaged.
    """
    return _attributes(data, _FIRST_ATTRIBUTE)


def _attributes(data: bytes, position: int) -> Iterator[Attribute]:
    while position < len(data) and data[position]:
        name_end = data.index(0, position)
        type_end = data.index(0, name_end + 1)
        start = type_end + 5
        length = int.from_bytes(data[type_end + 1 : start], "little")
        name = data[position:name_end].decode("latin-1")
        yield Attribute(name, data[start : start + length], start)
        position = start + length


def data_window_alone(data: bytes) -> bytes:
    """The file with its data window at 0, 0, and no more on display than that.

    Raises:
        ValueError, struct.error, KeyError: a block is missing or damaged, as in a file that was
            cut off.
    """
    found = {attribute.name: attribute for attribute in attributes(data)}
    window = Window.of(found["dataWindow"].value)
    if min(window.width, window.height) < 1:
        raise ValueError("the data window is empty")
    chunks = _Chunks(data, found, window)
    rows = list(chunks.rows())
    alone = struct.pack("<4i", 0, 0, window.width - 1, window.height - 1)
    if found["dataWindow"].value == found["displayWindow"].value == alone:
        return data
    moved = bytearray(data)
    for name in ("dataWindow", "displayWindow"):
        start = found[name].start
        moved[start : start + len(alone)] = alone
    for start, row in rows:
        struct.pack_into("<i", moved, start, row - window.top)
    return bytes(moved)


class _Chunks:
    """The blocks of a file's first part."""

    def __init__(self, data: bytes, found: dict[str, Attribute], window: Window) -> None:
        flags = int.from_bytes(data[4:8], "little")
        kind = found["type"].value if "type" in found else b""
        self._data, self._window = data, window
        self._is_tiled = bool(flags & _TILED) or kind.startswith(b"tiled")
        # A block of a file in several parts begins with the number of its part.
        self._before = 4 if flags & _MULTI_PART else 0
        if self._is_tiled:
            across, down = struct.unpack_from("<2I", found["tiles"].value)
            if min(across, down) < 1:
                raise ValueError("the tiles have no size")
            self._columns, self._rows = -(-window.width // across), -(-window.height // down)
            self._count = self._columns * self._rows
        else:
            (compression,) = found["compression"].value[:1]
            if compression >= len(_ROWS):
                raise ValueError("it is compressed otherwise")
            self._count = -(-window.height // _ROWS[compression])
        self._table = _end_of_headers(data, is_single=not self._before)

    def rows(self) -> Iterator[tuple[int, int]]:
        """Where the first row of each block of rows is stored, and its number; none of tiles.

        Raises:
            ValueError, struct.error: a block is not there.
        """
        for start in self._starts():
            place = start + self._before
            head = "<5I" if self._is_tiled else "<iI"
            *where, length = struct.unpack_from(head, self._data, place)
            end = place + struct.calcsize(head) + length
            if not length or end > len(self._data) or not self._is_in(where):
                raise ValueError("a part of the picture is missing")
            if not self._is_tiled:
                yield place, where[0]

    def _is_in(self, where: list[int]) -> bool:
        if self._is_tiled:
            column, row, *level = where
            return column < self._columns and row < self._rows and not any(level)
        return self._window.top <= where[0] <= self._window.bottom

    def _starts(self) -> Iterator[int]:
        # A file that promises more than it could hold is refused before the list is made.
        if self._table + 8 * self._count > len(self._data):
            raise ValueError("the table of blocks is cut short")
        stored = struct.unpack_from(f"<{self._count}Q", self._data, self._table)
        if any(stored) or self._is_tiled or self._before:
            return iter(stored)
        return self._one_after_the_other()

    def _one_after_the_other(self) -> Iterator[int]:
        """Of a writer that died before it filled in the table, which FFmpeg makes anew."""
        start = self._table + 8 * self._count
        for _ in range(self._count):
            yield start
            (length,) = struct.unpack_from("<I", self._data, start + 4)
            start += 8 + length


def _end_of_headers(data: bytes, *, is_single: bool) -> int:
    position = _FIRST_ATTRIBUTE
    while position < len(data) and data[position]:
        *_, last = _attributes(data, position)
        position = last.start + len(last.value) + 1
        if is_single:
            return position
    # The list of headers ends with one that is empty.
    return position + 1
