"""Still pictures of every kind, read by what they hold."""

from __future__ import annotations

import io
import shutil
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from fresco_media.clip import Clip
from fresco_media.errors import ClipUnreadable
from fresco_media.stills.headers import read_header
from fresco_media.stills.images import read_image
from fresco_media.stills.reading import read_still
from fresco_media.types import Image
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from tests.media import makers

SHADE = (200, 120, 40)


def srgb(light: float) -> int:
    return round(
        255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)
    )


def plain(width: int = 32, height: int = 24) -> Image:
    return np.full((height, width, 3), SHADE, np.uint8)


@pytest.mark.parametrize("compression", ["none", "zip16", "rle"])
def test_linear_light_of_openexr_becomes_srgb(tmp_path: Path, compression: str) -> None:
    light = np.zeros((24, 32, 3), np.float32)
    light[:] = (0.6, 0.18, 0.01)
    light[0, 0] = (np.nan, np.inf, -1)
    (tmp_path / "a.exr").write_bytes(makers.exr(light, compression=compression))

    still = read_still(tmp_path / "a.exr")

    assert np.abs(still.image[5, 5].astype(int) - [srgb(v) for v in (0.6, 0.18, 0.01)]).max() <= 1
    assert still.image[0, 0].tolist() == [0, 255, 0]
    assert still.alpha is None


def test_alpha_of_openexr_is_multiplied_already(tmp_path: Path) -> None:
    light = np.full((24, 32, 3), 0.25, np.float32)
    alpha = np.full((24, 32), 0.5, np.float32)
    (tmp_path / "a.exr").write_bytes(makers.exr(light, alpha))

    still = read_still(tmp_path / "a.exr")

    assert read_header(tmp_path / "a.exr").has_alpha
    assert abs(int(still.image[5, 5, 0]) - srgb(0.25)) <= 1
    assert still.alpha is not None
    assert still.alpha[5, 5] == 128


def dpx(pixel_format: str = "gbrp10le") -> bytes:
    frame = av.VideoFrame.from_ndarray(plain(), format="rgb24").reformat(format=pixel_format)
    return makers.encoded("dpx", frame)


@pytest.mark.parametrize("pixel_format", ["gbrp10le", "rgb24", "rgb48le", "gbrp12le"])
def test_dpx_as_ffmpeg_writes_it_is_shown_as_it_is(tmp_path: Path, pixel_format: str) -> None:
    (tmp_path / "a.dpx").write_bytes(dpx(pixel_format))

    assert np.abs(read_image(tmp_path / "a.dpx")[5, 5].astype(int) - SHADE).max() <= 1


@pytest.mark.parametrize("transfer", [1, 3], ids=["printing density", "logarithmic"])
def test_film_density_is_converted(tmp_path: Path, transfer: int) -> None:
    codes = np.zeros((24, 32, 3), np.uint16)
    codes[:] = [code * 64 for code in (685, 470, 95)]
    frame = av.VideoFrame.from_ndarray(codes, format="rgb48le").reformat(format="gbrp10le")
    data = bytearray(makers.encoded("dpx", frame))
    data[801] = transfer
    (tmp_path / "a_0001.dpx").write_bytes(data)

    image = read_image(tmp_path / "a_0001.dpx")

    # White at 685, black at 95, and mid grey 215 codes (0.43 of density) below white.
    assert image[5, 5, 0] >= 253
    assert 110 <= image[5, 5, 1] <= 130
    assert image[5, 5, 2] <= 3
    assert "film density" in Clip.open(tmp_path).warnings[0]


@pytest.mark.parametrize(
    ("direction", "corner"),
    [
        # Lines go from left to right or back, one below or above the other; or from top to bottom
        # or up, one beside the other.
        *((0, "top left"), (1, "top right"), (2, "bottom left"), (3, "bottom right")),
        *((4, "top left"), (5, "top right"), (6, "bottom left"), (7, "bottom right")),
        (0xFFFF, "top left"),
    ],
)
@pytest.mark.parametrize("order", ["big", "little"])
def test_dpx_says_where_its_lines_go(
    tmp_path: Path, direction: int, corner: str, order: Literal["big", "little"]
) -> None:
    picture = np.zeros((24, 32, 3), np.uint8)
    picture[:8, :8] = 255
    data = bytearray(
        makers.encoded("dpx", av.VideoFrame.from_ndarray(picture, format="rgb24"))
        if order == "big"
        else makers.encoded(
            "dpx",
            av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="rgb48le"),
        )
    )
    stored: Literal["big", "little"] = "big" if data.startswith(b"SDPX") else "little"
    data[768:770] = direction.to_bytes(2, stored)
    (tmp_path / "a.dpx").write_bytes(data)

    image = read_image(tmp_path / "a.dpx")

    size = (24, 32) if 4 <= direction < 8 else (32, 24)
    assert read_header(tmp_path / "a.dpx").size == image.shape[1::-1] == size
    assert corner_lit(image) == {corner}


@pytest.mark.parametrize("depth", [8, 16])
def test_the_grey_that_png_says_is_transparent_is_so(tmp_path: Path, depth: int) -> None:
    grey = np.full((24, 32), 100, np.uint8 if depth == 8 else np.uint16)
    grey[:, 16:] = 200
    path = tmp_path / "a.png"
    path.write_bytes(makers.png(grey * (257 if depth == 16 else 1)))
    value = 100 * (257 if depth == 16 else 1)
    makers.with_png_chunk(path, b"tRNS", struct.pack(">H", value))

    still = read_still(path)

    assert read_header(path).has_alpha
    assert still.alpha is not None
    assert still.alpha[5, [4, 20]].tolist() == [0, 255]
    assert still.image[5, 4].tolist() == [0, 0, 0]
    assert still.image[5, 20].tolist() == [200, 200, 200]


