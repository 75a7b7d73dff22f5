"""A part of the corpus, in which every value of every axis occurs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import product

import pytest

from tests.corpus import report
from tests.corpus.items import AXES, COVERED, Item, all_items, fits, suite_items
from tests.corpus.pairs import possible
from tests.corpus.working import Worker


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """A process that checks items, so that no clip can hang or end the tests."""
    started = Worker()
    yield started
    started.close()


@pytest.fixture(scope="module")
def refused() -> dict[str, str]:
    """The items that the documentation says are refused, with the sentences."""
    return report.refused_by_page(report.PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("item", suite_items(), ids=lambda item: item.name)
def test_a_clip_comes_through_whole_or_is_refused_as_documented(
    item: Item, worker: Worker, refused: dict[str, str]
) -> None:
    outcome = worker.check(item.name)

    assert outcome.failures == []
    assert outcome.sentence == refused.get(item.name, "")
    assert outcome.status == ("refused" if item.name in refused else "passes")


def test_the_part_that_runs_here_has_every_value_of_every_axis() -> None:
    found = {pair for item in suite_items() for pair in asdict(item).items()}

    assert {(axis, value) for axis, values in AXES for value in values} == found


def test_the_corpus_is_large_and_every_name_in_it_is_one() -> None:
    names = [item.name for item in all_items()]

    assert len(names) >= 400
    assert len(set(names)) == len(names)


def test_every_two_values_that_can_be_had_together_occur_together() -> None:
    found = [asdict(item) for item in all_items()]
    values = dict(AXES)
    can_be_had = possible(AXES, fits)

    for one, other in COVERED:
        together = {(item[one], item[other]) for item in found}
        for a, b in product(values[one], values[other]):
            fit = fits((one, a), (other, b))
            assert (a, b) in together or not fit or not can_be_had((one, a), (other, b)), (a, b)


def test_the_page_on_formats_lists_what_is_tried() -> None:
    written = report.PAGE.read_text(encoding="utf-8")

    assert report.listed_items(written) == report.listed_items(report.page([]))
