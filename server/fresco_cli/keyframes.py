"""`fresco keyframes`: which frames would be translated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from fresco_media.files.text import counted, printable
from rich.table import Table

from fresco_cli import destinations, options
from fresco_cli.choices import PlanChoices
from fresco_cli.daemons import Tools
from fresco_cli.events import plan_as_json
from fresco_cli.grouping import grouped
from fresco_cli.inputs import clip_inputs
from fresco_cli.options import AnswerOptions
from fresco_cli.outcome import told
from fresco_cli.output import answering, make_output, write_error, write_json
from fresco_cli.parsing import parse_frame_rate, place
from fresco_cli.pictures import keyframe_sheet
from fresco_cli.remedies import in_flags

if TYPE_CHECKING:
    from fresco_client import Plan
    from fresco_media.clip import Clip
    from fresco_media.types import ClipProperties


@grouped
def keyframes(
    context: typer.Context,
    clip: options.ClipPath,
    choices: PlanChoices,
    telling: AnswerOptions,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="SHEET.png",
            help="Save them as a contact sheet.",
            parser=place,
        ),
    ] = None,
    frame_rate: options.FrameRate = None,
    overwrite: options.Overwrite = False,
) -> None:
    """List shots and keyframes of a clip; no model is needed."""
    with told(make_output(as_json=telling.as_json, quiet=True), debug=telling.debug):
        tools: Tools = context.obj
        settings = choices.settings()
        if sheet is not None:
            destinations.check_picture(sheet, overwrite=overwrite)
        opened = tools.engine.open_clip(clip, parse_frame_rate(frame_rate))
        originals = clip_inputs(opened.info)
        if sheet is not None:
            originals.check(sheet)
        from fresco_server.local.events import plan_of

        plan = plan_of(tools.engine.plan(opened, settings))
        for text in opened.warnings:
            write_error(f"Warning: {in_flags(text)}")
        if sheet is not None:
            originals.check(sheet)
            shown = keyframe_sheet(opened, plan.keyframes, sheet, is_new=not overwrite)
            if shown < len(plan.keyframes):
                write_error(
                    f"Warning: the sheet shows {shown} of {len(plan.keyframes)} keyframes, evenly "
                    "spread; use --range for all of a part"
                )
        if telling.as_json:
            write_json(plan_as_json(plan, opened.info), indent=2)
        else:
            _print(plan, opened, sheet)


def _print(plan: Plan, clip: Clip, sheet: Path | None) -> None:
    info = clip.info
    table = Table("shot", "frames", "seconds", "keyframes", box=None, pad_edge=False)
    for number, shot in enumerate(plan.shots, start=1):
        first, last = shot.start, shot.stop - 1
        inside = [str(index) for index in plan.keyframes if first <= index <= last]
        seconds = f"{_second(info, first):.2f} to {_second(info, last):.2f}"
        table.add_row(str(number), f"{first} to {last}", seconds, " ".join(inside))
    count = len(plan.keyframes)
    with answering() as console:
        console.print(table)
        console.print(f"{counted(count, 'keyframe')} of {counted(plan.stop - plan.start, 'frame')}")
        if clip.first_number:
            console.print(
                f"frame 0 is the picture numbered {clip.first_number}; painted keys have the "
                "numbers of pictures in their names",
                soft_wrap=True,
            )
        if sheet is not None:
            console.print(printable(sheet), soft_wrap=True, markup=False)


def _second(info: ClipProperties, index: int) -> float:
    return float((info.times[index] - info.times[0]) * info.time_base)
