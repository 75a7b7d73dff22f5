import itertools
from fractions import Fraction

import cv2
import numpy as np
import pytest
from fresco_engine.errors import InvalidSettings
from fresco_engine.keyframes import (
    ClipAnalysis,
    analyse,
    find_shots,
    select_keyframes,
    with_chosen,
)
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Frame, Image
from hypothesis import given, settings
from hypothesis import strategies as st


def _scene(seed: int, size: int = 160) -> Image:
    """A picture with large and small structure of its own colours."""
    random = np.random.default_rng(seed)
    picture = np.zeros((size, 2 * size, 3), np.float32)
    for scale in (24.0, 8.0, 3.0):
        noise = random.normal(size=picture.shape).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), scale)
        picture += noise / noise.std()
    colours = random.uniform(40, 215, 3)
    return np.clip(colours + picture * random.uniform(15, 35, 3), 0, 255).astype(np.uint8)


def _frames(images: list[Image], start: int = 0) -> list[Frame]:
    return [Frame(start + i, Fraction(i, 24), image) for i, image in enumerate(images)]


def _pan(seed: int, count: int, step: int, size: int = 160) -> list[Image]:
    wide = _scene(seed, size)
    return [wide[:, i * step : i * step + size] for i in range(count)]


def _analysis(distances: list[float]) -> ClipAnalysis:
    return ClipAnalysis(0, tuple(distances), (0.0,) * len(distances))


def test_a_still_clip_has_no_distance_and_no_cut() -> None:
    clip = _frames([_scene(1)] * 7)

    analysis = analyse(clip)

    assert analysis.distances == (0.0,) * 7
    assert analysis.cut_scores == (0.0,) * 7


def test_no_frames_have_no_shots_and_no_keyframes() -> None:
    analysis = analyse([])

    shots = find_shots(analysis)

    assert shots == ()
    assert select_keyframes(analysis, shots, 5, 20) == ()


@pytest.mark.parametrize("lengths", [(12, 12), (4, 20, 7), (3, 3, 3)], ids=str)
def test_cuts_between_scenes_are_found_exactly(lengths: tuple[int, ...]) -> None:
    images = [image for seed, n in enumerate(lengths) for image in _pan(seed, n, 2)]

    shots = find_shots(analyse(_frames(images, start=100)))

    edges = 100 + np.cumsum([0, *lengths])
    assert shots == tuple((int(a), int(b)) for a, b in itertools.pairwise(edges))


def test_a_frame_between_two_cuts_belongs_to_a_shot_of_its_own_or_a_neighbour() -> None:
    images = [*_pan(0, 8, 1), _scene(1)[:, :160], *_pan(2, 8, 1)]

    shots = find_shots(analyse(_frames(images)))

    assert shots[0] == (0, 8)
    assert shots[-1][1] == 17


@pytest.mark.parametrize("step", [4, 12], ids=["pan", "whip pan"])
def test_fast_motion_is_no_cut(step: int) -> None:
    images = _pan(3, 160 // step, step)

    shots = find_shots(analyse(_frames(images)))

    assert shots == ((0, len(images)),)


def test_motion_that_begins_suddenly_is_no_cut() -> None:
    images = [*_pan(4, 1, 0) * 10, *_pan(4, 16, 9)]

    shots = find_shots(analyse(_frames(images)))

    assert shots == ((0, 26),)


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length: int) -> None:
    images = _pan(5, 20, 2)
    flashed = [
        np.clip(image.astype(int) * 2 + 70, 0, 255).astype(np.uint8)
        if 9 <= i < 9 + length
        else image
        for i, image in enumerate(images)
    ]

    shots = find_shots(analyse(_frames(flashed)))

    assert shots == ((0, 20),)


def test_lights_that_go_on_are_no_cut() -> None:
    images = [
        (image * (0.5 if i < 9 else 1.0)).astype(np.uint8) for i, image in enumerate(_pan(6, 20, 2))
    ]

    shots = find_shots(analyse(_frames(images)))

    assert shots == ((0, 20),)