def test_linear_dpx_of_others_is_converted(tmp_path: Path) -> None:
    data = bytearray(dpx("rgb48le"))
    data[160:172], data[801] = b"compositor\0\0", 2
    (tmp_path / "a.dpx").write_bytes(data)

    assert abs(int(read_image(tmp_path / "a.dpx")[5, 5, 1]) - srgb(120 / 255)) <= 1


@pytest.mark.parametrize("is_compressed", [False, True])
def test_targa_is_read(tmp_path: Path, is_compressed: bool) -> None:
    Pillow.fromarray(plain()).save(tmp_path / "a.tga", rle=is_compressed)

    np.testing.assert_array_equal(read_image(tmp_path / "a.tga"), plain())


def test_a_fourth_channel_of_targa_that_is_said_to_be_nothing_is_nothing(tmp_path: Path) -> None:
    file = io.BytesIO()
    Pillow.fromarray(np.dstack([plain(), np.zeros((24, 32), np.uint8)])).save(file, "TGA")
    data = bytearray(file.getvalue())
    data[17] &= 0xF0
    (tmp_path / "a.tga").write_bytes(data)

    np.testing.assert_array_equal(read_image(tmp_path / "a.tga"), plain())


def tiff(
    samples: np.ndarray, extra: int | None = None, more: dict[int, int] | None = None
) -> bytes:
    """An uncompressed TIFF of any depth; `extra` says what a fourth channel is, `more` are tags."""
    height, width, count = samples.shape
    bits, kind = 8 * samples.dtype.itemsize, 3 if samples.dtype.kind == "f" else 1
    shorts = {
        256: width,
        257: height,
        259: 1,
        262: 2 if count > 2 else 1,
        277: count,
        278: height,
        296: 1,
        **({338: extra} if extra is not None else {}),
        **(more or {}),
    }
    head = 8 + 2 + 12 * (len(shorts) + 4) + 4
    arrays = struct.pack(f"<{count}H{count}H", *[bits] * count, *[kind] * count)
    entries = [(tag, struct.pack("<HHIHH", tag, 3, 1, value, 0)) for tag, value in shorts.items()]
    longs = {273: head + len(arrays), 279: samples.nbytes}
    entries += [(tag, struct.pack("<HHII", tag, 4, 1, value)) for tag, value in longs.items()]
    for place, tag in enumerate((258, 339)):
        stored = arrays[place * 2 * count :][: 2 * count]
        at = struct.pack("<I", head + place * 2 * count) if count > 2 else stored.ljust(4, b"\0")
        entries += [(tag, struct.pack("<HHI", tag, 3, count) + at)]
    table = b"".join(entry for _, entry in sorted(entries))
    start = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + table + b"\0" * 4
    return start.ljust(head, b"\0") + arrays + samples.tobytes()


def test_floating_point_tiff_is_linear_light(tmp_path: Path) -> None:
    samples = np.full((24, 32, 3), (0.6, 0.18, 0.01), np.float32)
    (tmp_path / "a.tif").write_bytes(tiff(samples))

    image = read_image(tmp_path / "a.tif")

    assert np.abs(image[5, 5].astype(int) - [srgb(v) for v in (0.6, 0.18, 0.01)]).max() <= 1


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize(("extra", "expected"), [(2, (100, 60, 20)), (1, (200, 120, 40))])
def test_tiff_says_whether_its_colours_are_multiplied(
    tmp_path: Path, depth: type[np.unsignedinteger], extra: int, expected: tuple[int, int, int]
) -> None:
    top = np.iinfo(depth).max
    samples = np.full((24, 32, 4), (200, 120, 40, 0), depth) * (top // 255)
    samples[..., 3] = 127 * (top // 255) + (top // 255) // 2
    if extra == 1:
        samples[..., 3] = 220 * (top // 255)
    (tmp_path / "a.tif").write_bytes(tiff(samples.astype(depth), extra))

    still = read_still(tmp_path / "a.tif")

    assert np.abs(still.image[5, 5].astype(int) - expected).max() <= 1
    assert still.alpha is not None


def corner_lit(image: Image) -> set[str]:
    """The corners that are bright."""
    height, width = image.shape[:2]
    corners = {
        "top left": image[2, 2],
        "top right": image[2, width - 3],
        "bottom left": image[height - 3, 2],
        "bottom right": image[height - 3, width - 3],
    }
    return {name for name, corner in corners.items() if corner[0] > 128}


CORNERS = ("top left", "top right", "bottom right", "bottom left")


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "count"),
    [("u2", 3), ("u2", 1), ("u2", 4), ("u2", 2), ("f4", 3), ("f4", 1), ("f8", 3), ("u1", 3)],
)
def test_tiffs_of_every_depth_are_turned_once(
    tmp_path: Path, kind: str, count: int, value: int
) -> None:
    samples = np.zeros((16, 32, count), kind)
    top = 1 if kind[0] == "f" else np.iinfo(kind).max
    samples[:8, :16] = top
    if count in (2, 4):
        samples[..., -1] = top
    extra = 2 if count in (2, 4) else None
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(samples, extra, {0x0112: value}))

    still = read_still(path)

    size = (16, 32) if value >= 5 else (32, 16)
    assert read_header(path).size == size
    assert still.image.shape[1::-1] == size
    assert corner_lit(still.image) == {CORNERS[(value - 1) % 4]}


