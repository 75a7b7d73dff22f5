"""Following pixels to a keyframe over many frames."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_engine.correspondence.flow import DisFlow, Flow
from fresco_engine.interpolation.flows import find_steps, improve, trace_key, visibility
from fresco_engine.types import Image


def texture(height: int, width: int, seed: int) -> Image:
    noise = np.random.default_rng(seed).standard_normal((height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def panning(frames: int, step: int) -> list[Image]:
    wide = texture(96, 128 + frames * step, seed=0)
    return [wide[:, i * step : i * step + 128].copy() for i in range(frames)]


class StillFlow:
    """Believes that nothing ever moves; cannot refine."""

    def __call__(self, first: Image, second: Image) -> Flow:
        return np.zeros((*first.shape[:2], 2), np.float32)


def test_a_pan_is_followed_back_over_many_frames() -> None:
    frames = panning(9, step=6)
    estimator = DisFlow()

    traced = list(trace_key(frames, find_steps(frames, estimator), estimator))

    for steps_away, seen in enumerate(traced, start=1):
        error = seen.flow[20:-20, 20 : 120 - 6 * steps_away] - [6 * steps_away, 0]
        assert np.median(np.abs(error)) < 0.25


def test_what_the_pan_brought_in_is_not_visible_in_the_key() -> None:
    frames = panning(6, step=6)
    estimator = DisFlow()

    seen = list(trace_key(frames, find_steps(frames, estimator), estimator))[-1]

    assert seen.visible[:, 104:].mean() < 0.2
    assert seen.visible[10:-10, 10:80].mean() > 0.9


def test_an_estimator_that_cannot_refine_leaves_the_chained_flow_alone() -> None:
    first, second = panning(2, step=3)
    chained = np.full((96, 128, 2), 1.5, np.float32)

    assert improve(first, second, chained, StillFlow()) is chained


def test_steps_reversed_are_those_of_the_reversed_frames() -> None:
    frames = panning(4, step=2)
    estimator = DisFlow()

    turned = find_steps(frames, estimator).reversed()

    expected = find_steps(frames[::-1], estimator)
    np.testing.assert_array_equal(turned.ahead, expected.ahead)
    np.testing.assert_array_equal(turned.back, expected.back)


def test_a_flow_that_returns_is_visible_and_one_that_does_not_is_hidden() -> None:
    flow = np.zeros((8, 40, 2), np.float32)
    back = np.zeros((8, 40, 2), np.float32)
    flow[..., 0] = 2
    back[..., 0] = -2
    back[:, 20:, 0] = 6

    visible = visibility(flow, back)

    assert (visible[:, :16] == 1).all()
    assert (visible[:, 20:] == 0).all()