def test_frames_smaller_than_the_analysis_are_compared_as_they_are() -> None:
    images = [*_pan(7, 6, 1, 24), *_pan(8, 6, 1, 24)]

    analysis = analyse(_frames(images))

    assert int(np.argmax(analysis.distances)) == 6


def _is_feasible(length: int, minimum: int, maximum: int) -> bool:
    """Whether gaps in [minimum, maximum] can add up to `length`."""
    return any(k * minimum <= length <= k * maximum for k in range(1, length + 1))


@settings(max_examples=100, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
    minimum=st.integers(1, 12),
    extra=st.integers(0, 15),
)
def test_gaps_stay_within_their_bounds_wherever_the_shot_allows(
    lengths: list[int], seed: int, minimum: int, extra: int
) -> None:
    maximum = minimum + extra
    distances = np.random.default_rng(seed).exponential(0.03, sum(lengths)).tolist()
    edges = np.cumsum([0, *lengths]).tolist()
    shots = tuple(itertools.pairwise(edges))

    keyframes = select_keyframes(_analysis(distances), shots, minimum, maximum)

    assert list(keyframes) == sorted(set(keyframes))
    for first, stop in shots:
        own = [k for k in keyframes if first <= k < stop]
        gaps = np.diff(own)
        assert own[0] == first
        assert own[-1] == stop - 1
        assert (gaps <= maximum).all()
        assert (gaps[:-1] >= minimum).all()
        if _is_feasible(stop - 1 - first, minimum, maximum):
            assert (gaps >= minimum).all()


def test_equal_bounds_sample_evenly_and_keep_the_last_frame() -> None:
    keyframes = select_keyframes(_analysis([0.1] * 26), ((0, 26),), 10, 10)

    assert keyframes == (0, 10, 20, 25)


def test_keyframes_are_source_indices() -> None:
    analysis = ClipAnalysis(50, (0.0,) * 12, (0.0,) * 12)

    keyframes = select_keyframes(analysis, ((50, 62),), 5, 20)

    assert keyframes == (50, 61)


def test_keyframes_are_denser_where_motion_is_large() -> None:
    distances = [0.005] * 60 + [0.05] * 60

    keyframes = np.array(select_keyframes(_analysis(distances), ((0, 120),), 5, 20))

    assert (keyframes >= 60).sum() >= 2 * (keyframes < 60).sum()


def test_a_still_shot_gets_as_few_keyframes_as_allowed() -> None:
    keyframes = select_keyframes(_analysis([0.0] * 101), ((0, 101),), 5, 20)

    assert len(keyframes) == 6


def test_what_is_chosen_by_hand_joins_the_ends_of_shots() -> None:
    shots = ((2, 10), (10, 30))
    by_hand = RestyleSettings(prompt="x", keyframes=(5, 12), keyframe_pictures={20: "/a.png"})

    assert with_chosen(by_hand.keyframes, by_hand, shots) == (2, 5, 9, 10, 12, 20, 29)
    assert with_chosen((2, 9, 10, 29), RestyleSettings(prompt="x"), shots) == (2, 9, 10, 29)


@pytest.mark.parametrize("index", [1, 30])
def test_a_chosen_frame_outside_of_the_range_is_refused(index: int) -> None:
    for by_hand in (
        RestyleSettings(prompt="x", keyframes=(index,)),
        RestyleSettings(prompt="x", keyframe_pictures={index: "/a.png"}),
    ):
        with pytest.raises(InvalidSettings, match=f"frame {index} is not among .* 2 to 29"):
            with_chosen((), by_hand, ((2, 30),))


def test_chosen_keyframes_lie_near_enough_for_a_segment_to_fit_into_memory() -> None:
    with pytest.raises(InvalidSettings, match="from 0 to 1999 are more than 1000 frames"):
        with_chosen((), RestyleSettings(prompt="x"), ((0, 2000),))
