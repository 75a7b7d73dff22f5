"""What the documents say of the command line is what it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from fresco_cli.app import app

from tests.cli.conftest import Fresco

ROOT = Path(__file__).parents[2]


def _options(command: str) -> set[str]:
    group: object = typer.main.get_command(app)
    commands = getattr(group, "commands")  # noqa: B009 - typer does not export its group's type
    names = {name for parameter in commands[command].params for name in parameter.opts}
    return {name for name in names if name.startswith("--")}


def test_the_readme_names_every_option_of_restyle() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"--[a-z][a-z-]+", text))
    switched_off = {f"--no-{name[2:]}" for name in _options("restyle")}

    missing = {
        name
        for name in _options("restyle") - {"--output"}
        if name not in named and f"--no-{name[2:]}" not in named
    }

    assert missing == set()
    table = text.split("### Options")[1].split("\n##")[0]
    unknown = set(re.findall(r"--[a-z][a-z-]+", table)) - _options("restyle") - switched_off
    assert unknown == set()


def test_the_readme_names_every_option_of_propagate() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("### Painted keyframes")[1].split("\nExit codes")[0]

    named = set(re.findall(r"--[a-z][a-z-]+", section))

    assert named == _options("propagate") - {"--output"}


@pytest.mark.parametrize("command", ["restyle", "propagate", "look", "keyframes", "demo", "doctor"])
def test_the_readme_shows_every_command(command: str) -> None:
    assert f"fresco {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_event_of_a_job_is_documented(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE))

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--json")

    assert {line["event"] for line in ended.lines} <= documented
