"""`fresco models`: which models there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from fresco_cli import options
from fresco_cli.engine import Engine
from fresco_cli.outcome import told
from fresco_cli.output import aligned, make_output, write_json

if TYPE_CHECKING:
    from fresco_engine.diffusion.catalogue import ModelEntry

app = typer.Typer(help="See which models there are.", no_args_is_help=True)


@app.callback()
def start() -> None:
    """See which models there are."""


@app.command("list")
def list_models(
    context: typer.Context, as_json: options.AsJson = False, debug: options.Debug = False
) -> None:
    """List the bundled model, those on this machine, and known ones on the hub."""
    with told(make_output(as_json=as_json, quiet=True), debug=debug):
        engine: Engine = context.obj
        entries = engine.list_models()
        if as_json:
            write_json([model_as_json(entry) for entry in entries], indent=2)
        else:
            _print(entries)


def model_as_json(entry: ModelEntry) -> dict[str, Any]:
    """A model as plain values."""
    return {**asdict(entry), "state": entry.state.value}


def _print(entries: Sequence[ModelEntry]) -> None:
    rows = [("name", "state", "on disk", "in memory", "--model")]
    rows += [
        (
            entry.name,
            entry.state.value,
            megabytes(entry.size_bytes),
            megabytes(entry.memory_bytes),
            "(the default)" if entry.state.value == "bundled" else entry.source,
        )
        for entry in entries
    ]
    typer.echo(aligned(rows))
    for entry in entries:
        if entry.problem is not None:
            typer.echo(f"{entry.name}: {entry.problem}")
        if entry.styles:
            typer.echo(f"\nStyles of {entry.name}, and the words that call for them:")
            typer.echo(aligned([(f"  {style.name}", style.words) for style in entry.styles]))


def megabytes(count: int) -> str:
    """A size as a person reads it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
