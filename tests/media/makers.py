"""Files of kinds that no library at hand writes, made byte by byte."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_D65 = (0.3127, 0.3290)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50_XYZ = np.array([0.9642, 1.0, 0.8249])


def _xyz(point: tuple[float, float]) -> NDArray[np.float64]:
    x, y = point
    return np.array([x / y, 1, (1 - x - y) / y])


def rgb_to_xyz(primaries: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """The matrix of a display with these primaries and D65."""
    columns = np.stack([_xyz(point) for point in primaries], axis=1)
    return columns * np.linalg.solve(columns, _xyz(_D65))


def picture_of(shade: int) -> NDArray[np.uint8]:
    """A small picture of one grey."""
    return np.full((24, 32, 3), shade, np.uint8)


def icc_profile(
    primaries: Sequence[tuple[float, float]], gamma: float = 2.2, *, table: Sequence[int] = ()
) -> bytes:
    """An ICC profile (version 2) of a display with these primaries, one gamma and D65.

    A `table` of light (0-65535) at even distances of code values is there instead of the gamma.
    """
    here, there = _BRADFORD @ _xyz(_D65), _BRADFORD @ _D50_XYZ
    to_d50 = np.linalg.inv(_BRADFORD) @ np.diag(there / here) @ _BRADFORD
    columns = (to_d50 @ rgb_to_xyz(primaries)).T

    def xyz(values: Sequence[float]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    values = table or (round(gamma * 256),)
    curve = b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)
    curve += b"\0" * (-len(curve) % 4)
    text = b"made for a test"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" * 80
    tags = {
        b"desc": description + b"\0" * (-len(description) % 4),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(_D50_XYZ.tolist()),
        **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, columns.tolist()), strict=True)),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">2I", start + len(body), len(data))
        body += data
    header = bytearray(128)
    header[0:4] = struct.pack(">I", start + len(body))
    header[8:12] = b"\x02\x20\0\0"
    header[12:24] = b"mntrRGB XYZ "
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">3i", *(round(v * 65536) for v in _D50_XYZ))
    return bytes(header) + table + body


def encoded(codec: str, frame: av.VideoFrame, **options: str) -> bytes:
    """One picture as FFmpeg's encoder `codec` writes it, such as "exr" or "dpx"."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = frame.width, frame.height
    context.pix_fmt = frame.format.name
    context.time_base = Fraction(1, 25)
    context.options = options
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))


def exr(
    light: NDArray[np.float32],
    alpha: NDArray[np.float32] | None = None,
    *,
    compression: str = "none",
) -> bytes:
    """An OpenEXR file of linear light (height, width, RGB), and alpha."""
    planes = [light[..., 1], light[..., 2], light[..., 0]]
    kind = "gbrpf32le"
    if alpha is not None:
        planes.append(alpha)
        kind = "gbrapf32le"
    frame = av.VideoFrame(light.shape[1], light.shape[0], kind)
    for plane, values in zip(frame.planes, planes, strict=True):
        padded = np.zeros((plane.height, plane.line_size // 4), np.float32)
        padded[:, : plane.width] = values
        plane.update(padded.tobytes())
    return encoded("exr", frame, compression=compression)


def with_png_chunk(path: Path, kind: bytes, body: bytes) -> None:
    """Put a chunk behind the header of the PNG file at `path`."""
    data = path.read_bytes()
    checked = kind + body
    chunk = struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))
    path.write_bytes(data[:33] + chunk + data[33:])


