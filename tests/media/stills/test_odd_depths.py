"""Pictures whose samples are of odd depths, or whose files hold more than the picture itself."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresco_media.colour import profiles
from fresco_media.errors import ClipUnreadable
from fresco_media.stills.headers import read_header
from fresco_media.stills.reading import read_still
from PIL import Image as Pillow

from tests.media import makers

SHADES = np.tile(np.linspace(0, 255, 32).round().astype(np.uint8), (24, 1))


def packed(samples: np.ndarray, bits: int) -> bytes:
    """Rows of samples of any depth, each filled up to whole bytes."""
    places = np.arange(bits)[::-1]
    rows = (samples[..., None].astype(int) >> places & 1).reshape(len(samples), -1)
    return np.packbits(rows.astype(np.uint8), axis=1).tobytes()


def grey_tiff(
    bits: int, photometric: int, data: bytes, more: dict[int, int] | None = None, following: int = 0
) -> bytes:
    """An uncompressed TIFF of one channel, 32 pixels by 24."""
    values = {256: 32, 257: 24, 258: bits, 259: 1, 262: photometric, 277: 1, 278: 24}
    values |= more or {}
    start = 8 + 2 + 12 * (len(values) + 2) + 4
    values |= {273: start, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, values[tag]) for tag in sorted(values))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(values))
    return head + entries + struct.pack("<I", following) + data


def rows_of_png(bits: int, greys: np.ndarray) -> bytes:
    body = packed(greys, bits)
    width = len(body) // len(greys)
    return b"".join(b"\0" + body[start : start + width] for start in range(0, len(body), width))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("is_white", [False, True])
def test_the_transparent_grey_of_png_counts_in_its_own_bits(
    tmp_path: Path, bits: int, is_white: bool
) -> None:
    top = (1 << bits) - 1
    greys = np.tile(np.arange(32) % 2 * top, (24, 1))
    clear = top if is_white else 0
    path = tmp_path / "a.png"
    Pillow.new("L", (32, 24)).save(path)
    data = bytearray(path.read_bytes())
    data[24] = bits
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    start = data.index(b"IDAT") - 4
    data[start:] = chunk(b"tRNS", struct.pack(">H", clear))
    data += chunk(b"IDAT", zlib.compress(rows_of_png(bits, greys))) + chunk(b"IEND")
    path.write_bytes(data)

    still = read_still(path)

    assert still.alpha is not None
    np.testing.assert_array_equal(still.alpha, np.where(greys == clear, 0, 255))
    assert still.image.max() == (0 if is_white else 255)


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    check = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + check


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("from_white", [False, True])
def test_a_tiff_of_any_depth_may_count_from_white(
    tmp_path: Path, bits: int, from_white: bool
) -> None:
    top = (1 << bits) - 1
    samples = np.rint(SHADES / 255 * top).astype(int)
    stored = top - samples if from_white else samples
    (tmp_path / "a.tif").write_bytes(grey_tiff(bits, 0 if from_white else 1, packed(stored, bits)))

    assert np.abs(read_still(tmp_path / "a.tif").image.astype(int) - SHADES[..., None]).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_of_signed_numbers_is_refused_with_what_to_do(tmp_path: Path, bits: int) -> None:
    data = grey_tiff(bits, 1, bytes(32 * 24 * bits // 8), {339: 2})
    (tmp_path / "a.tif").write_bytes(data)

    for read in (read_header, read_still):
        with pytest.raises(ClipUnreadable, match=r"signed numbers.*export it with 8 or 16 bits"):
            read(tmp_path / "a.tif")


@pytest.mark.parametrize("most", [100, 1023, 4095, 65535])
@pytest.mark.parametrize("kind", ["P5", "P2"])
def test_the_highest_grey_of_a_pgm_is_white(tmp_path: Path, most: int, kind: str) -> None:
    samples = np.rint(SHADES / 255 * most).astype(int)
    body = samples.astype(">u2" if most > 255 else "u1").tobytes()
    if kind == "P2":
        body = " ".join(map(str, samples.ravel())).encode()
    (tmp_path / "a.pgm").write_bytes(f"{kind}\n32 24\n{most}\n".encode() + body)

    wanted = np.rint(samples / most * 255)
    assert np.abs(read_still(tmp_path / "a.pgm").image - wanted[..., None]).max() <= 1


@pytest.mark.parametrize("green_bits", [5, 6])
def test_a_bmp_of_sixteen_bits_reaches_white(tmp_path: Path, green_bits: int) -> None:
    five, green = SHADES.astype(int) >> 3, SHADES.astype(int) >> 8 - green_bits
    pixels = (five << 5 + green_bits | green << 5 | five).astype("<u2")
    masks = struct.pack("<3I", 31 << 5 + green_bits, (1 << green_bits) - 1 << 5, 31)
    header = struct.pack("<IiiHHIIiiII", 40, 32, -24, 1, 16, 3, 0, 0, 0, 0, 0)
    head = struct.pack("<2sIHHI", b"BM", 66 + pixels.nbytes, 0, 0, 66)
    (tmp_path / "a.bmp").write_bytes(head + header + masks + pixels.tobytes())

    image = read_still(tmp_path / "a.bmp").image.astype(int)

    assert read_header(tmp_path / "a.bmp").bit_depth == 8
    assert np.abs(image[..., 0] - np.rint(five / 31 * 255)).max() <= 1
    assert np.abs(image[..., 1] - np.rint(green / ((1 << green_bits) - 1) * 255)).max() <= 1
    assert image.max() == 255


@pytest.mark.parametrize(
    "more",
    [{254: 1, 330: 8}, {50706: 1 | 4 << 8}, {262: 32803}, {262: 34892}],
    ids=["preview with the raw inside", "dng", "sensor", "linear raw"],
)
@pytest.mark.parametrize("name", ["a.dng", "a.nef", "a.tif"])
def test_the_preview_of_a_raw_picture_is_not_taken_for_it(
    tmp_path: Path, more: dict[int, int], name: str
) -> None:
    (tmp_path / name).write_bytes(grey_tiff(8, 1, SHADES.tobytes(), more))

    for read in (read_header, read_still):
        with pytest.raises(ClipUnreadable, match=r"a camera's raw picture.*develop it"):
            read(tmp_path / name)


def test_canons_raw_pictures_are_known_by_their_mark(tmp_path: Path) -> None:
    data = grey_tiff(8, 1, SHADES.tobytes())
    moved = data[:4] + struct.pack("<I", 16) + b"CR\2\0\0\0\0\0" + data[8:]
    (tmp_path / "a.cr2").write_bytes(moved)

    with pytest.raises(ClipUnreadable, match="a camera's raw picture"):
        read_header(tmp_path / "a.cr2")


def test_a_preview_before_its_picture_is_not_taken_for_it(tmp_path: Path) -> None:
    first = grey_tiff(8, 1, SHADES.tobytes(), {254: 1})
    (tmp_path / "a.tif").write_bytes(
        grey_tiff(8, 1, SHADES.tobytes(), {254: 1}, len(first)) + first[8:]
    )

    with pytest.raises(ClipUnreadable, match="begins with a preview"):
        read_still(tmp_path / "a.tif")


def test_a_lone_picture_that_says_it_is_reduced_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(grey_tiff(8, 1, SHADES.tobytes(), {254: 1}))

    np.testing.assert_array_equal(read_still(tmp_path / "a.tif").image[..., 0], SHADES)


@pytest.mark.parametrize(
    ("space", "mark", "is_wide"),
    [
        (65535, "R03", True),
        (2, "R03", True),
        (1, "R98", False),
        (1, "R03", False),
        (65535, "", False),
    ],
)
def test_a_camera_may_say_adobe_rgb_by_exif(
    tmp_path: Path, space: int, mark: str, is_wide: bool
) -> None:
    colours = np.full((24, 32, 3), (60, 200, 90), np.uint8)
    exif = Pillow.Exif()
    exif[0x8769] = {0xA001: space, **({0xA005: {1: mark}} if mark else {})}
    path = tmp_path / "a.jpg"
    Pillow.fromarray(colours).save(path, quality=100, subsampling=0, exif=exif)

    wanted = colours
    if is_wide:
        profile = makers.icc_profile(makers.ADOBE_RGB)
        converted = profiles.to_srgb(Pillow.fromarray(colours), profile)
        assert converted is not None
        wanted = converted
    assert np.abs(read_still(path).image.astype(int) - wanted).max() <= 2


def test_inks_are_not_taken_for_adobe_rgb(tmp_path: Path) -> None:
    inks = Pillow.fromarray(np.full((24, 32, 3), (60, 200, 90), np.uint8)).convert("CMYK")
    exif = Pillow.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R03"}}
    inks.save(tmp_path / "plain.jpg", quality=100)
    inks.save(tmp_path / "marked.jpg", quality=100, exif=exif)

    plain, marked = (read_still(tmp_path / name) for name in ("plain.jpg", "marked.jpg"))

    np.testing.assert_array_equal(plain.image, marked.image)


def test_a_profile_counts_more_than_what_exif_says(tmp_path: Path) -> None:
    colours = np.full((24, 32, 3), (60, 200, 90), np.uint8)
    exif = Pillow.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R03"}}
    path = tmp_path / "a.jpg"
    Pillow.fromarray(colours).save(
        path, quality=100, subsampling=0, exif=exif, icc_profile=makers.icc_profile(makers.SRGB)
    )

    assert np.abs(read_still(path).image.astype(int) - colours).max() <= 3


@pytest.mark.parametrize("packing", ["zstd", "lzma", "tiff_lzw"])
@pytest.mark.parametrize("kind", ["<u2", ">u2", "<f4"])
def test_deep_grey_is_read_however_a_tiff_is_packed(
    tmp_path: Path, packing: str, kind: str
) -> None:
    light = SHADES.astype(np.float64) / 255
    samples = (light * 65535).round() if kind != "<f4" else light
    path = tmp_path / "a.tif"
    try:
        Pillow.fromarray(samples.astype(kind)).save(path, compression=packing)
    except OSError:
        pytest.skip(f"this Pillow has no {packing}")

    wanted = SHADES
    if kind == "<f4":
        curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        wanted = np.rint(curved * 255)
    assert np.abs(read_still(path).image - wanted[..., None].astype(int)).max() <= 1


def grey_profile(gamma: float) -> bytes:
    """An ICC profile (version 2) of grey with one gamma."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">IH2x", 1, round(gamma * 256))
    parts = {b"wtpt": white, b"kTRC": curve}
    start = 128 + 4 + 12 * len(parts)
    table, body = struct.pack(">I", len(parts)), b""
    for name, part in parts.items():
        table += name + struct.pack(">2I", start + len(body), len(part))
        body += part
    head = struct.pack(">I4sI", start + len(body), bytes(4), 0x02400000) + b"mntrGRAYXYZ "
    head += bytes(12) + b"acsp" + bytes(28) + white[8:]
    return head.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("depth", [8, 16])
