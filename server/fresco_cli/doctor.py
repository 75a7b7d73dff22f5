"""`fresco doctor`: whether this machine can run Fresco, and what is missing if not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from fresco_cli import checks, options
from fresco_cli.checks import Check
from fresco_cli.faults import FAILED
from fresco_cli.outcome import told
from fresco_cli.output import make_output, write_json


def doctor(
    context: typer.Context,
    device: options.Device = None,
    as_json: options.AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Check versions, devices, codecs, disk and the bundled model; restyle one frame as a test."""
    with told(make_output(as_json=as_json, quiet=True), debug=debug):
        results = checks.run_all(context.obj.engine, device)
        if as_json:
            write_json([asdict(check) for check in results], indent=2)
        else:
            _print(results)
        if not all(check.is_ok for check in results):
            raise typer.Exit(FAILED)


def _print(results: Sequence[Check]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for check in results:
        mark = "[green]ok[/]" if check.is_ok else "[red]missing[/]"
        table.add_row(mark, check.name, check.detail.replace("[", r"\["))
    console = Console(highlight=False)
    console.print(table)
    failed = [check.name for check in results if not check.is_ok]
    if failed:
        console.print(f"Not all is well: see {', '.join(failed)} above.")
    else:
        console.print("All is well.")
