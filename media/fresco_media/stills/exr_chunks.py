"""The blocks of pixels in an OpenEXR file: whether all of them are there, and where they belong.

FFmpeg leaves out a block that it does not find, without a word, and takes the corner of the
display window to be at 0, 0 always. So the blocks are gone through here before it decodes them
(OpenEXR File Layout, 2023: offset tables, chunk layout).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TILED, _MULTI_PART = 0x200, 0x1000
_FIRST_ATTRIBUTE = 8
_HALF, _ZIP = 1, (2, 3)
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


def channels_in(body: bytes) -> Iterator[tuple[str, int]]:
    """Name and kind of number of each channel, of the value of the attribute `channels`."""
    position = 0
    while position < len(body) and body[position]:
        end = body.index(0, position)
        kind = int.from_bytes(body[end + 1 : end + 5], "little")
        yield body[position:end].decode("utf-8", "replace"), kind
        position = end + 17


def data_window_alone(data: bytes) -> bytes:
    """The file with its data window at 0, 0, and no more on display than that.

    Raises:
        ValueError, struct.error, KeyError: a block is missing or damaged, as in a file that was
            cut off.
    """
    chunks = _Chunks(data)
    blocks = list(chunks.blocks())
    found, window = chunks.found, chunks.window
    alone = struct.pack("<4i", 0, 0, window.width - 1, window.height - 1)
    if found["dataWindow"].value == found["displayWindow"].value == alone:
        return data
    moved = bytearray(data)
    for name in ("dataWindow", "displayWindow"):
        start = found[name].start
        moved[start : start + len(alone)] = alone
    for block in blocks if not chunks.is_tiled else ():
        struct.pack_into("<i", moved, block.place, block.top)
    return bytes(moved)


def check_dark_blocks(data: bytes, is_lit: NDArray[np.bool_]) -> None:
    """Insist that no block came out black only because it is damaged; told of ZIP alone.

    `is_lit` is (height, width) of the data window.

    Raises:
        ValueError: one is damaged.
    """
    chunks = _Chunks(data)
    if chunks.compression not in _ZIP:
        return
    for block in chunks.blocks():
        part = is_lit[block.top : block.bottom, block.left : block.right]
        # What does not get smaller is stored as it is.
        if part.any() or block.length >= part.size * chunks.pixel_bytes:
            continue
        try:
            zlib.decompress(data[block.start : block.start + block.length])
        except zlib.error as error:
            raise ValueError("a part of the picture is damaged") from error


@dataclass(frozen=True)
class _Block:
    """Where a block is described, where its pixels are stored, and which ones of the data window
    they are.
    """

    place: int
    start: int
    length: int
    left: int
    top: int
    right: int
    bottom: int


class _Chunks:
    """The blocks of a file's first part."""

    def __init__(self, data: bytes) -> None:
        self.found = found = {attribute.name: attribute for attribute in attributes(data)}
        self.window = window = Window.of(found["dataWindow"].value)
        if min(window.width, window.height) < 1:
            raise ValueError("the data window is empty")
        flags = int.from_bytes(data[4:8], "little")
        kind = found["type"].value if "type" in found else b""
        self._data = data
        self.is_tiled = bool(flags & _TILED) or kind.startswith(b"tiled")
        # A block of a file in several parts begins with the number of its part.
        self._before = 4 if flags & _MULTI_PART else 0
        (self.compression,) = found["compression"].value[:1]
        if self.compression >= len(_ROWS):
            raise ValueError("it is compressed otherwise")
        self._size = (window.width, _ROWS[self.compression])
        if self.is_tiled:
            across, down = struct.unpack_from("<2I", found["tiles"].value)
            if min(across, down) < 1:
                raise ValueError("the tiles have no size")
            self._size = (across, down)
        self._columns = -(-window.width // self._size[0])
        self._count = self._columns * -(-window.height // self._size[1])
        self._table = _end_of_headers(data, is_single=not self._before)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of all channels of a pixel."""
        kinds = [kind for _, kind in channels_in(self.found["channels"].value)]
        return sum(2 if kind == _HALF else 4 for kind in kinds)

    def blocks(self) -> Iterator[_Block]:
        """All of them.

        Raises:
            ValueError, struct.error: one is not there.
        """
        head = "<5I" if self.is_tiled else "<iI"
        for described in self._starts():
            place = described + self._before
            *where, length = struct.unpack_from(head, self._data, place)
            start = place + struct.calcsize(head)
            left, top = self._corner(where)
            is_inside = 0 <= left < self.window.width and 0 <= top < self.window.height
            if not length or start + length > len(self._data) or not is_inside or any(where[2:]):
                raise ValueError("a part of the picture is missing")
            right, bottom = left + self._size[0], top + self._size[1]
            yield _Block(place, start, length, left, top, right, bottom)

    def _corner(self, where: list[int]) -> tuple[int, int]:
        if self.is_tiled:
            return where[0] * self._size[0], where[1] * self._size[1]
        return 0, where[0] - self.window.top

    def _starts(self) -> Iterator[int]:
        # A file that promises more than it could hold is refused before the list is made.
        if self._table + 8 * self._count > len(self._data):
            raise ValueError("the table of blocks is cut short")
        stored = struct.unpack_from(f"<{self._count}Q", self._data, self._table)
        if any(stored) or self.is_tiled or self._before:
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
