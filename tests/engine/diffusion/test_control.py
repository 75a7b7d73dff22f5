"""Control images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from fresco_engine.diffusion.control import ShotControls, control_pictures, strength_of
from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.detectors.detector import Found
from fresco_engine.settings import ControlKind, RestyleSettings
from fresco_media.types import Image

SETTINGS = RestyleSettings(prompt="ink", control_scale=0.8)


class Lightness:
    """Finds the mean of a picture's channels, and counts how often it was asked."""

    def __init__(self, *, is_relative: bool) -> None:
        self.is_relative = is_relative
        self.asked: list[int] = []

    def detect(self, image: Image) -> Found:
        self.asked.append(int(image[0, 0, 0]))
        found = image.astype(np.float32).mean(axis=2)
        return found * 3 - 7 if self.is_relative else found / 255


@pytest.fixture
def frames() -> list[Image]:
    """Three pictures of a bright square on a dark ground, each a step further right."""
    pictures = [np.full((48, 64, 3), 20, np.uint8) for _ in range(3)]
    for step, picture in enumerate(pictures):
        picture[16:32, 8 + 8 * step : 24 + 8 * step] = (250, 120, 10)
    return pictures


def greys(levels: Iterable[int]) -> list[Image]:
    """A grey picture for each level."""
    return [np.repeat(np.full((8, 8, 1), level, np.uint8), 3, axis=2) for level in levels]


def control(kind: ControlKind, detector: Lightness | None = None) -> LoadedControl:
    network: Any = None
    return LoadedControl(kind=kind, network=network, detector=detector)


def shown(
    kind: ControlKind, frames: Sequence[Image], settings: RestyleSettings = SETTINGS
) -> list[Image]:
    return control_pictures(control(kind), range(len(frames)), frames, settings, ShotControls())


def test_tile_shows_the_frames_themselves(frames: list[Image]) -> None:
    np.testing.assert_array_equal(shown("tile", frames), frames)


def test_canny_is_white_on_edges_and_black_elsewhere(frames: list[Image]) -> None:
    picture = shown("canny", frames)[0]

    assert set(np.unique(picture)) == {0, 255}
    assert picture[16:32, 6:9].max(axis=1).min() == 255
    assert picture[20:28, 12:20].max() == 0


def test_canny_equals_opencvs_edges_in_all_three_channels(frames: list[Image]) -> None:
    settings = RestyleSettings(prompt="ink", canny_low=60, canny_high=120)

    picture = shown("canny", frames, settings)[1]

    edges = cv2.Canny(cv2.cvtColor(frames[1], cv2.COLOR_RGB2GRAY), 60, 120)
    for channel in range(3):
        np.testing.assert_array_equal(picture[:, :, channel], edges)


def test_lower_thresholds_find_fainter_edges(frames: list[Image]) -> None:
    faint = [(frame.astype(np.uint16) // 4 + 60).astype(np.uint8) for frame in frames]
    strict = RestyleSettings(prompt="ink", canny_low=100, canny_high=200)
    lenient = RestyleSettings(prompt="ink", canny_low=20, canny_high=40)

    assert np.sum(shown("canny", faint, strict)) < np.sum(shown("canny", faint, lenient))


def test_what_is_found_becomes_grey(frames: list[Image]) -> None:
    detector = Lightness(is_relative=False)

    pictures = ShotControls().pictures(control("hed", detector), [0, 1, 2], frames)

    for picture, frame in zip(pictures, frames, strict=True):
        assert picture.dtype == np.uint8
        np.testing.assert_allclose(picture[:, :, 1], frame.mean(axis=2), atol=0.5)


def test_depth_is_scaled_to_its_shot_whatever_frames_come_together() -> None:
    numbers, frames = [0, 6, 12, 18, 24], greys([10, 30, 50, 70, 90])
    sample = [(0, frames[0]), (24, frames[4])]
    whole, parts = ShotControls(lambda: sample), ShotControls(lambda: sample)
    depth = control("depth", Lightness(is_relative=True))

    together = whole.pictures(depth, numbers, frames)
    first = parts.pictures(depth, numbers[:3], frames[:3])
    second = parts.pictures(depth, [0, 12, 18, 24], [frames[0], frames[2], *frames[3:]])

    np.testing.assert_array_equal(first, together[:3])
    np.testing.assert_array_equal(second[2:], together[3:])
    assert [picture[0, 0, 0] for picture in together] == [0, 64, 128, 191, 255]


def test_a_frame_that_alone_would_be_all_black_and_white_keeps_its_place_in_the_shot() -> None:
    flickering = greys([100, 101, 100, 101])
    for frame in flickering:
        frame[:4] = 0
    shot = ShotControls()

    pictures = shot.pictures(control("depth", Lightness(is_relative=True)), range(4), flickering)

    steps = [int(a[7, 7, 0]) - int(b[7, 7, 0]) for a, b in pairwise(pictures)]
    assert max(map(abs, steps)) <= 3


def test_values_beyond_the_samples_range_stay_within_a_pictures() -> None:
    frames = greys([0, 100, 255])
    shot = ShotControls(lambda: [(1, frames[1]), (7, greys([120])[0])])

    pictures = shot.pictures(control("depth", Lightness(is_relative=True)), range(3), frames)

    assert [picture[0, 0, 0] for picture in pictures] == [0, 0, 255]


def test_a_shot_all_at_one_distance_is_black() -> None:
    shot = ShotControls()

    pictures = shot.pictures(control("depth", Lightness(is_relative=True)), [0], greys([77]))

    assert np.max(pictures) == 0


@pytest.mark.parametrize("is_relative", [True, False])
def test_each_keyframe_is_looked_at_once(is_relative: bool) -> None:
    frames = dict(zip(range(0, 60, 10), greys(range(6)), strict=True))
    detector = Lightness(is_relative=is_relative)
    shot = ShotControls(lambda: [(n, frames[n]) for n in (0, 20, 50)])
    depth = control("depth", detector)

    for batch in ([0, 10, 20], [0, 20, 30], [0, 30, 40], [0, 40, 50]):
        shot.pictures(depth, batch, [frames[n] for n in batch])

    assert sorted(detector.asked) == [0, 1, 2, 3, 4, 5]


def test_two_kinds_are_kept_apart() -> None:
    shot = ShotControls()
    edges, depth = Lightness(is_relative=False), Lightness(is_relative=True)

    first = shot.pictures(control("hed", edges), [0, 1], greys([10, 20]))
    second = shot.pictures(control("depth", depth), [0, 1], greys([10, 20]))

    assert [picture[0, 0, 0] for picture in first] == [10, 20]
    assert [picture[0, 0, 0] for picture in second] == [0, 255]


def test_a_kinds_own_number_takes_the_place_of_the_strength_of_all() -> None:
    settings = RestyleSettings(prompt="ink", control="depth:0.3,canny", control_scale=0.8)

    assert [strength_of(kind, settings) for kind in ("depth", "canny")] == [0.3, 0.8]
    assert strength_of("tile", SETTINGS) == 0.8
