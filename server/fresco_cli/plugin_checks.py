"""What `fresco doctor` sees of the plugins."""

from __future__ import annotations

from pathlib import Path

from fresco_cli import blender
from fresco_cli.daemon_checks import CheckProblem


def resolve(data: Path | None) -> str:
    """Whether the scripts in Resolve's menu are those of this installation."""
    from fresco_davinci.folders import resolve_folders
    from fresco_davinci.install import state

    from fresco_cli.plugins import resolve_scripts

    folders, scripts = resolve_folders(), resolve_scripts(data)
    found = state(folders, scripts)
    if found == "outdated":
        raise CheckProblem(
            f"the scripts in {folders.menu} are of another installation or version; run 'fresco "
            "install-plugin resolve'"
        )
    if found == "current" and scripts.lua_problem:
        raise CheckProblem(scripts.lua_problem)
    if found == "current":
        resolve = "" if folders.is_there else "; DaVinci Resolve itself was not found"
        return f"scripts in {folders.menu} are up to date, {_window()}{resolve}"
    if folders.is_there:
        return f"is here, without Fresco; 'fresco install-plugin resolve' adds it, {_window()}"
    return "not found"


def _window() -> str:
    from fresco_davinci.companion import has_window

    return "with a window" if has_window() else "without a window (no PyQt6, or no screen)"


def of_blender() -> str:
    """Which versions of Blender there are, and which of them have Fresco."""
    folders = blender.blender_folders()
    if not folders:
        return "not found"
    told = [
        f"{folder.label} {'with' if folder.is_installed else 'without'} Fresco"
        for folder in folders
    ]
    if any(folder.is_installed for folder in folders):
        return ", ".join(told)
    return ", ".join(told) + "; 'fresco install-plugin blender' adds it"
