"""Pictures that are kept: without loss, noticed when damaged, with a note."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fresco_media.stills.png import decode_mask, decode_png, encode_png, png_note, png_size
from fresco_media.types import Image
from PIL import Image as PillowImage


@pytest.fixture
def image() -> Image:
    """A picture with all kinds of values."""
    return np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)


@pytest.mark.parametrize("note", ["", '{"error": 0.25}', "x" * 5000])
def test_picture_and_note_come_back(image: Image, note: str) -> None:
    data = encode_png(image, note)

    decoded = decode_png(data)
    assert decoded is not None
    assert np.array_equal(decoded, image)
    assert png_note(data) == note
    assert png_size(data) == (40, 24)


def test_a_single_wrong_bit_anywhere_is_noticed(image: Image) -> None:
    data = encode_png(image, "a note")

    for position in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[position] ^= 1
        assert decode_png(bytes(damaged)) is None


def test_a_torn_file_has_no_picture_and_at_most_its_note(image: Image) -> None:
    data = encode_png(image, "a note")

    for length in (0, 8, 40, 60, 80, len(data) - 1):
        assert decode_png(data[:length]) is None
        assert png_note(data[:length]) in ("", "a note")
    assert decode_png(data + b"x") is None


@pytest.mark.parametrize("channels", [(), (4,)], ids=["grey", "with alpha"])
def test_a_picture_of_another_kind_is_read_back_by_anybody(channels: tuple[int, ...]) -> None:
    image = np.random.default_rng(3).integers(0, 256, (5, 7, *channels), np.uint8)

    shown = np.asarray(PillowImage.open(io.BytesIO(encode_png(image))))

    assert np.array_equal(shown, image)


def test_a_mask_goes_beside_a_picture(image: Image) -> None:
    mask = np.zeros(image.shape[:2], np.bool_)
    mask[1:3, 2:] = True

    data = encode_png(image, mask=mask)

    decoded, found = decode_png(data), decode_mask(data)
    assert decoded is not None
    assert found is not None
    assert (decoded == image).all()
    assert (found == mask).all()
    assert decode_mask(encode_png(image)) is None
    assert decode_mask(b"none") is None
