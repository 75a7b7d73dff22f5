"""`fresco install-plugin`: Fresco inside DaVinci Resolve and Blender."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from fresco_client.places import data_folder
from fresco_media.files.text import counted
from fresco_server.errors import CannotStart
from fresco_server.program import note_program

from fresco_cli import blender, options
from fresco_cli.daemons import PROGRAM
from fresco_cli.faults import FAILED, CommandFailed
from fresco_cli.outcome import told
from fresco_cli.output import Output, make_output
from fresco_cli.parsing import source_place

if TYPE_CHECKING:
    from fresco_davinci.install import Scripts


class Plugin(str, Enum):
    """Programs that Fresco can be used in."""

    RESOLVE = "resolve"
    BLENDER = "blender"


def install_plugin(
    plugin: Annotated[Plugin, typer.Argument(help="The program to use Fresco in.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take it away again.")] = False,
    archives: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="For Blender: a folder with the plugin's zip file, in place of Fresco's own.",
            parser=source_place,
        ),
    ] = None,
    data: options.Data = None,
    debug: options.Debug = False,
) -> None:
    """Install, update or remove Fresco's plugin for DaVinci Resolve or Blender."""
    channel = make_output(as_json=False, quiet=False)
    with told(channel, debug=debug):
        if plugin is Plugin.RESOLVE:
            _resolve(channel, data, is_removing=remove)
        elif remove:
            _remove_from_blender(channel)
        else:
            _install_in_blender(channel, archives, data)


def resolve_scripts(data: Path | None) -> Scripts:
    """The scripts that this installation of Fresco has for Resolve's menu."""
    from fresco_davinci.install import Scripts
    from fresco_davinci.plugin_folders import PluginFolders

    chosen = ("--data", str(data.absolute())) if data is not None else ()
    return Scripts(program=PROGRAM, mailbox=PluginFolders.usual(data).mailbox, options=chosen)


def _resolve(channel: Output, data: Path | None, *, is_removing: bool) -> None:
    from fresco_davinci import install
    from fresco_davinci.errors import InstallFailed
    from fresco_davinci.folders import resolve_folders

    folders, scripts = resolve_folders(), resolve_scripts(data)
    before = install.state(folders, scripts)
    try:
        if is_removing:
            gone = install.remove(folders)
            channel.result(
                f"Removed {counted(len(gone), 'script')} from {folders.menu}."
                if gone
                else f"There was nothing of Fresco's in {folders.menu}."
            )
            return
        paths = install.install(folders, scripts)
    except InstallFailed as error:
        raise CommandFailed("InstallFailed", str(error), FAILED) from error
    done = {"absent": "Installed", "outdated": "Updated", "current": "Up to date:"}[before]
    channel.result(
        f"{done} {counted(len(paths), 'script')} in {folders.menu}.\n"
        "In DaVinci Resolve they are under Workspace > Scripts > Fresco."
    )
    if scripts.lua_problem:
        channel.note(scripts.lua_problem)
    if not folders.is_there:
        channel.note("DaVinci Resolve itself was not found here; it looks there once it is.")


def _install_in_blender(channel: Output, given: Path | None, data: Path | None) -> None:
    place = data_folder(data)
    _check_place(place)
    folders = blender.blender_folders()
    if not folders:
        raise CommandFailed(
            "BlenderNotFound",
            "Blender 3.4 or newer was not found here. Install it and start it once, then try "
            "again.",
            FAILED,
        )
    with blender.found_archive(given, Path(__file__).parents[2], _packaged()) as archive:
        for folder in folders:
            was_there = folder.is_installed
            path = blender.install(folder, archive)
            channel.result(f"{folder.label}: {'updated' if was_there else 'installed'} in {path}.")
    note_program(place, PROGRAM)
    channel.result("Enable it in Blender under Edit > Preferences > Add-ons > Fresco.")


def _check_place(data: Path) -> None:
    """Raises `CommandFailed` where a daemon would refuse the folder: nothing is put there then."""
    from fresco_server.daemon import check_place

    try:
        check_place(data)
    except (CannotStart, OSError) as error:
        raise CommandFailed("CannotStart", str(error), FAILED) from error


def _remove_from_blender(channel: Output) -> None:
    gone = [folder.label for folder in blender.blender_folders() if blender.remove(folder)]
    channel.result(f"Removed from {', '.join(gone)}." if gone else "It was in no Blender.")


def _packaged() -> Path:
    """Where a wheel would carry Blender's archive."""
    return Path(__file__).parent / "plugins_data"
