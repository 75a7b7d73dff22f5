"""Control images."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from fresco_engine.diffusion.control import condition_images
from fresco_engine.errors import ControlUnavailable
from fresco_media.types import Image


@pytest.fixture
def frames() -> list[Image]:
    """Three pictures of a bright square on a dark ground, each a step further right."""
    pictures = [np.full((48, 64, 3), 20, np.uint8) for _ in range(3)]
    for step, picture in enumerate(pictures):
        picture[16:32, 8 + 8 * step : 24 + 8 * step] = (250, 120, 10)
    return pictures


def test_tile_shows_the_frames_themselves(frames: list[Image]) -> None:
    images = condition_images("tile", frames)

    wanted = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(images, wanted)
    assert images.shape == (3, 3, 48, 64)


def test_canny_is_white_on_edges_and_black_elsewhere(frames: list[Image]) -> None:
    images = condition_images("canny", frames)

    assert images.shape == (3, 3, 48, 64)
    assert set(images.unique().tolist()) == {0.0, 1.0}
    assert images[0, :, 16:32, 6:9].amax(dim=2).eq(1).all()
    assert images[0, :, 20:28, 12:20].eq(0).all()


def test_canny_equals_opencvs_edges_in_all_three_channels(frames: list[Image]) -> None:
    images = condition_images("canny", frames, thresholds=(50, 120))

    edges = cv2.Canny(cv2.cvtColor(frames[1], cv2.COLOR_RGB2GRAY), 50, 120)
    for channel in images[1]:
        np.testing.assert_array_equal(channel.numpy() * 255, edges)


def test_lower_thresholds_find_fainter_edges(frames: list[Image]) -> None:
    faint = [(frame.astype(np.uint16) // 4 + 60).astype(np.uint8) for frame in frames]

    strict = condition_images("canny", faint, thresholds=(100, 200))
    lenient = condition_images("canny", faint, thresholds=(20, 40))

    assert strict.sum() < lenient.sum()


def test_none_is_black(frames: list[Image]) -> None:
    assert condition_images("none", frames).count_nonzero() == 0


def test_making_control_images_leaves_the_frames_alone(frames: list[Image]) -> None:
    before = [frame.copy() for frame in frames]

    condition_images("tile", frames).zero_()

    np.testing.assert_array_equal(frames, before)


@pytest.mark.parametrize("kind", ["hed", "depth"])
def test_kinds_that_take_a_network_are_unavailable(frames: list[Image], kind: Any) -> None:
    with pytest.raises(ControlUnavailable, match="use tile"):
        condition_images(kind, frames)
