"""No pair is worked out twice while it is remembered, whoever asks, in whichever order."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import Flow, Pair, PairEstimator, TrackingEstimator, flows_of
from fresco_engine.correspondence.shared_flow import SharedFlow
from fresco_media.types import Image

_FLOW_BYTES = 2 * 8 * 12 * 2 * 4
"""Both ways of one pair of the pictures below."""


class _Numbered:
    """Tells which pair was asked for: there (first, second), back (second, first)."""

    def __init__(self) -> None:
        self.asked: list[list[tuple[int, int]]] = []

    def both_ways(self, pairs: Sequence[Pair]) -> list[tuple[Flow, Flow]]:
        numbers = [(int(one[0, 0, 0]), int(two[0, 0, 0])) for one, two in pairs]
        self.asked.append(numbers)
        return [(_flow(one, two), _flow(two, one)) for one, two in numbers]

    def at_once(self, height: int, width: int) -> int:
        return 2


def _flow(one: int, two: int) -> Flow:
    return np.broadcast_to(np.array([one, two], np.float32), (8, 12, 2)).copy()


def _picture(number: int) -> Image:
    return np.full((8, 12, 3), number, np.uint8)


def _numbers(flow: Flow) -> tuple[float, ...]:
    return tuple(flow[0, 0].tolist())


def test_a_pair_is_known_again_by_what_it_shows_in_either_order() -> None:
    finder = _Numbered()
    shared = SharedFlow(finder)

    there = shared(_picture(1), _picture(2))
    back = shared(_picture(2), _picture(1))
    both = shared.both_ways([(_picture(2), _picture(1))])

    assert _numbers(there) == (1, 2)
    assert _numbers(back) == (2, 1)
    assert [_numbers(way) for way in both[0]] == [(2, 1), (1, 2)]
    assert finder.asked == [[(1, 2)]]


def test_only_what_is_missing_is_asked_for_and_that_at_once() -> None:
    finder = _Numbered()
    shared = SharedFlow(finder)
    shared(_picture(1), _picture(2))

    wanted = [(2, 1), (3, 4), (4, 3), (5, 6), (3, 4)]
    flows = shared.both_ways([(_picture(one), _picture(two)) for one, two in wanted])

    assert finder.asked[1:] == [[(3, 4), (5, 6)]]
    assert [_numbers(there) for there, _ in flows] == wanted
    assert [_numbers(back) for _, back in flows] == [pair[::-1] for pair in wanted]


def test_what_is_kept_is_bounded_and_the_latest_stays() -> None:
    finder = _Numbered()
    shared = SharedFlow(finder, held_bytes=2 * _FLOW_BYTES)
    for number in (2, 3):
        shared(_picture(1), _picture(number))
    shared(_picture(1), _picture(2))

    shared(_picture(1), _picture(4))
    finder.asked.clear()
    shared(_picture(1), _picture(2))
    shared(_picture(1), _picture(3))

    assert finder.asked == [[(1, 3)]]


def test_a_request_larger_than_what_is_kept_is_answered_whole() -> None:
    shared = SharedFlow(_Numbered(), held_bytes=_FLOW_BYTES)
    shared(_picture(0), _picture(1))

    flows = shared.both_ways([(_picture(i), _picture(i + 1)) for i in range(5)])

    assert [_numbers(there) for there, _ in flows] == [(i, i + 1) for i in range(5)]


def test_threads_that_ask_for_one_pair_have_it_worked_out_once() -> None:
    finder = _Numbered()
    shared = SharedFlow(finder)

    with ThreadPoolExecutor(8) as threads:
        flows = list(threads.map(lambda _: shared(_picture(1), _picture(2)), range(32)))

    assert {_numbers(flow) for flow in flows} == {(1, 2)}
    assert finder.asked == [[(1, 2)]]


def test_pictures_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="no flow between"):
        SharedFlow(_Numbered())(_picture(1), np.zeros((8, 13, 3), np.uint8))


def test_a_ring_is_asked_for_at_once_and_the_next_batch_knows_its_last_link() -> None:
    finder = _Numbered()
    shared = SharedFlow(finder)

    correspond([_picture(i) for i in (0, 1, 2)], shared)
    following = correspond([_picture(i) for i in (0, 2, 3)], shared)

    assert finder.asked == [[(0, 1), (1, 2), (2, 0)], [(2, 3), (3, 0)]]
    assert following.forward[:, :, 0, 0].tolist() == [[0, 2], [2, 3], [3, 0]]


def test_flows_of_many_pairs_are_found_as_many_at_a_time_as_the_estimator_says() -> None:
    finder = _Numbered()
    pairs = [(_picture(i + 1), _picture(i)) for i in range(5)]

    flows = flows_of(pairs, SharedFlow(finder))
    first = next(flows)
    asked_first = list(finder.asked)

    assert _numbers(first) == (1, 0)
    assert asked_first == [[(1, 0), (2, 1)]]
    assert [_numbers(flow) for flow in flows] == [(2, 1), (3, 2), (4, 3), (5, 4)]
    assert [len(part) for part in finder.asked] == [2, 2, 1]


def test_a_guess_is_refined_by_dense_inverse_search() -> None:
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (12, 16, 3), np.uint8)
    wide = np.repeat(np.repeat(coarse, 8, 0), 8, 1)
    first, second = wide[:, 3:123], wide[:, :120]
    guess = np.zeros((96, 120, 2), np.float32)

    refined = SharedFlow(_Numbered()).refine(first, second, guess)

    assert np.abs(np.median(refined[20:-20, 20:-20], (0, 1)) - [3, 0]).max() < 0.5


def test_it_is_asked_for_pairs_and_not_led_through_the_frames_between() -> None:
    shared = SharedFlow(_Numbered())

    assert isinstance(shared, PairEstimator)
    assert not isinstance(shared, TrackingEstimator)
