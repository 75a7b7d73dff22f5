"""`fresco models`: which models there are, and getting, loading and unloading them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from fresco_media.files.text import printable, sized

from fresco_cli import options
from fresco_cli.daemons import Tools
from fresco_cli.grouping import grouped
from fresco_cli.options import AnswerOptions, DaemonOptions, ReportingOptions
from fresco_cli.outcome import told
from fresco_cli.output import Output, aligned, make_output, write_json, write_text

if TYPE_CHECKING:
    from fresco_client import Model, SessionLike

app = typer.Typer(help="See, get, load and unload models.", no_args_is_help=True)

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="What --model takes: a hub id such as owner/name.",
        show_default=False,
    ),
]


@app.callback()
def start() -> None:
    """See, get, load and unload models."""


@app.command("list")
@grouped
def list_models(context: typer.Context, daemon: DaemonOptions, telling: AnswerOptions) -> None:
    """List the models there are, and LoRAs and other files in the daemon's folders."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=True)
    with told(channel, debug=telling.debug):
        with _running(tools, daemon, channel) as session:
            listed = (*session.models(), *session.model_files())
            models = [model_as_json(model) for model in listed]
        if telling.as_json:
            write_json(models, indent=2)
        else:
            _print(models)


@app.command("pull")
@grouped
def pull(
    context: typer.Context, source: Source, daemon: DaemonOptions, telling: ReportingOptions
) -> None:
    """Download a model from the hub; run it again to go on where it stopped."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug):
        done = 0
        for done, total in _pulled(tools, daemon, source, channel):
            channel.transfer("downloading", done, total)
            if telling.as_json:
                write_json({"event": "pulling", "done_bytes": done, "total_bytes": total})
        channel.result(f"{source}: {sized(done)} are here")


def _pulled(
    tools: Tools, daemon: DaemonOptions, source: str, channel: Output
) -> Iterator[tuple[int, int]]:
    with _running(tools, daemon, channel) as session, session.pull(source) as steps:
        for step in steps:
            yield step.done_bytes, step.total_bytes


@app.command("load")
@grouped
def load(
    context: typer.Context,
    daemon: DaemonOptions,
    telling: ReportingOptions,
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="As --model takes it; default: the bundled model."),
    ] = None,
    device: options.Device = None,
) -> None:
    """Load a model onto a device of the daemon ahead of its first use."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug), tools.session(daemon, channel) as session:
        from fresco_cli.wire import device_of, place_of

        session.load(place_of(source), device_of(device))
        channel.result(f"{source or 'The bundled model'} is loaded.")


@app.command("unload")
@grouped
def unload(
    context: typer.Context,
    daemon: DaemonOptions,
    telling: ReportingOptions,
    device: options.Device = None,
) -> None:
    """Free the memory of the daemon's devices that are not in use, or of one."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with (
        told(channel, debug=telling.debug),
        tools.session(daemon, channel, start=False) as session,
    ):
        from fresco_cli.wire import device_of

        session.unload(device_of(device))
        channel.result("The memory is free.")


def _running(tools: Tools, daemon: DaemonOptions, channel: Output) -> SessionLike:
    """A session with a daemon that runs already; if this machine has none, one of this process."""
    from fresco_client import DaemonNotFound
    from fresco_server.local.session import LocalSession

    try:
        return tools.session(daemon, channel, start=False)
    except DaemonNotFound:
        return LocalSession(tools.engine)


def model_as_json(model: Model) -> dict[str, Any]:
    """A model as plain values, without pictures."""
    values = asdict(model)
    for style in values["styles"]:
        del style["picture"]
    return {**values, "problem": model.problem or None}


def _print(listed: Sequence[dict[str, Any]]) -> None:
    models = [model for model in listed if model["kind"] == "whole"]
    rows = [("name", "state", "on disk", "in memory", "--model")]
    rows += [
        (
            model["name"],
            ", ".join([model["state"], *(f"on {device}" for device in model["loaded_on"])]),
            sized(model["size_bytes"]),
            sized(model["memory_bytes"]),
            "(the default)" if model["state"] == "bundled" else model["source"],
        )
        for model in models
    ]
    write_text(aligned(rows))
    files = [one for one in listed if one["kind"] != "whole"]
    if files:
        write_text("\nFiles that prompts and options name, and the words that call them:")
        write_text(
            aligned(
                [
                    (f"  {one['name']}", one["kind"], ", ".join(one["trigger_words"]))
                    for one in files
                ]
            )
        )
    for model in listed:
        if model["problem"]:
            write_text(printable(f"{model['name']}: {model['problem']}"))
        if model["styles"]:
            name = printable(model["name"])
            write_text(f"\nStyles of {name}, and the words that call for them:")
            write_text(
                aligned([(f"  {style['name']}", style["words"]) for style in model["styles"]])
            )
