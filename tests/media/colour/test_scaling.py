from __future__ import annotations

import numpy as np
import pytest
from fresco_media.stills.images import fit, limit_told, own_size, resize, unfit, working_size
from fresco_media.types import Image
from hypothesis import given
from hypothesis import strategies as st


def smooth(width: int, height: int) -> Image:
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.rint(np.stack([across, down, (across + down) / 2], axis=-1)).astype(np.uint8)


@given(width=st.integers(16, 4096), height=st.integers(16, 4096), short_side=st.integers(64, 1024))
def test_the_working_size_keeps_the_aspect_and_pads_to_eights(
    width: int, height: int, short_side: int
) -> None:
    size = working_size(width, height, short_side)

    if max(width, height) <= 8 * min(width, height):
        assert min(size.scaled) == short_side
        assert not size.is_limited
    aspect = max(width, height) / min(width, height)
    assert abs(max(size.scaled) - aspect * min(size.scaled)) <= 0.5 * aspect
    for scaled, padded in zip(size.scaled, size.padded, strict=True):
        assert padded % 8 == 0
        assert 0 <= padded - scaled < 8


@given(width=st.integers(1, 70_000), height=st.integers(1, 70_000), short_side=st.integers(1, 2048))
def test_memory_is_bounded_by_pixels_however_long_and_thin_a_clip_is(
    width: int, height: int, short_side: int
) -> None:
    size = working_size(width, height, short_side)

    assert min(size.scaled) >= 1
    assert size.scaled[0] * size.scaled[1] <= 8 * short_side**2 + 2 * max(size.scaled)
    assert max(size.scaled) <= 16384


@pytest.mark.parametrize(
    ("source", "scaled"),
    [
        ((4096, 16), (16384, 64)),
        ((16, 4096), (64, 16384)),
        ((1, 64), (181, 11585)),
        ((65_535, 2), (16384, 1)),
    ],
)
def test_a_clip_too_long_for_its_size_is_told(
    source: tuple[int, int], scaled: tuple[int, int]
) -> None:
    size = working_size(*source, 512)

    assert size.scaled == scaled
    assert f"worked on at {scaled[0]}x{scaled[1]}" in (limit_told(size) or "")


@pytest.mark.parametrize("source", [(7680, 1080), (8, 8), (2, 2), (4096, 512), (1, 8)])
def test_clips_of_up_to_eight_to_one_have_the_size_asked_for(source: tuple[int, int]) -> None:
    size = working_size(*source, 512)

    assert min(size.scaled) == 512
    assert limit_told(size) is None


def test_the_clips_own_size_is_kept_as_long_as_files_hold_it() -> None:
    assert own_size(4096, 16).scaled == (4096, 16)
    assert own_size(40_000, 3).scaled == (16384, 1)


@pytest.mark.parametrize(
    ("source", "short_side", "scaled", "padded"),
    [
        ((640, 512), 512, (640, 512), (640, 512)),
        ((960, 506), 512, (971, 512), (976, 512)),
        ((480, 854), 512, (512, 911), (512, 912)),
        ((1920, 1080), 384, (683, 384), (688, 384)),
    ],
    ids=["as-is", "landscape", "portrait", "smaller"],
)
def test_working_sizes_of_common_clips(
    source: tuple[int, int],
    short_side: int,
    scaled: tuple[int, int],
    padded: tuple[int, int],
) -> None:
    size = working_size(*source, short_side)

    assert (size.scaled, size.padded) == (scaled, padded)


def test_nothing_changes_when_the_size_already_fits() -> None:
    image = smooth(640, 512)
    size = working_size(640, 512, 512)

    np.testing.assert_array_equal(fit(image, size), image)
    np.testing.assert_array_equal(unfit(image, size), image)


def test_padding_lies_at_the_right_and_bottom_and_mirrors_the_picture() -> None:
    image = smooth(61, 45)
    size = working_size(61, 45, 45)

    fitted = fit(image, size)

    assert fitted.shape == (48, 64, 3)
    np.testing.assert_array_equal(fitted[:45, :61], image)
    np.testing.assert_array_equal(fitted[:45, 61:], image[:, [59, 58, 57]])


@pytest.mark.parametrize("source", [(333, 181), (97, 301), (1280, 720)])
def test_fitting_and_unfitting_returns_the_picture(source: tuple[int, int]) -> None:
    image = smooth(*source)
    size = working_size(*source, 128)

    back = unfit(fit(image, size), size)

    assert back.shape == image.shape
    assert np.abs(back.astype(int) - image).max() <= 6
    assert abs((back.astype(int) - image).mean()) < 0.3


def test_shrinking_averages_and_rounds() -> None:
    image = np.zeros((2, 4, 3), np.uint8)
    image[:, :2] = [[[10], [11]], [[11], [11]]]

    assert resize(image, (2, 1))[0, :, 0].tolist() == [11, 0]


def test_a_flat_picture_stays_flat_at_any_size() -> None:
    image = np.full((30, 40, 3), 201, np.uint8)

    for size in [(80, 60), (13, 7), (80, 7), (13, 60)]:
        resized = resize(image, size)
        assert resized.shape == (size[1], size[0], 3)
        assert (resized == 201).all()
