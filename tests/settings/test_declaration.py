"""A setting is declared once, and is then in every front end and on every page."""

from __future__ import annotations

from typing import Any

import fresco_client
import pytest
import typer
from fresco_cli.choices import ChosenOptions, with_options
from fresco_cli.grouping import grouped
from fresco_server.rpc.parameters import capabilities
from fresco_settings import (
    InvalidSettings,
    PartialSettings,
    RestyleSettings,
    SmoothingSettings,
    left_open,
    parameters_of,
)
from typer.testing import CliRunner

from tests.fakes.settings import MoreSettings
from tests.settings import page


@left_open(MoreSettings)
class MoreOpen(PartialSettings):
    """As clients have them."""


@with_options(MoreSettings, lambda one: not one.setting.needs_clip)
class MoreChoices(ChosenOptions):
    """As the command line has them."""


@pytest.mark.parametrize("wrong", [-1.0, 7.5, float("nan")])
def test_the_validator_knows_it(wrong: float) -> None:
    assert MoreSettings(prompt="ink", paint_depth=7).paint_depth == 7
    with pytest.raises(InvalidSettings, match=r"paint_depth: .* is outside 0 to 7"):
        MoreSettings(prompt="ink", paint_depth=wrong)


def test_the_server_tells_it() -> None:
    (told,) = (one for one in capabilities(MoreSettings) if one.name == "paint_depth")

    assert (told.title, told.description) == ("Paint depth", "How thick the paint lies")
    assert (told.minimum, told.maximum, told.unit, told.is_advanced) == (0, 7, "mm", False)


def test_what_is_for_edits_alone_is_declared_and_told() -> None:
    told = {one.name: one.of_mode for one in capabilities()}

    of_edits = {"source_prompt", "keep", "inversion", "hold_layout", "hold_words"}
    assert {name for name, mode in told.items() if mode} == of_edits
    assert told["mode"] == told["strength"] == ""


def test_clients_can_leave_it_open() -> None:
    assert MoreOpen(prompt="ink").paint_depth is None
    assert MoreOpen().keyframes == fresco_client.RestyleSettings().keyframes == ()
    assert MoreOpen(paint_depth=3.5).paint_depth == 3.5


def test_the_command_line_takes_it_and_explains_it() -> None:
    app, given = typer.Typer(), list[dict[str, Any]]()

    def command(choices: MoreChoices) -> None:
        given.append(choices.values())

    command.__annotations__["choices"] = MoreChoices
    app.command()(grouped(command))

    CliRunner().invoke(app, ["--prompt", "ink", "--paint-depth", "2,5"], catch_exceptions=False)
    shown = CliRunner().invoke(app, ["--help"], catch_exceptions=False, env={"COLUMNS": "200"})

    assert given == [{"prompt": "ink", "paint_depth": 2.5}]
    assert "How thick the paint lies (0 to 7 mm; default: the model's)." in shown.output


def test_the_pages_list_it() -> None:
    reference, table = page.page(MoreSettings), page.table(MoreSettings)

    assert "| Paint depth<br>`paint_depth` | How thick the paint lies |" in reference
    assert "| `--paint-depth F` | How thick the paint lies (0 to 7 mm) |" in table


def test_every_setting_has_a_title_and_a_group_of_words_and_no_two_share_a_title() -> None:
    declared = parameters_of(RestyleSettings)
    titles = [one.title for one in declared]

    assert len(set(titles)) == len(titles)
    assert all(one.group and one.description for one in declared)
    assert not [title for title in titles if "_" in title or not title[0].isupper()]


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("prompt", None, "text"),
        ("strength", "0.5", "a number"),
        ("strength", True, "a number"),
        ("seed", 1.5, "a whole number"),
        ("start", None, "a whole number"),
        ("style", ["oil"], "text"),
        ("mode", 5, "one of its names"),
        ("compile", "yes", "True or False"),
        ("keyframes", "0,4", "a list, each of it a whole number"),
        ("keyframe_prompts", ["fog"], "a mapping from frames"),
        ("keyframe_prompts", {"3": "fog"}, "a mapping from frames"),
        ("smoothing", True, "SmoothingSettings"),
    ],
)
def test_a_value_of_another_type_is_refused_with_what_to_give(
    field: str, value: Any, wanted: str
) -> None:
    given = {"prompt": "ink", field: value}

    with pytest.raises(InvalidSettings, match=f"{field}: it is .*; give {wanted}"):
        RestyleSettings(**given)


def test_a_value_of_another_type_in_a_part_is_named_with_its_part() -> None:
    with pytest.raises(InvalidSettings, match=r"smoothing\.is_on: it is 1; give True or False"):
        SmoothingSettings(is_on=1)  # pyright: ignore[reportArgumentType]
