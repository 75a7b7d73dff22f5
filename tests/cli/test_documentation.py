"""What the documents say of the command line is what it does."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from fresco_cli.app import app

from tests.cli.conftest import Fresco

ROOT = Path(__file__).parents[2]


@cache
def _command(*names: str) -> Any:
    if not names:
        return typer.main.get_command(app)  # typer does not export its group's type
    found = _command()
    for name in names:
        found = found.commands[name]
    return found


def _options(*names: str) -> set[str]:
    found = {name for parameter in _command(*names).params for name in parameter.opts}
    return {name for name in found if name.startswith("--")}


def _named(text: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", text))


def _page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_readme_names_every_option_of_restyle() -> None:
    text = _page("README.md")
    switched_off = {f"--no-{name[2:]}" for name in _options("restyle")}

    missing = {
        name
        for name in _options("restyle") - {"--output"}
        if name not in _named(text) and f"--no-{name[2:]}" not in _named(text)
    }

    assert missing == set()
    table = text.split("### Options")[1].split("\n##")[0]
    assert _named(table) - _options("restyle") - switched_off == set()


def test_the_readme_names_every_option_of_propagate() -> None:
    section = _page("README.md").split("### Painted keyframes")[1].split("\nExit codes")[0]

    assert _named(section) == _options("propagate") - {"--output"}


@pytest.mark.parametrize("command", sorted(_command().commands))
def test_the_readme_shows_every_command(command: str) -> None:
    assert re.search(rf"\b{command}\b", _page("README.md"))


def test_the_page_on_the_daemon_names_every_option_of_serve() -> None:
    assert _options("serve") - {"--debug", "--data"} - _named(_page("docs/daemon.md")) == set()


@pytest.mark.parametrize("command", sorted(_command("jobs").commands))
def test_the_page_on_the_daemon_shows_every_command_of_jobs(command: str) -> None:
    assert re.search(rf"\b{command}\b", _page("docs/daemon.md").split("## Jobs")[1])


def test_every_default_of_serve_is_the_one_that_the_page_tells() -> None:
    defaults = {
        parameter.opts[0]: parameter.default
        for parameter in _command("serve").params
        if parameter.default not in (None, (), [])
    }
    rows = dict(
        re.findall(
            r"^\| `(--[a-z-]+)[^`]*` \|.*\| (\S+) \|$", _page("docs/daemon.md"), re.MULTILINE
        )
    )

    told = {name: rows[name] for name in ("--quota", "--max-clip", "--idle-unload")}

    assert told == {
        name: f"{defaults[name]:g}" if name == "--idle-unload" else str(defaults[name])
        for name in told
    }


@pytest.mark.parametrize(
    "page", ["README.md", "docs/daemon.md", "docs/trouble.md", "docs/resolve.md"]
)
def test_every_command_line_in_the_documents_is_understood(page: str) -> None:
    lines = re.findall(r"^    fresco ([^#\n]*)", _page(page).replace("\\\n", " "), re.MULTILINE)
    spans = re.findall(r"`fresco ([a-z][^`]*)`", _page(page))

    for line in [*lines, *spans]:
        names = _names_of(line)
        assert _named(line) - _options(*names) == set(), line


def _names_of(line: str) -> list[str]:
    """The command that a line begins with, such as jobs watch."""
    names: list[str] = []
    for word in line.replace("[", "").replace("]", "").split():
        commands = getattr(_command(*names), "commands", {})
        if word.rstrip(",") not in commands:
            break
        names.append(word.rstrip(","))
    assert names, line
    return names


@pytest.mark.parametrize("options", [(), ("--local",)], ids=["daemon", "local"])
def test_every_event_of_a_job_is_documented(
    fresco: Fresco, clip: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    documented = set(re.findall(r"^\| `([a-z]+)` \|", _page("docs/command-line.md"), re.MULTILINE))

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--json", *options)

    assert {line["event"] for line in ended.lines} <= documented


@pytest.mark.parametrize("command", sorted(_command().commands))
def test_what_may_not_be_read_is_told_by_who_reads_it_and_not_by_the_parser(command: str) -> None:
    group = _command(command)
    commands = getattr(group, "commands", {"": group}).values()

    declared = [(option.name, option.type_descriptor) for one in commands for option in one.params]

    refusing = [
        name
        for name, kind in declared
        if "Path" in str(kind.annotation)
        and kind.parameter_info.parser is None
        and (kind.parameter_info.readable or kind.parameter_info.exists)
    ]

    assert refusing == []