def test_the_profile_of_grey_is_applied_in_the_shadows_too(
    tmp_path: Path, suffix: str, depth: int
) -> None:
    samples = SHADES if depth == 8 else SHADES.astype(np.uint16) * 257
    path = tmp_path / f"a{suffix}"
    Pillow.fromarray(samples).save(path, icc_profile=grey_profile(1.0))

    light = SHADES / 255
    curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(read_still(path).image - np.rint(curved * 255)[..., None]).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_profile_of_grey_takes_no_colours_away(tmp_path: Path, suffix: str) -> None:
    colours = np.full((24, 32, 3), (200, 120, 40), np.uint8)
    path = tmp_path / f"a{suffix}"
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if suffix == ".jpg" else {}
    Pillow.fromarray(colours).save(path, icc_profile=grey_profile(2.2), **options)

    assert np.abs(read_still(path).image.astype(int) - colours).max() <= 2


def test_a_profile_of_grey_is_applied_to_grey_in_three_channels(tmp_path: Path) -> None:
    Pillow.fromarray(np.dstack([SHADES] * 3)).save(
        tmp_path / "a.png", icc_profile=grey_profile(1.0)
    )

    assert read_still(tmp_path / "a.png").image[0, 16, 0] > SHADES[0, 16] + 40


def test_a_profile_of_grey_takes_no_colours_away_from_a_deep_tiff(tmp_path: Path) -> None:
    path, profile = tmp_path / "a.tif", grey_profile(1.0)
    colours = np.full((24, 32, 3), (200, 120, 40), np.uint16) * 257
    values = {256: 32, 257: 24, 259: 1, 262: 2, 277: 3, 278: 24}
    start = 8 + 2 + 12 * (len(values) + 4) + 4
    places = {258: start, 34675: start + 6, 273: start + 6 + len(profile)}
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items()]
    entries += [struct.pack("<HHII", 258, 3, 3, places[258])]
    entries += [struct.pack("<HHII", 34675, 7, len(profile), places[34675])]
    entries += [struct.pack("<HHII", 273, 4, 1, places[273])]
    entries += [struct.pack("<HHII", 279, 4, 1, colours.nbytes)]
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4)
    path.write_bytes(head + struct.pack("<3H", 16, 16, 16) + profile + colours.tobytes())

    assert np.abs(read_still(path).image.astype(int) - (200, 120, 40)).max() <= 1


