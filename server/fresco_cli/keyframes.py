"""`fresco keyframes`: which frames would be translated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from fresco_engine.types import Analysed
from fresco_media.text import counted, printable
from rich.console import Console
from rich.table import Table

from fresco_cli import destinations, options
from fresco_cli.choices import Choices
from fresco_cli.engine import Engine
from fresco_cli.events import plan_as_json
from fresco_cli.grouping import grouped
from fresco_cli.inputs import clip_inputs
from fresco_cli.options import ShortTelling
from fresco_cli.outcome import told
from fresco_cli.output import make_output, write_error, write_json
from fresco_cli.parsing import parse_frame_rate
from fresco_cli.pictures import keyframe_sheet


@grouped
def keyframes(
    context: typer.Context,
    clip: options.ClipPath,
    telling: ShortTelling,
    sheet: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="SHEET.png", help="Save them as a contact sheet."),
    ] = None,
    gaps: options.Gaps = None,
    frames: options.Range = None,
    frame_rate: options.FrameRate = None,
    size: options.Size = None,
    overwrite: options.Overwrite = False,
) -> None:
    """List shots and keyframes of a clip; no model is needed."""
    with told(make_output(as_json=telling.as_json, quiet=True), debug=telling.debug):
        engine: Engine = context.obj.engine
        settings = Choices(prompt="none", gaps=gaps, frames=frames, size=size).settings()
        if sheet is not None:
            destinations.check_picture(sheet, overwrite=overwrite)
        opened = engine.open_clip(clip, parse_frame_rate(frame_rate))
        originals = clip_inputs(opened.info)
        if sheet is not None:
            originals.check(sheet)
        plan = engine.plan(opened, settings)
        for text in opened.warnings:
            write_error(f"Warning: {text}")
        if sheet is not None:
            originals.check(sheet)
            keyframe_sheet(opened, plan.keyframes, sheet)
        if telling.as_json:
            write_json(plan_as_json(plan), indent=2)
        else:
            _print(plan, sheet)


def _print(plan: Analysed, sheet: Path | None) -> None:
    table = Table("shot", "frames", "seconds", "keyframes", box=None, pad_edge=False)
    for number, (first, stop) in enumerate(plan.shots, start=1):
        inside = [str(index) for index in plan.keyframes if first <= index < stop]
        seconds = f"{_second(plan, first):.2f} to {_second(plan, stop - 1):.2f}"
        table.add_row(str(number), f"{first} to {stop - 1}", seconds, " ".join(inside))
    console = Console(highlight=False)
    console.print(table)
    count = len(plan.keyframes)
    console.print(f"{counted(count, 'keyframe')} of {counted(plan.stop - plan.start, 'frame')}")
    if sheet is not None:
        console.print(printable(sheet), soft_wrap=True, markup=False)


def _second(plan: Analysed, index: int) -> float:
    info = plan.info
    return float((info.times[index] - info.times[0]) * info.time_base)
