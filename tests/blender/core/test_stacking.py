"""Room above a strip: what is lifted, and what may not be."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fresco_blender.core.stacking import CHANNELS, Room, Stack, StackItem
from fresco_blender.core.timing import Span
from hypothesis import given
from hypothesis import strategies as st

WANTED = Span(start=10, stop=20)


def _items(*places: tuple[int, int, int]) -> list[StackItem]:
    """From channel, first frame and the one past the last."""
    return [
        StackItem(number=number, channel=channel, span=Span(start=start, stop=stop))
        for number, (channel, start, stop) in enumerate(places)
    ]


def test_an_empty_channel_is_taken_and_nothing_moved() -> None:
    stack = Stack(items=_items((1, 0, 50), (2, 20, 30), (3, 0, 50)))

    assert stack.room(WANTED, above=1) == Room(channel=2)


def test_what_lies_there_goes_up_and_what_it_would_hit_goes_before_it() -> None:
    stack = Stack(items=_items((1, 0, 50), (2, 15, 40), (3, 35, 60), (4, 0, 5)))

    assert stack.room(WANTED, above=1) == Room(channel=2, moves=((2, 4), (1, 3)))


def test_a_strip_sinks_to_the_first_that_it_lies_over() -> None:
    stack = Stack(items=_items((2, 10, 20), (4, 30, 40), (5, 0, 12)), muted={5}, locked={6})

    assert stack.lowest(WANTED, channel=8, bottom=1) == 3
    assert stack.lowest(WANTED, channel=8, bottom=5) == 7
    assert stack.lowest(WANTED, channel=3, bottom=1) == 3


def test_locked_and_muted_channels_are_passed_over() -> None:
    stack = Stack(items=_items((2, 10, 20)), muted={2}, locked={3})

    assert stack.room(WANTED, above=1) == Room(channel=4)


@pytest.mark.parametrize("channel", [2, 3])
def test_what_is_locked_and_seen_is_neither_covered_nor_lifted(channel: int) -> None:
    locked = Stack(items=_items((2, 10, 20), (channel, 12, 14)), locked={channel})
    fixed = StackItem(number=0, channel=2, span=WANTED, is_fixed=True)

    assert locked.room(WANTED, above=1) is None
    assert Stack(items=[fixed]).room(WANTED, above=1) is None


def test_a_full_stack_has_no_room() -> None:
    stack = Stack(items=_items(*((channel, 0, 50) for channel in range(1, CHANNELS + 1))))

    assert stack.room(WANTED, above=1) is None


PLACES = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 30), st.integers(1, 20)), max_size=14)


@given(PLACES, st.sets(st.integers(2, 8)), st.sets(st.integers(2, 8)), st.integers(1, 5))
def test_moves_never_collide_and_whatever_is_seen_keeps_its_order(
    places: Sequence[tuple[int, int, int]], muted: set[int], locked: set[int], above: int
) -> None:
    apart: list[StackItem] = []
    for item in _items(*((channel, start, start + length) for channel, start, length in places)):
        if not any(other.channel == item.channel and _touch(other, item) for other in apart):
            apart.append(item)
    room = Stack(items=apart, muted=muted, locked=locked).room(WANTED, above)
    if room is None:
        return

    channels = {item.number: item.channel for item in apart}
    for number, channel in room.moves:
        mover = next(item for item in apart if item.number == number)
        there = [one for one in apart if channels[one.number] == channel and _touch(one, mover)]
        assert there == []
        assert channel not in muted | locked
        channels[number] = channel

    assert room.channel > above
    wanted = StackItem(number=-1, channel=room.channel, span=WANTED)
    seen = [item for item in apart if item.channel not in muted]
    for item in seen:
        if _touch(item, wanted):
            assert channels[item.number] != room.channel
            assert (channels[item.number] > room.channel) == (item.channel > above)
        for other in seen:
            if _touch(item, other) and item.channel < other.channel:
                assert channels[item.number] < channels[other.number]


def _touch(one: StackItem, other: StackItem) -> bool:
    return one.span.cut_to(other.span).length > 0
