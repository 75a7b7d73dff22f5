"""Photographs in HEIF containers (HEIC, and AVIF where Pillow does not read it).

FFmpeg decodes their items, which here are put together: photographs of telephones are grids of
tiles, which FFmpeg hands out as streams of their own, and are turned and coloured by properties
that it does not apply (ISO/IEC 23008-12).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import av.container
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from fresco_media.colour import profiles
from fresco_media.colour.orientation import from_properties
from fresco_media.colour.picture import to_rgb
from fresco_media.colour.scaling import resize
from fresco_media.colour.tags import UNSTATED, tags_of, unreadable_colours
from fresco_media.stills.formats import check_pixels
from fresco_media.types import ColourTags, Image
from fresco_media.video.containers import open_input

_FULL_BOX = 4
_MOST_TILES = 4096
_ROTATION, _MIRROR, _SIZE, _COLOUR, _APERTURE = b"irot", b"imir", b"ispe", b"colr", b"clap"
_TURNS = (_APERTURE, _ROTATION, _MIRROR)
_AUXILIARY = b"auxC"
# What an auxiliary picture is called that is alpha, by HEVC and by all others.
_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1\0", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
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
    auxiliaries: list[int] = field(default_factory=list[int])
    is_multiplied: bool = False

    def of(self, item: int, *kinds: bytes) -> list[tuple[bytes, bytes]]:
        """The properties of an item that are of these kinds, in their order."""
        owned = (self.properties[place - 1] for place in self.owned.get(item, ()) if place)
        return [(kind, body) for kind, body in owned if kind in kinds]

    @property
    def alpha(self) -> int | None:
        """The item that is the photograph's alpha."""
        for item in self.auxiliaries:
            if any(body[_FULL_BOX:].startswith(_ALPHA) for _, body in self.of(item, _AUXILIARY)):
                return item
        return None


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
    for kind, body in file.of(file.primary, *_TURNS):
        if kind == _ROTATION and body[0] % 2:
            size = size[::-1]
        elif kind == _APERTURE:
            left, top, right, bottom = _seen(body, (size[0], size[1]))
            size = (right - left, bottom - top)
    return size[0], size[1]


def seen_of_stored(data: bytes, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is to be seen of the photograph, of `size` as stored.

    Raises:
        ValueError, KeyError, IndexError, struct.error: it is damaged.
    """
    file = _parsed(data)
    stated = file.of(file.primary, _APERTURE)
    return _seen(stated[0][1], size) if stated else (0, 0, *size)


def has_alpha(data: bytes) -> bool:
    """Whether the photograph has a transparent part, or could have."""
    return _parsed(data).alpha is not None


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


@dataclass(frozen=True)
class Photograph:
    """A photograph, upright, in sRGB, and its alpha; whether its colours are multiplied by that."""

    image: Image
    alpha: NDArray[np.uint8] | None = None
    is_multiplied: bool = False


def decode(data: bytes) -> Photograph:
    """The whole photograph.

    Raises:
        ValueError: it is damaged.
        NotRead: it is of a kind that is not read.
    """
    file = _parsed(data)
    stated, profile = _stated_colours(file)

    def shown(frame: av.VideoFrame) -> NDArray[np.uint8]:
        return _in_srgb(frame, stated, profile)

    image = _upright(data, file, file.primary, shown)
    if file.alpha is None:
        return Photograph(image)
    alpha = resize(_upright(data, file, file.alpha, _levels), image.shape[1::-1])
    return Photograph(image, alpha, file.is_multiplied)


Shown = Callable[[av.VideoFrame], NDArray[np.uint8]]
"""What is made of a decoded frame."""


def _upright(data: bytes, file: _File, item: int, shown: Shown) -> NDArray[np.uint8]:
    kind = file.kinds.get(item, b"")
    if kind == b"grid":
        image = _assembled(data, file, item, shown)
    elif kind in (b"iovl", b"iden", b"tmap"):
        raise NotRead("photographs put together from others")
    else:
        image = _items(data, [item], shown)[0]
    for kind, body in file.of(item, *_TURNS):
        image = _transformed(image, kind, body)
    return image


def _transformed(image: NDArray[np.uint8], kind: bytes, body: bytes) -> NDArray[np.uint8]:
    if kind == _APERTURE:
        left, top, right, bottom = _seen(body, (image.shape[1], image.shape[0]))
        return np.ascontiguousarray(image[top:bottom, left:right])
    return from_properties([(kind, body)]).apply(image)


def _seen(body: bytes, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the clean aperture (ISO/IEC 14496-12, 12.1.4).

    All there is, where it lies outside of that.
    """
    numbers = struct.unpack(">8i", body[:32])
    if not all(numbers[1::2]):
        return 0, 0, *size
    width, height, across, down = (
        Fraction(numbers[place], numbers[place + 1]) for place in range(0, 8, 2)
    )
    left, top = (size[0] - width) / 2 + across, (size[1] - height) / 2 + down
    found = (round(left), round(top), round(left + width), round(top + height))
    if not (0 <= found[0] < found[2] <= size[0] and 0 <= found[1] < found[3] <= size[1]):
        return 0, 0, *size
    return found


def _levels(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The brightness of a frame as 0-255."""
    bits = frame.format.components[0].bits
    plane = frame.planes[0]
    kind = np.uint8 if bits == 8 else np.dtype("<u2")
    rows = np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)[:, : plane.width]
    levels = rows / float((1 << bits) - 1) * 255
    if tags_of(frame).is_full_range:
        return np.rint(levels).astype(np.uint8)
    return np.rint(np.clip((levels - 16 * 255 / 256) * 256 / 219, 0, 255)).astype(np.uint8)


def _assembled(data: bytes, file: _File, item: int, shown: Shown) -> NDArray[np.uint8]:
    grid = _grid_of(file.contents.get(item, b""))
    tiles = file.derived_from.get(item, ())
    if len(tiles) != grid.rows * grid.columns or not 0 < len(tiles) <= _MOST_TILES:
        raise ValueError("tiles are missing")
    pictures = _items(data, tiles, shown)
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


def _items(
    data: bytes, wanted: list[int] | tuple[int, ...], shown: Shown
) -> list[NDArray[np.uint8]]:
    """The pictures of coded items, not yet turned."""
    frames: dict[int, av.VideoFrame] = {}
    with open_input(io.BytesIO(data)) as container:
        for packet in container.demux(video=tuple(range(len(container.streams.video)))):
            if packet.stream.id in wanted and packet.stream.id not in frames:
                for frame in _decoded(packet):
                    frames[packet.stream.id] = frame
    if set(wanted) - frames.keys():
        raise ValueError("a part of the photo cannot be decoded")
    return [shown(frames[item]) for item in wanted]


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
    for item in (file.primary, file.alpha):
        if item is not None and file.kinds.get(item) == b"grid":
            idat = boxes.get(b"idat", (0, 0))
            file.contents[item] = _content(data, boxes[b"iloc"], idat, item)


def _read_references(file: _File, data: bytes, start: int, stop: int) -> None:
    code = "I" if data[start] else "H"
    for kind, at, _ in _boxes(data, start + _FULL_BOX, stop):
        item, count = struct.unpack_from(f">{code}H", data, at)
        first = at + struct.calcsize(f">{code}H")
        others = struct.unpack_from(f">{count}{code}", data, first)
        if kind == b"dimg":
            file.derived_from[item] = others
        elif kind == b"auxl" and file.primary in others:
            file.auxiliaries.append(item)
        elif kind == b"prem" and item == file.primary:
            file.is_multiplied = True


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
