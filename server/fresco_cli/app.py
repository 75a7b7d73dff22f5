"""The commands and what they share."""

from __future__ import annotations

from typing import Annotated

import typer
from fresco_engine import __version__
from fresco_server.local.engine import InProcessEngine

from fresco_cli import (
    demo,
    doctor,
    evaluate,
    jobs,
    keyframes,
    look,
    models,
    plugins,
    propagate,
    resolve,
    restyle,
    serve,
    status,
)
from fresco_cli.daemons import Tools

app = typer.Typer(
    name="fresco",
    help="Restyle a video by text, frame after frame in one style, with its sound and timing kept.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("restyle")(restyle.restyle)
app.command("edit")(restyle.edit)
app.command("propagate")(propagate.propagate)
app.command("keyframes")(keyframes.keyframes)
app.command("look")(look.look)
app.command("evaluate")(evaluate.evaluate)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.command("serve")(serve.serve)
app.command("status")(status.status)
app.command("stop")(status.stop)
app.command("drain")(status.drain)
app.add_typer(jobs.app, name="jobs")
app.command("install-plugin")(plugins.install_plugin)
app.command("resolve-companion")(resolve.resolve_companion)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fresco {__version__}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and end.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Give the commands what they work with; tests bring their own."""
    if context.obj is None:
        context.obj = Tools(InProcessEngine())
