import cv2
import numpy as np
import pytest
from fresco_engine.evaluation.structure import (
    Structure,
    features,
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


def test_the_same_picture_has_no_spatial_distance() -> None:
    picture = _texture(64, 80)

    assert Structure.of(picture).distance(picture) == pytest.approx(0, abs=1e-6)


def test_a_new_look_is_closer_than_another_picture() -> None:
    source, other = _texture(96, 96), _texture(96, 96, 1)
    grey = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
    restyled = np.asarray(cv2.applyColorMap(grey, cv2.COLORMAP_BONE), np.uint8)

    distances = [Structure.of(source).distance(result) for result in (source, restyled, other)]

    assert distances == sorted(distances)
    assert distances[2] > 2 * distances[1]


def test_the_more_a_picture_is_disturbed_the_larger_its_distance() -> None:
    source = _texture(96, 96)
    noise = np.random.default_rng(0).normal(size=source.shape)
    disturbed = [np.clip(source + s * noise, 0, 255).astype(np.uint8) for s in (5, 20, 60)]

    distances = [Structure.of(source).distance(picture) for picture in disturbed]

    assert distances == sorted(distances)
    assert distances[0] > 0


def test_features_are_unit_rows_on_cells_of_eight_pixels() -> None:
    rows = features(_texture(64, 80))

    assert rows.shape[0] == 8 * 10
    assert rows.norm(dim=1).allclose(rows.new_ones(80), atol=1e-5)


def test_a_picture_of_one_colour_has_features_of_no_length() -> None:
    rows = features(np.full((32, 32, 3), 90, np.uint8))

    assert rows.abs().max() < 1e-3


def test_pictures_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be held against"):
        spatial_consistency([(_texture(8, 8), _texture(8, 9))])
