"""Pictures of compositors and film scanners, OpenEXR and DPX: their headers, and their light.

TIFF as scanners and printers write it is decoded here too.

FFmpeg decodes them; what it does not say (pixel aspect, layers, film density) is read here.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from fresco_media.colour.orientation import Orientation, from_exif
from fresco_media.colour.transfer import Chromaticities, Light
from fresco_media.stills import exr_chunks
from fresco_media.stills.exr_chunks import Window
from fresco_media.stills.formats import ColoursNotRead, check_pixels

_EXR_HEADER_END = 1 << 20
_DEEP_DATA, _PARTS = 0x800, 0x1000
_MOST_NAMED = 5
# What FFmpeg takes for red, green and blue.
_EXR_COLOURS = ("rxu", "gv", "bzw")
_WHOLE_NUMBERS = 0
# Film density by its code in DPX (SMPTE 268M): printing density and logarithmic.
_DENSITIES = (1, 3)
_DPX_LINEAR = 2
_DPX_SAMPLES = {6: 1, 50: 3, 51: 4, 52: 4}
_MOST_PADDING = 1 << 16
_ALPHA_DESCRIPTORS = (51, 52)
# Directions of lines and of pictures in DPX (SMPTE 268M), as EXIF numbers orientations.
_DIRECTIONS = (1, 2, 4, 3, 5, 6, 8, 7)
_UPRIGHT = Orientation()
_FLOATS = ("gbrpf", "gbrapf", "grayf", "yaf")


@dataclass(frozen=True)
class FilmHeader:
    """What a file says before its pixels; `size` is width and height.

    `corner` is where the stored pixels begin in the picture, from its left and from its top, which
    may be outside of it. All are as stored, before the picture is turned by its `orientation`.
    """

    size: tuple[int, int]
    has_alpha: bool
    bit_depth: int
    pixel_aspect: Fraction = Fraction(1)
    layer: str = ""
    chromaticities: Chromaticities | None = None
    transfer: int = 0
    corner: tuple[int, int] = (0, 0)
    orientation: Orientation = _UPRIGHT


def exr_header(data: bytes) -> FilmHeader:
    """The header of an OpenEXR file; of one in several parts, that of the first.

    Raises:
        ValueError, struct.error, KeyError: it is damaged.
        TooManyPixels: it is too large.
        ColoursNotRead: it holds no colours, or such as are not read here.
    """
    flags = int.from_bytes(data[4:8], "little")
    if flags & _DEEP_DATA:
        raise ColoursNotRead("it holds deep data, which is not read here; flatten it first")
    stored = exr_chunks.attributes(data[:_EXR_HEADER_END])
    found = {attribute.name: attribute.value for attribute in stored}
    shown, held = (Window.of(found[name]) for name in ("displayWindow", "dataWindow"))
    if min(shown.width, shown.height, held.width, held.height) < 1:
        raise ValueError("there are no pixels in it")
    check_pixels(shown.width, shown.height)
    check_pixels(held.width, held.height)
    channels = dict(exr_chunks.channels_in(found["channels"]))
    layer = _exr_layer([*channels])
    if any(channels.get(name) == _WHOLE_NUMBERS for name in _colours_of(layer)):
        raise ColoursNotRead(
            "its colours are stored as whole numbers, which are not read here; export it as half "
            "or float"
        )
    _check_exr_channels(channels, layer, is_first_of_parts=bool(flags & _PARTS))
    has_alpha = (f"{layer}.A" if layer else "A") in channels
    (aspect,) = struct.unpack("<f", found.get("pixelAspectRatio", struct.pack("<f", 1)))
    return FilmHeader(
        size=(shown.width, shown.height),
        has_alpha=has_alpha,
        bit_depth=16,
        pixel_aspect=_aspect(aspect),
        layer=layer,
        corner=(held.left - shown.left, held.top - shown.top),
        chromaticities=_exr_chromaticities(found.get("chromaticities")),
    )


def _colours_of(layer: str) -> list[str]:
    return [f"{layer}.{colour}" if layer else colour for colour in ("R", "Y")]


def _check_exr_channels(kinds: dict[str, int], layer: str, *, is_first_of_parts: bool) -> None:
    """Insist on colours that FFmpeg reads among channels, of which `kinds` has the numbers.

    Raises:
        ColoursNotRead: there are none.
    """
    before = f"{layer}." if layer else ""
    named = {
        name.removeprefix(before).casefold(): kind
        for name, kind in kinds.items()
        if name.startswith(before)
    }
    colours = [[named[name] for name in names if name in named] for names in _EXR_COLOURS]
    is_grey = "y" in named
    if is_grey and ("ry" in named or "by" in named):
        raise ColoursNotRead(
            "its colours are stored as luminance and chroma, which is not read here; export it as "
            "RGB"
        )
    if not (is_grey or all(colours)):
        if is_first_of_parts:
            raise ColoursNotRead(
                "the first of its parts holds no colours; export the colours as a file of their own"
            )
        names = ", ".join(list(kinds)[:_MOST_NAMED])
        raise ColoursNotRead(
            f"it holds no colours (its channels are {names}); export red, green and blue"
        )
    if not is_grey and len({found[0] for found in colours}) > 1:
        raise ColoursNotRead(
            "its colours are stored as different kinds of numbers; export all of them as half or "
            "all as float"
        )


def _exr_layer(channels: list[str]) -> str:
    """The layer to show: the one without a name, else the combined one, else the first."""
    layers = [name[:-2] for name in channels if name.endswith((".R", ".Y"))]
    if not layers or "R" in channels or "Y" in channels:
        return ""
    combined = ("combined", "beauty", "rgba", "composite")
    return next((name for name in layers if name.lower().endswith(combined)), layers[0])


def _exr_chromaticities(body: bytes | None) -> Chromaticities | None:
    if body is None or len(body) != 32:
        return None
    red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y = struct.unpack("<8f", body)
    if not all(y > 0 for y in (red_y, green_y, blue_y, white_y)):
        return None
    return ((red_x, red_y), (green_x, green_y), (blue_x, blue_y), (white_x, white_y))


def exr_light(data: bytes, header: FilmHeader) -> tuple[Light, NDArray[np.float32] | None]:
    """Linear light, already multiplied by the alpha that comes with it.

    Raises:
        ValueError, struct.error, KeyError: it is damaged or was cut off.
    """
    options = {"layer": header.layer} if header.layer else {}
    alone = exr_chunks.data_window_alone(data)
    light, alpha = _light(decoded("exr", alone, options))
    exr_chunks.check_dark_blocks(alone, np.asarray(light.any(axis=2)))
    if header.corner == (0, 0) and header.size == light.shape[1::-1]:
        return light, alpha
    return _on_display(light, header), None if alpha is None else _on_display(alpha, header)


def _on_display(held: NDArray[np.float32], header: FilmHeader) -> NDArray[np.float32]:
    """Pixels of the data window where the display window shows them, with nothing around."""
    (width, height), (left, top) = header.size, header.corner
    shown = np.zeros((height, width, *held.shape[2:]), np.float32)
    part = held[max(-top, 0) : max(height - top, 0), max(-left, 0) : max(width - left, 0)]
    top, left = max(top, 0), max(left, 0)
    shown[top : top + part.shape[0], left : left + part.shape[1]] = part
    return shown


def _light(frame: av.VideoFrame) -> tuple[Light, NDArray[np.float32] | None]:
    planes = _float_planes(frame)
    alpha = planes.pop() if len(planes) in (2, 4) else None
    if len(planes) == 1:
        return np.dstack(planes * 3), alpha
    green, blue, red = planes
    return np.dstack([red, green, blue]), alpha


def _float_planes(frame: av.VideoFrame) -> list[NDArray[np.float32]]:
    """The planes of a half or single precision frame: green, blue, red or grey, and alpha."""
    order = ">" if frame.format.name.endswith("be") else "<"
    kind = np.dtype(f"{order}f2" if "f16" in frame.format.name else f"{order}f4")
    if frame.format.name.startswith("yaf"):
        stored = _rows(frame, 0, kind, 2)
        return [stored[:, 0::2].astype(np.float32), stored[:, 1::2].astype(np.float32)]
    return [_rows(frame, place, kind).astype(np.float32) for place in range(len(frame.planes))]


def _rows(
    frame: av.VideoFrame, place: int, kind: np.dtype[np.floating], samples: int = 1
) -> NDArray[np.floating]:
    plane = frame.planes[place]
    stored = np.frombuffer(memoryview(plane), kind)
    rows = stored.reshape(plane.height, plane.line_size // kind.itemsize)
    return rows[:, : plane.width * samples]


def dpx_header(data: bytes) -> FilmHeader:
    """The header of a DPX file.

    Raises:
        ValueError: it is damaged.
    """
    if len(data) < 1664:
        raise ValueError("the header is cut short")
    order = ">" if data.startswith(b"SDPX") else "<"
    width, height = struct.unpack_from(f"{order}2I", data, 772)
    check_pixels(width, height)
    across, down = struct.unpack_from(f"{order}2I", data, 1628)
    is_stated = 0 < across < 1 << 24 and 0 < down < 1 << 24
    transfer = data[801]
    if transfer == _DPX_LINEAR and data[160:].startswith(b"Lavc"):
        transfer = 0  # FFmpeg says so of every picture.
    return FilmHeader(
        size=(width, height),
        has_alpha=data[800] in _ALPHA_DESCRIPTORS,
        bit_depth=data[803],
        pixel_aspect=_aspect(across / down) if is_stated else Fraction(1),
        transfer=transfer,
        orientation=_dpx_orientation(data, order),
    )


def _dpx_orientation(data: bytes, order: str) -> Orientation:
    """How the picture is to be turned; what is not stated changes nothing."""
    (direction,) = struct.unpack_from(f"{order}H", data, 768)
    return from_exif(_DIRECTIONS[direction]) if direction < len(_DIRECTIONS) else Orientation()


def dpx_codes(data: bytes) -> tuple[NDArray[np.uint16], NDArray[np.uint16] | None]:
    """RGB of 0-65535 as the file has it, and alpha.

    Raises:
        ValueError: it is damaged.
    """
    return codes_in(decoded("dpx", _without_padding(data), {}))


def _without_padding(data: bytes) -> bytes:
    """A DPX file without what it says lies behind every line: FFmpeg takes that for pixels."""
    order = ">" if data.startswith(b"SDPX") else "<"
    start, width, height, padding = (
        struct.unpack_from(f"{order}I", data, place)[0] for place in (4, 772, 776, 812)
    )
    line = _dpx_line(width * _DPX_SAMPLES.get(data[800], 0), data, order)
    step = line + padding
    # What is not used is all ones. Some only count what fills up a line to whole words.
    if not (line and 0 < padding < _MOST_PADDING) or len(data) < start + step * height - padding:
        return data
    lines = (data[place : place + line] for place in range(start, start + step * height, step))
    return data[:start] + b"".join(lines)


def _dpx_line(samples: int, data: bytes, order: str) -> int:
    """Bytes of a line that ends with a word; 0 for one that is packed otherwise."""
    bits, (packing,) = data[803], struct.unpack_from(f"{order}H", data, 804)
    is_filled = packing in (1, 2)
    size = {8: samples, 16: 2 * samples}.get(bits, 0)
    if is_filled and bits in (10, 12):
        size = 4 * -(-samples // 3) if bits == 10 else 2 * samples
    return 0 if size % 4 else size


def tiff_codes(data: bytes) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """RGB of 0-65535, or of 0-1 in floating point, as a TIFF file has it, and alpha.

    Raises:
        ValueError: it is damaged, or of a kind that FFmpeg does not read.
    """
    frame = decoded("tiff", data, {})
    return _light(frame) if frame.format.name.startswith(_FLOATS) else codes_in(frame)


def codes_in(frame: av.VideoFrame) -> tuple[NDArray[np.uint16], NDArray[np.uint16] | None]:
    """RGB of 0-65535 in a decoded picture, and alpha."""
    has_alpha = any(component.is_alpha for component in frame.format.components)
    made = frame.reformat(format="rgba64le" if has_alpha else "rgb48le").to_ndarray()
    codes = made.astype(np.uint16, copy=False)
    alpha = np.ascontiguousarray(codes[..., 3]) if has_alpha else None
    return np.ascontiguousarray(codes[..., :3]), alpha


def is_density(header: FilmHeader) -> bool:
    """Whether the values of a DPX file are film density."""
    return header.transfer in _DENSITIES


def is_linear(header: FilmHeader) -> bool:
    """Whether the values of a DPX file are linear light."""
    return header.transfer == _DPX_LINEAR


def decoded(codec: str, data: bytes, options: dict[str, str]) -> av.VideoFrame:
    """The picture in `data`, decoded without a container: no other file can be reached.

    Raises:
        ValueError: it is damaged.
    """
    try:
        decoder = av.CodecContext.create(codec, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.options = options
        frames = decoder.decode(av.Packet(data)) or decoder.decode(None)
    except av.error.FFmpegError as error:
        raise ValueError(str(error)) from error
    if not frames:
        raise ValueError("there is no picture in it")
    return frames[0]


def _aspect(value: float) -> Fraction:
    """A pixel's width by its height; what cannot be one is square."""
    if not math.isfinite(value) or not 0.1 < value < 10:
        return Fraction(1)
    return Fraction(value).limit_denominator(1000)
