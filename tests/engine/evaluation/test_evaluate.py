"""All figures of several results in one pass."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from fresco_engine.evaluation.evaluate import Evaluation, Measuring, Moment, evaluate
from fresco_engine.evaluation.flicker import KeyframePlan
from fresco_engine.evaluation.steadiness import pixel_mse
from fresco_media.types import Image

from tests.engine.evaluation.conftest import HEIGHT, WIDTH, KnownPan, pan, texture


def _evaluated(
    sources: list[Image],
    results: dict[str, list[Image]],
    *,
    start: int = 0,
    subject: np.ndarray | None = None,
    shot_starts: tuple[int, ...] = (),
    keyframes: KeyframePlan | None = None,
    reference: str | None = None,
) -> dict[str, Evaluation]:
    moments = (
        Moment(start + i, source, {name: shown[i] for name, shown in results.items()}, subject)
        for i, source in enumerate(sources)
    )
    measuring = Measuring(
        estimator=KnownPan(sources),
        shot_starts=frozenset(shot_starts),
        keyframes=keyframes,
        reference=reference,
    )
    run = evaluate(moments, measuring)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return {one.name: one for one in end.value}


def _blurred(images: list[Image], sigma: float = 2.0) -> list[Image]:
    return [np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8) for image in images]


def test_the_source_itself_comes_first_and_results_keep_their_order(sources: list[Image]) -> None:
    found = _evaluated(sources, {"b": pan(seed=1), "a": pan(seed=2)})

    assert list(found) == ["source", "b", "a"]
    assert {one.frame_count for one in found.values()} == {4}


def test_a_result_that_is_the_source_has_the_figures_of_the_source(sources: list[Image]) -> None:
    found = _evaluated(sources, {"same": sources})

    same, source = found["same"].as_dict(), found["source"].as_dict()
    assert same.pop("spatial_consistency") == pytest.approx(0, abs=1e-6)
    assert source.pop("spatial_consistency") is None
    assert same | {"name": "source"} == source
    assert same["sharpness"] == 1


def test_a_steady_result_beats_one_that_sticks_and_one_that_flickers(sources: list[Image]) -> None:
    flickering = [texture(seed=seed) for seed in range(4)]

    found = _evaluated(
        sources, {"steady": pan(seed=1), "stuck": [texture(seed=1)] * 4, "flickers": flickering}
    )

    steady, stuck, flickers = (found[name] for name in ("steady", "stuck", "flickers"))
    assert steady.pixel_mse == steady.warp_error == steady.sticking == 0
    assert stuck.sticking == 1
    assert 0.4 < flickers.sticking < 0.6
    assert stuck.pixel_mse > 0.001
    assert flickers.pixel_mse > stuck.pixel_mse


def test_pixel_mse_of_the_pass_is_pixel_mse_alone(sources: list[Image]) -> None:
    results = [texture(seed=seed) for seed in range(4)]

    found = _evaluated(sources, {"result": results})

    alone = pixel_mse(zip(sources, results, strict=True), KnownPan(sources))
    assert found["result"].pixel_mse == alone


def test_a_slow_drift_shows_in_the_warp_error_more_than_from_frame_to_frame() -> None:
    sources, drift, jitter = pan(8), pan(8, seed=1), pan(8, seed=1)
    for index in range(8):
        drift[index] = np.clip(drift[index].astype(int) + 4 * index, 0, 255).astype(np.uint8)
        jitter[index] = np.clip(jitter[index].astype(int) + 4 * (index % 2), 0, 255).astype(
            np.uint8
        )

    found = _evaluated(sources, {"drift": drift, "jitter": jitter})

    assert found["drift"].pixel_mse == pytest.approx(found["jitter"].pixel_mse, rel=0.1)
    assert found["drift"].warp_error > 2 * found["jitter"].warp_error


def test_a_blurred_result_is_less_sharp_than_source_and_reference(sources: list[Image]) -> None:
    sharp = pan(seed=1)

    found = _evaluated(
        sources, {"soft": _blurred(sharp), "frame by frame": sharp}, reference="frame by frame"
    )

    assert found["soft"].sharpness < 0.5
    assert found["soft"].sharpness_to_reference < 0.5
    assert found["frame by frame"].sharpness_to_reference == 1
    assert 0.8 < found["frame by frame"].sharpness < 1.25


def test_a_blurred_background_shows_outside_the_mask(sources: list[Image]) -> None:
    subject = np.zeros((HEIGHT, WIDTH), np.bool_)
    subject[:, :32] = True
    soft = [frame.copy() for frame in sources]
    for frame, blurred in zip(soft, _blurred(sources), strict=True):
        frame[:, 32:] = blurred[:, 32:]

    found = _evaluated(sources, {"soft": soft}, subject=subject)["soft"]

    assert found.sharpness_inside > 0.95
    assert found.sharpness_outside < 0.5
    assert math.isnan(found.sharpness_inside_to_reference)


def test_nothing_is_compared_across_a_cut(sources: list[Image]) -> None:
    other = pan(seed=5)
    results = [*pan(seed=1), *(255 - one for one in pan(seed=2))]

    found = _evaluated([*sources, *other], {"result": results}, shot_starts=(0, 4))

    assert found["result"].pixel_mse == 0
    assert found["result"].warp_error == 0


def test_a_step_at_every_keyframe_is_flicker_there() -> None:
    sources, results = pan(9), pan(9, seed=1)
    results[4] = np.clip(results[4].astype(int) + 20, 0, 255).astype(np.uint8)
    for index in range(9):
        noise = np.random.default_rng(index).integers(0, 3, results[index].shape)
        results[index] = np.clip(results[index] + noise, 0, 255).astype(np.uint8)

    found = _evaluated(
        sources,
        {"result": results},
        start=100,
        keyframes=KeyframePlan(frozenset({100, 104, 108})),
    )

    assert found["result"].flicker_at_keyframes > 10
    assert math.isnan(found["result"].flicker_at_batches)


def test_another_look_in_the_next_batch_is_flicker_at_batches_only() -> None:
    sources, results = pan(9), pan(9, seed=1)
    # A change that goes on evenly from frame 4 to frame 6, the keyframes of two batches.
    for index, lighter in enumerate((0, 0, 0, 0, 0, 15, 30, 30, 30)):
        noise = np.random.default_rng(index).integers(0, 5, results[index].shape)
        results[index] = np.clip(results[index] + noise + lighter, 0, 255).astype(np.uint8)

    found = _evaluated(
        sources,
        {"result": results},
        keyframes=KeyframePlan(frozenset({0, 2, 4, 6, 8}), frozenset({6})),
    )

    assert found["result"].flicker_at_batches > 10


def test_what_could_not_be_had_is_none_in_json(sources: list[Image]) -> None:
    values = _evaluated(sources[:1], {"result": sources[:1]})["result"].as_dict()

    assert values["pixel_mse"] is None
    assert values["sticking"] is None
    assert values["sharpness"] == 1
