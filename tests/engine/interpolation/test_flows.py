"""Following pixels to a keyframe over many frames."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from fresco_engine.correspondence.flow import DisFlow, Flow
from fresco_engine.interpolation.flows import (
    improve,
    mismatch,
    trace_key,
    visibility,
)
from fresco_media.types import Image


def texture(height: int, width: int, seed: int) -> Image:
    noise = np.random.default_rng(seed).standard_normal((height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def panning(frames: int, step: int) -> list[Image]:
    wide = texture(96, 128 + frames * step, seed=0)
    return [wide[:, i * step : i * step + 128].copy() for i in range(frames)]


def steps_back(frames: list[Image]) -> list[Flow]:
    return [DisFlow()(second, first) for first, second in pairwise(frames)]


class StillFlow:
    """Believes that nothing ever moves; cannot refine."""

    def __call__(self, first: Image, second: Image) -> Flow:
        return np.zeros((*first.shape[:2], 2), np.float32)


def test_a_pan_is_followed_back_over_many_frames() -> None:
    frames = panning(9, step=6)
    estimator = DisFlow()

    traced = list(trace_key(frames, steps_back(frames), estimator))

    for steps_away, seen in enumerate(traced, start=1):
        error = seen.flow[20:-20, 20 : 120 - 6 * steps_away] - [6 * steps_away, 0]
        assert np.median(np.abs(error)) < 0.25


def test_what_the_pan_brought_in_is_not_visible_in_the_key() -> None:
    frames = panning(6, step=6)
    estimator = DisFlow()

    seen = list(trace_key(frames, steps_back(frames), estimator))[-1]

    assert seen.visible[:, 104:].mean() < 0.2
    assert seen.visible[10:-10, 10:80].mean() > 0.9


def test_an_estimator_that_cannot_refine_leaves_the_chained_flow_alone() -> None:
    first, second = panning(2, step=3)
    chained = np.full((96, 128, 2), 1.5, np.float32)

    flow, left = improve(first, second, chained, StillFlow())

    assert flow is chained
    np.testing.assert_array_equal(left, mismatch(first, second, chained))


def test_refining_keeps_what_already_fits_and_mends_the_rest() -> None:
    first, second = panning(2, step=3)
    guess = np.zeros((96, 128, 2), np.float32)
    guess[..., 0] = np.where(np.arange(128) < 64, -3, -1)

    flow, left = improve(first, second, guess, DisFlow())

    assert np.abs(flow[20:-20, 20:110, 0] + 3).mean() < 0.3
    assert (left <= mismatch(first, second, guess)).all()


def test_of_two_pixels_that_lead_to_one_place_the_better_match_is_visible() -> None:
    flow = np.zeros((8, 40, 2), np.float32)
    flow[:, 20:28, 0] = -10
    unlike = np.zeros((8, 40), np.float32)
    unlike[:, 10:18] = 50

    visible = visibility(flow, unlike)

    assert (visible[:, 11:17] == 0).all()
    assert (visible[:, 21:27] == 1).all()
    assert (visible[:, 29:] == 1).all()


def test_what_lies_outside_the_key_is_hidden() -> None:
    flow = np.zeros((8, 40, 2), np.float32)
    flow[..., 0] = 6

    visible = visibility(flow, np.zeros((8, 40), np.float32))

    assert (visible[:, :32] == 1).all()
    assert (visible[:, 36:] == 0).all()
