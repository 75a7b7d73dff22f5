from collections.abc import Callable

import numpy as np
import pytest
import torch
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import Flow
from fresco_media.types import Image

Texture = Callable[..., Image]


class _Asked:
    """Answers with a flow that tells which pair was asked for, and remembers the pairs."""

    def __init__(self) -> None:
        self.pairs: list[tuple[int, int]] = []

    def __call__(self, first: Image, second: Image) -> Flow:
        pair = int(first[0, 0, 0]), int(second[0, 0, 0])
        self.pairs.append(pair)
        return np.broadcast_to(np.array(pair, np.float32), (*first.shape[:2], 2)).copy()


def _numbered(count: int) -> list[Image]:
    return [np.full((8, 12, 3), i, np.uint8) for i in range(count)]


def _pairs(flow: torch.Tensor) -> list[tuple[float, ...]]:
    return [tuple(one) for one in flow[:, :, 0, 0].tolist()]


def test_frames_are_closed_into_a_ring() -> None:
    corr = correspond(_numbered(4), _Asked())

    assert _pairs(corr.forward) == [(0, 1), (1, 2), (2, 3), (3, 0)]
    assert _pairs(corr.backward) == [(1, 0), (2, 1), (3, 2), (0, 3)]


def test_two_frames_are_estimated_once_each_way() -> None:
    estimator = _Asked()

    corr = correspond(_numbered(2), estimator)

    assert sorted(estimator.pairs) == [(0, 1), (1, 0)]
    assert _pairs(corr.forward) == [(0, 1), (1, 0)]
    assert _pairs(corr.backward) == [(1, 0), (0, 1)]


def test_a_lone_frame_corresponds_to_itself() -> None:
    estimator = _Asked()

    corr = correspond(_numbered(1), estimator)

    assert estimator.pairs == []
    assert corr.frame_count == 1
    assert not corr.forward.any()
    assert not corr.occluded_forward.any()
    assert not corr.foreground.any()


def test_known_tracks_leave_only_the_ring_to_be_closed() -> None:
    estimator = _Asked()
    known = [(np.full((8, 12, 2), 7, np.float32), np.full((8, 12, 2), -7, np.float32))] * 2

    corr = correspond(_numbered(3), estimator, tracks=known)

    assert estimator.pairs == [(2, 0), (0, 2)]
    assert _pairs(corr.forward) == [(7, 7), (7, 7), (2, 0)]


def test_the_wrong_number_of_tracks_is_refused() -> None:
    with pytest.raises(ValueError, match="3 frames have 2 steps, not 0"):
        correspond(_numbered(3), _Asked(), tracks=[])


def test_no_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="no frames"):
        correspond([], _Asked())


def test_shapes_and_ranges_are_as_promised(texture: Texture, known_flow: type) -> None:
    frames = [texture(24, 40, seed) for seed in range(3)]

    corr = correspond(frames, known_flow(1, 0))

    assert corr.size == (24, 40)
    assert corr.forward.shape == corr.backward.shape == (3, 2, 24, 40)
    for mask in (corr.occluded_forward, corr.occluded_backward, corr.foreground):
        assert mask.shape == (3, 24, 40)
        assert mask.dtype == torch.bool
    assert torch.equal(corr.colours[1, :, 5, 6] * 255, torch.tensor(frames[1][5, 6]).float())


def test_occlusion_is_told_for_both_ways(texture: Texture, known_flow: type) -> None:
    wide = texture(16, 60)
    frames = [wide[:, 10:50], wide[:, 5:45]]

    class Shift:
        def __call__(self, first: Image, second: Image) -> Flow:
            sign = 1 if first is frames[0] else -1
            return known_flow(5 * sign, 0)(first, second)

    corr = correspond(frames, Shift())

    assert corr.occluded_forward[0, :, -5:].all()
    assert not corr.occluded_forward[0, :, :-5].any()
    assert corr.occluded_backward[0, :, :5].all()
    assert not corr.occluded_backward[0, :, 5:].any()
    assert torch.equal(corr.occluded_forward[1], corr.occluded_backward[0])


def test_resizing_scales_the_vectors_and_is_done_once(texture: Texture, known_flow: type) -> None:
    corr = correspond([texture(32, 48)] * 3, known_flow(8, 4))

    small = corr.at(8, 12)

    assert small is corr.at(8, 12)
    assert corr.at(32, 48) is corr
    assert small.size == (8, 12)
    assert _pairs(small.forward) == [(2, 1)] * 3
    assert torch.allclose(small.colours.mean((2, 3)), corr.colours.mean((2, 3)), atol=1e-5)