def planes_tiff(order: str, planes: list[np.ndarray], packing: int, more: dict[int, int]) -> bytes:
    """A TIFF of planes of one kind, in the byte order "<" or ">"; 8 is deflate, 1 nothing."""
    stored = [plane.astype(f"{order}{plane.dtype.str[1:]}").tobytes() for plane in planes]
    stored = [zlib.compress(one) if packing == 8 else one for one in stored]
    count, bits = len(planes), 8 * planes[0].dtype.itemsize
    shorts = {256: 32, 257: 24, 259: packing, 277: count, 278: 24, 284: 2, **more}
    start = 8 + 2 + 12 * (len(shorts) + 3) + 4
    pixels = start + 8 + 2 * 16
    places = [pixels + sum(map(len, stored[:number])) for number in range(count)]
    depths = struct.pack(f"{order}{count}H", *[bits] * count)
    entries = [struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in shorts.items()]
    at = struct.pack(f"{order}I", start) if count > 2 else depths.ljust(4, b"\0")
    entries.append(struct.pack(f"{order}HHI", 258, 3, count) + at)
    entries.append(struct.pack(f"{order}HHII", 273, 4, count, start + 8))
    entries.append(struct.pack(f"{order}HHII", 279, 4, count, start + 24))
    entries.sort(key=lambda entry: struct.unpack_from(f"{order}H", entry)[0])
    head = struct.pack(f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(entries))
    body = depths.ljust(8, b"\0") + struct.pack(f"{order}{count}I", *places).ljust(16, b"\0")
    body += struct.pack(f"{order}{count}I", *map(len, stored)).ljust(16, b"\0")
    return head + b"".join(entries) + bytes(4) + body + b"".join(stored)


