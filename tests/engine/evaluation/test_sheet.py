"""Where crops are taken, and what of."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from fresco_engine.evaluation.evaluate import Moment, Step
from fresco_engine.evaluation.motion import Motion
from fresco_engine.evaluation.sheet import FRAMES, MovingRegions, Region, draw_sheet
from fresco_media.types import Image

from tests.engine.evaluation.conftest import KnownPan, pan, texture


def _moving_square(count: int, left: int) -> list[Step]:
    """A still picture in which a square of 24 pixels moves, but for 3 still frames at first."""
    picture = texture(96, 128)
    steps = [Step(Moment(0, picture, {}), None)]
    for index in range(1, count):
        flow = np.zeros((96, 128, 2), np.float32)
        if index > 3:
            flow[40:64, left : left + 24, 0] = -2
        motion = Motion(-flow, flow, np.ones((96, 128), np.bool_))
        steps.append(Step(Moment(index, picture, {}), motion))
    return steps


def _regions(steps: list[Step]) -> list[Region]:
    regions = MovingRegions()
    for step in steps:
        regions.add(step)
    return regions.chosen()


def test_the_region_lies_where_and_when_the_source_moves() -> None:
    first = _regions(_moving_square(9, left=72))[0]

    assert first.index >= 3
    assert abs(first.left - 72) <= 2
    assert abs(first.top - 40) <= 2


def test_regions_are_apart_in_time_or_place() -> None:
    one, two = _regions(_moving_square(24, left=72))

    assert one.is_apart_from(two)
    assert two.index - one.index >= FRAMES


def test_no_region_reaches_over_a_cut() -> None:
    steps = _moving_square(12, left=72)
    steps[7] = Step(steps[7].moment, None)

    for region in _regions(steps):
        assert not region.index < 7 <= region.index + FRAMES - 1


def test_nothing_is_drawn_where_nothing_moves() -> None:
    assert _regions(_moving_square(4, left=72)) == []
    assert draw_sheet([], lambda _start, _stop: []) is None


def test_the_sheet_has_a_row_for_the_source_and_each_result() -> None:
    sources = pan(7)
    known = KnownPan(sources)
    dark: list[Image] = [np.zeros_like(one) for one in sources]
    moments = [Moment(i, one, {"dark": dark[i]}) for i, one in enumerate(sources)]
    steps = [Step(moments[0], None)] + [
        Step(after, Motion.between(before.source, after.source, known))
        for before, after in pairwise(moments)
    ]

    sheet = draw_sheet(_regions(steps)[:1], lambda start, stop: moments[start:stop])

    assert sheet is not None
    upper, lower = np.array_split(sheet[:, -300:-20], 2)
    assert upper.mean() > 80
    assert lower.mean() < 20
