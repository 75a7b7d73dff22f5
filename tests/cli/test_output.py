"""Progress on a terminal."""

from __future__ import annotations

import io
import json

import pytest
from fresco_cli.faults import fault_of
from fresco_cli.output import JsonOutput, TerminalOutput, aligned, write_text
from fresco_client import Stage, StageProgress
from fresco_engine.errors import ClipUnreadable
from rich.console import Console


def _terminal() -> tuple[TerminalOutput, io.StringIO]:
    text = io.StringIO()
    return TerminalOutput(Console(file=text, force_terminal=True, width=100)), text


def test_every_stage_has_its_own_bar() -> None:
    output, text = _terminal()

    output.progress(StageProgress(stage=Stage.ANALYSING, done=3, total=3), None)
    output.progress(StageProgress(stage=Stage.TRANSLATING, done=1, total=4), 65)
    output.close()

    shown = text.getvalue()
    assert "analysing" in shown
    assert "3/3" in shown
    assert "translating keyframes" in shown
    assert "1/4, 65 s left" in shown


def test_what_looks_like_markup_is_printed_as_it_is() -> None:
    output, text = _terminal()

    output.warned("[bold]frame.png[/bold] is damaged")

    assert "Warning: [bold]frame.png[/bold] is damaged" in text.getvalue()


def test_a_stage_of_nothing_is_complete() -> None:
    text = io.StringIO()
    output = TerminalOutput(Console(file=text))

    output.progress(StageProgress(stage=Stage.INTERPOLATING, done=0, total=0), None)

    assert "interpolating 100%" in text.getvalue()


def test_columns_are_as_wide_as_their_widest_cell_and_never_folded() -> None:
    path = "/" + "long/" * 60

    assert aligned([("a", path), ("abc", "b")]) == f"a    {path}\nabc  b"


EVIL = "a\x1b]0;owned\x07\u202e\x9b31m.mp4\nError: forged"


def test_foreign_text_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    channel = TerminalOutput()

    channel.note(EVIL)
    channel.warned(EVIL)
    channel.result(EVIL.replace("\n", ""))
    channel.failed("Kind", fault_of(ClipUnreadable(EVIL, "no clip")).text)
    write_text(aligned([("title", "clip"), (EVIL, EVIL)]))

    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert not any(mark in text for mark in ("\x1b", "\x07", "\u202e", "\x9b"))
    forged = [line for line in told.err.splitlines() if line.startswith("Error: forged")]
    assert forged == []
    assert len(told.out.splitlines()) == 3


def test_json_carries_foreign_text_as_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    JsonOutput().warned(EVIL)

    line = capsys.readouterr().out
    assert json.loads(line)["message"] == EVIL
    assert not any(mark in line for mark in ("\x1b", "\u202e", "\x9b"))
    assert len(line.splitlines()) == 1
