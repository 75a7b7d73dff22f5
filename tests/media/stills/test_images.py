from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_engine.errors import ClipNotFound, ClipUnreadable, OutputNotWritable
from fresco_media.stills.images import read_image, write_image
from fresco_media.types import Image
from PIL import Image as Pillow


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_a_picture_comes_back_as_it_was_written(
    tmp_path: Path, reference_picture: Callable[..., Image], suffix: str
) -> None:
    path = tmp_path / f"Größe 大 'x'{suffix}"

    write_image(path, reference_picture(1))

    np.testing.assert_array_equal(read_image(path), reference_picture(1))


def test_jpeg_is_close(tmp_path: Path, reference_picture: Callable[..., Image]) -> None:
    write_image(tmp_path / "a.jpg", reference_picture(1))

    difference = read_image(tmp_path / "a.jpg").astype(int) - reference_picture(1)
    assert np.abs(difference).mean() < 2


def test_the_channel_order_is_rgb(tmp_path: Path) -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    write_image(tmp_path / "red.png", red)

    with Pillow.open(tmp_path / "red.png") as picture:
        assert picture.getpixel((0, 0)) == (255, 0, 0)
    assert read_image(tmp_path / "red.png")[0, 0].tolist() == [255, 0, 0]


def test_grey_pictures_become_rgb(tmp_path: Path) -> None:
    encoded = cv2.imencode(".png", np.full((3, 5), 77, np.uint8))[1]
    (tmp_path / "grey.png").write_bytes(encoded.tobytes())

    assert read_image(tmp_path / "grey.png").tolist() == np.full((3, 5, 3), 77).tolist()


def test_photographs_are_turned_upright(
    tmp_path: Path, reference_picture: Callable[..., Image]
) -> None:
    tags = Pillow.Exif()
    tags[0x0112] = 6
    Pillow.fromarray(reference_picture(0)).save(tmp_path / "phone.jpg", exif=tags, quality=95)

    upright = read_image(tmp_path / "phone.jpg")

    expected = np.rot90(reference_picture(0), -1)
    assert np.abs(upright.astype(int) - expected).mean() < 3


def test_a_missing_picture_says_so(tmp_path: Path) -> None:
    with pytest.raises(ClipNotFound, match="check the path"):
        read_image(tmp_path / "none.png")


@pytest.mark.parametrize("content", [b"", b"not a picture"], ids=["empty", "text"])
def test_what_is_not_a_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.png").write_bytes(content)

    with pytest.raises(ClipUnreadable, match="export it again"):
        read_image(tmp_path / "bad.png")


def test_an_unknown_type_is_refused(
    tmp_path: Path, reference_picture: Callable[..., Image]
) -> None:
    with pytest.raises(OutputNotWritable, match=r"use \.png"):
        write_image(tmp_path / "picture.psd", reference_picture(0))


def test_a_missing_folder_is_named_and_nothing_is_left(
    tmp_path: Path, reference_picture: Callable[..., Image]
) -> None:
    with pytest.raises(OutputNotWritable, match="folder does not exist"):
        write_image(tmp_path / "no" / "picture.png", reference_picture(0))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "side"), [(".jpg", 65_501), (".webp", 16_384)])
def test_a_picture_that_is_too_large_for_its_type_is_refused_by_a_sentence(
    tmp_path: Path, suffix: str, side: int
) -> None:
    image = np.zeros((2, side, 3), np.uint8)

    with pytest.raises(OutputNotWritable, match=f"this one has {side}x2; name it .png"):
        write_image(tmp_path / f"wide{suffix}", image)
    write_image(tmp_path / "wide.png", image)

    assert read_image(tmp_path / "wide.png").shape == image.shape