@pytest.mark.parametrize(("photometric", "planar"), [(2, 2), (0, 1)])
def test_a_turned_tiff_of_planes_or_from_white_is_turned_once(
    tmp_path: Path, photometric: int, planar: int
) -> None:
    plane = np.zeros((24, 32), "<u2")
    plane[:8, :8] = 65535
    plane = plane if photometric else 65535 - plane
    count = 3 if planar == 2 else 1
    tags = {262: photometric, 284: planar, 0x0112: 6}
    (tmp_path / "a.tif").write_bytes(tiff_of([plane.tobytes()] * count, count, tags))

    image = read_image(tmp_path / "a.tif")

    assert image.shape == (32, 24, 3)
    assert corner_lit(image) == {"top right"}


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_a_saved_selection_of_a_tiff_is_no_alpha(tmp_path: Path, kind: str) -> None:
    top = 1 if kind == "f4" else np.iinfo(kind).max
    samples = np.full((24, 32, 4), (top, 0, top, 0), kind)
    samples[5:9, 5:9, 3] = top
    (tmp_path / "a.tif").write_bytes(tiff(samples, 0))

    still = read_still(tmp_path / "a.tif")

    assert not read_header(tmp_path / "a.tif").has_alpha
    assert still.alpha is None
    assert (still.image == (255, 0, 255)).all()


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_a_selection_saved_behind_grey_is_no_alpha(tmp_path: Path, kind: str) -> None:
    samples = np.full((24, 32, 2), (np.iinfo(kind).max, 0), kind)
    (tmp_path / "a.tif").write_bytes(tiff(samples, 0))

    assert read_still(tmp_path / "a.tif").alpha is None
    assert (read_image(tmp_path / "a.tif") == 255).all()


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_a_fourth_channel_that_is_not_explained_is_alpha(tmp_path: Path, kind: str) -> None:
    samples = np.full((24, 32, 4), np.iinfo(kind).max, kind)
    samples[..., 3] = 0
    (tmp_path / "a.tif").write_bytes(cv2.imencode(".tif", samples)[1].tobytes())

    assert read_header(tmp_path / "a.tif").has_alpha
    assert not read_image(tmp_path / "a.tif").any()


def test_planes_of_linear_light_with_alpha_are_linear_light(tmp_path: Path) -> None:
    values = (0.6, 0.18, 0.01, 1.0)
    planes = [np.full((24, 32), value, "<f4").tobytes() for value in values]
    data = tiff_of(planes, 4, {262: 2, 284: 2, 338: 1}, kind=3)
    (tmp_path / "a.tif").write_bytes(data)

    image = read_image(tmp_path / "a.tif")

    assert np.abs(image[5, 5].astype(int) - [srgb(value) for value in values[:3]]).max() <= 1


def test_straight_colours_in_floating_point_are_laid_over_black(tmp_path: Path) -> None:
    samples = np.full((24, 32, 4), (1, 0.5, 1, 0), np.float32)
    (tmp_path / "a.tif").write_bytes(tiff(samples, 2))

    assert not read_image(tmp_path / "a.tif").any()


def test_grey_that_is_multiplied_by_its_alpha_is_read(tmp_path: Path) -> None:
    samples = np.full((16, 32, 2), (0, 255), np.uint8)
    samples[:8, :16] = (200, 220)
    (tmp_path / "a.tif").write_bytes(tiff(samples, 1, {0x0112: 6}))

    image = read_image(tmp_path / "a.tif")

    assert image.shape == (32, 16, 3)
    assert corner_lit(image) == {"top right"}
    assert abs(int(image[2, 13, 0]) - 200) <= 1


def test_grey_with_two_saved_selections_is_refused_and_not_taken_for_colours(
    tmp_path: Path,
) -> None:
    samples = np.full((24, 32, 3), (65535, 0, 0), np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff(samples, 0, {262: 1}))

    with pytest.raises(ClipUnreadable, match="export it again"):
        read_image(tmp_path / "a.tif")


def tiff_of(strips: list[bytes], count: int, tags: dict[int, int], kind: int = 1) -> bytes:
    """An uncompressed TIFF, 32 pixels by 24, of `count` samples of 16 bits, with these tags.

    Of kind 3 they are floating point of 32 bits.
    """
    bits = 32 if kind == 3 else 16
    shorts = {256: 32, 257: 24, 259: 1, 277: count, 278: 24, 339: kind, **tags}
    start = 8 + 2 + 12 * (len(shorts) + 3) + 4
    arrays = struct.pack(f"<{count}H", *[bits] * count).ljust(8, b"\0")
    places = [start + 8 + 8 * len(strips) + sum(map(len, strips[:n])) for n in range(len(strips))]
    arrays += struct.pack(f"<{2 * len(strips)}I", *places, *map(len, strips))
    entries = [(tag, struct.pack("<HHIHH", tag, 3, 1, value, 0)) for tag, value in shorts.items()]
    entries += [(258, struct.pack("<HHII", 258, 3, count, start if count > 2 else 16 | 16 << 16))]
    for place, (tag, values) in enumerate({273: places, 279: [*map(len, strips)]}.items()):
        at = start + 8 + 4 * len(strips) * place
        entries += [
            (tag, struct.pack("<HHII", tag, 4, len(strips), at if values[1:] else values[0]))
        ]
    table = b"".join(entry for _, entry in sorted(entries))
    return (
        struct.pack("<2sHIH", b"II", 42, 8, len(entries))
        + table
        + b"\0" * 4
        + arrays
        + b"".join(strips)
    )


def test_planes_of_a_deep_tiff_are_put_together(tmp_path: Path) -> None:
    planes = [np.full((24, 32), 257 * value, "<u2").tobytes() for value in (200, 120, 40)]
    (tmp_path / "a.tif").write_bytes(tiff_of(planes, 3, {262: 2, 284: 2}))

    assert read_image(tmp_path / "a.tif")[5, 5].tolist() == [200, 120, 40]


def test_a_deep_tiff_may_count_from_white(tmp_path: Path) -> None:
    samples = np.full((24, 32), 65535 - 257 * 200, "<u2").tobytes()
    (tmp_path / "a.tif").write_bytes(tiff_of([samples], 1, {262: 0, 284: 1}))

    assert read_image(tmp_path / "a.tif")[5, 5].tolist() == [200, 200, 200]


