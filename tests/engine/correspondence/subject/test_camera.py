from __future__ import annotations

import numpy as np
import pytest
from fresco_engine.correspondence.flow import Flow, pixel_grid
from fresco_engine.correspondence.subject.camera import camera_motion, weighted_median


def _moved(height: int, width: int) -> Flow:
    """A camera that pans and zooms a little."""
    turn = np.array([[0.03, 0.02], [-0.02, 0.03]], np.float32)
    return (pixel_grid(height, width) @ turn.T + np.array([3, -2], np.float32)).astype(np.float32)


def test_a_camera_that_pans_zooms_and_turns_is_found_exactly() -> None:
    flow = _moved(96, 128)

    found = camera_motion(flow, np.ones((96, 128), np.float32))

    assert np.abs(found - flow).max() < 0.05


def test_what_moves_on_its_own_does_not_draw_the_camera_along() -> None:
    flow = _moved(96, 128)
    seen = flow.copy()
    seen[30:70, 40:90] += (9, 5)

    found = camera_motion(seen, np.ones((96, 128), np.float32))

    assert np.abs(found - flow).max() < 0.5


def test_what_is_not_believed_counts_little() -> None:
    flow = _moved(96, 128)
    seen, trust = flow.copy(), np.ones((96, 128), np.float32)
    seen[:, :40] += (9, 5)
    trust[:, :40] = 0

    assert np.abs(camera_motion(seen, trust) - flow).max() < 0.5


def test_ground_passes_faster_than_what_is_far_away() -> None:
    flow = np.zeros((96, 128, 2), np.float32)
    flow[..., 0] = np.arange(96)[:, None] / 16

    found = camera_motion(flow, np.ones((96, 128), np.float32))

    assert np.abs(found - flow).max() < 0.6


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 400)])
def test_pictures_of_any_shape_have_an_answer(size: tuple[int, int]) -> None:
    flow = np.full((*size, 2), (2, 1), np.float32)

    assert np.abs(camera_motion(flow, np.ones(size, np.float32)) - flow).max() < 0.1


def test_half_of_the_weight_lies_below_the_weighted_median() -> None:
    values = np.array([[5.0, 1.0], [9.0, 3.0]])

    assert weighted_median(values, np.array([[1.0, 1.0], [1.0, 1.0]])) == 3
    assert weighted_median(values, np.array([[0.0, 0.0], [5.0, 1.0]])) == 9
