"""Progress on a terminal."""

from __future__ import annotations

import io

from fresco_cli.output import TerminalOutput, aligned
from fresco_engine.types import Progress, Stage, Warned
from rich.console import Console


def _terminal() -> tuple[TerminalOutput, io.StringIO]:
    text = io.StringIO()
    return TerminalOutput(Console(file=text, force_terminal=True, width=100)), text


def test_every_stage_has_its_own_bar() -> None:
    output, text = _terminal()

    output.event(Progress(stage=Stage.ANALYSING, done=3, total=3))
    output.event(Progress(stage=Stage.TRANSLATING, done=1, total=4, remaining_s=65))
    output.close()

    shown = text.getvalue()
    assert "analysing" in shown
    assert "3/3" in shown
    assert "translating keyframes" in shown
    assert "1/4, 1:05 left" in shown


def test_what_looks_like_markup_is_printed_as_it_is() -> None:
    output, text = _terminal()

    output.event(Warned("[bold]frame.png[/bold] is damaged"))

    assert "Warning: [bold]frame.png[/bold] is damaged" in text.getvalue()


def test_a_stage_of_nothing_is_complete() -> None:
    text = io.StringIO()
    output = TerminalOutput(Console(file=text))

    output.event(Progress(stage=Stage.INTERPOLATING, done=0, total=0))

    assert "interpolating 100%" in text.getvalue()


def test_columns_are_as_wide_as_their_widest_cell_and_never_folded() -> None:
    path = "/" + "long/" * 60

    assert aligned([("a", path), ("abc", "b")]) == f"a    {path}\nabc  b"
