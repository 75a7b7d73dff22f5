"""What `fresco doctor` examines of the daemon of this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from fresco_engine import __version__
from fresco_media.files.text import counted, sized

from fresco_cli.daemons import Tools
from fresco_cli.options import DaemonOptions
from fresco_cli.output import Output
from fresco_cli.remedies import in_flags

LEAST_FREE_BYTES = 1_000_000_000


class CheckProblem(Exception):
    """What is wrong and what to do about it."""


def data_folder(data: Path | None) -> str:
    """Whether a daemon can keep its jobs where it is to."""
    import fresco_client

    folder = fresco_client.data_folder(data)
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir():
        raise CheckProblem(f"{nearest} is a file; set FRESCO_DATA to a folder of your own")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise CheckProblem(
            f"{folder} cannot be written to; set FRESCO_DATA to a folder of your own"
        )
    free = shutil.disk_usage(nearest).free
    if free < LEAST_FREE_BYTES:
        raise CheckProblem(
            f"only {sized(free)} free at {folder}; free some room or delete jobs ('fresco jobs')"
        )
    return f"{folder}, {sized(free)} free{_damage(folder)}"


def _damage(folder: Path) -> str:
    """What became of a damaged list of jobs, if a daemon would work in the folder at all."""
    from fresco_server.daemon import damaged_lists
    from fresco_server.errors import CannotStart

    if not folder.is_dir():
        return ""
    try:
        kept = damaged_lists(folder)
    except CannotStart as error:
        raise CheckProblem(str(error)) from error
    except OSError as error:
        raise CheckProblem(f"{folder} cannot be looked into ({error.strerror})") from error
    if not kept:
        return ""
    return (
        f"; the list of jobs was damaged and made anew from their folders, {kept[-1].name} is what "
        "it was: delete it if no job is missing"
    )


def daemon(tools: Tools, data: Path | None) -> str:
    """Whether a daemon runs, answers and fits."""
    from fresco_client import ClientError, DaemonNotFound
    from fresco_client.words import duration

    try:
        with tools.session(DaemonOptions(data=data), Output(), start=False) as session:
            server, address = session.server(), session.address
    except DaemonNotFound:
        return _not_running(data)
    except ClientError as error:
        raise CheckProblem(in_flags(error.message)) from error
    differs = "" if server.version == __version__ else f", while this is {__version__}"
    uptime = "" if server.uptime_s is None else f", for {duration(server.uptime_s)}"
    return (
        f"version {server.version}{differs} runs at {address}, process {server.process_id}"
        f"{uptime}, {counted(server.open_jobs, 'job')} to do"
    )


def _not_running(data: Path | None) -> str:
    import fresco_client
    from fresco_client.places import log_file, read_discovery

    folder = fresco_client.data_folder(data)
    announced = read_discovery(folder)
    if announced is None:
        return "none runs; one is started when it is needed"
    return f"none runs; the last one was killed and left its log in {log_file(folder)}"
