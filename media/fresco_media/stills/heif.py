"""Photographs in HEIF containers (HEIC, and AVIF where Pillow does not read it).

FFmpeg decodes their items, which here are put together: photographs of telephones are grids of
tiles, which FFmpeg hands out as streams of their own, and are turned and coloured by properties
that it does not apply (ISO/IEC 23008-12).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import av.container
import numpy as np
from PIL import Image as Pillow

from fresco_media.colour import profiles
from fresco_media.colour.orientation import Orientation
from fresco_media.colour.picture import to_rgb
from fresco_media.colour.tags import UNSTATED, tags_of, unreadable_colours
from fresco_media.stills.formats import check_pixels
from fresco_media.types import ColourTags, Image
from fresco_media.video.containers import open_input

_FULL_BOX = 4
_MOST_TILES = 4096
_ROTATION, _MIRROR, _SIZE, _COLOUR = b"irot", b"imir", b"ispe", b"colr"
_AV1_SETTINGS, _HIGH_BIT_DEPTH = b"av1C", 0x40


class NotRead(ValueError):
    """A photograph of a kind that is not read; `str(error)` says it to the user."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} are not read; export the photo as JPEG or PNG")


@dataclass(frozen=True)
class _Grid:
    rows: int
    columns: int
    size: tuple[int, int]


@dataclass
class _File:
    """What the container's `meta` box says."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict[int, bytes])
    derived_from: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    properties: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    owned: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    contents: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def of(self, item: int, *kinds: bytes) -> list[tuple[bytes, bytes]]:
        """The properties of an item that are of these kinds, in their order."""
        owned = (self.properties[place - 1] for place in self.owned.get(item, ()) if place)
        return [(kind, body) for kind, body in owned if kind in kinds]


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of the photograph as it is seen.

    Raises:
        ValueError: it is damaged.
        NotRead: it is of a kind that is not read.
    """
    file = _parsed(data)
    stated = file.of(file.primary, _SIZE)
    if not stated:
        raise ValueError("the photo has no size")
    size = struct.unpack(">2I", stated[0][1][4:12])
    check_pixels(*size)
    for kind, body in file.of(file.primary, _ROTATION):
        if kind == _ROTATION and body[0] % 2:
            size = size[::-1]
    return size[0], size[1]


def tags_of_file(data: bytes) -> ColourTags | None:
    """The code points of the photograph's colours, where the container states them."""
    if data[4:8] != b"ftyp":
        return None
    file = _parsed(data)
    return _stated_colours(file)[0]


def is_deep_av1(data: bytes) -> bool:
    """Whether the photograph, or its first tile, is AV1 of more than 8 bits.

    Raises:
        ValueError, KeyError, IndexError, struct.error: it is damaged.
    """
    file = _parsed(data)
    tiles = file.derived_from.get(file.primary, ())[:1]
    return any(
        len(body) > 2 and bool(body[2] & _HIGH_BIT_DEPTH)
        for item in (file.primary, *tiles)
        for _, body in file.of(item, _AV1_SETTINGS)
    )


def decode(data: bytes) -> Image:
    """The whole photograph, upright, in sRGB.

    Raises:
        ValueError: it is damaged.
        NotRead: it is of a kind that is not read.
    """
    file = _parsed(data)
    kind = file.kinds.get(file.primary, b"")
    if kind == b"grid":
        image = _assembled(data, file)
    elif kind in (b"iovl", b"iden", b"tmap"):
        raise NotRead("photographs put together from others")
    else:
        image = _items(data, file, [file.primary])[0]
    for kind, body in file.of(file.primary, _ROTATION, _MIRROR):
        image = _transformed(image, kind, body[0])
    return image


def _transformed(image: Image, kind: bytes, value: int) -> Image:
    if kind == _ROTATION:
        return Orientation(-(value & 3) % 4).apply(image)
    # Mirrored top to bottom, or left to right.
    return Orientation(2 if not value & 1 else 0, is_mirrored=True).apply(image)


def _assembled(data: bytes, file: _File) -> Image:
    grid = _grid_of(file.contents.get(file.primary, b""))
    tiles = file.derived_from.get(file.primary, ())
    if len(tiles) != grid.rows * grid.columns or not 0 < len(tiles) <= _MOST_TILES:
        raise ValueError("tiles are missing")
    pictures = _items(data, file, tiles)
    rows = [
        np.hstack(pictures[first : first + grid.columns])
        for first in range(0, len(pictures), grid.columns)
    ]
    whole = np.vstack(rows)
    width, height = grid.size
    if whole.shape[0] < height or whole.shape[1] < width:
        raise ValueError("the tiles are smaller than the photo")
    return np.ascontiguousarray(whole[:height, :width])


def _grid_of(body: bytes) -> _Grid:
    layout = ">2I" if body[1] & 1 else ">2H"
    width, height = struct.unpack_from(layout, body, 4)
    check_pixels(width, height)
    return _Grid(body[2] + 1, body[3] + 1, (width, height))


def _items(data: bytes, file: _File, wanted: list[int] | tuple[int, ...]) -> list[Image]:
    """The pictures of coded items, in sRGB, not yet turned."""
    frames: dict[int, av.VideoFrame] = {}
    with open_input(io.BytesIO(data)) as container:
        for packet in container.demux(video=tuple(range(len(container.streams.video)))):
            if packet.stream.id in wanted and packet.stream.id not in frames:
                for frame in _decoded(packet):
                    frames[packet.stream.id] = frame
    if set(wanted) - frames.keys():
        raise ValueError("a part of the photo cannot be decoded")
    stated, profile = _stated_colours(file)
    return [_in_srgb(frames[item], stated, profile) for item in wanted]


