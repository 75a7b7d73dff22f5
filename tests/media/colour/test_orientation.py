from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.colour.orientation import Orientation
from fresco_media.types import Image

from tests.media.hearing import write_sounding

STORED = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)[..., None].repeat(3, axis=2)


@pytest.mark.parametrize(
    ("orientation", "shown"),
    [
        (Orientation(0), [[1, 2, 3], [4, 5, 6]]),
        (Orientation(1), [[4, 1], [5, 2], [6, 3]]),
        (Orientation(2), [[6, 5, 4], [3, 2, 1]]),
        (Orientation(3), [[3, 6], [2, 5], [1, 4]]),
        (Orientation(0, is_mirrored=True), [[3, 2, 1], [6, 5, 4]]),
        (Orientation(1, is_mirrored=True), [[6, 3], [5, 2], [4, 1]]),
    ],
    ids=["upright", "90", "180", "270", "mirrored", "mirrored-90"],
)
def test_pictures_are_mirrored_then_turned_clockwise(
    orientation: Orientation, shown: list[list[int]]
) -> None:
    seen = orientation.apply(STORED)

    np.testing.assert_array_equal(seen[..., 0], shown)
    assert orientation.shown_size((3, 2)) == (seen.shape[1], seen.shape[0])


@pytest.mark.parametrize("name", ["turned.mp4", "turned.mkv"])
@pytest.mark.parametrize(
    ("counterclockwise", "clockwise"), [(90, 270), (180, 180), (270, 90), (-90, 90)]
)
def test_a_rotated_clip_is_decoded_upright(
    make_clip: Callable[..., Path],
    reference_picture: Callable[..., Image],
    name: str,
    counterclockwise: int,
    clockwise: int,
) -> None:
    path = make_clip(name, frame_count=2, rotation=counterclockwise, codec="libx264rgb",
                     pixel_format="rgb24", options={"crf": "0"})  # fmt: skip

    clip = Clip.open(path)
    frame = next(clip.frames())

    expected = np.rot90(reference_picture(0), -clockwise // 90)
    assert clip.info.rotation == clockwise
    assert (clip.info.height, clip.info.width) == expected.shape[:2]
    np.testing.assert_array_equal(frame.image, expected)


def test_a_mirrored_clip_is_decoded_as_players_show_it(
    make_clip: Callable[..., Path], reference_picture: Callable[..., Image]
) -> None:
    path = make_clip("selfie.mp4", frame_count=2, codec="libx264rgb", pixel_format="rgb24",
                     options={"crf": "0"})  # fmt: skip
    set_display_matrix(path, (-1, 0, 0, 1))

    frame = next(Clip.open(path).frames())

    np.testing.assert_array_equal(frame.image, reference_picture(0)[:, ::-1])


def test_a_rotated_clip_is_scaled_to_the_size_as_seen(make_clip: Callable[..., Path]) -> None:
    path = make_clip("turned.mp4", frame_count=2, rotation=90)

    frame = next(Clip.open(path).frames(size=(24, 32)))

    assert frame.image.shape == (32, 24, 3)


@pytest.mark.parametrize("codec", ["tiff", "png", "mjpeg"])
@pytest.mark.parametrize(
    ("matrix", "orientation"),
    [
        ((-1, 0, 0, -1), Orientation(2)),
        ((0, 1, -1, 0), Orientation(1)),
        ((-1, 0, 0, 1), Orientation(0, is_mirrored=True)),
        ((0, -1, -1, 0), Orientation(1, is_mirrored=True)),
    ],
    ids=["180", "90", "mirrored", "mirrored-90"],
)
def test_pictures_with_metadata_of_their_own_are_turned_as_the_film_says(
    make_clip: Callable[..., Path],
    codec: str,
    matrix: tuple[int, int, int, int],
    orientation: Orientation,
) -> None:
    pixels = "yuvj444p" if codec == "mjpeg" else "rgb24"
    path = make_clip("clip.mov", frame_count=2, codec=codec, pixel_format=pixels)
    plain = next(Clip.open(path).frames())
    set_display_matrix(path, matrix)

    clip = Clip.open(path)
    frame = next(clip.frames())

    assert clip.info.rotation == 90 * orientation.quarter_turns
    np.testing.assert_array_equal(frame.image, orientation.apply(plain.image))


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
@pytest.mark.parametrize("counterclockwise", [90, 180, 270])
def test_a_rotated_clip_with_alpha_beside_it_is_decoded_upright(
    make_clip: Callable[..., Path], codec: str, counterclockwise: int
) -> None:
    choices = {"frame_count": 2, "codec": codec, "pixel_format": "yuva420p"}
    choices["options"] = {"auto-alt-ref": "0", "crf": "4", "b": "2M"}
    plain = Clip.open(make_clip("plain.mkv", **choices))

    turned = Clip.open(make_clip("turned.mkv", rotation=counterclockwise, **choices))

    wanted = np.rot90(next(plain.frames()).image, counterclockwise // 90)
    assert turned.info.rotation == 360 - counterclockwise
    assert turned.info.has_alpha
    np.testing.assert_array_equal(next(turned.frames()).image, wanted)


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
@pytest.mark.parametrize(
    "tags", [(9, 14, 9, 1), (12, 13, 1, 1), (9, 16, 9, 1)], ids=["bt2020", "p3", "pq"]
)
def test_a_clip_with_alpha_beside_it_has_the_colours_of_one_without(
    make_clip: Callable[..., Path], codec: str, tags: tuple[int, int, int, int]
) -> None:
    choices = {"frame_count": 2, "codec": codec, "tags": tags}
    choices["options"] = {"auto-alt-ref": "0", "crf": "4", "b": "2M"}
    plain = Clip.open(make_clip("plain.mkv", pixel_format="yuv420p", **choices))

    clear = Clip.open(make_clip("clear.mkv", pixel_format="yuva420p", **choices))

    assert clear.info.has_alpha
    assert clear.info.colour == plain.info.colour
    assert set(plain.warnings) < set(clear.warnings)
    one, other = next(clear.frames()).image, next(plain.frames()).image
    assert np.abs(one.astype(int) - other).mean() < 3


@pytest.mark.parametrize(
    ("matrix", "is_told"),
    [
        ((0.7071, 0.7071, -0.7071, 0.7071), True),
        ((2, 0, 0, 1), True),
        ((1, 0.3, 0, 1), True),
        ((2, 0, 0, 2), False),
        ((0, 1, -1, 0), False),
        ((-1, 0, 0, 1), False),
    ],
    ids=["45", "stretched", "slanted", "larger", "90", "mirrored"],
)
def test_what_is_more_than_quarter_turns_is_told(
    make_clip: Callable[..., Path], matrix: tuple[float, float, float, float], is_told: bool
) -> None:
    path = make_clip("bent.mp4", frame_count=2)
    set_display_matrix(path, matrix)

    said = Clip.open(path).warnings

    assert any("stretched or turned by less than a quarter" in text for text in said) == is_told


@pytest.mark.parametrize(("matrix", "aspect"), [((2, 0, 0, 1), 2), ((0, 1, -2, 0), Fraction(1, 2))])
def test_a_stretch_is_the_shape_of_pixels_where_the_file_states_none(
    tmp_path: Path, matrix: tuple[float, float, float, float], aspect: Fraction
) -> None:
    path = write_sounding(tmp_path / "a.mp4", seconds=0.2)
    set_display_matrix(path, matrix)

    clip = Clip.open(path)

    assert clip.info.sample_aspect == aspect
    assert not any("stretched" in text for text in clip.warnings)


def set_display_matrix(path: Path, values: tuple[float, float, float, float]) -> None:
    """Write the four turning entries of the first track's matrix, as cameras do."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44
    a, b, c, d = (round(value * 0x10000) for value in values)
    content[matrix : matrix + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
