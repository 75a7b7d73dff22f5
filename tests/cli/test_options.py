"""From options to settings."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import typer
from fresco_cli.app import app
from fresco_cli.choices import Choices
from fresco_cli.parsing import (
    parse_flow,
    parse_frame_prompts,
    parse_frame_rate,
    parse_keyframe_changes,
    parse_keyframes,
    parse_pictures,
    parse_range,
    parse_reference,
    parse_reference_model,
    parse_size,
    parse_subject_mask,
)
from fresco_client import KeyframeChange
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import RestyleSettings

from tests.cli.conftest import Fresco


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, (0, None)), ("3:9", (3, 9)), ("24:", (24, None)), (":48", (0, 48)), (":", (0, None))],
)
def test_a_range_is_half_open_and_may_lack_an_end(
    text: str | None, expected: tuple[int, int | None]
) -> None:
    assert parse_range(text) == expected


@pytest.mark.parametrize("text", ["5", "a:b", "-3:5", "1:2:3", "1.5:4", ""])
def test_a_range_of_another_form_is_refused(text: str) -> None:
    if text == "":
        assert parse_range(text) == (0, None)
        return

    with pytest.raises(InvalidSettings, match="form A:B"):
        parse_range(text)


def test_keyframes_are_given_by_their_gaps_or_one_by_one() -> None:
    assert parse_keyframes("5:20") == {"keyframe_min": 5, "keyframe_max": 20}
    assert parse_keyframes("24,0,24,48") == {"keyframes": (0, 24, 48)}
    assert parse_keyframes("24,") == {"keyframes": (24,)}


@pytest.mark.parametrize("text", ["5", "5:", ":20", "a:b", "5-20", ",", "1,,2", "1,x", "1;2"])
def test_keyframes_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="form MIN:MAX"):
        parse_keyframes(text)


def test_the_weights_of_a_flow_are_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert parse_flow("dis") == {"flow": "dis"}
    assert parse_flow("gmflow") == {"flow": "gmflow"}
    assert parse_flow("gmflow:take:2.pth") == {"flow": f"gmflow:{tmp_path / 'take:2.pth'}"}
    assert parse_flow("gmflow:~/g.pth") == {"flow": f"gmflow:{Path.home() / 'g.pth'}"}
    for wrong in ("", "raft", "gmflow:", "gmflow: ", "dis:gmflow.pth", "GMFlow"):
        with pytest.raises(InvalidSettings, match="use dis, gmflow or gmflow:FILE"):
            parse_flow(wrong)


def test_a_mask_of_the_subject_is_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert parse_subject_mask("m.mp4") == {"subject_mask": str(tmp_path / "m.mp4")}
    assert parse_subject_mask("~/m.mp4") == {"subject_mask": str(Path.home() / "m.mp4")}


def test_a_reference_is_an_absolute_path_and_its_model_that_or_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plus.safetensors").touch()

    assert parse_reference("look.png") == {"reference": str(tmp_path / "look.png")}
    models = {
        "plus.safetensors": str(tmp_path / "plus.safetensors"),
        "plus": "plus",
        "models/plus.safetensors": str(tmp_path / "models" / "plus.safetensors"),
        "~/plus": str(Path.home() / "plus"),
    }
    assert {text: parse_reference_model(text)["reference_model"] for text in models} == models


def test_painted_keyframes_are_absolute_paths_by_frame(tmp_path: Path) -> None:
    file = tmp_path / "a=b.png"

    assert parse_pictures("painted", [f"48={file}", "0=c.png"]) == {
        48: str(file),
        0: str(Path.cwd() / "c.png"),
    }
    with pytest.raises(InvalidSettings, match=r"painted: .* form N=FILE"):
        parse_pictures("painted", ["c.png"])


def test_frame_prompts_name_the_frame_before_the_equals_sign() -> None:
    assert parse_frame_prompts(["0=snow", "48= a = b "]) == {0: "snow", 48: "a = b"}


@pytest.mark.parametrize("text", ["snow", "=snow", "x=snow", "4=", "-1=snow"])
def test_frame_prompts_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="N=TEXT"):
        parse_frame_prompts([text])


def test_frame_rates_are_exact() -> None:
    assert parse_frame_rate("24000/1001") == Fraction(24000, 1001)
    assert parse_frame_rate("12.5") == Fraction(25, 2)
    assert parse_frame_rate("24.00") == 24


@pytest.mark.parametrize(
    ("text", "rate"),
    [("23.976", 24), ("23.98", 24), ("29.97", 30), ("59.94", 60), ("47.952", 48), ("119.88", 120)],
)
def test_what_editors_write_for_a_rate_of_ntscs_is_that_rate(text: str, rate: int) -> None:
    assert parse_frame_rate(text) == Fraction(rate * 1000, 1001)
    assert parse_frame_rate(f"{text}1" if "." in text else text) != Fraction(rate * 1000, 1001)


@pytest.mark.parametrize("text", ["0", "-24", "fast", "1/0", "nan", "inf"])
def test_frame_rates_that_are_no_positive_number_are_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="no positive number"):
        parse_frame_rate(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4096", 4096),
        ("500M", 500 << 20),
        ("200G", 200 << 30),
        ("1.5T", 3 << 39),
        ("2 GiB", 2 << 30),
        ("7kb", 7 << 10),
    ],
)
def test_sizes_are_counted_in_powers_of_1024(text: str, expected: int) -> None:
    assert parse_size("quota", text) == expected


@pytest.mark.parametrize("text", ["", "0", "-1G", "much", "5X", "1e9", "0.0001K"])
def test_sizes_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="is no size; give for example"):
        parse_size("quota", text)


def test_changes_of_a_keyframe_are_its_words_and_its_seed() -> None:
    changes = parse_keyframe_changes(["0", "48= snow = ice "], ["48=7", "96=1"])

    assert changes == [
        KeyframeChange(index=0),
        KeyframeChange(index=48, prompt="snow = ice", seed=7),
        KeyframeChange(index=96, seed=1),
    ]


def test_keyframes_come_and_go() -> None:
    changes = parse_keyframe_changes([], ["5=9"], ["5=snow"], [12], ["3=/a.png"])

    assert changes == [
        KeyframeChange(index=3, kind="replace", picture_path="/a.png"),
        KeyframeChange(index=5, kind="add", prompt="snow", seed=9),
        KeyframeChange(index=12, kind="remove"),
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "name at least one keyframe"),
        ({"keyframes": ["x"]}, "form N or N=TEXT"),
        ({"keyframes": ["4="]}, "form N or N=TEXT"),
        ({"keyframes": ["-1"]}, "form N or N=TEXT"),
        ({"added": ["x"]}, "add: 'x' is not of the form N or N=TEXT"),
        ({"seeds": ["4"]}, "form N=SEED"),
        ({"seeds": ["4=-1"]}, "form N=SEED"),
        ({"painted": ["4"]}, "form N=FILE"),
        ({"keyframes": ["4"], "removed": [4]}, "frame 4 is to be changed in two ways"),
    ],
)
def test_changes_of_another_form_are_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSettings, match=sentence):
        parse_keyframe_changes(**given)


def test_choosing_nothing_gives_the_default_settings() -> None:
    assert Choices(prompt="ink").settings() == RestyleSettings(prompt="ink")


def test_what_is_chosen_wins_over_the_preset() -> None:
    settings = Choices(prompt="ink", preset="draft", size=640, steps=30).settings()

    assert (settings.size, settings.steps) == (640, 30)
    assert settings.optimisation == Choices(prompt="ink", preset="draft").settings().optimisation


def test_smoothing_follows_the_preset_until_it_is_chosen() -> None:
    assert Choices(prompt="ink", preset="best").settings().smoothing.is_on
    assert not Choices(prompt="ink", preset="best", smoothing=False).settings().smoothing.is_on
    assert Choices(prompt="ink", smoothing=True).settings().smoothing.is_on


def test_a_style_needs_no_prompt_and_leaves_its_settings_open() -> None:
    settings = Choices(style="oil").settings()

    assert settings == RestyleSettings(prompt="", style="oil")
    assert (settings.strength, settings.guidance_scale, settings.negative_prompt) == (None,) * 3


def test_every_adaptation_can_be_switched_off() -> None:
    settings = Choices(
        prompt="ink",
        spatial_attention=False,
        cross_frame=False,
        temporal_attention=False,
        optimisation=False,
    ).settings()

    attention = settings.attention
    assert (attention.spatial, attention.cross_frame, attention.temporal) == (False,) * 3
    assert not settings.optimisation.is_on


def test_every_value_reaches_the_settings() -> None:
    settings = Choices(
        prompt="ink",
        style="oil",
        negative_prompt="blur",
        frame_prompt=["3=snow"],
        seed=7,
        strength=0.5,
        keep_colours=0.25,
        colourise=True,
        guidance=4.0,
        control="canny",
        control_scale=0.9,
        batch=5,
        keyframes="4:9",
        range="2:30",
        free_u=True,
    ).settings()

    assert settings == RestyleSettings(
        prompt="ink",
        style="oil",
        negative_prompt="blur",
        keyframe_prompts={3: "snow"},
        seed=7,
        strength=0.5,
        keep_colours=0.25,
        colourise=True,
        guidance_scale=4.0,
        control="canny",
        control_scale=0.9,
        batch_size=5,
        keyframe_min=4,
        keyframe_max=9,
        start=2,
        stop=30,
        free_u=True,
    )


def _parameters(command: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for word, inner in (getattr(command, "commands", None) or {}).items():
        yield from _parameters(inner, (*name, word))
    for parameter in command.params:
        yield " ".join((*name, parameter.opts[0])), parameter.type_descriptor


def test_no_path_of_any_command_may_be_empty() -> None:
    """A variable that a script never set does not mean the current folder."""
    root = typer.main.get_command(app)
    paths = {
        name: described.parameter_info.parser
        for name, described in _parameters(root)
        if "Path" in str(described.annotation)
    }

    assert {"serve --data", "restyle clip", "doctor --report"} <= set(paths)
    assert [name for name, parse in paths.items() if parse is None] == []
    for parse in set(paths.values()):
        with pytest.raises(typer.BadParameter, match="the name is empty"):
            parse(" ")


def test_the_daemon_takes_no_empty_data_folder(
    fresco: Fresco, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    ended = fresco("serve", "--data", "")

    assert ended.code == 2
    assert "the name is empty" in " ".join(ended.stderr.split())
    assert list(here.iterdir()) == []
