"""A subject that a detector finds in single pictures, made steady: scenes whose truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from fresco_engine.correspondence.flow import Flow
from fresco_engine.correspondence.subject.edges import along_edges
from fresco_engine.correspondence.subject.estimator import SubjectFrames
from fresco_engine.correspondence.subject.found import FoundSubject, steadied
from fresco_media.types import Image
from numpy.typing import NDArray

HEIGHT, WIDTH, COUNT, STEP = 96, 160, 6, 5
FloatMap = NDArray[np.float32]


def disc(index: int) -> NDArray[np.bool_]:
    """Where the subject is in a frame."""
    rows, columns = np.indices((HEIGHT, WIDTH))
    return (columns - (45 + STEP * index)) ** 2 + (rows - 50) ** 2 < 24**2


def frame(index: int) -> Image:
    """A light, textured disc that wanders over a dark, textured wall."""
    random = np.random.default_rng(1)
    wall = cv2.resize(random.integers(20, 70, (12, 20)).astype(np.uint8), (WIDTH, HEIGHT))
    coat = cv2.resize(random.integers(150, 250, (12, 20)).astype(np.uint8), (WIDTH, HEIGHT))
    moved = np.roll(coat, STEP * index, axis=1)
    return np.repeat(np.where(disc(index), moved, wall)[..., None], 3, 2).astype(np.uint8)


def scene(linked: list[bool] | None = None) -> SubjectFrames:
    """All frames with their true flow."""

    def flow(index: int, step: float) -> Flow:
        return np.stack([step * disc(index), np.zeros((HEIGHT, WIDTH))], -1).astype(np.float32)

    return SubjectFrames(
        indices=range(COUNT),
        images=[frame(index) for index in range(COUNT)],
        forward=[flow(index, STEP) for index in range(COUNT - 1)],
        backward=[flow(index, -STEP) for index in range(1, COUNT)],
        linked=linked,
    )


class Wavering:
    """Knows the disc, but coarsely, with less certainty now and then, and sees spots elsewhere."""

    def __init__(self, certainty: list[float]) -> None:
        self._left = list(certainty)
        self._random = np.random.default_rng(2)

    def detect(self, image: Image) -> FloatMap:
        shown = (image[..., 0] > 110).astype(np.float32)
        coarse = cv2.resize(shown, (WIDTH // 8, HEIGHT // 8), interpolation=cv2.INTER_AREA)
        found = self._left.pop(0) * cv2.resize(coarse, (WIDTH, HEIGHT))
        row, column = self._random.integers(0, (HEIGHT - 12, 20))
        found[row : row + 12, column : column + 12] = 0.6
        return np.asarray(found, np.float32)


def overlap(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


def test_a_subject_that_is_lost_in_some_frames_and_spots_that_come_and_go_are_evened_out() -> None:
    certainty = [0.9, 0.2, 0.9, 0.1, 0.8, 0.9]
    truth = np.stack([disc(index) for index in range(COUNT)])
    alone = Wavering(certainty)
    single = np.stack([alone.detect(image) > 0.3 for image in scene().images])

    masks = FoundSubject(Wavering(certainty)).masks(scene())

    assert min(overlap(one, true) for one, true in zip(single, truth, strict=True)) < 0.1
    assert min(overlap(one, true) for one, true in zip(masks, truth, strict=True)) > 0.9


def test_nothing_comes_over_a_step_that_is_not_linked() -> None:
    linked = [True, True, False, True, True]
    chances = np.zeros((COUNT, HEIGHT, WIDTH), np.float32)
    chances[:3] = 1

    found = steadied(chances, scene(linked))

    np.testing.assert_allclose(found, chances, atol=1e-6)


def test_what_all_frames_say_alike_stays_as_it_is() -> None:
    chances = np.full((COUNT, HEIGHT, WIDTH), 0.4, np.float32)

    np.testing.assert_allclose(steadied(chances, scene()), chances, atol=1e-6)


def test_where_nothing_is_found_nothing_is_background() -> None:
    class Blind:
        def detect(self, image: Image) -> FloatMap:
            return np.full(image.shape[:2], 0.1, np.float32)

    assert FoundSubject(Blind()).masks(scene()).all()


@pytest.mark.parametrize("chance", [0.35, 0.9])
def test_in_doubt_a_pixel_is_subject(chance: float) -> None:
    class Doubting:
        def detect(self, image: Image) -> FloatMap:
            return chance * (image[..., 0] > 110).astype(np.float32)

    masks = FoundSubject(Doubting()).masks(scene())

    assert all(overlap(mask, disc(index)) > 0.9 for index, mask in enumerate(masks))


def test_a_border_moves_to_the_pictures_edge() -> None:
    truth = disc(0)
    near = cv2.dilate(truth.astype(np.float32), np.ones((5, 5), np.uint8))

    found = along_edges(np.asarray(near, np.float32), frame(0), 5) > 0.5

    assert overlap(near > 0.5, truth) < overlap(found, truth)