def test_the_second_sample_of_a_grey_tiff_is_alpha(tmp_path: Path) -> None:
    samples = np.full((24, 32, 2), (257 * 200, 257 * 51), "<u2").tobytes()
    (tmp_path / "a.tif").write_bytes(tiff_of([samples], 2, {262: 1, 284: 1, 338: 2}))

    still = read_still(tmp_path / "a.tif")

    assert still.image[5, 5].tolist() == [40, 40, 40]
    assert still.alpha is not None


def test_deep_pictures_are_rounded_and_not_cut(tmp_path: Path) -> None:
    deep = np.full((24, 32, 3), 257 * 100 + 200, np.uint16)
    (tmp_path / "a.png").write_bytes(makers.png(deep))
    (tmp_path / "a.tif").write_bytes(cv2.imencode(".tif", deep)[1].tobytes())

    assert read_image(tmp_path / "a.png")[0, 0, 0] == 101
    assert read_image(tmp_path / "a.tif")[0, 0, 0] == 101


@pytest.mark.parametrize("mode", ["palette", "grey", "grey with alpha", "deep grey", "one bit"])
def test_png_of_every_mode_is_read(tmp_path: Path, mode: str) -> None:
    grey = Pillow.fromarray(np.full((24, 32), 90, np.uint8))
    made = {
        "palette": Pillow.fromarray(plain()).convert("P", palette=Pillow.Palette.ADAPTIVE),
        "grey": grey,
        "grey with alpha": grey.convert("LA"),
        "deep grey": Pillow.fromarray(np.full((24, 32), 90 * 257, np.uint16)),
        "one bit": grey.convert("1", dither=Pillow.Dither.NONE),
    }[mode]
    made.save(tmp_path / "a.png")

    wanted = {"palette": SHADE, "one bit": (0, 0, 0)}.get(mode, (90, 90, 90))
    assert np.abs(read_image(tmp_path / "a.png")[5, 5].astype(int) - wanted).max() <= 1


def test_transparent_entries_of_a_palette_are_transparent(tmp_path: Path) -> None:
    palette = Pillow.fromarray(np.tile(np.array([0, 1], np.uint8), (24, 16)))
    palette.putpalette([0, 255, 0, *SHADE])
    palette.save(tmp_path / "a.png", transparency=0)

    still = read_still(tmp_path / "a.png")

    assert still.image[0, 0].tolist() == [0, 0, 0]
    assert still.image[0, 1].tolist() == list(SHADE)
    assert still.alpha is not None
    assert still.alpha[0, :2].tolist() == [0, 255]


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_pictures_for_print_become_rgb(tmp_path: Path, name: str) -> None:
    Pillow.fromarray(plain()).convert("CMYK").save(tmp_path / name)

    assert np.abs(read_image(tmp_path / name)[5, 5].astype(int) - SHADE).max() <= 6


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize(
    ("primaries", "expected"),
    [(makers.P3, (250, 0, 31)), (makers.ADOBE_RGB, (255, 51, 48))],
    ids=["Display P3", "Adobe RGB"],
)
def test_colour_profiles_are_converted(
    tmp_path: Path,
    suffix: str,
    primaries: tuple[tuple[float, float], ...],
    expected: tuple[int, int, int],
) -> None:
    red = Pillow.new("RGB", (32, 24), (230, 51, 51))
    path = tmp_path / f"a{suffix}"
    if suffix == ".avif" and not _writes_avif():
        pytest.skip("this Pillow writes no AVIF")
    options: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {"quality": 100}
    red.save(path, icc_profile=makers.icc_profile(primaries), **options)

    shown = read_image(path)[5, 5].astype(int)

    light = (np.array([230, 51, 51]) / 255) ** 2.2
    matrix = np.linalg.inv(makers.rgb_to_xyz(makers.SRGB)) @ makers.rgb_to_xyz(primaries)
    by_hand = [srgb(float(value)) for value in (matrix @ light).clip(0, 1)]
    assert np.abs(shown - by_hand).max() <= 5
    assert np.abs(shown - (230, 51, 51)).max() > 12


def _writes_avif() -> bool:
    Pillow.init()
    return "AVIF" in Pillow.SAVE


def test_a_profile_that_is_srgb_changes_no_pixel(
    tmp_path: Path, reference_picture: Callable[..., Image]
) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Pillow.fromarray(reference_picture(1)).save(tmp_path / "a.png", icc_profile=profile)

    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), reference_picture(1))


