"""Settings are checked when they are made, and survive a trip through JSON."""

import json
from dataclasses import replace

import pytest
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import (
    AttentionSettings,
    ModelDefaults,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
    resolve,
    settings_from_dict,
)

GOOD = RestyleSettings(prompt="a watercolour")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("prompt", {"prompt": "  "}),
        ("control", {"control": "pose"}),
        ("seed", {"seed": -1}),
        ("keyframe-seeds", {"keyframe_seeds": {-1: 0}}),
        ("keyframe-seeds", {"keyframe_seeds": {3: 2**63}}),
        ("steps", {"steps": 0}),
        ("strength", {"strength": 0.0}),
        ("strength", {"strength": 1.5}),
        ("guidance", {"guidance_scale": -1.0}),
        ("control-scale", {"control_scale": 9.0}),
        ("keep-colours", {"keep_colours": 2.0}),
        ("size", {"size": 16}),
        ("size", {"size": 8192}),
        ("batch", {"batch_size": 0}),
        ("batch", {"batch_size": 2}),
        ("keyframes", {"keyframe_min": 0}),
        ("keyframes", {"keyframe_min": 10, "keyframe_max": 12}),
        ("keyframes", {"keyframe_min": 10, "keyframe_max": 5}),
        ("interpolation", {"interpolation": "magic"}),
        ("range", {"start": 5, "stop": 5}),
        ("range", {"start": -1}),
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused_with_the_name_a_user_knows(
    field: str, values: dict[str, object]
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        replace(GOOD, **values)  # pyright: ignore[reportArgumentType]

    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "make",
    [
        lambda: AttentionSettings(spatial_scale=0),
        lambda: AttentionSettings(temporal_until=2),
        lambda: OptimisationSettings(iterations=-1),
        lambda: OptimisationSettings(blocks=(4,)),
        lambda: SmoothingSettings(start=0.9, stop=0.8),
    ],
)
def test_a_nested_value_out_of_range_is_refused(make: object) -> None:
    assert callable(make)

    with pytest.raises(InvalidSettings):
        make()


def test_settings_survive_json() -> None:
    settings = replace(
        GOOD,
        keyframe_prompts={12: "snow"},
        keyframe_seeds={30: 2**63 - 1},
        interpolation="flow",
        optimisation=OptimisationSettings(blocks=(1, 2)),
        smoothing=SmoothingSettings(is_on=False),
    )

    restored = settings_from_dict(json.loads(json.dumps(settings.as_dict())))

    assert restored == settings


def test_an_unknown_key_in_saved_settings_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="sparkle"):
        settings_from_dict({"prompt": "x", "sparkle": 3})


def test_resolving_fills_only_what_was_left_open() -> None:
    defaults = ModelDefaults(guidance_scale=2.0, steps=15, control="tile")

    resolved = resolve(replace(GOOD, steps=9), defaults)

    assert (resolved.steps, resolved.guidance_scale, resolved.control) == (9, 2.0, "tile")


def test_the_draft_preset_is_cheaper_and_an_unknown_preset_is_refused() -> None:
    draft = GOOD.with_preset("draft")

    assert draft.size < GOOD.size
    assert draft.optimisation.iterations < GOOD.optimisation.iterations
    assert GOOD.with_preset("standard") == GOOD
    assert GOOD.smoothing.is_on
    assert not draft.smoothing.is_on
    assert (draft.interpolation, GOOD.interpolation) == ("flow", "patch")
    assert GOOD.with_preset("best").steps == 20
    with pytest.raises(InvalidSettings, match="draft, standard, best"):
        GOOD.with_preset("ultra")


@pytest.mark.parametrize(
    ("settings", "is_on"),
    [
        (OptimisationSettings(), True),
        (OptimisationSettings(iterations=0), False),
        (OptimisationSettings(temporal=False, spatial=False), False),
        (OptimisationSettings(until=0), False),
    ],
)
def test_optimisation_is_off_when_it_would_do_nothing(
    settings: OptimisationSettings, is_on: bool
) -> None:
    assert settings.is_on is is_on