@pytest.mark.parametrize("packing", [1, 8])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("count", [3, 4])
def test_planes_are_read_in_the_byte_order_of_their_file(
    tmp_path: Path, order: str, kind: str, packing: int, count: int
) -> None:
    top = {"u1": 255, "u2": 65535, "f4": 1.0}[kind]
    levels = [SHADES, 255 - SHADES, np.full_like(SHADES, 90), np.full_like(SHADES, 255)][:count]
    planes = [(level / 255 * top).round(0 if kind != "f4" else 9).astype(kind) for level in levels]
    more = {262: 2, **({338: 2} if count == 4 else {}), **({339: 3} if kind == "f4" else {})}
    (tmp_path / "a.tif").write_bytes(planes_tiff(order, planes, packing, more))

    wanted = np.dstack(levels[:3]).astype(np.float64)
    if kind == "f4":
        light = wanted / 255
        curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        wanted = np.rint(curved * 255)
    assert np.abs(read_still(tmp_path / "a.tif").image - wanted).max() <= 1


@pytest.mark.parametrize("packing", [1, 8])
@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_planes_of_grey_and_alpha_are_refused_and_never_mixed_up(
    tmp_path: Path, order: str, kind: str, packing: int
) -> None:
    top = np.iinfo(kind).max // 255
    planes = [(SHADES.astype(kind) * top).astype(kind), np.full((24, 32), 128 * top, kind)]
    path = tmp_path / "a.tif"
    path.write_bytes(planes_tiff(order, planes, packing, {262: 1, 338: 2}))

    with pytest.raises(ClipUnreadable, match="export it again"):
        read_still(path)


def tiled_tiff(tiles: list[np.ndarray], count: int, more: dict[int, int]) -> bytes:
    """An uncompressed TIFF of 16 bits, 32 pixels by 16, in tiles of 16 by 16."""
    values = {256: 32, 257: 16, 259: 1, 277: count, 322: 16, 323: 16, **more}
    start = 8 + 2 + 12 * (len(values) + 3) + 4
    stored = [tile.astype("<u2").tobytes() for tile in tiles]
    number, size = len(stored), len(stored[0])
    pixels = start + 8 + 8 * number
    depths = struct.pack(f"<{count}H", *[16] * count).ljust(8, b"\0")
    entries = [struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in values.items()]
    at = struct.pack("<I", start) if count > 2 else depths[:4]
    entries.append(struct.pack("<HHI", 258, 3, count) + at)
    entries.append(struct.pack("<HHII", 324, 4, number, start + 8))
    entries.append(struct.pack("<HHII", 325, 4, number, start + 8 + 4 * number))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4)
    places = [pixels + size * place for place in range(number)]
    body = depths + struct.pack(f"<{2 * number}I", *places, *[size] * number)
    return head + body + b"".join(stored)


