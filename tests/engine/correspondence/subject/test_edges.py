"""A coarse mask that is enlarged takes the picture's edges for its border, and only near ones."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_engine.correspondence.subject.edges import enlarged
from fresco_media.types import Image

_HEIGHT, _WIDTH, _COARSER = 128, 160, 4


def _disc(radius: int = 40) -> np.ndarray:
    """(h, w) bool: a disc in the middle."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    return (y - _HEIGHT / 2) ** 2 + (x - _WIDTH / 2) ** 2 < radius**2


def _coarse(mask: np.ndarray) -> np.ndarray:
    size = (_WIDTH // _COARSER, _HEIGHT // _COARSER)
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5


def _picture(mask: np.ndarray) -> Image:
    grey = np.where(mask, 190, 60).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _overlap(found: np.ndarray, true: np.ndarray) -> float:
    return float((found & true).sum() / (found | true).sum())


def test_the_border_follows_an_edge_that_the_coarse_mask_has_missed() -> None:
    true = _disc()
    rough = _coarse(true)
    rough[::3] = np.roll(rough[::3], 1, axis=1)
    flat = np.full((_HEIGHT, _WIDTH, 3), 128, np.uint8)

    refined = _overlap(enlarged(rough, _picture(true)), true)

    assert refined > 0.99
    assert refined > _overlap(enlarged(rough, flat), true) + 0.02


def test_an_edge_further_away_belongs_to_something_else() -> None:
    true, other = _disc(28), _disc(48)

    found = enlarged(_coarse(true), _picture(other))

    assert _overlap(found, true) > 0.95


def test_a_mask_of_the_pictures_own_size_stays_as_it_is() -> None:
    speckled = np.random.default_rng(0).random((_HEIGHT, _WIDTH)) > 0.5

    assert np.array_equal(enlarged(speckled, _picture(_disc())), speckled)


def test_all_stays_all_and_nothing_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (_HEIGHT, _WIDTH, 3)).astype(np.uint8)

    assert enlarged(np.ones((32, 40), np.bool_), picture).all()
    assert not enlarged(np.zeros((32, 40), np.bool_), picture).any()
