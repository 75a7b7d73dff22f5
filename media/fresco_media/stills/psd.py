"""Photoshop's documents: the merged picture, and what its file says of it.

Pillow takes every fourth channel for transparency, though it may be a saved selection, takes the
rows of channels behind the colours for those of colours, and knows nothing of the white that
Photoshop lays transparent pictures over (Adobe Photoshop File Formats Specification, 2019: layer
count, version info). So these are read here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from fresco_media.stills.formats import ColoursNotRead, check_pixels

_HEAD = struct.Struct(">4sH6xHIIHH")
_GREY, _INDEXED, _RGB, _CMYK, _MULTICHANNEL, _LAB = 1, 2, 3, 4, 7, 9
# Channels of colours by the mode of a document: grey, of a palette, RGB, CMYK, duotone, Lab.
_COLOURS = {_GREY: 1, _INDEXED: 1, _RGB: 3, _CMYK: 4, 8: 1, _LAB: 3}
_PALETTE_BYTES = 768
_RAW, _PACKED = 0, 1
_PROFILE, _VERSION_INFO, _PIXEL_ASPECT = 1039, 1057, 1064
_MOST_CHANNELS = 56
# Of 255: what rounding leaves of a colour that was laid over white.
_ROUNDED = 3


class NotMerged(ValueError):
    """A document that holds layers only; `str(error)` says it to the user."""

    def __init__(self) -> None:
        super().__init__(
            "it was saved without its merged picture; save it with “Maximize Compatibility” on, "
            "or export it as PNG"
        )


@dataclass(frozen=True)
class Document:
    """What a document says of its merged picture, which begins at `start`."""

    size: tuple[int, int]
    channels: int
    depth: int
    mode: int
    has_alpha: bool
    start: int
    profile: bytes | None = None
    pixel_aspect: Fraction = Fraction(1)
    palette: bytes = b""

    @property
    def is_read_here(self) -> bool:
        """Whether it is of 8 or 16 bits; Pillow reads one bit, whose documents hold no more."""
        return self.mode in _COLOURS and self.depth in (8, 16)


def is_deep_rgb(document: Document) -> bool:
    """Whether its colours are RGB or grey of 16 bits."""
    return document.depth == 16 and document.mode in (_GREY, _RGB)


def read_document(file: BinaryIO) -> Document:
    """What the document in `file` says before its merged picture.

    Raises:
        NotMerged: there is none, only a page that says so.
        ColoursNotRead: its channels are inks that make no picture by themselves.
        ValueError, struct.error, TooManyPixels: it is damaged, too large or of another version.
    """
    signature, version, channels, height, width, depth, mode = _HEAD.unpack(file.read(_HEAD.size))
    if signature != b"8BPS" or version != 1 or not 1 <= channels <= _MOST_CHANNELS:
        raise ValueError("it is no document of this version")
    check_pixels(width, height)
    if mode == _MULTICHANNEL:
        raise ColoursNotRead(
            "its channels are inks of their own (Multichannel mode), which are not read here; "
            "save it as RGB"
        )
    palette = file.read(_length(file))
    resources = _resources(file.read(_length(file)))
    layers, start = _layers(file)
    if layers and resources.get(_VERSION_INFO, b"")[4:5] == b"\0":
        raise NotMerged
    return Document(
        size=(width, height),
        channels=channels,
        depth=depth,
        mode=mode,
        # A negative count says that the first channel after the colours is transparency.
        has_alpha=layers < 0 and mode in _COLOURS and channels > _COLOURS[mode],
        start=start,
        profile=resources.get(_PROFILE),
        pixel_aspect=_aspect(resources.get(_PIXEL_ASPECT, b"")),
        palette=palette[:_PALETTE_BYTES],
    )


def _length(file: BinaryIO) -> int:
    (length,) = struct.unpack(">I", file.read(4))
    return int(length)


def _layers(file: BinaryIO) -> tuple[int, int]:
    """The number of layers as it is stored, and where the merged picture begins."""
    length = _length(file)
    start = file.tell() + length
    body = file.read(length)
    if length < 6:
        return 0, start
    (info,) = struct.unpack_from(">I", body)
    stored = body[4:] if info >= 2 else _deep_layers(body[4 + info :])
    (layers,) = struct.unpack_from(">h", stored.ljust(2, b"\0"))
    return layers, start


def _deep_layers(body: bytes) -> bytes:
    """The layers of a document of 16 bits, which come in a block behind the mask of all layers."""
    position = 4 + int.from_bytes(body[:4], "big")
    while position + 12 <= len(body):
        signature, key, length = struct.unpack_from(">4s4sI", body, position)
        if signature not in (b"8BIM", b"8B64"):
            break
        position += 12
        if key in (b"Lr16", b"Lr32"):
            return body[position : position + length]
        position += length + -length % 4
    return b""


def _resources(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    position = 0
    while position + 12 <= len(data):
        (kind,) = struct.unpack_from(">H", data, position + 4)
        name = data[position + 6] + 1
        position += 6 + name + name % 2
        if position + 4 > len(data):
            break
        (length,) = struct.unpack_from(">I", data, position)
        found[kind] = data[position + 4 : position + 4 + length]
        position += 4 + length + length % 2
    return found


def _aspect(body: bytes) -> Fraction:
    if len(body) < 12:
        return Fraction(1)
    (value,) = struct.unpack_from(">d", body, 4)
    # Also false for what is no number.
    return Fraction(value).limit_denominator(1000) if 0.1 < value < 10 else Fraction(1)


def merged_picture(data: bytes, document: Document) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The colours (height, width, channels), straight, and alpha (height, width), as stored.

    Raises:
        ValueError, struct.error: it is damaged.
    """
    count = _COLOURS[document.mode]
    planes = _planes(data, document, count + document.has_alpha)
    colours = np.dstack(planes[:count])
    if not document.has_alpha:
        return colours, None
    return _without_white(colours, planes[count], is_lab=document.mode == _LAB), planes[count]


