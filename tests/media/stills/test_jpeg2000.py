"""JPEG 2000 of every depth, with and without a profile."""

from __future__ import annotations

import base64
import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_media.colour import profiles
from fresco_media.errors import ClipUnreadable
from fresco_media.stills.headers import read_header
from fresco_media.stills.reading import read_still
from PIL import Image as Pillow

from tests.media import makers

# 8x8 pixels of one grey, 200 of 255, as OpenJPEG writes them.
GREY_OF_10_BITS = (
    "/0//UQApAAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABCQEB/1IADAAAAAEAAgQEAAH/XAAKQFBYWGBY"
    "WGD/kAAKAAAAAAAXAAH/k8/MEAHXiUOAgP/Z"
)
GREY_OF_12_BITS = (
    "/0//UQApAAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABCwEB/1IADAAAAAEAAgQEAAH/XAAKQGBoaHBo"
    "aHD/kAAKAAAAAAAZAAH/k8/kGAHXiUP/f4CA/9k="
)
SHADES = np.tile(np.linspace(0, 255, 64).round().astype(np.uint8), (48, 1))
COLOURS = np.dstack([SHADES, 255 - SHADES, np.full_like(SHADES, 90)])


def opencvs(*channels: np.ndarray) -> bytes:
    """16 bits of channels in the order of OpenCV."""
    return cv2.imencode(".jp2", np.dstack(channels).astype(np.uint16) * 257)[1].tobytes()


def pillows(picture: np.ndarray, *, is_boxed: bool = True) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(picture).save(file, "JPEG2000", no_jp2=not is_boxed)
    return file.getvalue()


def with_profile(data: bytes, profile: bytes, method: int = 2) -> bytes:
    """The file with an ICC profile in the place of what it says of its colours."""
    outer, inner = data.index(b"jp2h") - 4, data.index(b"colr") - 4
    whole, old = (struct.unpack_from(">I", data, place)[0] for place in (outer, inner))
    box = struct.pack(">I4s3B", 11 + len(profile), b"colr", method, 0, 0) + profile
    head = struct.pack(">I", whole - old + len(box))
    return data[:outer] + head + data[outer + 4 : inner] + box + data[inner + old :]


def test_white_of_sixteen_bits_is_white(tmp_path: Path) -> None:
    path = tmp_path / "a.jp2"
    path.write_bytes(opencvs(*(COLOURS[..., place] for place in (2, 1, 0))))

    still = read_still(path)

    assert read_header(path).bit_depth == 16
    assert np.abs(still.image.astype(int) - COLOURS).max() <= 1
    assert still.alpha is None


def test_what_is_opaque_in_sixteen_bits_is_opaque(tmp_path: Path) -> None:
    path = tmp_path / "a.jp2"
    path.write_bytes(opencvs(*(COLOURS[..., place] for place in (2, 1, 0)), SHADES))

    still = read_still(path)

    assert read_header(path).has_alpha
    assert still.alpha is not None
    assert np.abs(still.alpha.astype(int) - SHADES).max() <= 1
    wanted = COLOURS * (SHADES[..., None] / 255)
    assert np.abs(still.image - wanted).max() <= 1.5


@pytest.mark.parametrize("is_boxed", [True, False])
def test_grey_of_sixteen_bits_is_read(tmp_path: Path, is_boxed: bool) -> None:
    path = tmp_path / "a.jp2"
    path.write_bytes(pillows(SHADES.astype(np.uint16) * 257, is_boxed=is_boxed))

    assert np.abs(read_still(path).image.astype(int) - SHADES[..., None]).max() <= 1


@pytest.mark.parametrize("stored", [GREY_OF_10_BITS, GREY_OF_12_BITS], ids=["10", "12"])
def test_grey_of_fewer_bits_is_as_bright(tmp_path: Path, stored: str) -> None:
    path = tmp_path / "a.j2k"
    path.write_bytes(base64.b64decode(stored))

    assert read_header(path).bit_depth == 16
    assert abs(read_still(path).image.astype(int) - 200).max() <= 1


@pytest.mark.parametrize("method", [2, 3], ids=["restricted", "any"])
@pytest.mark.parametrize("depth", [8, 16])
def test_the_profile_in_it_is_applied(tmp_path: Path, depth: int, method: int) -> None:
    profile = makers.icc_profile(makers.ADOBE_RGB)
    stored = pillows(COLOURS)
    if depth == 16:
        stored = opencvs(*(COLOURS[..., place] for place in (2, 1, 0)))
    path = tmp_path / "a.jp2"
    path.write_bytes(with_profile(stored, profile, method))

    wanted = profiles.to_srgb(Pillow.fromarray(COLOURS), profile)
    assert wanted is not None
    assert np.abs(wanted.astype(int) - COLOURS).max() > 20
    assert np.abs(read_still(path).image.astype(int) - wanted).max() <= 2


def test_a_profile_that_is_none_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jp2"
    path.write_bytes(with_profile(pillows(COLOURS), b"no profile" * 30))

    assert np.abs(read_still(path).image.astype(int) - COLOURS).max() <= 1


@pytest.mark.parametrize("kept", [20, 60, 100, 300])
def test_a_deep_picture_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.jp2"
    path.write_bytes(opencvs(*(COLOURS[..., place] for place in (2, 1, 0)))[:kept])

    with pytest.raises(ClipUnreadable, match="export it again"):
        read_still(path)


def test_a_deep_picture_that_says_it_is_huge_is_refused(tmp_path: Path) -> None:
    data = bytearray(opencvs(*(COLOURS[..., place] for place in (2, 1, 0))))
    start = data.index(b"\xff\x4f\xff\x51")
    data[start + 8 : start + 16] = struct.pack(">2I", 1 << 20, 1 << 20)
    path = tmp_path / "a.jp2"
    path.write_bytes(data)

    with pytest.raises(ClipUnreadable):
        read_still(path)


def with_colours(data: bytes, number: int) -> bytes:
    """The file with another number of what its colours are."""
    start = data.index(b"colr") + 4
    return data[: start + 3] + struct.pack(">I", number) + data[start + 7 :]


@pytest.mark.parametrize(("number", "depth"), [(12, 16), (13, 8), (14, 8), (14, 16)])
def test_inks_and_lab_are_refused_with_what_to_do(tmp_path: Path, number: int, depth: int) -> None:
    channels = (COLOURS[..., 2], COLOURS[..., 1], COLOURS[..., 0], SHADES)
    stored = opencvs(*channels) if depth == 16 else pillows(COLOURS)
    path = tmp_path / "a.jp2"
    path.write_bytes(with_colours(stored, number))

    for read in (read_header, read_still):
        with pytest.raises(ClipUnreadable, match=r"inks or as Lab.*export it as RGB"):
            read(path)


def test_inks_by_their_profile_are_refused(tmp_path: Path) -> None:
    profile = bytearray(makers.icc_profile(makers.SRGB))
    profile[16:20] = b"CMYK"
    path = tmp_path / "a.jp2"
    path.write_bytes(with_profile(pillows(np.dstack([COLOURS, SHADES])), bytes(profile)))

    with pytest.raises(ClipUnreadable, match="inks or as Lab"):
        read_still(path)
