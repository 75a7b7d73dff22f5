"""Pixel-MSE, warp error and sticking of results whose faults are known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from fresco_engine.evaluation.motion import FlowTrack, Motion
from fresco_engine.evaluation.steadiness import (
    Sticking,
    aligned_difference,
    aligned_error,
    pixel_errors,
    pixel_mse,
)
from fresco_media.types import Image

from tests.engine.evaluation.conftest import HEIGHT, WIDTH, KnownPan, pan, texture


def _sticking(sources: list[Image], results: list[Image], step: int = 4) -> Sticking:
    sticking, known = Sticking(), KnownPan(sources, step)
    for (one, two), (before, after) in zip(pairwise(sources), pairwise(results), strict=True):
        sticking.add(before, after, Motion.between(one, two, known))
    return sticking


def test_a_result_that_moves_with_its_source_has_no_error(sources: list[Image]) -> None:
    error = pixel_mse(zip(sources, pan(seed=1), strict=True), KnownPan(sources))

    assert error == 0


def test_a_result_that_stays_behind_has_an_error(sources: list[Image]) -> None:
    results = [texture(seed=1)] * 4

    error = pixel_mse(zip(sources, results, strict=True), KnownPan(sources))

    assert error > 0.001


def test_flicker_is_measured_on_the_scale_of_0_to_1() -> None:
    still = Motion.between(texture(), texture(), KnownPan([texture()]))
    dark, light = (np.full((HEIGHT, WIDTH, 3), value, np.uint8) for value in (0, 51))

    assert aligned_error(dark, light, still) == pytest.approx(0.04)
    assert aligned_difference(dark, light, still) == pytest.approx(0.2)


def test_what_the_frame_before_does_not_show_is_not_counted() -> None:
    sources, results = pan(2), pan(2, seed=1)
    results[1][:, -4:] = 255 - results[1][:, -4:]

    error = pixel_mse(zip(sources, results, strict=True), KnownPan(sources))

    assert error == 0


def test_a_single_frame_has_nothing_to_be_steady_against(sources: list[Image]) -> None:
    assert math.isnan(pixel_mse([(sources[0], sources[0])], KnownPan(sources)))


def test_a_result_of_another_size_is_refused(sources: list[Image]) -> None:
    pairs = [(sources[0], sources[1][:, :-1])]

    with pytest.raises(ValueError, match="cannot be held against"):
        list(pixel_errors(pairs, KnownPan(sources)))


def test_texture_glued_to_the_screen_sticks(sources: list[Image]) -> None:
    sticking = _sticking(sources, [texture(seed=1)] * 4)

    assert sticking.share == 1
    assert sticking.in_place == 0
    assert sticking.along_flow > 0.001


def test_texture_glued_to_the_object_does_not_stick(sources: list[Image]) -> None:
    sticking = _sticking(sources, pan(seed=1))

    assert sticking.share == 0
    assert sticking.in_place > 0.001


def test_texture_drawn_anew_for_each_frame_lies_half_way(sources: list[Image]) -> None:
    sticking = _sticking(sources, [texture(seed=seed) for seed in range(1, 5)])

    assert sticking.share == pytest.approx(0.5, abs=0.05)


def test_the_more_of_a_texture_stays_on_the_screen_the_more_it_sticks(
    sources: list[Image],
) -> None:
    glued, moving = texture(seed=2).astype(np.float32), pan(seed=1)

    def mixed(share: float) -> list[Image]:
        return [(share * glued + (1 - share) * one).astype(np.uint8) for one in moving]

    shares = [_sticking(sources, mixed(share)).share for share in (0.1, 0.3, 0.5, 0.7, 0.9)]

    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert shares[-1] > 0.9


def test_only_what_moves_in_the_source_can_stick() -> None:
    still = [texture()] * 3

    sticking = _sticking(still, [texture(seed=seed) for seed in (1, 2, 3)])

    assert math.isnan(sticking.share)
    assert math.isnan(sticking.in_place)


def test_a_track_follows_the_motion_over_all_its_steps() -> None:
    frames = pan(5)
    known, track = KnownPan(frames), FlowTrack(frames[0])

    steps = [Motion.between(one, two, known) for one, two in pairwise(frames)]
    *_, motion = [track.follow(step, two) for step, two in zip(steps, frames[1:], strict=True)]

    assert motion.backward[..., 0] == pytest.approx(16)
    assert motion.is_seen[:, : WIDTH - 16].all()
    assert not motion.is_seen[:, WIDTH - 15 :].any()
    assert aligned_error(frames[0], frames[4], motion) == 0
