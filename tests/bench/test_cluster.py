"""The model of a cluster: what it says where that can be known otherwise."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.cluster import FIGURES, tables, with_values
from bench.cluster_check import CheckedRun
from bench.cluster_model import (
    ClusterFigures,
    Forecast,
    ModelledClip,
    film,
    floor_s,
    ideal_s,
    seconds_of,
    simulate,
)

FIGURE = ClusterFigures(
    analysis_s=0.01,
    step_s=1.0,
    frame_s=0.5,
    encode_s=0.0,
    metrics_s=0.0,
    part_s=0.0,
    answer_s=0.0,
    load_s=0.0,
    start_s=0.0,
    clip_bytes=0.0,
    bandwidth=1e15,
    latency_s=0.0,
)


def shots_of(lengths: list[int], gap: int = 10) -> ModelledClip:
    """A clip with shots of these lengths."""
    edges = [sum(lengths[:place]) for place in range(len(lengths) + 1)]
    shots = tuple(pairwise(edges))
    keys = tuple(tuple(sorted({*range(a, b, gap), b - 1})) for a, b in shots)
    return ModelledClip(shots=shots, keyframes=keys, steps=5)


def test_on_one_device_everything_is_done_one_after_the_other() -> None:
    clip = shots_of([21, 41])

    told = simulate(clip, 1, FIGURE)

    assert told.planned_s == pytest.approx(0.62)
    assert told.made_s == pytest.approx(0.62 + sum(seconds_of(p, FIGURE) for p in clip.parts))
    # Eight keyframes in two batches of five steps each, and 54 frames.
    assert told.made_s == pytest.approx(0.62 + 8 * 5 + 54 * 0.5)


def test_equal_shots_are_as_many_times_as_fast_on_as_many_devices() -> None:
    clip = shots_of([21] * 8)

    assert ideal_s(clip, 1, FIGURE) == pytest.approx(8 * ideal_s(clip, 8, FIGURE))
    assert ideal_s(clip, 9, FIGURE) <= ideal_s(clip, 8, FIGURE)


def test_batches_of_a_shot_wait_for_each_other_however_many_devices_there_are() -> None:
    clip = shots_of([127], 2)

    batches = [part for part in clip.parts if hasattr(part, "batch")]
    chain = sum(seconds_of(part, FIGURE) for part in batches)

    assert len(batches) > 5
    assert ideal_s(clip, 256, FIGURE) == pytest.approx(chain + 0.5)


def test_a_long_clip_is_encoded_while_it_is_made() -> None:
    """Spans that are about as long are made in the clip's order, not the longest of all first."""
    clip = film(600)
    figures = replace(FIGURE, encode_s=0.05)

    told = simulate(clip, 8, figures)

    assert told.encoded_s - told.made_s < 0.1 * clip.frames * figures.encode_s


def test_what_the_daemon_does_alone_is_never_shorter() -> None:
    clip, figures = film(60), replace(FIGURE, encode_s=1.0, metrics_s=0.5, start_s=7.0, load_s=3.0)

    told = simulate(clip, 256, figures)

    assert told.total_s >= floor_s(clip, figures)
    assert told.total_s - told.encoded_s == pytest.approx(clip.frames * 0.5)


def test_a_slow_link_is_shared_by_all_devices() -> None:
    clip = shots_of([21] * 8)
    figures = replace(FIGURE, bandwidth=1e6, frame_bytes=1e6)
    frames = sum(len(span.frames) for span in clip.spans)

    assert simulate(clip, 64, figures).made_s > frames
    assert simulate(clip, 64, replace(figures, bandwidth=1e9)).made_s < frames


def test_a_clip_is_sent_to_every_machine_once() -> None:
    clip = shots_of([21] * 8)
    figures = replace(FIGURE, bandwidth=1e6, clip_bytes=1e6, machine_devices=4)

    # Nothing is planned before it is there; then the second machine gets it, beside other work.
    assert simulate(clip, 4, figures).planned_s >= clip.frames
    assert simulate(clip, 8, figures).busy_s == pytest.approx(simulate(clip, 4, figures).busy_s)


def test_ten_hours_have_about_a_hundred_thousand_parts() -> None:
    clip = film(36000)

    assert clip.frames == 864_000
    assert 50_000 < len(clip.parts) < 200_000
    assert sum(len(span.frames) + span.has_last for span in clip.spans) == clip.frames


def test_the_tables_say_where_it_stops_paying() -> None:
    known = FIGURES["bundled"]

    text = tables(known, {"1 min": 60}, (1, 4, 256))

    assert "| clip | 1 | 4 | 256 |" in text
    assert "| 1 min | 100% |" in text
    assert "pays up to 4 devices" in text


def test_figures_are_given_by_name() -> None:
    assert with_values(FIGURE, ["frame_s=2.5"]) == replace(FIGURE, frame_s=2.5)
    with pytest.raises(SystemExit, match="there is no 'frames'"):
        with_values(FIGURE, ["frames=1"])
    with pytest.raises(SystemExit, match="NAME=VALUE"):
        with_values(FIGURE, ["frame_s"])


def test_cost_is_that_of_devices_which_are_there_until_the_end() -> None:
    told = Forecast(devices=4, planned_s=0.0, made_s=0.0, encoded_s=0.0, total_s=7200.0, busy_s=0.0)

    assert told.cost(replace(FIGURE, price=2.5)) == pytest.approx(20.0)
    run = CheckedRun(devices=4, predicted_s=9.0, measured_s=10.0)
    assert run.error == pytest.approx(0.1)
