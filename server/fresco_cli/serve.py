"""`fresco serve`: the daemon, in this process until it is stopped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from fresco_engine.errors import InvalidSettings

from fresco_cli import options
from fresco_cli.faults import CommandFailed
from fresco_cli.outcome import told
from fresco_cli.output import QuietOutput, write_error
from fresco_cli.parsing import number, parse_size

if TYPE_CHECKING:
    from fresco_server.settings import LimitSettings

_ACCESS = "Access"
_LIMITS = "Limits"


def serve(
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where jobs and results are kept; default: FRESCO_DATA, else the user's own.",
        ),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A device to work on: cpu, cuda:0; may be repeated; default: the best there are.",
        ),
    ] = None,
    models: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="A folder of models to list; may be repeated."),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen.", rich_help_panel=_ACCESS)
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", help="0: any that is free.", rich_help_panel=_ACCESS)
    ] = 0,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Clips and models may be named by path below here only; may be repeated. Default: "
            "everywhere on 127.0.0.1, nowhere on other addresses.",
            rich_help_panel=_ACCESS,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Holds the token that clients must know; default: one of the daemon's own.",
            rich_help_panel=_ACCESS,
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(metavar="FILE.pem", help="The certificate.", rich_help_panel=_ACCESS),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="Its key.", rich_help_panel=_ACCESS)
    ] = None,
    quota: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="What jobs and uploads may take on disk: 500M, 200G, 2T.",
            rich_help_panel=_LIMITS,
        ),
    ] = "200G",
    max_clip: Annotated[
        int,
        typer.Option(metavar="FRAMES", help="The longest clip taken.", rich_help_panel=_LIMITS),
    ] = 1_000_000,
    idle_unload: Annotated[
        float,
        typer.Option(
            parser=number,
            metavar="MIN",
            help="Minutes after which the memory of an idle device is freed.",
            rich_help_panel=_LIMITS,
        ),
    ] = 5.0,
    exit_when_idle: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="MIN",
            help="Minutes without work and clients after which the daemon ends; default: never.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Run the daemon: it works on jobs, one after the other, until Ctrl-C."""
    with told(QuietOutput(), debug=debug):
        from fresco_server.daemon import serve as run
        from fresco_server.errors import CannotStart
        from fresco_server.settings import ServerSettings, default_data_folder

        settings = ServerSettings(
            data=(data or default_data_folder()).expanduser().absolute(),
            host=host,
            port=_between("port", port, 0, 65535),
            devices=tuple(device or ()),
            roots=tuple(_folders("root", root)) if root else None,
            model_folders=tuple(_folders("models", models)),
            tls_certificate=tls_cert,
            tls_key=tls_key,
            token_file=token_file,
            idle_unload_s=60 * _positive("idle-unload", idle_unload),
            idle_exit_s=None
            if exit_when_idle is None
            else 60 * _positive("exit-when-idle", exit_when_idle),
            limits=_limits(quota, max_clip),
        )
        if sys.stderr.isatty():
            write_error(f"The Fresco daemon for {settings.data}; Ctrl-C stops it.")
        try:
            run(settings)
        except CannotStart as error:
            raise CommandFailed("CannotStart", str(error), error.exit_code) from error


def _limits(quota: str, max_clip: int) -> LimitSettings:
    from fresco_server.settings import LimitSettings

    return LimitSettings(
        disk_bytes=parse_size("quota", quota),
        clip_frames=_between("max-clip", max_clip, 1, 2**31 - 1),
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
