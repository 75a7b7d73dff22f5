"""Which keyframes are translated together, and in which order."""

import itertools

import pytest
from fresco_engine.batches import Batch, Chain, keyframes_ahead, plan_batches
from hypothesis import given
from hypothesis import strategies as st

BATCH_SIZES = (1, 3, 4, 5, 6, 7, 8, 9)


@pytest.mark.parametrize("size", BATCH_SIZES)
def test_every_keyframe_is_new_exactly_once_in_batches_of_the_allowed_size(size: int) -> None:
    for count in range(61):
        keyframes = [3 * i + 1 for i in range(count)]

        batches = plan_batches(keyframes, size)

        assert [k for batch in batches for k in batch.new] == keyframes
        assert all(batch.new for batch in batches)
        assert all(len(batch.frames) <= size for batch in batches)
        assert all(len(batch.frames) >= min(3, count, size) for batch in batches)


@pytest.mark.parametrize("size", BATCH_SIZES[1:])
def test_later_batches_are_anchored_to_the_first_keyframe_and_the_batch_before(size: int) -> None:
    for count in range(1, 61):
        keyframes = list(range(count))

        batches = plan_batches(keyframes, size)

        assert batches[0].anchors == ()
        for before, batch in itertools.pairwise(batches):
            assert batch.anchors == (0, before.new[-1])
            assert len(set(batch.frames)) == len(batch.frames)
            assert batch.frames == (*batch.anchors, *batch.new)


@pytest.mark.parametrize("size", BATCH_SIZES[1:])
@pytest.mark.parametrize("count", range(10, 61, 7))
def test_the_last_two_batches_are_about_as_long(count: int, size: int) -> None:
    batches = plan_batches(list(range(count)), size)

    assert len(batches[-2].frames) - len(batches[-1].frames) in (0, 1)


def test_batches_of_one_have_no_anchors() -> None:
    batches = plan_batches([2, 5, 9], 1)

    assert batches == (Batch((), (2,)), Batch((), (5,)), Batch((), (9,)))


@given(count=st.integers(1, 200), size=st.integers(1, 64).filter(lambda n: n != 2), data=st.data())
def test_what_is_left_after_any_batch_is_split_as_from_the_beginning(
    count: int, size: int, data: st.DataObject
) -> None:
    keyframes = tuple(3 * i for i in range(count))
    batches = plan_batches(keyframes, size)
    finished = data.draw(st.integers(0, len(batches)))

    done = sum(len(batch.new) for batch in batches[:finished])

    assert Chain(0, keyframes).batches(size, done) == batches[finished:]


@given(
    count=st.integers(1, 60),
    done=st.integers(0, 60),
    size=st.integers(1, 12).filter(lambda n: n != 2),
)
def test_any_keyframes_that_are_left_fit_into_batches_of_any_size(
    count: int, done: int, size: int
) -> None:
    keyframes = tuple(range(count))
    done = min(done, count)

    batches = Chain(0, keyframes).batches(size, done)

    assert [k for batch in batches for k in batch.new] == list(keyframes[done:])
    assert all(len(set(batch.frames)) == len(batch.frames) <= size for batch in batches)
    assert all(batch.frames == (*batch.anchors, *batch.new) for batch in batches)


AHEAD = {"count": st.integers(1, 150), "size": st.integers(3, 12), "every": st.integers(0, 5)}


@given(**AHEAD)
def test_what_goes_ahead_leaves_batches_between_that_need_nothing_else(
    count: int, size: int, every: int
) -> None:
    keyframes = tuple(3 * i for i in range(count))
    ahead = keyframes_ahead(keyframes, size, every)

    batches = plan_batches(keyframes, size, ahead)

    assert sorted(k for batch in batches for k in batch.new) == list(keyframes)
    assert all(len(set(batch.frames)) == len(batch.frames) <= size for batch in batches)
    known: set[int] = set()
    for batch in batches:
        assert known.issuperset(batch.anchors)
        assert all(key == 0 or key in ahead or key in known for key in batch.anchors)
        known |= set(batch.new) if batch.is_ahead else {batch.new[0], batch.new[-1]}
    closing = [key for batch in batches for key in batch.anchors[2:]]
    assert sorted(closing) == [b for a, b in itertools.pairwise(ahead) if b > a + 3]


@given(**AHEAD)
def test_less_is_to_be_done_one_after_the_other(count: int, size: int, every: int) -> None:
    keyframes = tuple(range(count))
    ahead = keyframes_ahead(keyframes, size, every)

    in_a_row = len(plan_batches(keyframes, size))
    batches = plan_batches(keyframes, size, ahead)

    if ahead:
        assert 1 + sum(batch.is_ahead for batch in batches) + every < in_a_row
    else:
        assert batches == plan_batches(keyframes, size)


@given(**AHEAD)
def test_keyframes_can_be_told_in_order_before_all_that_goes_ahead_is_done(
    count: int, size: int, every: int
) -> None:
    keyframes = tuple(range(count))
    ahead = keyframes_ahead(keyframes, size, every)

    waiting, told = set[int](), 0
    for batch in plan_batches(keyframes, size, ahead):
        waiting |= set(batch.new)
        while told in waiting:
            waiting.remove(told)
            told += 1
        assert len(waiting) <= size - 2  # What goes ahead waits for its turn, but not many do.

    assert (told, waiting) == (count, set())


def test_a_long_shot_with_anchors_first() -> None:
    keyframes = tuple(range(30))

    batches = plan_batches(keyframes, 8, keyframes_ahead(keyframes, 8, 1))

    assert batches == (
        Batch((), tuple(range(8))),
        Batch((0, 7), (13, 18, 23, 29), is_ahead=True),
        Batch((0, 7, 13), (8, 9, 10, 11, 12)),
        Batch((0, 13, 18), (14, 15, 16, 17)),
        Batch((0, 18, 23), (19, 20, 21, 22)),
        Batch((0, 23, 29), (24, 25, 26, 27, 28)),
    )


@given(st.integers(4, 60), st.integers(3, 9), st.data())
def test_anchors_that_lie_anywhere_are_followed_by_what_lies_between(
    count: int, size: int, data: st.DataObject
) -> None:
    keyframes = tuple(range(count))
    chosen = data.draw(st.sets(st.integers(0, count - 1), max_size=count))

    batches = plan_batches(keyframes, size, chosen)

    assert sorted(k for batch in batches for k in batch.new) == list(keyframes)
    known: set[int] = set()
    for batch in batches:
        assert known.issuperset(batch.anchors)
        assert len(set(batch.frames)) == len(batch.frames) <= size
        known |= set(batch.new)
