"""`fresco serve`: the daemon, in this process until it is stopped."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from fresco_engine.errors import InvalidSettings

from fresco_cli import options
from fresco_cli.faults import CommandFailed
from fresco_cli.grouping import grouped
from fresco_cli.outcome import told
from fresco_cli.output import Output, write_error
from fresco_cli.parsing import number, parse_size, source_place
from fresco_cli.words import moved_in

if TYPE_CHECKING:
    from fresco_server.settings import ServerSettings

_ACCESS = "Access"
_LIMITS = "Limits"


@dataclass(frozen=True, kw_only=True)
class AccessOptions:
    """Where the daemon is found, and by whom."""

    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen.", rich_help_panel=_ACCESS)
    ] = "127.0.0.1"
    port: Annotated[
        int, typer.Option(metavar="N", help="0: any that is free.", rich_help_panel=_ACCESS)
    ] = 0
    root: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Clips and models may be named by path below here only; may be repeated. Default: "
            "everywhere on 127.0.0.1, nowhere on other addresses.",
            rich_help_panel=_ACCESS,
            parser=source_place,
        ),
    ] = None
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Holds the token that clients must know; default: one of the daemon's own.",
            rich_help_panel=_ACCESS,
            parser=source_place,
        ),
    ] = None
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.pem",
            help="The certificate.",
            rich_help_panel=_ACCESS,
            parser=source_place,
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.pem", help="Its key.", rich_help_panel=_ACCESS, parser=source_place
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """How much the daemon takes, and for how long it keeps what it does not need."""

    quota: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="What jobs and uploads may take on disk: 500M, 200G, 2T.",
            rich_help_panel=_LIMITS,
        ),
    ] = "200G"
    max_clip: Annotated[
        int,
        typer.Option(metavar="FRAMES", help="The longest clip taken.", rich_help_panel=_LIMITS),
    ] = 1_000_000
    idle_unload: Annotated[
        float,
        typer.Option(
            parser=number,
            metavar="MIN",
            help="Minutes after which the memory of an idle device is freed.",
            rich_help_panel=_LIMITS,
        ),
    ] = 5.0
    exit_when_idle: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="MIN",
            help="Minutes without work and clients after which the daemon ends; default: never.",
            rich_help_panel=_LIMITS,
        ),
    ] = None


@grouped
def serve(
    access: AccessOptions,
    limits: LimitOptions,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where jobs and results are kept; default: FRESCO_DATA, else the user's own.",
            parser=source_place,
        ),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A device to work on: cpu, cuda:0; may be repeated; default: the best there are.",
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Work on all devices of a Ray cluster: the address of its head, or auto for that "
            "of this machine, which is started if there is none.",
        ),
    ] = None,
    models: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="A folder of models to list; may be repeated.", parser=source_place
        ),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Run the daemon: it works on jobs, one after the other, until Ctrl-C."""
    with told(Output(), debug=debug):
        from fresco_server.daemon import serve as run
        from fresco_server.errors import CannotStart

        settings = _settings(data, device or (), cluster, models, access, limits)
        if sys.stderr.isatty():
            write_error(f"The Fresco daemon for {settings.data}; Ctrl-C stops it.")
        try:
            run(settings)
        except CannotStart as error:
            raise CommandFailed("CannotStart", moved_in(error), error.exit_code) from error


def _settings(
    data: Path | None,
    devices: Sequence[str],
    cluster: str | None,
    models: list[Path] | None,
    access: AccessOptions,
    limits: LimitOptions,
) -> ServerSettings:
    from fresco_server.settings import LimitSettings, ServerSettings, default_data_folder

    idle_min = limits.exit_when_idle
    if cluster is not None and devices:
        raise InvalidSettings("device", "a cluster works on all its devices; name one of the two")
    return ServerSettings(
        data=(data or default_data_folder()).expanduser().absolute(),
        host=access.host,
        port=_between("port", access.port, 0, 65535),
        devices=tuple(devices),
        cluster=cluster,
        roots=tuple(_folders("root", access.root)) if access.root else None,
        model_folders=tuple(_folders("models", models)),
        tls_certificate=access.tls_cert,
        tls_key=access.tls_key,
        token_file=access.token_file,
        idle_unload_s=60 * _positive("idle-unload", limits.idle_unload),
        idle_exit_s=None if idle_min is None else 60 * _positive("exit-when-idle", idle_min),
        limits=LimitSettings(
            disk_bytes=parse_size("quota", limits.quota),
            clip_frames=_between("max-clip", limits.max_clip, 1, 2**31 - 1),
        ),
    )


def _between(option: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise InvalidSettings(option, f"{value} is outside {low} to {high}")
    return value


def _positive(option: str, minutes: float) -> float:
    if not 0 < minutes < 1e7:
        raise InvalidSettings(option, f"{minutes:g} is no number of minutes above 0")
    return minutes


def _folders(option: str, folders: list[Path] | None) -> list[Path]:
    for folder in folders or ():
        if not folder.is_dir():
            raise InvalidSettings(option, f"there is no folder {folder}; create it or check it")
    return [folder.expanduser().resolve() for folder in folders or ()]
