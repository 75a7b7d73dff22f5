"""Settings are checked when they are made, and survive a trip through JSON."""

import json
from dataclasses import replace

import pytest
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import (
    PRESETS,
    AttentionSettings,
    ModelDefaults,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
    Style,
    resolve,
    settings_from_dict,
)
from fresco_settings import StyleChoice

DEFAULTS = ModelDefaults(guidance_scale=2.0, steps=15)
STYLES = (
    Style(
        name="pop art",
        prompt="pop art poster",
        negative_prompt="grey",
        strength=0.9,
        guidance_scale=1.5,
    ),
    Style(name="ink"),
)
GOOD = RestyleSettings(prompt="a watercolour")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("prompt", {"prompt": "  "}),
        ("control", {"control": "pose"}),
        ("seed", {"seed": -1}),
        ("keyframe_seeds", {"keyframe_seeds": {-1: 0}}),
        ("keyframe_seeds", {"keyframe_seeds": {3: 2**63}}),
        ("steps", {"steps": 0}),
        ("strength", {"strength": 0.0}),
        ("strength", {"strength": 1.5}),
        ("guidance_scale", {"guidance_scale": -1.0}),
        ("control_scale", {"control_scale": 9.0}),
        ("keep_colours", {"keep_colours": 2.0}),
        ("size", {"size": 16}),
        ("size", {"size": 8192}),
        ("batch_size", {"batch_size": 0}),
        ("batch_size", {"batch_size": 2}),
        ("keyframe_min", {"keyframe_min": 0}),
        ("keyframe_max", {"keyframe_min": 10, "keyframe_max": 12}),
        ("keyframe_max", {"keyframe_min": 10, "keyframe_max": 5}),
        ("interpolation", {"interpolation": "magic"}),
        ("start", {"start": 5, "stop": 5}),
        ("start", {"start": -1}),
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused_with_its_declared_name(
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


def test_a_preset_takes_the_steps_that_the_model_has_for_it() -> None:
    defaults = ModelDefaults(steps=4, draft_steps=3, best_steps=6)

    taken = [resolve(GOOD.with_preset(name), defaults).steps for name in PRESETS]
    by_hand = resolve(replace(GOOD.with_preset("draft"), steps=30), defaults)

    assert taken == [3, 4, 6]
    assert by_hand.steps == 30


def test_a_style_alone_is_enough_and_fills_what_was_left_open() -> None:
    resolved = resolve(RestyleSettings(prompt="", style="Pop-Art"), DEFAULTS, STYLES)

    assert resolved.style_prompt == "pop art poster"
    assert resolved.negative_prompt == "grey"
    assert (resolved.strength, resolved.guidance_scale, resolved.steps) == (0.9, 1.5, 15)


def test_what_was_set_by_hand_wins_over_the_style() -> None:
    chosen = RestyleSettings(
        prompt="a dog", style="pop art", negative_prompt="", strength=0.4, guidance_scale=3.0
    )

    resolved = resolve(chosen, DEFAULTS, STYLES)

    assert (resolved.prompt, resolved.negative_prompt) == ("a dog", "")
    assert (resolved.strength, resolved.guidance_scale) == (0.4, 3.0)


def test_what_a_style_leaves_open_is_the_models() -> None:
    resolved = resolve(RestyleSettings(prompt="", style="ink"), DEFAULTS, STYLES)

    assert resolved.style_prompt == "ink"
    assert resolved.negative_prompt == ""
    assert (resolved.strength, resolved.guidance_scale) == (DEFAULTS.strength, 2.0)


def test_a_styles_negative_prompt_is_left_out_where_it_would_have_no_effect() -> None:
    chosen = RestyleSettings(prompt="", style="pop art", guidance_scale=1.0)

    assert resolve(chosen, DEFAULTS, STYLES).negative_prompt == ""


def test_resolving_twice_changes_nothing() -> None:
    once = resolve(RestyleSettings(prompt="a dog", style="pop art"), DEFAULTS, STYLES)

    assert resolve(once, DEFAULTS, STYLES) == once


@pytest.mark.parametrize(
    ("styles", "sentence"), [((), "knows no styles"), ((Style(name="ink"),), "use one of ink")]
)
def test_an_unknown_style_is_refused_with_those_there_are(
    styles: tuple[Style, ...], sentence: str
) -> None:
    with pytest.raises(InvalidSettings, match=sentence) as caught:
        resolve(RestyleSettings(prompt="", style="glitter"), DEFAULTS, styles)

    assert caught.value.field == "style"
    assert "'glitter'" in str(caught.value)


def test_several_styles_are_mixed_with_settings_between_theirs() -> None:
    resolved = resolve(RestyleSettings(prompt="", style="pop art:0.75, ink:0.25"), DEFAULTS, STYLES)

    assert resolved.style_prompt == {"pop art poster": 0.75, "ink": 0.25}
    assert resolved.strength == pytest.approx(0.75 * 0.9 + 0.25 * DEFAULTS.strength)
    assert resolve(resolved, DEFAULTS, STYLES) == resolved
    assert settings_from_dict(json.loads(json.dumps(resolved.as_dict()))) == resolved


def test_a_style_with_a_share_of_its_own_keeps_its_settings() -> None:
    pushed, plain = (
        resolve(RestyleSettings(prompt="", style=name), DEFAULTS, STYLES)
        for name in ("Pop-Art:1.3", "pop art")
    )

    assert pushed.style_prompt == {"pop art poster": 1.3}
    assert pushed.strength == plain.strength


@pytest.mark.parametrize(
    ("style", "sentence"),
    [
        ("pop art:0.5,glitter:0.5", "'glitter' is unknown to this model; use one of"),
        ("pop art:0.5,ink", "ink has no share"),
        ("pop art:3", "'3' is no share of pop art"),
        ("pop art:much", "'much' is no share of pop art"),
        ("ink:0.5,ink:0.5", "ink is named twice"),
        ("ink,", "a look without a name"),
    ],
)
def test_a_mixture_that_cannot_be_read_is_refused(style: str, sentence: str) -> None:
    with pytest.raises(InvalidSettings, match=sentence) as caught:
        resolve(RestyleSettings(prompt="", style=style), DEFAULTS, STYLES)

    assert caught.value.field == "style"


@pytest.mark.parametrize("text", ["ink:0.5,pop art:0.5", "ink:0,5,pop art:0,5", "ink, pop art"])
def test_shares_may_have_decimal_commas_or_be_left_out(text: str) -> None:
    resolved = resolve(RestyleSettings(prompt="", style=text), DEFAULTS, STYLES)

    assert resolved.style_prompt == {"ink": 0.5, "pop art poster": 0.5}


@pytest.mark.parametrize("text", ["oil", "oil:0.7,neon:0.3", "oil:1.3"])
def test_a_choice_of_styles_is_written_as_it_is_read(text: str) -> None:
    assert str(StyleChoice.parse(text)) == text


def test_a_style_whose_name_looks_like_a_mixture_is_found_by_its_name() -> None:
    styles = (Style(name="ink, wash"), Style(name="ink:2"), Style(name="ink"))

    for style in styles:
        resolved = resolve(RestyleSettings(prompt="", style=style.name), DEFAULTS, styles)
        assert resolved.style_prompt == style.name


def test_the_draft_preset_is_cheaper_and_an_unknown_preset_is_refused() -> None:
    draft = GOOD.with_preset("draft")

    assert draft.size < GOOD.size
    assert draft.optimisation.iterations < GOOD.optimisation.iterations
    assert GOOD.with_preset("standard") == GOOD
    assert GOOD.smoothing.is_on
    assert not draft.smoothing.is_on
    assert (draft.interpolation, GOOD.interpolation) == ("flow", "patch")
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
