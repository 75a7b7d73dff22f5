"""Fades and moves of a strip are those of its result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.blender.blenders import Plugin, blender_of
from tests.integration.daemons import DaemonProcess, with_fake_worker

SCENARIOS = [
    "copied",
    "groups",
    "rendered",
    "replacing",
    "deleted",
    "restyled",
    "what_is_rendered",
    "beside_the_file",
]
ANIMATIONS = [
    "fade",
    "handles",
    "modifiers",
    "made by modifiers",
    "whole numbers",
    "parts of a point",
    "samples",
    "muted curve",
    "on the NLA",
    "driven",
]


@pytest.fixture(scope="module")
def played(
    version: str, plugin: Plugin, numbered_clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What all scenarios gave, played in one Blender."""
    folder = tmp_path_factory.mktemp("moves é")
    daemon = DaemonProcess(folder / "daemon" / "data", with_fake_worker()).start()
    try:
        yield blender_of(version, plugin, folder / "home").play(
            "moves",
            "every",
            daemon.data,
            scenarios=SCENARIOS,
            clip=numbered_clip,
            out=folder / "out",
        )
    finally:
        daemon.stop_whatever()


def _found(played: dict[str, Any], scenario: str) -> dict[str, Any]:
    found = played[scenario]
    assert "error" not in found, found["error"]
    return found


@pytest.mark.parametrize("animation", ANIMATIONS)
def test_a_result_moves_as_its_source_does_at_every_frame(
    animation: str, played: dict[str, Any]
) -> None:
    found = _found(played, "copied")[animation]

    assert found["moves"] is (animation != "muted curve")
    assert found["differences"] == []
    assert found["source is as it was"]
    assert found["as many"]


def test_copied_curves_stay_in_the_group_of_the_originals(played: dict[str, Any]) -> None:
    assert _found(played, "groups") == {"groups": ["Fades"]}


def test_of_a_rendered_strip_only_the_opacity_is_animated_once_more(
    played: dict[str, Any],
) -> None:
    assert _found(played, "rendered") == {"alpha": [0.0], "moved": [0.0]}


def test_the_opacity_of_a_strip_that_replaces_all_below_is_ignored_as_blender_does(
    played: dict[str, Any],
) -> None:
    assert _found(played, "replacing") == {"alpha": 1.0, "blend": "REPLACE"}


def test_a_deleted_result_leaves_no_curve_and_no_driver(played: dict[str, Any]) -> None:
    assert _found(played, "deleted") == {"left": [0, 0]}


def test_keyframes_results_rerolls_and_redos_fade_with_the_source(played: dict[str, Any]) -> None:
    found = _found(played, "restyled")

    assert found.pop("muted") == [True, False, True, False]
    assert found == {"key": [], "curves": 0, "result": [], "rerolled": [], "redone": []}


def test_a_strip_whose_colours_or_times_are_animated_is_rendered_first(
    played: dict[str, Any],
) -> None:
    found = _found(played, "what_is_rendered")

    assert not found.pop("nothing")
    assert all(found.values()), found


def test_results_and_keyframes_of_a_saved_file_are_named_relative_to_it(
    played: dict[str, Any],
) -> None:
    found = _found(played, "beside_the_file")

    assert len(found) == 8  # two each of a movie and pictures, and those after a move
    assert all(name.startswith("//fresco") and is_there for name, is_there in found.values()), found
