"""Settings by parameter name are the settings, there and back."""

from __future__ import annotations

from fresco_client import (
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    settings_of,
    values_of,
)

SETTINGS = RestyleSettings(
    prompt="ink",
    style="comic",
    seed=5,
    keyframe_prompts={3: "rain"},
    keyframe_seeds={3: 8},
    keyframe_pictures={5: "/painted/5.png"},
    keyframes=(3, 5),
    attention=AttentionSettings(spatial=False, spatial_until=0.2),
    optimisation=OptimisationSettings(blocks=(1, 2)),
)


def test_settings_survive_the_way_there_and_back() -> None:
    assert settings_of(values_of(SETTINGS)) == SETTINGS


def test_what_is_left_open_is_not_there() -> None:
    assert values_of(RestyleSettings(prompt="ink")) == {"prompt": "ink"}


def test_names_of_another_version_are_passed_over() -> None:
    values = {"prompt": "ink", "future": 1, "attention.future": 2, "future.part": 3}

    assert settings_of(values) == RestyleSettings(prompt="ink")
