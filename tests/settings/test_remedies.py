"""Sentences name settings and remedies neutrally; each front end has its own words for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresco_cli.remedies import in_flags
from fresco_client.remedies import in_window
from fresco_davinci.remedies import in_resolve
from fresco_engine.errors import OutOfDeviceMemory
from fresco_media.errors import OutputExists
from fresco_settings import Remedy, marked, reworded, said

ROOT = Path(__file__).resolve().parents[2]
NEUTRAL = ("media/fresco_media", "settings/fresco_settings", "client/fresco_client")
NEUTRAL += ("server/fresco_engine", "server/fresco_server")
# What the daemon says before it serves is read by whoever typed the command that starts it.
STARTING = ("lock", "private", "jobs/claim", "jobs/database", "jobs/recovery", "rpc/server")
STARTING += ("rpc/tls",)
FLAG = re.compile(r"(?<![\w-])--[a-z]|['“`]fresco [a-z]+")


def sentences(path: Path) -> Iterator[str]:
    """Texts in which a flag would be read by a person: a flag alone is an argument of a process."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in plain:
            continue
        if isinstance(node.value, str) and " " in node.value:
            yield node.value


@pytest.mark.parametrize("package", NEUTRAL)
def test_no_sentence_below_the_front_ends_names_a_flag_or_a_command(package: str) -> None:
    folder = ROOT / package
    starting = {folder / f"{name}.py" for name in STARTING}

    found = [
        (path.relative_to(ROOT).as_posix(), text)
        for path in sorted(folder.rglob("*.py"))
        if path not in starting
        for text in sentences(path)
        if FLAG.search(text)
    ]

    assert found == []


def test_a_remedy_is_worded_in_each_front_end() -> None:
    neutral = str(OutputExists("out.mp4"))

    assert neutral == "out.mp4: it exists already; choose another name or allow it to be replaced"
    assert in_flags(neutral).endswith("choose another name or add --overwrite")
    assert in_window(neutral).endswith("choose another name or let it be replaced")


def test_a_daemon_is_started_differently_from_each_front_end() -> None:
    neutral = f"No Fresco daemon runs. {said(Remedy.START_DAEMON)}"

    assert in_flags(neutral) == "No Fresco daemon runs. Start one with 'fresco serve'."
    assert in_window(neutral) == "No Fresco daemon runs. Start one."
    assert in_resolve(neutral) == "No Fresco daemon runs. Start one in a terminal: fresco serve."


def test_settings_are_called_by_their_labels_and_in_the_terminal_by_their_options() -> None:
    error = OutOfDeviceMemory("dreaming", None, None)

    assert (error.field, error.remedy_code) == ("size", "LESS_MEMORY")
    assert "a smaller “Working size” or “Keyframes at once”" in in_window(str(error))
    assert "a smaller --size or --batch" in in_flags(error)


@pytest.mark.parametrize("remedy", list(Remedy))
def test_every_remedy_has_words_that_are_found_again(remedy: Remedy) -> None:
    sentence = f"a; {said(remedy, 7)}, or b"

    assert reworded(sentence, {remedy: "X"}, {}) == "a; X, or b"


def test_values_of_remedies_are_kept() -> None:
    many = f"{said(Remedy.FIRST_NUMBER, 1)} or {said(Remedy.FIRST_NUMBER, 10)}"
    named = said(Remedy.ADD_NAMED_LORA, "{a b}.safetensors:0.8")

    assert in_flags(many) == "add --first-number 1 or add --first-number 10"
    assert in_flags(named) == "add the LoRA with --lora {a b}.safetensors:0.8"


def test_a_sentence_of_another_version_stays_as_it_is() -> None:
    sentence = f"allow its replacement, or change “{marked('size')[1:-2]}"

    assert in_flags(sentence) == sentence
