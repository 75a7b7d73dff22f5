"""Photoshop's documents as painted keys: what is transparent, what is white, what is missing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresco_media.errors import ClipUnreadable
from fresco_media.stills.headers import read_header
from fresco_media.stills.reading import read_still
from numpy.typing import NDArray

from tests.media import makers

SIZE = (32, 24)
SHADE = (200, 120, 40)


def plane(value: int, depth: int = 8) -> NDArray[Any]:
    kind = np.uint16 if depth == 16 else np.uint8
    return np.full(SIZE[::-1], value * (257 if depth == 16 else 1), kind)


def psd(
    planes: list[NDArray[Any]],
    *,
    layers: int = 0,
    mode: int = 3,
    is_packed: bool = False,
    resources: bytes = b"",
    palette: bytes = b"",
) -> bytes:
    """A document of `planes` (each height x width); `layers` is stored as the count of layers."""
    width, height = SIZE
    depth = planes[0].dtype.itemsize * 8
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, len(planes), height, width, depth, mode)
    body = struct.pack(">h", layers) if layers else b""
    section = struct.pack(">I", len(body)) + body if body else b""
    if body and depth == 16:
        # No layers here and no mask; a block of another kind, and then the layers.
        other = b"8BIMPatt" + struct.pack(">I", 3) + b"abc\0"
        section = b"\0" * 8 + other + b"8BIMLr16" + struct.pack(">I", len(body)) + body
    parts = [
        struct.pack(">I", len(palette)) + palette,
        struct.pack(">I", len(resources)) + resources,
    ]
    parts.append(struct.pack(">I", len(section)) + section)
    rows = [row.astype(row.dtype.newbyteorder(">")).tobytes() for one in planes for row in one]
    if is_packed:
        # Runs of literal bytes, each with its length before it.
        rows = [bytes([len(row) - 1]) + row for row in rows]
        lengths = struct.pack(f">{len(rows)}H", *map(len, rows))
        parts.append(struct.pack(">H", 1) + lengths)
    else:
        parts.append(struct.pack(">H", 0))
    return head + b"".join([*parts, *rows])


def resource(kind: int, body: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HxxI", kind, len(body)) + body + b"\0" * (len(body) % 2)


def version_info(*, has_merged: bool) -> bytes:
    names = struct.pack(">I", 1) + b"\0a" + struct.pack(">I", 1) + b"\0a"
    return resource(1057, struct.pack(">I?", 1, has_merged) + names + struct.pack(">I", 1))


def saved(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "key_0003.psd"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("is_packed", [False, True], ids=["raw", "packed"])
def test_the_merged_picture_is_read(tmp_path: Path, depth: int, is_packed: bool) -> None:
    path = saved(tmp_path, psd([plane(v, depth) for v in SHADE], is_packed=is_packed))

    still = read_still(path)

    assert still.image[5, 5].tolist() == list(SHADE)
    assert still.alpha is None
    assert read_header(path).bit_depth == depth


@pytest.mark.parametrize("depth", [8, 16])
def test_the_white_below_a_transparent_document_is_taken_away(tmp_path: Path, depth: int) -> None:
    alpha = plane(255, depth)
    alpha[:12], alpha[0] = plane(128, depth)[:12], 0
    share = alpha / np.iinfo(alpha.dtype).max
    white = np.iinfo(alpha.dtype).max
    matted = [
        np.rint(plane(v, depth) * share + white * (1 - share)).astype(alpha.dtype) for v in SHADE
    ]

    still = read_still(saved(tmp_path, psd([*matted, alpha], layers=-2)))

    assert still.alpha is not None
    assert still.alpha[[0, 5, 20], 5].tolist() == [0, 128, 255]
    assert still.image[0, 5].tolist() == [0, 0, 0]
    assert np.abs(still.image[5, 5] - np.array(SHADE) * 128 / 255).max() <= 1.5
    assert still.image[20, 5].tolist() == list(SHADE)


def test_colours_that_no_white_lies_below_stay(tmp_path: Path) -> None:
    alpha = plane(128)

    still = read_still(saved(tmp_path, psd([*(plane(v) for v in SHADE), alpha], layers=-1)))

    assert np.abs(still.image[5, 5] - np.array(SHADE) * 128 / 255).max() <= 1


@pytest.mark.parametrize("layers", [0, 2], ids=["flat", "on a background"])
def test_a_saved_selection_is_no_transparency(tmp_path: Path, layers: int) -> None:
    path = saved(tmp_path, psd([*(plane(v) for v in SHADE), plane(0)], layers=layers))

    still = read_still(path)

    assert still.alpha is None
    assert still.image[5, 5].tolist() == list(SHADE)
    assert not read_header(path).has_alpha


def test_transparency_counts_though_a_selection_was_saved_too(tmp_path: Path) -> None:
    planes = [*(plane(v) for v in SHADE), plane(128), plane(255)]

    still = read_still(saved(tmp_path, psd(planes, layers=-1)))

    assert still.alpha is not None
    assert still.alpha[5, 5] == 128


def test_a_grey_document_may_be_transparent(tmp_path: Path) -> None:
    still = read_still(saved(tmp_path, psd([plane(200), plane(128)], layers=-1, mode=1)))

    assert still.alpha is not None
    assert np.abs(still.image[5, 5].astype(int) - [73, 73, 73]).max() <= 1


def test_a_document_saved_without_its_merged_picture_is_refused(tmp_path: Path) -> None:
    resources = version_info(has_merged=False)
    path = saved(tmp_path, psd([plane(255)] * 3, layers=3, resources=resources))

    for read in (read_header, read_still):
        with pytest.raises(ClipUnreadable, match="Maximize Compatibility"):
            read(path)


def test_a_document_that_says_it_has_its_merged_picture_is_read(tmp_path: Path) -> None:
    resources = resource(1064, struct.pack(">Id", 1, 1.5)) + version_info(has_merged=True)
    path = saved(tmp_path, psd([plane(v) for v in SHADE], layers=3, resources=resources))

    assert read_still(path).image[5, 5].tolist() == list(SHADE)
    assert read_still(path).pixel_aspect == read_header(path).pixel_aspect == 1.5


def test_the_profile_of_a_document_is_applied(tmp_path: Path) -> None:
    bt2020 = [(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)]
    profile = resource(1039, makers.icc_profile(bt2020))

    still = read_still(saved(tmp_path, psd([plane(v) for v in SHADE], resources=profile)))

    red, _, blue = still.image[5, 5].tolist()
    assert red > SHADE[0] + 10
    assert blue < SHADE[2] - 10


@pytest.mark.parametrize("kept", [0.01, 0.3, 0.9])
def test_a_document_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    data = psd([plane(v) for v in SHADE], is_packed=True)

    with pytest.raises(ClipUnreadable):
        read_still(saved(tmp_path, data[: int(len(data) * kept)]))


# By the mode's number: the stored channels of one colour, and that colour.
MODES = {
    "CMYK": (4, (200, 100, 150, 220), (173, 86, 129)),
    "Lab": (9, (149, 128, 128), (140, 140, 140)),
    "duotone": (8, (90,), (90, 90, 90)),
    "grey": (1, (90,), (90, 90, 90)),
    "indexed": (2, (7,), SHADE),
    "RGB": (3, SHADE, SHADE),
}
PALETTE = np.zeros((3, 256), np.uint8)
PALETTE[:, 7] = SHADE


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("more", [0, 1, 2], ids=["alone", "a selection", "two spot colours"])
@pytest.mark.parametrize("is_packed", [False, True], ids=["raw", "packed"])
def test_channels_behind_the_colours_of_any_mode_change_no_colour(
    tmp_path: Path, mode: str, more: int, is_packed: bool
) -> None:
    number, stored, shade = MODES[mode]
    planes = [plane(value) for value in stored]
    planes += [np.tile(np.arange(32, dtype=np.uint8), (24, 1))] * more
    data = psd(planes, mode=number, is_packed=is_packed, palette=PALETTE.tobytes())

    still = read_still(saved(tmp_path, data))

    assert still.alpha is None
    assert np.abs(still.image.astype(int) - shade).max() <= 1


@pytest.mark.parametrize("mode", ["CMYK", "Lab", "duotone", "grey", "RGB"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_document_of_any_mode_may_be_transparent(tmp_path: Path, mode: str, depth: int) -> None:
    number, stored, shade = MODES[mode]
    alpha = plane(128, depth)
    alpha[0] = 0
    white = [255, 128, 128] if mode == "Lab" else [255] * len(stored)
    share = alpha / np.iinfo(alpha.dtype).max
    matted = [
        np.rint(plane(value, depth) * share + plane(ground, depth) * (1 - share)).astype(
            alpha.dtype
        )
        for value, ground in zip(stored, white, strict=True)
    ]
    path = saved(tmp_path, psd([*matted, alpha], layers=-1, mode=number))

    still = read_still(path)

    assert read_header(path).has_alpha
    assert still.alpha is not None
    assert still.alpha[[0, 5], 5].tolist() == [0, 128]
    assert not still.image[0].any()
    assert np.abs(still.image[5, 5] - np.array(shade) * 128 / 255).max() <= 2.5


def test_the_two_axes_of_lab_are_told_apart(tmp_path: Path) -> None:
    planes = [plane(value) for value in (128, 180, 128)]

    red, green, blue = read_still(saved(tmp_path, psd(planes, mode=9))).image[5, 5].tolist()

    # The first goes from green to red, the second from blue to yellow.
    assert red > blue > green


def test_inks_of_their_own_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = saved(tmp_path, psd([plane(200)] * 3, mode=7, is_packed=True))

    for read in (read_header, read_still):
        with pytest.raises(ClipUnreadable, match="save it as RGB"):
            read(path)


def test_a_document_of_one_bit_is_left_to_pillow(tmp_path: Path) -> None:
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 1, 24, 32, 1, 0)
    data = head + b"\0" * 12 + b"\0\0" + b"\0" * (4 * 24)

    assert read_still(saved(tmp_path, data)).image.shape == (24, 32, 3)
