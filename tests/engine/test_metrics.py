import math

import cv2
import numpy as np
import pytest
from fresco_engine.correspondence.flow import Flow
from fresco_engine.metrics import (
    Consistency,
    aligned_error,
    feature_distance,
    features,
    measure,
    pixel_mse,
    spatial_consistency,
)
from fresco_media.types import Image


def _texture(height: int, width: int, seed: int = 0) -> Image:
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for scale in (12.0, 4.0):
        noise = cv2.GaussianBlur(
            random.normal(size=picture.shape).astype(np.float32), (0, 0), scale
        )
        picture += noise / noise.std()
    return np.clip(128 + 30 * picture, 0, 255).astype(np.uint8)


class _Pan:
    """The flow of a pan of `step` pixels a frame over one wide picture."""

    def __init__(self, frames: list[Image], step: int) -> None:
        self._places = {id(frame): i for i, frame in enumerate(frames)}
        self._step = step

    def __call__(self, first: Image, second: Image) -> Flow:
        steps = self._places[id(second)] - self._places[id(first)]
        flow = np.zeros((*first.shape[:2], 2), np.float32)
        flow[..., 0] = -self._step * steps
        return flow


def _pan(step: int = 4, count: int = 4, seed: int = 0) -> list[Image]:
    wide = _texture(48, 96, seed)
    return [wide[:, i * step : i * step + 64].copy() for i in range(count)]


def test_a_result_that_moves_with_its_source_has_no_error() -> None:
    sources, results = _pan(seed=0), _pan(seed=1)

    error = pixel_mse(zip(sources, results, strict=True), _Pan(sources, 4))

    assert error == 0


def test_a_result_that_stays_behind_has_an_error() -> None:
    sources = _pan(seed=0)
    results = [_texture(48, 64, 1)] * 4

    error = pixel_mse(zip(sources, results, strict=True), _Pan(sources, 4))

    assert error > 0.001


def test_flicker_is_measured_on_the_scale_of_0_to_1() -> None:
    sources = [_texture(24, 32)] * 2
    results = [np.full((24, 32, 3), value, np.uint8) for value in (0, 51)]

    error = aligned_error((sources[0], results[0]), (sources[1], results[1]), _Pan(sources, 0))

    assert error == pytest.approx(0.04)


def test_what_the_frame_before_does_not_show_is_not_counted() -> None:
    sources, results = _pan(count=2, seed=0), _pan(count=2, seed=1)
    results[1][:, -4:] = 255 - results[1][:, -4:]

    error = pixel_mse(zip(sources, results, strict=True), _Pan(sources, 4))

    assert error == 0


def test_the_same_picture_has_no_spatial_distance() -> None:
    picture = _texture(64, 80)

    assert feature_distance(picture, picture) == pytest.approx(0, abs=1e-6)


def test_a_new_look_is_closer_than_another_picture() -> None:
    source, other = _texture(96, 96), _texture(96, 96, 1)
    grey = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
    restyled = np.asarray(cv2.applyColorMap(grey, cv2.COLORMAP_BONE), np.uint8)

    distances = [feature_distance(source, result) for result in (source, restyled, other)]

    assert distances == sorted(distances)
    assert distances[2] > 2 * distances[1]


def test_the_more_a_picture_is_disturbed_the_larger_its_distance() -> None:
    source = _texture(96, 96)
    noise = np.random.default_rng(0).normal(size=source.shape)
    disturbed = [np.clip(source + s * noise, 0, 255).astype(np.uint8) for s in (5, 20, 60)]

    distances = [feature_distance(source, picture) for picture in disturbed]

    assert distances == sorted(distances)
    assert distances[0] > 0


def test_features_are_unit_rows_on_cells_of_eight_pixels() -> None:
    rows = features(_texture(64, 80))

    assert rows.shape[0] == 8 * 10
    assert rows.norm(dim=1).allclose(rows.new_ones(80), atol=1e-5)


def test_a_picture_of_one_colour_has_features_of_no_length() -> None:
    rows = features(np.full((32, 32, 3), 90, np.uint8))

    assert rows.abs().max() < 1e-3


def test_one_pass_measures_both() -> None:
    sources, results = _pan(seed=0), _pan(seed=1)
    pairs = list(zip(sources, results, strict=True))

    both = measure(iter(pairs), _Pan(sources, 4))

    assert both == Consistency(
        pixel_mse=pixel_mse(pairs, _Pan(sources, 4)),
        spatial_consistency=spatial_consistency(pairs),
        frame_count=4,
    )


def test_a_single_frame_has_nothing_to_be_steady_against() -> None:
    picture = _texture(24, 32)

    both = measure([(picture, picture)], _Pan([picture], 0))

    assert math.isnan(both.pixel_mse)
    assert both.frame_count == 1


def test_pictures_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be held against"):
        spatial_consistency([(_texture(8, 8), _texture(8, 9))])
