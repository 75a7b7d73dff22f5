"""RestyleSettings: every field of the engine's is in the contract, and wrong values are refused."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from fresco.v1 import settings_pb2
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import (
    PRESETS,
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
)
from fresco_server.errors import BadRequest, PathForbidden
from fresco_server.jobs.path_policy import PathPolicy
from fresco_server.rpc.messages.settings import model_order, restyle_settings
from hypothesis import given, settings
from hypothesis import strategies as st

PAIRS = [
    (RestyleSettings, settings_pb2.RestyleSettings),
    (AttentionSettings, settings_pb2.AttentionSettings),
    (OptimisationSettings, settings_pb2.OptimisationSettings),
    (SmoothingSettings, settings_pb2.SmoothingSettings),
]
CHOSEN: dict[str, Any] = {
    "prompt": "ink",
    "style": "comic",
    "negative_prompt": "blur",
    "keyframe_prompts": {3: "more"},
    "keyframe_seeds": {3: 2**63 - 1},
    "keyframe_pictures": {3: "/painted/3.png"},
    "keyframes": (0, 3, 9),
    "seed": 7,
    "steps": 11,
    "strength": 0.25,
    "guidance_scale": 3.5,
    "control": "tile",
    "control_scale": 0.5,
    "size": 256,
    "batch_size": 4,
    "anchors_first": 2,
    "keyframe_min": 3,
    "keyframe_max": 9,
    "start": 2,
    "stop": 20,
    "keep_colours": 0.5,
    "colourise": True,
    "free_u": True,
    "interpolation": "flow",
    "flow": "gmflow:/weights/gmflow.pth",
    "start_noise": "own",
    "step_noise": "shared",
    "sampler": "ddim",
    "spacing": "karras",
    "eta": 0.25,
    "clip_skip": 2,
    "guidance_rescale": 0.75,
    "subject_mask": "/masks/mask.mp4",
    "subject": "the train",
    "reference": "/pictures/look.png",
    "reference_scale": 1.25,
    "reference_model": "ip-adapter-plus_sd15",
    "canny_low": 20,
    "canny_high": 60,
    "mode": "edit",
    "source_prompt": "outside",
    "keep": 0.5,
    "inversion": "ddim",
    "hold_layout": 0.5,
    "hold_words": 0.8,
    "region": "background",
    "weights": "float8",
    "compile": True,
    "attention": {
        "spatial": False,
        "spatial_scale": 2.0,
        "spatial_until": 0.5,
        "cross_frame": False,
        "temporal": False,
        "temporal_scale": 3.0,
        "temporal_until": 0.25,
    },
    "optimisation": {
        "temporal": False,
        "spatial": False,
        "iterations": 5,
        "learning_rate": 0.5,
        "spatial_weight": 20.0,
        "until": 0.5,
        "blocks": (1, 3),
    },
    "smoothing": {"is_on": False, "start": 0.25, "stop": 0.75, "dilation": 3},
}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda kind: kind.__name__)
def test_every_setting_of_the_engine_is_in_the_contract_and_back(ours: Any, theirs: Any) -> None:
    engine = {field.name for field in dataclasses.fields(ours)}
    contract = {field.name for field in theirs.DESCRIPTOR.fields}

    assert contract - engine == set()
    # The words of a style are the model's to say.
    assert engine - contract == ({"style_prompt"} if ours is RestyleSettings else set())


def test_every_value_set_by_hand_arrives() -> None:
    message = settings_pb2.RestyleSettings(**CHOSEN)

    assert restyle_settings(message).as_dict() == {
        **CHOSEN,
        "preset": "standard",
        "style_prompt": None,
    }


def test_the_values_chosen_here_are_none_of_the_defaults() -> None:
    defaults = RestyleSettings(prompt="x").as_dict()

    for name, value in CHOSEN.items():
        if isinstance(value, dict) and not name.startswith("keyframe"):
            for inner, chosen in value.items():
                assert defaults[name][inner] != chosen, f"{name}.{inner}"
        else:
            assert defaults[name] != value, name


def test_a_prompt_alone_gives_the_engines_defaults() -> None:
    message = settings_pb2.RestyleSettings(prompt="ink")

    assert restyle_settings(message) == RestyleSettings(prompt="ink")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_the_engines(preset: str) -> None:
    message = settings_pb2.RestyleSettings(prompt="ink", preset=preset)

    assert restyle_settings(message) == RestyleSettings(prompt="ink").with_preset(preset)


def test_what_is_set_by_hand_wins_over_the_preset_field_by_field() -> None:
    message = settings_pb2.RestyleSettings(prompt="ink", preset="draft", steps=30, size=512)
    message.smoothing.dilation = 3
    message.optimisation.learning_rate = 0.0

    chosen = restyle_settings(message)

    assert (chosen.steps, chosen.size) == (30, 512)
    assert (chosen.smoothing.dilation, chosen.smoothing.is_on) == (3, False)
    assert (chosen.optimisation.learning_rate, chosen.optimisation.iterations) == (0.0, 8)


def test_a_part_that_is_there_but_empty_changes_nothing() -> None:
    message = settings_pb2.RestyleSettings(prompt="ink")
    message.attention.SetInParent()

    assert restyle_settings(message) == RestyleSettings(prompt="ink")


def test_blocks_may_come_in_any_order_and_twice() -> None:
    message = settings_pb2.RestyleSettings(prompt="ink")
    message.optimisation.blocks.extend([3, 0, 3])

    assert restyle_settings(message).optimisation.blocks == (0, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"prompt": ""},
        {"prompt": " \n"},
        {"preset": "fast"},
        {"preset": ""},
        {"control": "pose"},
        {"control": ""},
        {"seed": -1},
        {"seed": -(2**63)},
        {"steps": 0},
        {"steps": 2**31 - 1},
        {"strength": 0.0},
        {"strength": math.nan},
        {"strength": math.inf},
        {"guidance_scale": math.nan},
        {"control_scale": -math.inf},
        {"keep_colours": math.nan},
        {"size": -(2**31)},
        {"batch_size": 2},
        {"keyframe_min": 0},
        {"keyframe_min": 9, "keyframe_max": 12},
        {"start": -1},
        {"start": 5, "stop": 5},
        {"stop": -1},
        {"keyframe_seeds": {1: -1}},
        {"keyframe_seeds": {-1: 1}},
        {"keyframe_pictures": {-1: "/x.png"}},
        {"keyframes": [3, -1]},
        {"keyframes": list(range(10001))},
        {"keyframe_prompts": {-1: "x"}},
        {"keyframe_prompts": {1: "x" * 4001}},
        {"keyframe_prompts": dict.fromkeys(range(10001), "")},
        {"negative_prompt": "x" * 4001},
        {"attention": {"spatial_scale": math.nan}},
        {"attention": {"temporal_until": math.inf}},
        {"optimisation": {"blocks": [4]}},
        {"optimisation": {"blocks": [-1]}},
        {"optimisation": {"learning_rate": math.nan}},
        {"smoothing": {"start": math.nan}},
        {"smoothing": {"start": 0.95}},
        {"smoothing": {"stop": math.nan}},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_wrong_value_is_refused_with_a_sentence(wrong: dict[str, Any]) -> None:
    values: dict[str, Any] = {"prompt": "ink"} | wrong if wrong else {}
    message = settings_pb2.RestyleSettings(**values)

    with pytest.raises(InvalidSettings, match=r"^[a-z].*: .{5,}"):
        restyle_settings(message)


@settings(deadline=None)
@given(
    st.sampled_from([field.name for field in settings_pb2.RestyleSettings.DESCRIPTOR.fields]),
    st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.booleans(),
)
def test_no_value_of_any_field_does_anything_but_fit_or_be_refused(name: str, value: Any) -> None:
    message = settings_pb2.RestyleSettings(prompt="ink")
    try:
        setattr(message, name, value)
    except (TypeError, ValueError, AttributeError):
        return

    try:
        chosen = restyle_settings(message)
    except InvalidSettings:
        return
    assert name == "preset" or chosen.as_dict()[name] == getattr(message, name)


def _model(**values: Any) -> settings_pb2.ModelChoice:
    return settings_pb2.ModelChoice(**values)


def test_no_model_is_the_bundled_one() -> None:
    order = model_order(_model(), PathPolicy(None, None))

    assert (order.source, order.control_source, order.loras) == (None, None, ())


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, 10.5, -11.0])
def test_a_weight_that_cannot_be_is_refused(tmp_path: Path, weight: float) -> None:
    path = tmp_path / "lora.safetensors"
    path.touch()
    lora = settings_pb2.Lora(path=str(path), weight=weight)

    with pytest.raises(BadRequest, match="weight"):
        model_order(_model(loras=[lora]), PathPolicy(None, None))


def test_too_many_loras_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "lora.safetensors"
    path.touch()
    loras = [settings_pb2.Lora(path=str(path))] * 17

    with pytest.raises(BadRequest, match="16"):
        model_order(_model(loras=loras), PathPolicy(None, None))


def test_folders_of_models_are_the_clients_then_the_daemons(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    policy = PathPolicy(None, None, None, (theirs,))

    order = model_order(_model(folders=[str(mine)], vae="soft"), policy)

    assert order.folders == (str(mine), str(theirs))
    assert order.vae == "soft"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"folders": ["/"]}, PathForbidden),
        ({"folders": ["somewhere"]}, BadRequest),
        ({"folders": ["/a"] * 17}, BadRequest),
        ({"vae": "/etc/vae.safetensors"}, PathForbidden),
        ({"vae": "../vae"}, BadRequest),
    ],
)
def test_folders_and_vaes_outside_the_roots_are_refused(
    tmp_path: Path, values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        model_order(_model(**values), PathPolicy((), (tmp_path,)))
