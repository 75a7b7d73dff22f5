"""ICC profiles applied to more than 8 bits."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresco_media.colour import profiles
from fresco_media.colour.shapers import shaper_of
from fresco_media.stills.headers import read_header
from fresco_media.stills.images import read_image
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from tests.media import makers
from tests.media.stills.test_stills import tiff
from tests.media.test_psd import psd, resource

SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))


def as_seen(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light as sRGB of 0-255."""
    curved = 1.055 * light ** (1 / 2.4) - 0.055
    return 255 * np.where(light <= 0.0031308, 12.92 * light, curved)


# What is a smooth ramp to the eye, as light.
RAMP = np.linspace(0, 1, 1024) ** 2.4


def written(path: Path, light: NDArray[np.float64], profile: bytes) -> None:
    """Grey of these values, of 16 bits."""
    rows = np.repeat(np.tile(light, (8, 1))[..., None], 3, axis=2)
    deep = np.rint(rows * 65535).astype(np.uint16)
    if path.suffix == ".png":
        path.write_bytes(makers.png(deep))
        makers.with_png_chunk(path, b"iCCP", b"a\0\0" + zlib.compress(profile))
    else:
        path.write_bytes(with_profile(tiff(deep), profile))


def with_profile(data: bytes, profile: bytes) -> bytes:
    """A TIFF of `tiff` with an ICC profile behind it, its tags written anew."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = data[start + 2 : start + 2 + 12 * count]
    place = len(data) + len(data) % 2
    entry = struct.pack("<HHII", 34675, 7, len(profile), place)
    directory = struct.pack("<H", count + 1) + entries + entry + b"\0" * 4
    body = profile + b"\0" * (len(profile) % 2)
    whole = bytearray(data.ljust(place, b"\0") + body + directory)
    struct.pack_into("<I", whole, 4, place + len(body))
    return bytes(whole)


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_shadows_of_linear_light_keep_their_levels(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, RAMP, makers.icc_profile(makers.SRGB, 1.0))

    shown = read_image(tmp_path / name)[4].astype(int)

    assert np.abs(shown - as_seen(RAMP)[:, None]).max() <= 1.5
    assert len(set(shown[:256, 1].tolist())) > 45


def test_shadows_of_a_deep_document_keep_their_levels(tmp_path: Path) -> None:
    light = np.repeat(np.linspace(0, 0.02, 32)[None], 24, axis=0)
    plane = np.rint(light * 65535).astype(np.uint16)
    profile = resource(1039, makers.icc_profile(makers.SRGB, 1.0))
    (tmp_path / "a.psd").write_bytes(psd([plane] * 3, resources=profile))

    shown = read_image(tmp_path / "a.psd")[4].astype(int)

    assert np.abs(shown - as_seen(light[0])[:, None]).max() <= 1.5


@pytest.mark.parametrize("kind", ["u2", "f4"])
@pytest.mark.parametrize(
    ("primaries", "gamma"),
    [(BT2020, 1.0), (makers.P3, 2.2), (makers.ADOBE_RGB, 2.2), (makers.P3, 1.8)],
)
def test_colours_are_those_that_the_profile_gives_to_8_bits(
    tmp_path: Path,
    kind: str,
    primaries: tuple[tuple[float, float], ...],
    gamma: float,
) -> None:
    levels = np.random.default_rng(1).integers(60, 256, (24, 32, 3), np.uint8)
    profile = makers.icc_profile(primaries, gamma)
    expected = profiles.to_srgb(Pillow.fromarray(levels), profile)
    stored: NDArray[Any] = levels * np.uint16(257) if kind == "u2" else levels / np.float32(255)
    (tmp_path / "a.tif").write_bytes(with_profile(tiff(stored.astype(kind)), profile))

    shown = read_image(tmp_path / "a.tif")

    assert expected is not None
    assert np.abs(shown.astype(int) - expected).max() <= 2


def test_floating_point_with_a_profile_is_what_the_profile_says(tmp_path: Path) -> None:
    samples = np.full((24, 32, 3), (0.5, 0.25, 0.1), np.float32)
    (tmp_path / "a.tif").write_bytes(with_profile(tiff(samples), SRGB_PROFILE))

    assert read_image(tmp_path / "a.tif")[5, 5].tolist() == [128, 64, 26]
    assert read_header(tmp_path / "a.tif").notes == ()


def test_light_beyond_white_counts_where_the_profile_mixes_it(tmp_path: Path) -> None:
    samples = np.full((24, 32, 3), (2.0, 0.0, 0.0), np.float32)
    profile = makers.icc_profile(BT2020, 1.0)
    (tmp_path / "a.tif").write_bytes(with_profile(tiff(samples), profile))
    (tmp_path / "b.tif").write_bytes(with_profile(tiff(samples / 2), profile))

    assert read_image(tmp_path / "a.tif")[5, 5].tolist() == [255, 0, 0]
    assert read_image(tmp_path / "b.tif")[5, 5].tolist() == [255, 0, 0]


def curve_tag(body: bytes) -> bytes:
    """A grey profile with this curve."""
    tags = {b"kTRC": body, b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}
    table, data, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, one in tags.items():
        table += name + struct.pack(">2I", start + len(data), len(one))
        data += one + b"\0" * (-len(one) % 4)
    header = bytearray(128)
    header[16:24] = b"GRAYXYZ "
    return bytes(header) + table + data


def parametric(kind: int, *values: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(
        f">HH{len(values)}i", kind, 0, *(round(value * 65536) for value in values)
    )


SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@pytest.mark.parametrize(
    "curve",
    [
        parametric(3, *SRGB_CURVE),
        parametric(4, *SRGB_CURVE, 0, 0),
        b"curv\0\0\0\0"
        + struct.pack(
            ">I4096H",
            4096,
            *(
                round(65535 * (x / 12.92 if x < 0.04045 else ((x + 0.055) / 1.055) ** 2.4))
                for x in np.linspace(0, 1, 4096)
            ),
        ),
    ],
    ids=["parametric", "with offsets", "table"],
)
def test_every_way_to_state_a_curve_is_understood(curve: bytes) -> None:
    shaper = shaper_of(curve_tag(curve))
    codes = np.repeat(np.linspace(0, 65535, 256).astype(np.uint16)[None, :, None], 3, axis=2)

    assert shaper is not None
    # The curve is that of sRGB, so that nothing changes.
    assert np.abs(shaper.to_srgb(codes)[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_simple_powers_are_understood() -> None:
    for curve in (parametric(0, 2.0), parametric(1, 2.0, 1, 0), parametric(2, 2.0, 1, 0, 0)):
        shaper = shaper_of(curve_tag(curve))
        assert shaper is not None
        np.testing.assert_allclose(shaper.curves[0][[0, 32768, 65535]], [0, 0.25, 1], atol=1e-4)


@pytest.mark.parametrize("kept", range(0, 500, 37))
def test_a_damaged_profile_is_no_shaper(kept: int) -> None:
    profile = makers.icc_profile(makers.P3)

    damaged = shaper_of(profile[:kept] + b"\xff" * 40)

    assert damaged is None or damaged.curves