@pytest.mark.parametrize("from_white", [False, True])
def test_tiles_of_deep_grey_may_count_from_white(tmp_path: Path, from_white: bool) -> None:
    samples = np.tile(np.arange(32) * 2000, (16, 1))
    stored = 65535 - samples if from_white else samples
    tiles = [stored[:, :16], stored[:, 16:]]
    (tmp_path / "a.tif").write_bytes(tiled_tiff(tiles, 1, {262: 0 if from_white else 1}))

    wanted = np.rint(samples / 257)
    assert np.abs(read_still(tmp_path / "a.tif").image - wanted[..., None]).max() <= 1


@pytest.mark.parametrize(
    ("count", "more"),
    [(2, {262: 1, 338: 2}), (3, {262: 2, 284: 2}), (4, {262: 2, 284: 2, 338: 2})],
    ids=["grey and alpha", "planes", "planes and alpha"],
)
def test_tiles_that_nothing_here_puts_together_are_refused(
    tmp_path: Path, count: int, more: dict[int, int]
) -> None:
    is_planar = 284 in more
    tile = np.arange(256 if is_planar else 256 * count).astype(np.uint16) * 30
    tiles = [tile] * (2 * count if is_planar else 2)
    (tmp_path / "a.tif").write_bytes(tiled_tiff(tiles, count, more))

    with pytest.raises(ClipUnreadable, match="export it again"):
        read_still(tmp_path / "a.tif")


@pytest.mark.parametrize("bits", [24, 32])
@pytest.mark.parametrize("is_said", [False, True])
def test_colours_of_a_map_in_targa_may_be_transparent(
    tmp_path: Path, bits: int, is_said: bool
) -> None:
    entries = b"".join(bytes([40, 120, shade, 128][: bits // 8]) for shade in range(0, 256, 16))
    head = struct.pack("<3B2HB4H2B", 0, 1, 1, 0, 16, bits, 0, 0, 32, 24, 8, 0x28 if is_said else 32)
    indices = (SHADES // 16).astype(np.uint8)
    (tmp_path / "a.tga").write_bytes(head + entries + indices.tobytes())

    still = read_still(tmp_path / "a.tga")

    is_clear = is_said and bits == 32
    assert read_header(tmp_path / "a.tga").has_alpha == is_clear
    assert (still.alpha is not None) == is_clear
    if still.alpha is not None:
        assert (still.alpha == 128).all()
    share = 128 / 255 if is_clear else 1
    assert np.abs(still.image[..., 0] - indices * 16 * share).max() <= 1


def dpx_of(order: str, bits: int, lines: list[bytes], padding: int) -> bytes:
    """A DPX file of RGB, 32 pixels by 24, filled into words where samples have 10 bits."""
    head = bytearray(2048)
    head[:4] = b"SDPX" if order == ">" else b"XPDS"
    head[8:12] = b"V1.0"
    whole = 2048 + len(b"".join(lines))
    for place, value in {4: 2048, 16: whole, 772: 32, 776: 24, 808: 2048, 812: padding}.items():
        struct.pack_into(f"{order}I", head, place, value)
    struct.pack_into(f"{order}H", head, 770, 1)
    head[800:804] = bytes([50, 0, 0, bits])
    struct.pack_into(f"{order}H", head, 804, 1 if bits == 10 else 0)
    struct.pack_into(f"{order}2I", head, 1628, 0xFFFFFFFF, 0xFFFFFFFF)
    return bytes(head) + b"".join(lines)


@pytest.mark.parametrize("bits", [8, 10, 16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("padding", "said"), [(0, 0), (0, 0xFFFFFFFF), (0, 4), (4, 4), (32, 32), (2, 2)]
)
def test_what_lies_behind_the_lines_of_a_dpx_is_no_pixel(
    tmp_path: Path, order: str, bits: int, padding: int, said: int
) -> None:
    colours = np.dstack([SHADES, 255 - SHADES, np.full_like(SHADES, 90)]).astype(np.uint32)
    lines: list[bytes] = []
    for row in colours:
        if bits == 10:
            ten = np.rint(row * 1023 / 255).astype(np.uint32)
            words = ten[:, 0] << 22 | ten[:, 1] << 12 | ten[:, 2] << 2
            line = words.astype(f"{order}u4").tobytes()
        else:
            line = (row * (257 if bits == 16 else 1)).astype(f"{order}u{bits // 8}").tobytes()
        lines.append(line + b"\xaa" * padding)
    (tmp_path / "a.dpx").write_bytes(dpx_of(order, bits, lines, said))

    assert np.abs(read_still(tmp_path / "a.dpx").image.astype(int) - colours).max() <= 1
