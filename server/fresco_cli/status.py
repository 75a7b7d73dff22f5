"""`fresco status` and `fresco stop`: the daemon that runs, and its end."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from fresco_media.files.text import counted, sized

from fresco_cli import options
from fresco_cli.daemons import Tools
from fresco_cli.faults import FAILED, CommandFailed
from fresco_cli.grouping import grouped
from fresco_cli.options import AnswerOptions, DaemonOptions
from fresco_cli.outcome import told
from fresco_cli.output import Output, aligned, make_output, write_json, write_text

if TYPE_CHECKING:
    from fresco_client import Device, ServerInfo

STOPPING_S = 30.0
"""Seconds a daemon may take to end."""


@grouped
def status(context: typer.Context, daemon: DaemonOptions, telling: AnswerOptions) -> None:
    """Say whether a daemon runs, what it has and what it does."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=True)
    with (
        told(channel, debug=telling.debug),
        tools.session(daemon, channel, start=False) as session,
    ):
        server, address = session.server(), session.address
        if telling.as_json:
            write_json(status_as_json(server, address), indent=2)
        else:
            write_text(_facts(server, address))


def status_as_json(server: ServerInfo, address: str) -> dict[str, Any]:
    """A daemon as plain values; what can be chosen is left out."""
    values = asdict(server)
    del values["capabilities"]
    access = server.capabilities.has_file_access if server.capabilities else None
    return {"address": address, **values, "has_file_access": access}


def _facts(server: ServerInfo, address: str) -> str:
    from fresco_client.words import device_words, duration

    quota = f" of {sized(server.limits.disk_bytes)} allowed" if server.limits else ""
    rows = [
        ("version", f"{server.version}, contract {server.api_major}.{server.api_minor}"),
        ("address", f"{address}, process {server.process_id}"),
        ("running for", "not known" if server.uptime_s is None else duration(server.uptime_s)),
        ("jobs", f"{server.open_jobs} waiting or running"),
        (
            "disk",
            f"{sized(server.disk_bytes)}{quota}, {sized(server.free_disk_bytes)} free",
        ),
    ]
    rows += [(device.id, device_words(device, _memory(device))) for device in server.devices]
    return aligned(rows)


def _memory(device: Device) -> str:
    return sized(device.memory_bytes) if device.memory_bytes else ""


@grouped
def stop(context: typer.Context, telling: AnswerOptions, data: options.Data = None) -> None:
    """Stop the daemon of this machine; its jobs go on when one runs again."""
    from fresco_client import data_folder
    from fresco_client.places import discovery_file

    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=False)
    with told(channel, debug=telling.debug):
        with tools.session(DaemonOptions(data=data), channel, start=False) as session:
            server = session.server()
        _end(server.process_id, discovery_file(data_folder(data)), channel)
        more = (
            f"; {counted(server.open_jobs, 'job goes', 'jobs go')} on when it runs again"
            if server.open_jobs
            else ""
        )
        if telling.as_json:
            write_json({"event": "stopped", "process_id": server.process_id})
        channel.result(f"The daemon has ended{more}.")


@grouped
def drain(
    context: typer.Context,
    daemon: DaemonOptions,
    telling: AnswerOptions,
    machine: Annotated[str, typer.Argument(help="Its name, as 'fresco status' shows it.")],
    back: Annotated[bool, typer.Option("--back", help="Let it work again.")] = False,
) -> None:
    """Give a machine of the daemon's cluster nothing new to do, so that it can leave."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=False)
    with (
        told(channel, debug=telling.debug),
        tools.session(daemon, channel, start=False) as session,
    ):
        session.drain(machine, is_over=back)
        busy = sum(
            device.node == machine and device.state == "busy" for device in session.server().devices
        )
        if telling.as_json:
            write_json({"event": "drained", "machine": machine, "is_over": back})
        if back:
            channel.result(f"{machine} is given work again.")
        elif busy:
            channel.result(f"{machine} is given nothing new; it works on one more part.")
        else:
            channel.result(f"{machine} is given nothing new and can leave.")


def _end(process_id: int, discovery: Path, channel: Output) -> None:
    """Ask a process to end and wait until it has."""
    from fresco_client.places import is_running

    try:
        os.kill(process_id, signal.SIGTERM)
    except (OSError, OverflowError) as error:
        raise CommandFailed(
            "DaemonNotStopped",
            f"the daemon, process {process_id}, cannot be stopped ({error}); end it by hand",
            FAILED,
        ) from error
    deadline = time.monotonic() + STOPPING_S
    while is_running(process_id) and discovery.exists():
        if time.monotonic() > deadline:
            raise CommandFailed(
                "DaemonNotStopped",
                f"the daemon, process {process_id}, still runs after {STOPPING_S:.0f} s; "
                "look into its daemon.log, or end it by hand",
                FAILED,
            )
        time.sleep(0.05)
