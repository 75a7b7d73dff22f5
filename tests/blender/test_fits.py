"""Whatever a strip is and whatever lies around it, its result takes its place to the eye.

The worker gives back what it is given, so a timeline with results has to look as the one without.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.blender import fits
from tests.blender.blenders import Plugin


@pytest.fixture(scope="module")
def played(version: str, plugin: Plugin, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What became of all strips, restyled at once in one Blender."""
    return fits.play(version, plugin, tmp_path_factory.mktemp("fits é"))


def test_results_look_as_their_sources_whatever_those_are(played: Any) -> None:
    off = {name: case["off"] for name, case in played["cases"].items()}

    assert len(off) >= 40
    assert {name: levels for name, levels in off.items() if levels > fits.LEVELS} == {}


def test_a_final_picture_differs_only_where_a_result_lies(played: Any) -> None:
    seen = {name: case["seen"] for name, case in played["cases"].items()}

    assert played["elsewhere"] == 0
    assert [name for name, frames in seen.items() if not frames] == []
    beside = {name: case["beside"] for name, case in played["cases"].items()}
    assert {name: levels for name, levels in beside.items() if levels > fits.FADING} == {}


def test_the_stack_stays_what_it_was(played: Any) -> None:
    cases = played["cases"]

    assert [name for name, case in cases.items() if not case["order"]] == []
    assert [name for name, case in cases.items() if not case["is_above"]] == []
    assert {case["count"] for case in cases.values()} == {1}