def as_picture(levels: NDArray[np.uint8], document: Document) -> Pillow.Image:
    """The colours of a document, of 8 bits, with its mode and its profile.

    Raises:
        ValueError: its palette is cut short.
    """
    bands = [Pillow.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(levels, 2, 0)]
    picture = bands[0]
    if document.mode == _INDEXED:
        # All reds come first, then all greens.
        entries = np.frombuffer(document.palette, np.uint8).reshape(3, 256).T
        picture.putpalette(entries.tobytes())
    elif document.mode == _CMYK:
        # No ink is 255 in the file.
        inks = [Pillow.fromarray(255 - np.asarray(band)) for band in bands]
        picture = Pillow.merge("CMYK", inks)
    elif len(bands) == 3:
        picture = Pillow.merge("LAB" if document.mode == _LAB else "RGB", bands)
    if document.profile:
        picture.info["icc_profile"] = document.profile
    return picture


def _planes(data: bytes, document: Document, count: int) -> list[NDArray[Any]]:
    width, height = document.size
    row_bytes = width * document.depth // 8
    (packing,) = struct.unpack_from(">H", data, document.start)
    start = document.start + 2
    if packing not in (_RAW, _PACKED):
        raise ValueError("packed otherwise")
    rows = document.channels * height
    lengths = np.full(rows, row_bytes, np.int64)
    if packing == _PACKED:
        lengths = np.frombuffer(data, ">u2", rows, start).astype(np.int64)
        start += 2 * rows
    ends = start + np.cumsum(lengths.reshape(document.channels, height).sum(axis=1))
    if ends[count - 1] > len(data):
        raise ValueError("it is cut short")
    planes: list[NDArray[Any]] = []
    for end in ends[:count]:
        stored = data[start:end]
        if packing == _PACKED:
            unpacked = Pillow.frombytes("L", (row_bytes, height), stored, "packbits", "L")
            stored = unpacked.tobytes()
        samples = np.frombuffer(stored, ">u2" if document.depth == 16 else np.uint8)
        planes.append(samples.reshape(height, width).astype(samples.dtype.newbyteorder("=")))
        start = int(end)
    return planes


def _without_white(colours: NDArray[Any], alpha: NDArray[Any], *, is_lab: bool) -> NDArray[Any]:
    """The colours that were laid over white, as Photoshop does; those of other programs stay."""
    most = np.iinfo(colours.dtype).max
    coverage = alpha[..., None].astype(np.float32)
    # The white of inks is none, which is stored as the most; that of Lab has a and b in the middle.
    white = np.array([most, (most + 1) // 2, (most + 1) // 2] if is_lab else [most], np.float32)
    # Multiplied by alpha; over white none is darker than the white that shines through.
    multiplied = colours.astype(np.float32) - white * (1 - coverage / most)
    if (multiplied[..., :1] if is_lab else multiplied).min() < -_ROUNDED * most / 255:
        return colours
    straight = multiplied * most / np.maximum(coverage, 1)
    return np.rint(np.clip(straight, 0, most)).astype(colours.dtype)
