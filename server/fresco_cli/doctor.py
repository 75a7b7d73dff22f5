"""`fresco doctor`: whether this machine can run Fresco, and what is missing if not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from fresco_media.files.text import printable
from rich.table import Table
from rich.text import Text

from fresco_cli import checks, fault_report, options
from fresco_cli.checks import Check
from fresco_cli.daemons import Tools
from fresco_cli.faults import FAILED
from fresco_cli.forecast import JobChoice
from fresco_cli.grouping import grouped
from fresco_cli.options import AnswerOptions
from fresco_cli.outcome import told
from fresco_cli.output import answering, make_output, write_json, write_text
from fresco_cli.parsing import place, source_place


@grouped
def doctor(
    context: typer.Context,
    telling: AnswerOptions,
    clip: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CLIP]",
            help="Tell what a job of this clip takes; else of the sample.",
            parser=source_place,
        ),
    ] = None,
    model: options.ModelSource = None,
    size: Annotated[
        int, typer.Option(min=64, max=4096, help="Short side in pixels of that job.")
    ] = JobChoice.size,
    device: options.Device = None,
    data: options.Data = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.zip|txt",
            help="Collect what a report of a fault needs: checks, settings, log and jobs, without "
            "tokens and prompts, and with ~ for your own folder.",
            parser=place,
        ),
    ] = None,
    with_prompts: Annotated[
        bool, typer.Option("--with-prompts", help="Leave prompts in the report.")
    ] = False,
) -> None:
    """Check versions, devices, codecs, disk, daemon and model; restyle one frame as a test."""
    tools: Tools = context.obj
    with told(make_output(as_json=telling.as_json, quiet=True), debug=telling.debug):
        if report is not None:
            fault_report.check_place(report)
        job = JobChoice(clip=clip, model=model, size=size, device=device)
        results = checks.run_all(tools, job, data)
        if telling.as_json:
            write_json([asdict(check) for check in results], indent=2)
        else:
            _print(results)
        if report is not None:
            parts = fault_report.FaultReport(tools, data, with_prompts).parts(results)
            fault_report.write(report, parts)
            if not telling.as_json:
                _print_report(report, list(parts), with_prompts=with_prompts)
        if not all(check.is_ok for check in results):
            raise typer.Exit(FAILED)


def _print(results: Sequence[Check]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for check in results:
        mark = "[green]ok[/]" if check.is_ok else "[red]missing[/]"
        table.add_row(mark, check.name, Text(printable(check.detail, keep="\n")))
    failed = [check.name for check in results if not check.is_ok]
    with answering() as console:
        console.print(table)
        if failed:
            console.print(f"Not all is well: see {', '.join(failed)} above.")
        else:
            console.print("All is well.")


def _print_report(path: Path, names: Sequence[str], *, with_prompts: bool) -> None:
    left_out = "tokens" if with_prompts else "tokens and prompts"
    write_text(
        f"{path} holds {', '.join(names)}. Left out are {left_out}; names of clips and folders are "
        "in it, your own folder as ~. Read it before you give it away."
    )
