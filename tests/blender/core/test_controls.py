"""Blender's properties follow from the declared settings, and hold them without loss."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from fresco_blender.core.controls import (
    chosen_settings,
    controls_of,
    groups_of,
    in_its_mode,
    show_settings,
)

from tests.fakes.settings import MoreSettings

CHOSEN: dict[str, Any] = {
    "prompt": "ink",
    "style": "comic",
    "negative_prompt": "blur",
    "preset": "draft",
    "strength": 0.25,
    "guidance_scale": 3.5,
    "seed": 7,
    "steps": 11,
    "control": "tile",
    "keyframe_min": 3,
    "keyframe_max": 9,
    "colourise": True,
    "interpolation": "flow",
    "start_noise": "own",
    "attention.spatial": False,
    "attention.temporal_scale": 3.0,
    "optimisation.iterations": 5,
    "smoothing.is_on": True,
}


def empty_panel() -> SimpleNamespace:
    """What Blender makes of the definitions."""
    panel = SimpleNamespace()
    nothing: dict[str, Any] = {"StringProperty": "", "BoolProperty": False}
    for control in controls_of():
        made = control.definition()
        setattr(panel, control.name, made.get("default", nothing.get(control.kind)))
        if control.tick:
            setattr(panel, control.tick, False)
    return panel


def test_an_untouched_panel_leaves_everything_open_but_quality_and_seed() -> None:
    assert chosen_settings(empty_panel()) == {"preset": "standard", "seed": 0}


def test_what_is_shown_is_read_back() -> None:
    panel = empty_panel()

    show_settings(panel, CHOSEN)

    assert chosen_settings(panel) == CHOSEN


def test_showing_nothing_leaves_everything_open_again() -> None:
    panel = empty_panel()
    show_settings(panel, CHOSEN)

    show_settings(panel, {})

    assert chosen_settings(panel) == {"preset": "standard", "seed": 0}


@pytest.mark.parametrize(
    "name",
    [
        *("style", "prompt", "negative_prompt", "preset", "use_strength", "strength", "seed"),
        *("use_guidance_scale", "guidance_scale", "use_keyframes", "keyframe_min", "keyframe_max"),
        *("use_steps", "steps", "control", "use_control_scale", "control_scale", "use_size"),
        *("size", "use_batch_size", "batch_size", "use_keep_colours", "keep_colours"),
        *("colourise", "interpolation"),
    ],
)
def test_files_and_presets_saved_before_find_their_properties(name: str) -> None:
    assert hasattr(empty_panel(), name)


def test_numbers_can_be_as_large_as_blender_holds_them() -> None:
    for control in controls_of():
        made = control.definition()
        if "max" in made:
            assert made["min"] <= made["default"] <= made["max"] < 2**31


def test_a_setting_that_is_declared_has_a_property_of_its_kind_and_range() -> None:
    (control,) = (one for one in controls_of(MoreSettings) if one.name == "paint_depth")

    assert (control.kind, control.tick) == ("FloatProperty", "use_paint_depth")
    assert control.definition() == {
        "name": "Paint depth",
        "description": "How thick the paint lies",
        "min": 0.0,
        "max": 7.0,
        "default": 0.0,
    }


def test_every_setting_is_either_for_everybody_or_in_a_group() -> None:
    grouped = {one.name for members in groups_of(controls_of()).values() for one in members}

    assert grouped == {one.name for one in controls_of() if one.parameter.is_advanced}
    assert len(grouped) > 20


def test_what_is_of_another_mode_is_neither_shown_nor_sent() -> None:
    panel = empty_panel()
    show_settings(panel, {"mode": "edit", "source_prompt": "a road", "prompt": "a road in winter"})
    of_edits = {one.name for one in controls_of() if one.parameter.of_mode == "edit"}

    assert chosen_settings(panel)["source_prompt"] == "a road"
    assert of_edits <= {one.name for one in in_its_mode(panel, controls_of())}
    show_settings(panel, {"mode": "restyle", "source_prompt": "a road", "prompt": "ink"})

    assert of_edits
    assert of_edits.isdisjoint(one.name for one in in_its_mode(panel, controls_of()))
    assert "source_prompt" not in chosen_settings(panel)
