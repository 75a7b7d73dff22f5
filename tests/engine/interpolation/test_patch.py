"""Interpolation by patches, from keyframes to the frames between them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fresco_engine.correspondence.flow import DisFlow, Flow
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.patch import PatchInterpolator
from fresco_engine.interpolation.propagate import FlowInterpolator
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_media.types import Image

from tests.engine.interpolation.test_propagate import LENGTH, SIDE, psnr, restyled, scene


@pytest.fixture(scope="module")
def sources() -> list[Image]:
    return [scene(index) for index in range(LENGTH)]


@pytest.fixture(scope="module")
def segment(sources: list[Image]) -> Segment:
    return Segment(sources, restyled(sources[0]), restyled(sources[-1]))


@pytest.fixture(scope="module")
def frames(segment: Segment) -> list[InterpolatedFrame]:
    return list(PatchInterpolator(DisFlow("quick"))(segment))


def test_the_frames_between_two_keys_come_in_order_each_once(
    frames: list[InterpolatedFrame],
) -> None:
    assert [frame.offset for frame in frames] == list(range(1, LENGTH - 1))


def drawn(image: Image) -> Image:
    """A look that no map from colours to colours gives: black and white by the surroundings."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 5)
    tone = 255 / (1 + np.exp(-detail / 3))
    return np.repeat(tone[..., None], 3, axis=-1).astype(np.uint8)


def test_patches_come_nearer_to_the_truth_than_flow_alone(sources: list[Image]) -> None:
    segment = Segment(sources, drawn(sources[0]), drawn(sources[-1]))

    quality = [
        np.mean([psnr(frame.image, drawn(sources[frame.offset])) for frame in made(segment)])
        for made in (PatchInterpolator(DisFlow("quick")), FlowInterpolator(DisFlow("quick")))
    ]

    assert quality[0] > quality[1] + 0.1


def test_no_tearing_along_the_borders_of_what_moves(
    sources: list[Image], frames: list[InterpolatedFrame]
) -> None:
    for frame in frames:
        truth = restyled(sources[frame.offset])
        left = 15 + 8 * frame.offset
        border = np.zeros(truth.shape[:2], bool)
        border[38 : 50 + SIDE, left - 6 : left + SIDE + 6] = True
        border[50 : 38 + SIDE, left + 6 : left + SIDE - 6] = False
        assert psnr(frame.image[border], truth[border]) > 21


def test_the_same_segment_gives_the_same_pixels_on_any_number_of_cores(
    segment: Segment, frames: list[InterpolatedFrame]
) -> None:
    for workers in (1, 5):
        again = PatchInterpolator(DisFlow("quick"), workers=workers)(segment)
        for one, other in zip(frames, again, strict=True):
            np.testing.assert_array_equal(one.image, other.image)
            np.testing.assert_array_equal(one.error, other.error)


@pytest.mark.parametrize("side", ["first", "last"])
def test_one_key_alone_carries_the_segment(sources: list[Image], side: str) -> None:
    short = sources[:4]
    keys = (restyled(short[0]), None) if side == "first" else (None, restyled(short[-1]))
    expected = range(1, 4) if side == "first" else range(3)

    made = list(PatchInterpolator(DisFlow("quick"))(Segment(short, *keys)))

    assert [frame.offset for frame in made] == list(expected)
    for frame in made:
        assert psnr(frame.image, restyled(short[frame.offset])) > 22


def test_still_frames_are_the_key_itself(sources: list[Image]) -> None:
    key = restyled(sources[0])

    made = list(PatchInterpolator(DisFlow("quick"))(Segment([sources[0]] * 4, key, key)))

    assert min(psnr(frame.image, key) for frame in made) > 45


def test_cancelling_ends_the_frames_while_the_first_is_still_being_made(
    sources: list[Image], segment: Segment
) -> None:
    class Counting(DisFlow):
        calls = 0

        def __call__(self, first: Image, second: Image) -> Flow:
            Counting.calls += 1
            return super().__call__(first, second)

    cancelled = replace(segment, is_cancelled=lambda: Counting.calls >= 3)

    assert list(PatchInterpolator(Counting("quick"))(cancelled)) == []
    assert Counting.calls <= 4


def test_closing_the_iterator_ends_it(segment: Segment) -> None:
    made = PatchInterpolator(DisFlow("quick"))(segment)
    next(made)

    made.close()

    assert next(made, None) is None


def test_the_frames_reach_the_caller_where_no_estimator_can_refine(sources: list[Image]) -> None:
    class StillFlow:
        def __call__(self, first: Image, second: Image) -> Flow:
            return np.zeros((*first.shape[:2], 2), np.float32)

    key = restyled(sources[0])

    made = list(PatchInterpolator(StillFlow())(Segment([sources[0]] * 3, key, key)))

    assert psnr(made[0].image, key) > 45


@pytest.mark.parametrize(
    ("kind", "type_"), [("patch", PatchInterpolator), ("flow", FlowInterpolator)]
)
def test_interpolators_are_made_by_name(kind: str, type_: type) -> None:
    assert isinstance(make_interpolator(kind), type_)  # pyright: ignore[reportArgumentType]
