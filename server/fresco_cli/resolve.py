"""`fresco resolve-companion`: Fresco's side of DaVinci Resolve's menu scripts."""

from __future__ import annotations

import logging
import os
import sys
from enum import Enum
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer

from fresco_cli import options
from fresco_cli.daemons import Tools
from fresco_cli.faults import FAILED, CommandFailed
from fresco_cli.options import DaemonOptions
from fresco_cli.outcome import told
from fresco_cli.output import Output, make_output

if TYPE_CHECKING:
    from fresco_client import Session
    from fresco_davinci.companion import Command


class Click(str, Enum):
    """What Resolve's menu offers."""

    RESTYLE = "restyle"
    RESTYLE_MARKED = "restyle-marked"
    RESTYLE_LAST = "restyle-last"
    LOOK = "look"
    JOBS = "jobs"
    UPDATE = "update"


def resolve_companion(
    context: typer.Context,
    do: Annotated[
        Click | None,
        typer.Option("--do", help="What a click in Resolve's menu does, without the window."),
    ] = None,
    pipe: Annotated[bool, typer.Option("--pipe", hidden=True)] = False,
    no_window: Annotated[
        bool, typer.Option("--no-window", help="Open no window, even if there can be one.")
    ] = False,
    data: options.Data = None,
    debug: options.Debug = False,
) -> None:
    """Serve the menu script of DaVinci Resolve's free edition, with a window of its own."""
    tools: Tools = context.obj
    with told(make_output(as_json=False, quiet=False), debug=debug):
        from fresco_davinci.companion import run_at_mailbox, run_over_pipe
        from fresco_davinci.errors import ResolveError
        from fresco_davinci.folders import resolve_folders
        from fresco_davinci.plugin_folders import PluginFolders

        plugin_folders = PluginFolders.usual(data)
        _begin_log(plugin_folders.log)
        connect = partial(_connect, tools, data)
        command = cast("Command | None", do.value if do else None)
        window = False if no_window else None
        try:
            if pipe:
                code = run_over_pipe(
                    command or "jobs", plugin_folders, connect, _streams(), with_window=window
                )
            else:
                tell, folders = typer.echo, resolve_folders()
                code = run_at_mailbox(
                    plugin_folders, connect, folders, tell, command=command, with_window=window
                )
        except ResolveError as error:
            raise CommandFailed(type(error).__name__, str(error), FAILED) from error
        if code:
            raise typer.Exit(code)


def _begin_log(path: Path) -> None:
    """What a window cannot say in a sentence is kept for a report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=1 << 20, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger("fresco_davinci").addHandler(handler)


def _connect(tools: Tools, data: Path | None) -> Session:
    # The plugin asks for a daemon's session, and it is one.
    return cast("Session", tools.session(DaemonOptions(data=data), Output()))


def _streams() -> tuple[IO[str], IO[str]]:
    """The pipe's two ends; whatever else is printed goes to stderr from now on."""
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    answers = os.fdopen(os.dup(0), encoding="utf-8")
    return answers, messages
