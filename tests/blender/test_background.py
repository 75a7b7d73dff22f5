"""A Blender in the background renders a strip as the user's own would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.blender.blenders import Blender, Plugin, blender_of

SCENARIOS = [
    "trusted",
    "untrusted",
    "appended",
    "devices",
    "single_devices",
    "addons",
    "fresco_stays_out",
    "opacity_and_others",
    "multiplied",
]
WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)
CONFIGURATION = """
ocio_profile_version: 2
roles: {default: plain, scene_linear: plain, color_picking: plain, data: plain}
displays:
  Monitor:
    - !<View> {name: Film, colorspace: plain}
active_displays: [Monitor]
active_views: [Film]
file_rules:
  - !<Rule> {name: Default, colorspace: default}
colorspaces:
  - !<ColorSpace> {name: plain, isdata: false, allocation: uniform}
"""


@pytest.fixture(scope="module")
def played(
    version: str, plugin: Plugin, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What all scenarios gave, played in one Blender; no daemon is needed."""
    folder = tmp_path_factory.mktemp("background é")
    blender = blender_of(version, plugin, folder / "home")
    return blender.play(
        "background", "every", folder / "none", scenarios=SCENARIOS, out=folder / "out"
    )


def _colours(played: dict[str, Any], scenario: str) -> list[tuple[int, ...]]:
    """The one colour of each picture."""
    found = played[scenario]
    assert "error" not in found, found["error"]
    return [_colour_of(path) for path in found["files"]]


def _colour_of(path: str) -> tuple[int, ...]:
    colours = np.unique(np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colours) == 1, path
    return tuple(int(value) for value in colours[0])


def test_scripts_and_drivers_of_a_trusted_file_run(played: dict[str, Any]) -> None:
    assert _colours(played, "trusted") == [WHITE]


def test_scripts_and_drivers_of_a_file_that_is_not_trusted_do_not_run(
    played: dict[str, Any],
) -> None:
    assert _colours(played, "untrusted") == [BLACK]


def test_a_script_that_nobody_was_asked_about_does_not_run(played: dict[str, Any]) -> None:
    assert _colours(played, "appended") == [BLACK]
    assert played["appended"]["is_as_it_was"]


def test_the_kind_of_device_chosen_in_the_session_is_used(played: dict[str, Any]) -> None:
    assert _colours(played, "devices") == [WHITE]


def test_devices_are_ticked_as_in_the_session(played: dict[str, Any]) -> None:
    assert _colours(played, "single_devices") == [WHITE, BLACK]


def test_addons_of_the_session_are_there(played: dict[str, Any]) -> None:
    assert _colours(played, "addons") == [WHITE]


def test_fresco_itself_is_not_loaded(played: dict[str, Any]) -> None:
    assert _colours(played, "fresco_stays_out") == [WHITE]


def test_neither_opacity_nor_metas_nor_other_strips_get_into_the_pixels(
    played: dict[str, Any],
) -> None:
    assert _colours(played, "opacity_and_others") == [RED, RED, RED]


def test_a_strip_that_is_multiplied_has_its_own_colours(played: dict[str, Any]) -> None:
    assert _colours(played, "multiplied") == [RED]


def test_a_colour_configuration_without_blenders_views_renders(
    blender: Blender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "config.ocio"
    configuration.write_text(CONFIGURATION, "utf-8")
    monkeypatch.setenv("OCIO", str(configuration))

    found = blender.play("background", "own_colours", tmp_path / "none", out=tmp_path / "out")

    assert found["view"] == "Film"
    assert len(found["files"]) == 1