def with_entry_atom(path: Path, entry: bytes, atom: bytes) -> None:
    """Put `atom` at the end of the description ("avc1") of a movie whose index is at its end."""
    content = bytearray(path.read_bytes())
    moov = content.index(b"moov")
    start = content.index(entry, moov) - 4
    end = start + struct.unpack_from(">I", content, start)[0]
    if content[end - 4 : end] == bytes(4):  # A terminator, behind which nothing is looked for.
        end -= 4
    content[end:end] = atom
    for kind in (entry, b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        place = content.rindex(kind, moov, end) - 4
        size = struct.unpack_from(">I", content, place)[0]
        struct.pack_into(">I", content, place, size + len(atom))
    path.write_bytes(content)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


_ESSENTIAL = 0x80


@dataclass(frozen=True)
class _Item:
    """An item of an HEIF file, and which of the file's properties it has, counted from 1."""

    number: int
    kind: bytes
    data: bytes
    owned: Sequence[int]


def heic(
    tiles: Sequence[Image],
    columns: int,
    size: tuple[int, int],
    *,
    quarter_turns_left: int = 0,
    profile: bytes = b"",
    alpha: Image | None = None,
    is_multiplied: bool = False,
    aperture: tuple[int, int, int, int] | None = None,
) -> bytes:
    """A HEIC photograph made of a grid of tiles, as telephones write it; one tile is no grid.

    `alpha` is grey in three channels. `aperture` is width and height of what is to be seen, and
    how far its middle is right of and below the photograph's.
    """
    units = [_hevc(tile) for tile in tiles]
    is_grid = len(tiles) > 1
    first = 2 if is_grid else 1
    height, width = tiles[0].shape[:2]
    properties = [
        _box(b"hvcC", units[0][0]),
        _box(b"ispe", struct.pack(">3I", 0, width, height)),
        _box(b"ispe", struct.pack(">3I", 0, *size)),
        _box(b"irot", bytes([quarter_turns_left])),
        _box(b"colr", b"prof" + profile) if profile else _box(b"free"),
        _box(b"auxC", b"\0" * 4 + b"urn:mpeg:hevc:2015:auxid:1\0"),
    ]
    whole = [3, 4] + ([5] if profile else [])
    if aperture is not None:
        properties.append(_clap(aperture))
        whole.insert(1, len(properties))
    owners = [(1, whole if is_grid else [1, *whole])]
    owners += [(first + place, [1, 2]) for place in range(len(tiles))] if is_grid else []
    beside = first + len(tiles)
    if alpha is not None:
        units.append(_hevc(alpha))
        properties.append(_box(b"hvcC", units[-1][0]))
        owners.append((beside, [len(properties), 3, 4, 6]))
    kinds = [(1, b"grid")] if is_grid else []
    kinds += [(first + place, b"hvc1") for place in range(len(units))]
    grid = struct.pack(">4B2H", 0, 0, len(tiles) // columns - 1, columns - 1, *size)
    contents = ([grid] if is_grid else []) + [unit for _, unit in units]
    named: list[tuple[bytes, int, Sequence[int]]] = []
    if is_grid:
        named.append((b"dimg", 1, range(2, 2 + len(tiles))))
    if alpha is not None:
        named.append((b"auxl", beside, [1]))
    if is_multiplied:
        named.append((b"prem", 1, [beside]))
    references = [
        _box(kind, struct.pack(f">2H{len(others)}H", item, len(others), *others))
        for kind, item, others in named
    ]
    items = [
        _Item(number, kind, data, dict(owners)[number])
        for (number, kind), data in zip(kinds, contents, strict=True)
    ]
    return _heif(b"heic", items, properties, references)


def avif_within(data: bytes, aperture: tuple[int, int, int, int]) -> bytes:
    """The AVIF in `data`, an opaque one, of which `aperture` is to be seen, as in `heic`."""

    def found(kind: bytes) -> bytes:
        start = data.index(kind) - 4
        return data[start : start + struct.unpack_from(">I", data, start)[0]]

    kept = [found(kind) for kind in (b"av1C", b"colr", b"pixi", b"ispe")]
    # Readers insist on marks of what must not be passed over.
    owned = [1 | _ESSENTIAL, 2, 3, 4, 5 | _ESSENTIAL]
    return _heif(
        b"avif", [_Item(1, b"av01", found(b"mdat")[8:], owned)], [*kept, _clap(aperture)], []
    )


def _clap(aperture: tuple[int, int, int, int]) -> bytes:
    return _box(b"clap", struct.pack(">8i", *(part for side in aperture for part in (side, 1))))


def _heif(
    brand: bytes, items: Sequence[_Item], properties: Sequence[bytes], references: Sequence[bytes]
) -> bytes:
    """A file of items, of which the first is the picture, with what is to be known of them."""
    infos = [
        _box(b"infe", struct.pack(">I2H4sB", 2 << 24, item.number, 0, item.kind, 0))
        for item in items
    ]
    associations = b"".join(
        struct.pack(f">HB{len(item.owned)}B", item.number, len(item.owned), *item.owned)
        for item in items
    )

    def meta(start: int) -> bytes:
        places, at = b"", start
        for item in items:
            places += struct.pack(">3H2I", item.number, 0, 1, at, len(item.data))
            at += len(item.data)
        handler = struct.pack(">2I4s", 0, 0, b"pict") + b"\0" * 13
        return _box(
            b"meta",
            b"\0" * 4,
            _box(b"hdlr", handler),
            _box(b"pitm", struct.pack(">IH", 0, 1)),
            _box(b"iloc", struct.pack(">I2BH", 0, 0x44, 0, len(items)), places),
            _box(b"iinf", struct.pack(">IH", 0, len(infos)), *infos),
            _box(b"iref", b"\0" * 4, *references) if references else b"",
            _box(
                b"iprp",
                _box(b"ipco", *properties),
                _box(b"ipma", struct.pack(">2I", 0, len(items)), associations),
            ),
        )

    head = _box(b"ftyp", brand + b"\0\0\0\0mif1" + brand)
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + _box(b"mdat", *(item.data for item in items))


def _hevc(tile: Image) -> tuple[bytes, bytes]:
    """The configuration record and the sample of a tile, taken from an MP4 file of one frame."""
    file = BytesIO()
    with av.open(file, "w", format="mp4") as output:
        options = {"x265-params": "log-level=none:lossless=1:info=0", "preset": "ultrafast"}
        stream = output.add_stream("libx265", rate=1, options=options)
        stream.width, stream.height = tile.shape[1], tile.shape[0]
        stream.pix_fmt = "yuv444p"
        stream.codec_context.codec_tag = "hvc1"
        frame = av.VideoFrame.from_ndarray(tile, format="rgb24").reformat(
            format="yuv444p", dst_colorspace=5, dst_color_range=2
        )
        frame.color_range = 2
        frame.pts, frame.time_base = 0, Fraction(1)
        stream.codec_context.color_range, stream.codec_context.colorspace = 2, 5
        for packet in (*stream.encode(frame), *stream.encode(None)):
            # Of a single frame the encoder does not always say when it is to be decoded.
            packet.pts = packet.dts = 0
            output.mux(packet)
    file.seek(0)
    with av.open(file, "r") as container:
        record = container.streams.video[0].codec_context.extradata
        packet = next(container.demux(video=0))
        assert record is not None
        return record, bytes(packet)


def png(picture: NDArray[Any]) -> bytes:
    """An array as OpenCV orders it, in PNG."""
    return cv2.imencode(".png", picture)[1].tobytes()