def _decoded(packet: av.Packet) -> list[av.VideoFrame]:
    return [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]


def _in_srgb(frame: av.VideoFrame, stated: ColourTags | None, profile: bytes | None) -> Image:
    tags = tags_of(frame)
    if stated is not None:
        tags = stated
    elif tags.matrix == UNSTATED:
        # Photographs have the matrix of JPEG and its range, unless they say otherwise.
        tags = ColourTags(matrix=6, is_full_range=tags.is_full_range)
    if (reason := unreadable_colours(frame)) is not None:
        raise ValueError(reason)
    size = (frame.width, frame.height)
    shown = to_rgb(frame, size, tags, size)
    if profile is None:
        return shown
    found = profiles.to_srgb(Pillow.fromarray(shown), profile)
    return shown if found is None else found


def _stated_colours(file: _File) -> tuple[ColourTags | None, bytes | None]:
    """Code points and ICC profile of the photograph, or of its first tile."""
    first_tile = file.derived_from.get(file.primary, (0,))[:1]
    tags, profile = None, None
    for item in (file.primary, *first_tile):
        for _, body in file.of(item, _COLOUR):
            if body[:4] == b"nclx" and tags is None and len(body) >= 11:
                primaries, transfer, matrix = struct.unpack_from(">3H", body, 4)
                tags = ColourTags(
                    primaries=primaries,
                    transfer=transfer,
                    matrix=matrix,
                    is_full_range=bool(body[10] & 0x80),
                )
            elif body[:4] in (b"prof", b"rICC") and profile is None:
                profile = body[4:]
    return tags, profile


def _boxes(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and beginning and end of the content, of one box after the other."""
    while start + 8 <= stop:
        length, kind = struct.unpack_from(">I4s", data, start)
        content = start + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, content)
            content += 8
        end = stop if length == 0 else start + length
        if end < content or end > stop:
            raise ValueError("a box is cut short")
        yield kind, content, end
        start = end


def _parsed(data: bytes) -> _File:
    file = _File()
    for kind, start, stop in _boxes(data, 0, len(data)):
        if kind == b"meta":
            boxes = {name: (at, end) for name, at, end in _boxes(data, start + _FULL_BOX, stop)}
            _read_items(file, data, boxes)
            break
    return file


def _read_items(file: _File, data: bytes, boxes: dict[bytes, tuple[int, int]]) -> None:
    at, _ = boxes[b"pitm"]
    is_long = data[at] > 0
    (file.primary,) = struct.unpack_from(">I" if is_long else ">H", data, at + _FULL_BOX)
    at, stop = boxes[b"iinf"]
    at += _FULL_BOX + (4 if data[at] else 2)
    for _, entry, _ in _boxes(data, at, stop):
        item_format = ">I2x4s" if data[entry] > 2 else ">H2x4s"
        item, kind = struct.unpack_from(item_format, data, entry + _FULL_BOX)
        file.kinds[item] = kind
    if b"iref" in boxes:
        _read_references(file, data, *boxes[b"iref"])
    if b"iprp" in boxes:
        for kind, start, end in _boxes(data, *boxes[b"iprp"]):
            if kind == b"ipco":
                found = _boxes(data, start, end)
                file.properties = [(name, data[first:last]) for name, first, last in found]
            elif kind == b"ipma":
                _read_owners(file, data, start)
    if file.kinds.get(file.primary) == b"grid":
        idat = boxes.get(b"idat", (0, 0))
        file.contents[file.primary] = _content(data, boxes[b"iloc"], idat, file.primary)


def _read_references(file: _File, data: bytes, start: int, stop: int) -> None:
    code = "I" if data[start] else "H"
    for kind, at, _ in _boxes(data, start + _FULL_BOX, stop):
        item, count = struct.unpack_from(f">{code}H", data, at)
        if kind == b"dimg":
            first = at + struct.calcsize(f">{code}H")
            file.derived_from[item] = struct.unpack_from(f">{count}{code}", data, first)


def _read_owners(file: _File, data: bytes, start: int) -> None:
    version, is_wide = data[start], data[start + 3] & 1
    (count,) = struct.unpack_from(">I", data, start + _FULL_BOX)
    at = start + _FULL_BOX + 4
    for _ in range(count):
        item, owned = struct.unpack_from(">IB" if version else ">HB", data, at)
        at += 5 if version else 3
        layout = f">{owned}H" if is_wide else f">{owned}B"
        mask = 0x7FFF if is_wide else 0x7F
        file.owned[item] = tuple(place & mask for place in struct.unpack_from(layout, data, at))
        at += struct.calcsize(layout)


def _content(data: bytes, box: tuple[int, int], idat: tuple[int, int], wanted: int) -> bytes:
    """The first span of an item's bytes, found by the `iloc` box."""
    reader = io.BytesIO(data[box[0] : box[1]])

    def number(length: int) -> int:
        return int.from_bytes(reader.read(length), "big")

    version = number(4) >> 24
    sizes = number(2)
    offset_size, length_size = sizes >> 12, sizes >> 8 & 15
    base_size, index_size = sizes >> 4 & 15, (sizes & 15) if version else 0
    for _ in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_size)
        for place in range(number(2)):
            number(index_size)
            offset, length = base + number(offset_size), number(length_size)
            if item == wanted and not place:
                start = offset + (idat[0] if method == 1 else 0)
                return data[start : start + length]
    return b""