def test_a_damaged_profile_is_left_alone(tmp_path: Path) -> None:
    Pillow.fromarray(plain()).save(tmp_path / "a.png", icc_profile=b"no profile at all" * 20)

    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), plain())


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_png_says_what_its_colours_are(tmp_path: Path, depth: type[np.unsignedinteger]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(makers.png(np.full((24, 32, 3), 128, depth) * (np.iinfo(depth).max // 255)))

    makers.with_png_chunk(path, b"gAMA", struct.pack(">I", 100000))
    assert abs(int(read_image(path)[5, 5, 0]) - srgb(128 / 255)) <= 1

    path.write_bytes(makers.png(np.full((24, 32, 3), 128, depth) * (np.iinfo(depth).max // 255)))
    makers.with_png_chunk(path, b"cICP", bytes([9, 16, 0, 1]))
    # PQ 0.5 is 92 cd/m².
    assert 145 <= read_image(path)[5, 5, 0] <= 160


def test_the_gamma_that_most_programs_write_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(makers.png(plain()[..., ::-1]))
    makers.with_png_chunk(path, b"gAMA", struct.pack(">I", 45455))

    np.testing.assert_array_equal(read_image(path), plain())


TILES = ((220, 30, 40), (20, 160, 60), (30, 50, 210), (230, 220, 40))


def test_a_photograph_of_tiles_is_whole(tmp_path: Path) -> None:
    tiles = [np.full((64, 64, 3), shade, np.uint8) for shade in TILES]
    (tmp_path / "IMG_0001.HEIC").write_bytes(makers.heic(tiles, 2, (120, 100)))

    clip = Clip.open(tmp_path / "IMG_0001.HEIC")
    image = next(clip.frames()).image

    assert image.shape == (100, 120, 3)
    corners = (image[10, 10], image[10, -10], image[-10, 10], image[-10, -10])
    assert np.abs(np.array(corners, int) - TILES).max() <= 2


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    tiles = [np.full((64, 64, 3), shade, np.uint8) for shade in TILES]
    (tmp_path / "a.heic").write_bytes(makers.heic(tiles, 2, (120, 100), quarter_turns_left=3))

    image = read_image(tmp_path / "a.heic")

    assert read_header(tmp_path / "a.heic").size == (100, 120)
    assert image.shape == (120, 100, 3)
    assert np.abs(image[10, -10].astype(int) - TILES[0]).max() <= 2


def test_a_photograph_has_its_profile_applied(tmp_path: Path) -> None:
    profile = makers.icc_profile(makers.P3)
    tile = np.full((64, 64, 3), TILES[0], np.uint8)
    (tmp_path / "a.heic").write_bytes(makers.heic([tile], 1, (64, 64), profile=profile))

    assert read_image(tmp_path / "a.heic")[5, 5, 0] > 235


@pytest.mark.parametrize("is_multiplied", [False, True])
@pytest.mark.parametrize("tiles", [1, 4])
@pytest.mark.parametrize("turns", [0, 1])
def test_a_photograph_may_be_transparent(
    tmp_path: Path, is_multiplied: bool, tiles: int, turns: int
) -> None:
    shade = (200, 120, 40)
    size = (64, 64) if tiles == 1 else (120, 100)
    cover = np.full((size[1], size[0], 3), 128, np.uint8)
    cover[: size[1] // 2, : size[0] // 2] = 0
    data = makers.heic(
        [np.full((64, 64, 3), shade, np.uint8)] * tiles,
        tiles // 2 or 1,
        size,
        quarter_turns_left=turns,
        alpha=cover,
        is_multiplied=is_multiplied,
    )
    (tmp_path / "a.heic").write_bytes(data)

    still = read_still(tmp_path / "a.heic")

    assert read_header(tmp_path / "a.heic").has_alpha
    assert still.alpha is not None
    assert still.alpha.shape == still.image.shape[:2]
    # A quarter to the left brings the corner at the top left to the bottom left.
    clear = (-9, 8) if turns else (8, 8)
    assert still.alpha[clear] <= 1
    assert abs(int(still.alpha[8, -9]) - 128) <= 2
    share = 1 if is_multiplied else 128 / 255
    assert np.abs(still.image[8, -9] - np.array(shade) * share).max() <= 3
    if not is_multiplied:
        assert still.image[clear].max() <= 1


def test_alpha_of_another_size_is_fitted_to_the_photograph(tmp_path: Path) -> None:
    cover = np.zeros((32, 32, 3), np.uint8)
    cover[:, 16:] = 255
    tile = np.full((64, 64, 3), 200, np.uint8)
    (tmp_path / "a.heic").write_bytes(makers.heic([tile], 1, (64, 64), alpha=cover))

    still = read_still(tmp_path / "a.heic")

    assert still.alpha is not None
    assert still.alpha[[30, 30], [4, 60]].tolist() == [0, 255]


@pytest.mark.parametrize("turns", [0, 1])
def test_what_a_photograph_has_outside_of_its_aperture_is_not_shown(
    tmp_path: Path, turns: int
) -> None:
    tile = np.zeros((64, 64, 3), np.uint8)
    tile[16:48, 8:24] = 220
    data = makers.heic([tile], 1, (64, 64), quarter_turns_left=turns, aperture=(16, 32, -16, 0))
    (tmp_path / "a.heic").write_bytes(data)

    image = read_image(tmp_path / "a.heic")

    assert image.shape == ((16, 32, 3) if turns else (32, 16, 3))
    assert read_header(tmp_path / "a.heic").size == image.shape[1::-1]
    assert image.min() > 200


@pytest.mark.parametrize("bits", [8, 10])
def test_what_an_avif_has_outside_of_its_aperture_is_not_shown(tmp_path: Path, bits: int) -> None:
    if not _writes_avif():
        pytest.skip("this Pillow writes no AVIF")
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[10:42, 30:78] = TILES[1]
    path = tmp_path / "a.avif"
    if bits == 8:
        Pillow.fromarray(picture).save(path, quality=100, subsampling="4:4:4")
    else:
        write_deep_avif(path, picture, 1)
    # Its middle is 6 to the right of and 6 above that of the whole.
    path.write_bytes(makers.avif_within(path.read_bytes(), (48, 32, 6, -6)))

    image = read_image(path)

    assert read_header(path).size == (48, 32)
    assert image.shape == (32, 48, 3)
    # At halved colours, the edges take some of what is around them.
    inside = slice(0, None) if bits == 8 else slice(4, -4)
    assert np.abs(image[inside, inside].astype(int) - TILES[1]).max() <= 3


def test_an_aperture_outside_of_the_photograph_counts_for_nothing(tmp_path: Path) -> None:
    tile = np.full((64, 64, 3), 220, np.uint8)
    (tmp_path / "a.heic").write_bytes(makers.heic([tile], 1, (64, 64), aperture=(64, 64, 20, 0)))

    assert read_image(tmp_path / "a.heic").shape == (64, 64, 3)


def test_a_photograph_that_lacks_tiles_is_refused(tmp_path: Path) -> None:
    tiles = [np.full((64, 64, 3), shade, np.uint8) for shade in TILES]
    whole = makers.heic(tiles, 2, (120, 100))
    (tmp_path / "a.heic").write_bytes(whole[: len(whole) - 300])

    with pytest.raises(ClipUnreadable, match="damaged"):
        read_image(tmp_path / "a.heic")


def failing_in_its_decoder() -> list[bytes]:
    """AVIF files in whose coded picture a few bytes are wrong, at which the decoder gives up."""
    noise = np.random.default_rng(5).integers(0, 256, (48, 64, 3), np.uint8)
    file = io.BytesIO()
    Pillow.fromarray(noise).save(file, "AVIF", quality=60)
    whole, found = file.getvalue(), []
    for place in range(whole.index(b"mdat") + 4, len(whole), 97):
        damaged = bytearray(whole)
        damaged[place : place + 4] = b"\xff\0\xff\0"
        try:
            Pillow.open(io.BytesIO(damaged), formats=["AVIF"]).load()
        except RuntimeError:
            found.append(bytes(damaged))
        except (OSError, ValueError, SyntaxError):
            pass
    return found


def test_a_picture_at_which_a_decoder_gives_up_is_refused_as_damaged(tmp_path: Path) -> None:
    if not _writes_avif():
        pytest.skip("this Pillow writes no AVIF")
    damaged = failing_in_its_decoder()
    assert damaged

    for data in damaged:
        (tmp_path / "a.avif").write_bytes(data)
        with pytest.raises(ClipUnreadable, match="damaged") as raised:
            read_still(tmp_path / "a.avif")
        assert "Error" not in str(raised.value)
        with pytest.raises(ClipUnreadable, match="damaged"):
            list(Clip.open(tmp_path / "a.avif").frames())


def test_a_dds_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    Pillow.fromarray(plain()).save(file, "DDS")
    data = bytearray(file.getvalue())
    # The flags of the pixel format: neither RGB nor anything else that is read.
    data[80:84] = b"\0\0\0\x80"
    (tmp_path / "a.dds").write_bytes(data)

    with pytest.raises(ClipUnreadable, match="not a picture that is read here"):
        read_still(tmp_path / "a.dds")


def test_a_picture_is_known_by_what_it_holds(tmp_path: Path) -> None:
    Pillow.fromarray(plain()).save(tmp_path / "a.jpg", quality=100)
    shutil.move(tmp_path / "a.jpg", tmp_path / "a.png")
    Pillow.fromarray(plain()).save(tmp_path / "b.png")
    shutil.move(tmp_path / "b.png", tmp_path / "b.mov")

    assert np.abs(read_image(tmp_path / "a.png")[5, 5].astype(int) - SHADE).max() <= 3
    assert Clip.open(tmp_path / "b.mov").info.is_sequence


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 24\n(x) (w) file\nshowpage\n"


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.tga", "a.eps"])
def test_no_picture_starts_another_program(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "started"
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / name).write_bytes(POSTSCRIPT)

    with pytest.raises(ClipUnreadable, match="not a picture"):
        read_image(tmp_path / name)

    assert not marker.exists()


def huge_png() -> bytes:
    data = bytearray(makers.png(plain()))
    data[16:24] = struct.pack(">2I", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def exr_of_channels(channels: dict[str, int], flags: int = 0) -> bytes:
    """An OpenEXR file whose header names these channels, each with the kind of its numbers."""
    data = makers.exr(np.full((24, 32, 3), 0.5, np.float32))
    start = data.index(b"channels\0chlist\0") + len(b"channels\0chlist\0")
    length = int.from_bytes(data[start : start + 4], "little")
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<4I", kind, 0, 1, 1) for name, kind in channels.items()
    )
    body = struct.pack("<I", len(listed) + 1) + listed + b"\0"
    version = (2 | flags).to_bytes(4, "little")
    return data[:4] + version + data[8:start] + body + data[start + 4 + length :]


@pytest.mark.parametrize(
    ("channels", "flags", "said"),
    [
        ({"BY": 1, "RY": 1, "Y": 1}, 0, "luminance and chroma"),
        ({"a.BY": 1, "a.RY": 1, "a.Y": 1}, 0, "luminance and chroma"),
        ({"B": 1, "G": 2, "R": 1}, 0, "different kinds of numbers"),
        ({"R": 2}, 0, r"no colours \(its channels are R\)"),
        ({"Z": 2, "depth.V": 2}, 0, r"no colours \(its channels are Z, depth.V\)"),
        ({"Z": 2}, 0x1000, "first of its parts holds no colours"),
        ({"B": 2, "G": 2, "R": 2}, 0x800, "deep data"),
    ],
    ids=["yc", "yc-layer", "mixed", "red", "depth", "parts", "deep"],
)
def test_an_exr_of_colours_that_are_not_read_is_refused_with_what_to_do(
    tmp_path: Path, channels: dict[str, int], flags: int, said: str
) -> None:
    (tmp_path / "a.exr").write_bytes(exr_of_channels(channels, flags))

    for read in (read_header, read_still, Clip.open):
        with pytest.raises(ClipUnreadable, match=said):
            read(tmp_path / "a.exr")


def test_an_exr_whose_channels_have_small_letters_is_read_as_ever(tmp_path: Path) -> None:
    data = exr_of_channels({"b": 2, "g": 2, "r": 2})
    (tmp_path / "a.exr").write_bytes(data)

    assert read_image(tmp_path / "a.exr")[5, 5].tolist() == [188, 188, 188]


def tga_of(attributes: int | None) -> bytes:
    """A TGA of 32 bits, half of it half transparent, that says what its fourth channel is."""
    pixels = np.full((24, 32, 4), (120, 80, 40, 255), np.uint8)
    pixels[:, 16:, 3] = 128
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "TGA")
    data = file.getvalue()
    if data.endswith(b"TRUEVISION-XFILE.\0"):
        data = data[:-26]
    if attributes is None:
        return data
    extension = bytearray(495)
    extension[:2] = (495).to_bytes(2, "little")
    extension[494] = attributes
    footer = struct.pack("<2I", len(data), 0) + b"TRUEVISION-XFILE.\0"
    return data + bytes(extension) + footer


@pytest.mark.parametrize(
    ("attributes", "shade", "has_alpha"),
    [
        (None, (60, 40, 20), True),
        (1, (120, 80, 40), False),
        (2, (120, 80, 40), False),
        (3, (60, 40, 20), True),
        (4, (120, 80, 40), True),
    ],
    ids=["unsaid", "undefined", "kept-undefined", "straight", "multiplied"],
)
def test_the_fourth_channel_of_tga_is_what_the_file_says(
    tmp_path: Path, attributes: int | None, shade: tuple[int, int, int], has_alpha: bool
) -> None:
    (tmp_path / "a.tga").write_bytes(tga_of(attributes))

    still = read_still(tmp_path / "a.tga")

    assert read_header(tmp_path / "a.tga").has_alpha == has_alpha
    assert (still.alpha is not None) == has_alpha
    assert np.abs(still.image[5, 5].astype(int) - (120, 80, 40)).max() == 0
    assert np.abs(still.image[5, 25].astype(int) - shade).max() <= 1


def huge_exr() -> bytes:
    data = makers.exr(np.zeros((24, 32, 3), np.float32))
    place = data.index(b"displayWindow")
    start = data.index(b"box2i\0", place) + 10
    return data[:start] + struct.pack("<4i", 0, 0, 99_999, 99_999) + data[start + 16 :]


@pytest.mark.parametrize(
    ("name", "make", "size"),
    [
        ("a.png", huge_png, "60000x60000"),
        ("a.exr", huge_exr, "100000x100000"),
    ],
)
def test_a_picture_that_would_fill_the_memory_is_refused_with_its_size(
    tmp_path: Path, name: str, make: Callable[[], bytes], size: str
) -> None:
    (tmp_path / name).write_bytes(make())

    with pytest.raises(ClipUnreadable, match=f"{size}.*make it smaller"):
        read_header(tmp_path / name)
    with pytest.raises(ClipUnreadable, match=f"{size}.*make it smaller"):
        read_image(tmp_path / name)


def test_a_large_picture_is_read_without_a_warning_of_pillows(tmp_path: Path) -> None:
    Pillow.new("1", (12_000, 8_000)).save(tmp_path / "a.png")

    assert read_header(tmp_path / "a.png").size == (12_000, 8_000)


@pytest.mark.parametrize("suffix", [".exr", ".dpx", ".heic", ".png", ".tif", ".webp", ".tga"])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9])
def test_a_picture_cut_short_is_shown_as_far_as_it_goes_or_refused(
    tmp_path: Path, suffix: str, kept: float
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    file = io.BytesIO()
    if suffix == ".exr":
        file.write(makers.exr((noise / 255).astype(np.float32)))
    elif suffix == ".dpx":
        file.write(dpx())
    elif suffix == ".heic":
        file.write(makers.heic([np.tile(noise, (4, 2, 1))], 1, (64, 96)))
    else:
        kind = {".tif": "TIFF"}.get(suffix, suffix[1:].upper())
        Pillow.fromarray(noise).save(file, kind)
    data = file.getvalue()
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data[: int(len(data) * kept)])

    # Some readers show what there is of a picture.
    with suppress(ClipUnreadable):
        assert read_image(path).shape[2] == 3


@pytest.mark.parametrize("suffix", [".avif", ".png", ".jp2"])
def test_a_damaged_picture_is_read_or_refused_in_words(tmp_path: Path, suffix: str) -> None:
    if suffix == ".avif" and not _writes_avif():
        pytest.skip("this Pillow writes no AVIF")
    random = np.random.default_rng(3)
    noise = random.integers(0, 255, (96, 128, 3), np.uint8)
    file = io.BytesIO()
    kind = {".jp2": "JPEG2000"}.get(suffix, suffix[1:].upper())
    Pillow.fromarray(noise).save(file, kind)
    whole = file.getvalue()
    path = tmp_path / f"a{suffix}"
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 6):
            data[place] = random.integers(0, 256)
        path.write_bytes(data)
        try:
            read_header(path)
            read_still(path)
        except ClipUnreadable:
            refused += 1

    assert refused


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, suffix: str, value: int) -> None:
    picture = np.zeros((16, 32, 3), np.uint8)
    picture[:8, :16] = 255
    exif = Pillow.Exif()
    exif[0x0112] = value
    path = tmp_path / f"a{suffix}"
    options: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {}
    Pillow.fromarray(picture).save(path, exif=exif, **options)

    image = read_image(path)

    swapped = value >= 5
    assert read_header(path).size == ((16, 32) if swapped else (32, 16))
    assert corner_lit(image) == {CORNERS[(value - 1) % 4]}


def test_the_shape_of_pixels_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(makers.png(plain()))
    makers.with_png_chunk(path, b"pHYs", struct.pack(">2IB", 1, 2, 0))

    assert read_header(path).pixel_aspect == Fraction(2)
    assert Clip.open(path).info.sample_aspect == Fraction(2)


@pytest.mark.parametrize("unit", [None, 1, 2, 3], ids=["unsaid", "none", "inch", "centimetre"])
@pytest.mark.parametrize("orientation", [1, 6], ids=["upright", "lying"])
@pytest.mark.parametrize(
    ("across", "down", "expected"),
    [(72.0, 72.0, 1), (300.0, 150.0, Fraction(1, 2)), (118.11, 118.11, 1), (0.0, 0.0, 1)],
    ids=["square", "narrow", "fraction", "nothing"],
)
def test_a_tiff_that_states_its_resolution_is_read(
    tmp_path: Path, unit: int | None, orientation: int, across: float, down: float, expected: Any
) -> None:
    tags: dict[int, Any] = {274: orientation, 282: across, 283: down}
    path = tmp_path / "scan.tif"
    Pillow.fromarray(plain()).save(path, tiffinfo=tags | ({} if unit is None else {296: unit}))

    still, header = read_still(path), read_header(path)

    shape = (24, 32, 3) if orientation == 1 else (32, 24, 3)
    assert np.array_equal(still.image, np.broadcast_to(np.array(SHADE, np.uint8), shape))
    assert still.pixel_aspect == (expected if orientation == 1 else 1 / expected)
    assert header.pixel_aspect == still.pixel_aspect


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
@pytest.mark.parametrize(
    ("across", "down", "aspect"),
    [
        ((72, 1), (72, 1), Fraction(1)),
        ((300, 1), (200, 1), Fraction(2, 3)),
        ((0, 1), (0, 1), Fraction(1)),
        ((1, 0), (1, 0), Fraction(1)),
        ((0, 0), (72, 1), Fraction(1)),
        ((4294967295, 1), (1, 4294967295), Fraction(1)),
    ],
    ids=["square", "narrow", "nothing", "infinite", "no number", "absurd"],
)
def test_resolutions_in_tiff_are_fractions_of_any_kind(
    tmp_path: Path, mode: str, across: tuple[int, int], down: tuple[int, int], aspect: Fraction
) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[282] = TiffImagePlugin.IFDRational(*across)
    tags[283] = TiffImagePlugin.IFDRational(*down)
    path = tmp_path / "a.tif"
    Pillow.fromarray(plain()).convert(mode).save(path, tiffinfo=tags)

    still = read_still(path)

    assert still.image.shape == (24, 32, 3)
    assert still.pixel_aspect == aspect
    assert read_header(path).pixel_aspect == aspect


def write_deep_avif(path: Path, rgb: Image, matrix: int) -> None:
    """An AVIF of 10 bits."""
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p10le", dst_colorspace=matrix, dst_color_range=1
    )
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libsvtav1", rate=1, options={"crf": "5", "preset": "8"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_range = matrix, 1
        context.color_primaries, context.color_trc = 1, 13
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


@pytest.mark.parametrize("colour", [(57, 79, 170), (200, 30, 40), (30, 200, 40), (250, 240, 10)])
@pytest.mark.parametrize("matrix", [1, 9, 6])
def test_avif_of_10_bits_keeps_its_colours(
    tmp_path: Path, colour: tuple[int, int, int], matrix: int
) -> None:
    path = tmp_path / "a.avif"
    write_deep_avif(path, np.full((64, 64, 3), colour, np.uint8), matrix)

    still = read_still(path)

    assert np.abs(still.image[8:-8, 8:-8].astype(int) - colour).max() <= 2


def _tiff(photometric: int, bits: int, data: bytes) -> bytes:
    """A bare TIFF of 8 x 8 pixels of three samples."""
    values = [(256, 8), (257, 8), (259, 1), (262, photometric), (277, 3), (278, 8), (284, 1)]
    entries = [(tag, 3, 1, struct.pack("<HH", value, 0)) for tag, value in values]
    depths = 8 + 2 + 12 * 10 + 4
    entries += [
        (258, 3, 3, struct.pack("<I", depths)),
        (273, 4, 1, struct.pack("<I", depths + 6)),
        (279, 4, 1, struct.pack("<I", len(data))),
    ]
    table = b"".join(struct.pack("<HHI", *one[:3]) + one[3] for one in sorted(entries))
    return (
        b"II*\0"
        + struct.pack("<IH", 8, len(entries))
        + table
        + bytes(4)
        + struct.pack("<3H", *3 * [bits])
        + data
    )


@pytest.mark.parametrize(("photometric", "bits"), [(8, 16), (9, 8), (9, 16), (10, 8)])
def test_lab_that_would_be_read_wrong_is_refused(
    tmp_path: Path, photometric: int, bits: int
) -> None:
    path = tmp_path / "lab.tif"
    path.write_bytes(_tiff(photometric, bits, bytes(8 * 8 * 3 * bits // 8)))

    for read in (read_header, read_still):
        with pytest.raises(ClipUnreadable, match=r"stored as Lab.*export it as RGB"):
            read(path)


def test_plain_lab_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lab.tif"
    path.write_bytes(_tiff(8, 8, 64 * b"\x80\0\0"))

    assert np.ptp(read_still(path).image) <= 2
    assert abs(int(read_still(path).image.mean()) - 119) <= 3


@pytest.mark.parametrize("layout", ["yuv444p", "yuv420p", "rgb24"])
@pytest.mark.parametrize("packing", ["raw", "packbits", "lzw", "deflate"])
def test_a_tiff_of_ffmpeg_is_read_right_however_it_is_packed(
    tmp_path: Path, layout: str, packing: str
) -> None:
    picture = np.full((32, 32, 3), (200, 60, 30), np.uint8)
    encoder = cast(VideoCodecContext, av.CodecContext.create("tiff", "w"))
    encoder.width, encoder.height, encoder.pix_fmt = 32, 32, layout
    encoder.time_base, encoder.options = Fraction(1, 25), {"compression_algo": packing}
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=layout)
    (tmp_path / "a.tif").write_bytes(b"".join(map(bytes, encoder.encode(frame))))

    assert np.abs(read_still(tmp_path / "a.tif").image.astype(int) - picture).max() <= 2


@pytest.mark.parametrize("suffix", [".tif", ".jp2"])
def test_nothing_is_printed_of_a_damaged_picture(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"a{suffix}"
    deep = np.full((48, 64, 3), 30000, np.uint16)
    path.write_bytes(cv2.imencode(suffix, deep)[1].tobytes()[:200])

    with pytest.raises(ClipUnreadable):
        read_still(path)

    assert capfd.readouterr() == ("", "")
