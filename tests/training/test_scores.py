"""The figures are right where the answer is known."""

import cv2
import numpy as np
import pytest
from fresco_training import scores
from fresco_training.scenes import scene
from fresco_training.styles import STYLES, apply_style
from fresco_training.styles.parts import mix


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return scene(np.random.default_rng(7), 256)


def test_structure_passes_over_colour_and_contrast_but_not_over_place(picture: np.ndarray) -> None:
    paler = 0.5 + 0.3 * picture

    assert scores.structure(paler, picture) == pytest.approx(1, abs=1e-4)
    assert scores.structure(np.ascontiguousarray(picture[::-1]), picture) < 0.7


def test_edges_may_lie_off_a_little_and_not_more(picture: np.ndarray) -> None:
    def moved(by: int) -> np.ndarray:
        return np.ascontiguousarray(np.roll(picture, by, axis=1))

    near, far = (scores.edge_f_score(moved(by), picture) for by in (2, 12))

    assert scores.edge_f_score(picture, picture) == pytest.approx(1)
    assert near > 0.95
    assert far < near - 0.2


def test_the_classifier_names_filters_on_a_picture_it_has_not_seen_and_how_far_they_go(
    picture: np.ndarray,
) -> None:
    rng = np.random.default_rng(1)
    known = [scene(rng, 256) for _ in range(5)]
    classifier = scores.StyleClassifier.fit(known)

    named = [classifier.name(apply_style(s, picture, 1.0), picture) for s in STYLES]

    right = sum(name == style for name, style in zip(named, STYLES, strict=True))
    assert right >= 0.85 * len(STYLES), named
    assert classifier.distance(picture, picture) == 0
    comic = apply_style("comic", picture, 1.0)
    steps = [classifier.distance(mix(picture, comic, share), picture) for share in (0.3, 0.7, 1.0)]
    assert 0 < steps[0] < steps[1] < steps[2]


def test_blocks_on_the_latent_grid_are_seen(picture: np.ndarray) -> None:
    blocky = apply_style("pixel art", picture, 1.0)
    off_grid = np.ascontiguousarray(np.roll(blocky, (4, 4), axis=(0, 1)))
    smooth = cv2.GaussianBlur(picture, (0, 0), 2)

    found = [scores.features(image, picture)[-1] for image in (blocky, off_grid, smooth)]

    assert found[0] > 1 > abs(found[2])
    assert found[1] < 0
