"""From keyframes to the frames between them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest
from fresco_engine.correspondence.flow import DisFlow, Flow
from fresco_engine.interpolation.propagate import FlowInterpolator, InterpolatedFrame, Segment
from fresco_media.types import Image

LENGTH = 9
SIDE = 40


def texture(height: int, width: int, seed: int) -> Image:
    noise = np.random.default_rng(seed).standard_normal((height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def scene(index: int) -> Image:
    """A square crossing a slowly panning background, so that both ways pixels get hidden."""
    background = texture(128, 200, seed=0)[:, index : index + 160].copy()
    left = 15 + 8 * index
    background[44 : 44 + SIDE, left : left + SIDE] = 255 - texture(SIDE, SIDE, seed=1) // 2
    return background


def restyled(image: Image) -> Image:
    """A deterministic look: colours turned round, tones pressed together."""
    return (230 - 0.7 * image[..., [2, 0, 1]].astype(np.float32)).astype(np.uint8)


@pytest.fixture(scope="module")
def sources() -> list[Image]:
    return [scene(index) for index in range(LENGTH)]


@pytest.fixture(scope="module")
def restyled_frames(sources: list[Image]) -> list[InterpolatedFrame]:
    segment = Segment(sources, restyled(sources[0]), restyled(sources[-1]))
    return list(FlowInterpolator(DisFlow())(segment))


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    error = np.mean((first.astype(np.float64) - second.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def test_the_frames_between_two_keys_come_in_order_each_once(
    restyled_frames: list[InterpolatedFrame],
) -> None:
    assert [frame.offset for frame in restyled_frames] == list(range(1, LENGTH - 1))


def test_with_sources_as_keys_the_frames_between_are_close_to_the_sources(
    sources: list[Image],
) -> None:
    frames = list(FlowInterpolator(DisFlow())(Segment(sources, sources[0], sources[-1])))

    worst = min(psnr(frame.image, sources[frame.offset]) for frame in frames)

    assert worst > 27


def test_withheld_frames_are_met_far_better_than_by_cross_fading(
    sources: list[Image], restyled_frames: list[InterpolatedFrame]
) -> None:
    first, last = restyled(sources[0]).astype(float), restyled(sources[-1]).astype(float)
    for frame in restyled_frames:
        truth = restyled(sources[frame.offset])
        share = frame.offset / (LENGTH - 1)
        assert psnr(frame.image, truth) > psnr((1 - share) * first + share * last, truth) + 6


def test_background_uncovered_by_the_square_comes_from_the_key_that_shows_it(
    sources: list[Image], restyled_frames: list[InterpolatedFrame]
) -> None:
    frame = restyled_frames[LENGTH // 2 - 1]
    truth = restyled(sources[frame.offset])
    left = 15 + 8 * frame.offset

    uncovered = slice(44, 44 + SIDE), slice(left - 16, left - 4)

    assert psnr(frame.image[uncovered], truth[uncovered]) > 24


def test_nothing_pops_along_the_segment(
    sources: list[Image], restyled_frames: list[InterpolatedFrame]
) -> None:
    truth = [restyled(source) for source in sources]
    whole = [truth[0], *(frame.image for frame in restyled_frames), truth[-1]]

    changes = [_change(a, b) for a, b in pairwise(whole)]
    true_changes = [_change(a, b) for a, b in pairwise(truth)]

    assert max(changes) < 1.25 * max(true_changes)


def _change(first: Image, second: Image) -> float:
    return float(np.abs(first.astype(int) - second).mean())


def test_keys_of_unlike_brightness_cross_fade_evenly() -> None:
    still = [texture(64, 96, seed=3)] * 7
    dark, light = still[0] // 2, still[0] // 2 + 60

    frames = list(FlowInterpolator(DisFlow())(Segment(still, dark, light)))

    means = [dark.mean(), *(frame.image.mean() for frame in frames), light.mean()]
    np.testing.assert_allclose(np.diff(means), 10, atol=2)


@pytest.mark.parametrize("side", ["first", "last"])
def test_one_key_alone_carries_the_segment(sources: list[Image], side: str) -> None:
    short = sources[:5]
    keys = (restyled(short[0]), None) if side == "first" else (None, restyled(short[-1]))
    expected = range(1, 5) if side == "first" else range(4)

    frames = list(FlowInterpolator(DisFlow())(Segment(short, *keys)))

    assert [frame.offset for frame in frames] == list(expected)
    for frame in frames:
        assert psnr(frame.image, restyled(short[frame.offset])) > 20


def test_a_segment_without_frames_between_yields_nothing(sources: list[Image]) -> None:
    pair = Segment(sources[:2], sources[0], sources[1])

    assert list(FlowInterpolator(DisFlow())(pair)) == []


def test_the_error_map_is_high_where_no_key_shows_the_source() -> None:
    sources = [texture(96, 128, seed=5)] * 5
    flash = sources[0].copy()
    flash[30:60, 40:80] = 255
    segment = Segment([*sources[:2], flash, *sources[3:]], sources[0], sources[-1])

    frame = list(FlowInterpolator(DisFlow())(segment))[1]

    assert frame.error.shape == (96, 128)
    assert frame.error.dtype == np.float32
    assert frame.error[36:54, 46:74].mean() > 10 * frame.error[70:, :].mean()


def test_the_same_segment_gives_the_same_pixels(
    sources: list[Image], restyled_frames: list[InterpolatedFrame]
) -> None:
    segment = Segment(sources, restyled(sources[0]), restyled(sources[-1]))

    again = list(FlowInterpolator(DisFlow())(segment))

    for one, other in zip(restyled_frames, again, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


class StillFlow:
    """Believes that nothing ever moves; cannot refine."""

    def __call__(self, first: Image, second: Image) -> Flow:
        return np.zeros((*first.shape[:2], 2), np.float32)


def test_any_flow_estimator_will_do() -> None:
    still = [texture(64, 80, seed=4)] * 4
    key = restyled(still[0])

    frames = list(FlowInterpolator(StillFlow())(Segment(still, key, key)))

    assert min(psnr(frame.image, key) for frame in frames) > 45


def test_closing_the_iterator_ends_it(sources: list[Image]) -> None:
    frames = FlowInterpolator(DisFlow())(Segment(sources, sources[0], sources[-1]))
    next(frames)

    frames.close()

    assert next(frames, None) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda frames: Segment(frames, None, None),
        lambda frames: Segment(frames, frames[0][:-8], frames[-1]),
    ],
    ids=["no key", "sizes differ"],
)
def test_an_impossible_segment_is_refused(
    sources: list[Image], make: Callable[[list[Image]], Segment]
) -> None:
    with pytest.raises(ValueError, match=r"segment"):
        make(sources)
