"""Which parts can be made when, and which of them first."""

from __future__ import annotations

import random

import pytest
from fresco_engine.batches import Batch
from fresco_engine.interpolation.keyframe_span import KeyframeSpan
from fresco_engine.parts import BatchPart, Part, SpanPart
from fresco_server.cluster.graph import PartGraph, RunGraph, activity_of

FIRST = BatchPart(keyframes=(0, 4, 8), batch=Batch((), (0, 4)), records=(), steps=3)
SECOND = BatchPart(keyframes=(0, 4, 8), batch=Batch((0, 4), (8,)), records=(0,), steps=3)
OTHER = BatchPart(keyframes=(20,), batch=Batch((), (20,)), records=(), steps=3)
BETWEEN = SpanPart(span=KeyframeSpan(0, 5, True, True))
ACROSS = SpanPart(span=KeyframeSpan(4, 9, True, True))
BEHIND = SpanPart(span=KeyframeSpan(20, 24, True, False))
PARTS = (FIRST, SECOND, OTHER, BETWEEN, ACROSS, BEHIND)


def graph_of(*done: Part) -> RunGraph:
    """The graph of a run in two shots, of which some parts are done."""
    return RunGraph(PARTS, lambda part: part in done)


def taken(graph: RunGraph) -> list[Part]:
    """All that can be taken now, taken."""
    parts: list[Part] = []
    while graph.next is not None:
        parts.append(graph.nodes[graph.take()])
    return parts


def test_a_batch_waits_for_its_anchors_and_a_span_for_its_keyframes() -> None:
    graph = graph_of()

    assert taken(graph) == [FIRST, OTHER]
    graph.finish(PARTS.index(FIRST))
    assert taken(graph) == [SECOND, BETWEEN]
    graph.finish(PARTS.index(SECOND))
    assert taken(graph) == [ACROSS]


def test_what_is_stored_is_done_and_what_waited_for_it_can_be_made() -> None:
    graph = graph_of(FIRST, BETWEEN)

    assert taken(graph) == [SECOND, OTHER]
    assert graph.has_span(BETWEEN.span)
    assert not graph.has_span(ACROSS.span)
    assert graph.has_batch(0)
    assert graph.done_batches == {0}


def test_a_part_that_is_given_back_is_taken_again_and_only_then() -> None:
    graph = graph_of()
    first = graph.take()

    graph.give_back(first)
    graph.give_back(first)

    assert taken(graph) == [FIRST, OTHER]
    assert graph.are_under_way


def test_a_part_that_is_done_twice_lets_nothing_go_twice() -> None:
    graph = graph_of()
    taken(graph)

    for _ in range(2):
        graph.finish(PARTS.index(FIRST))
        graph.give_back(PARTS.index(FIRST))

    assert taken(graph) == [SECOND, BETWEEN]


def test_a_batch_without_anchors_waits_for_nothing() -> None:
    alone = BatchPart(keyframes=(0, 4), batch=Batch((), (4,)), records=(), steps=3)

    graph = RunGraph((FIRST, alone), lambda _: False)

    assert taken(graph) == [FIRST, alone]


def test_the_longest_way_goes_first() -> None:
    costs = [1.0, 1.0, 5.0, 1.0]

    graph = PartGraph(["a", "b", "after a", "after b"], [(), (), (0,), (1,)], costs)

    assert graph.ranks == (6.0, 2.0, 5.0, 1.0)
    assert graph.nodes[graph.take()] == "a"


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_every_part_is_done_once_and_never_too_early(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randrange(1, 40)
    needs = [chance.sample(range(n), chance.randrange(0, min(n, 3) + 1)) for n in range(count)]
    done: set[int] = set(range(count)) if not seed else set()
    graph = PartGraph(list(range(count)), needs, [chance.random() for _ in needs], done)
    under_way: list[int] = []

    while len(done) < count:
        if graph.next is not None and chance.random() < 0.6:
            place = graph.take()
            assert place not in done
            assert set(needs[place]) <= done
            under_way.append(place)
        elif under_way:
            place = under_way.pop(chance.randrange(len(under_way)))
            if chance.random() < 0.3:
                graph.give_back(place)
            else:
                done.add(place)
                graph.finish(place)

    assert graph.done_count == count
    assert graph.next is None
    assert not graph.are_under_way


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (None, "the plan"),
        (FIRST, "keyframes 0 to 4"),
        (SECOND, "keyframe 8"),
        (BETWEEN, "frames 1 to 3"),
        (SpanPart(span=KeyframeSpan(0, 3, True, True)), "frame 1"),
    ],
)
def test_it_is_said_in_words_what_is_made(part: Part | None, words: str) -> None:
    assert activity_of(part) == words
