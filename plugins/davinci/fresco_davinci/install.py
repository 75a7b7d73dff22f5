"""Putting the menu scripts where Resolve finds them, and taking them away again."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from fresco_client import FileFailed
from fresco_client.files import write_whole

from fresco_davinci.bridge.lua import lua_text
from fresco_davinci.errors import InstallFailed
from fresco_davinci.folders import ResolveFolders

State = Literal["absent", "current", "outdated"]

COMMANDS = {
    "Restyle current clip": "restyle",
    "Restyle clips in marks": "restyle-marked",
    "Restyle with last settings": "restyle-last",
    "Look at current frame": "look",
    "Show jobs": "jobs",
    "Update results": "update",
}
"""Names in the menu, and what they do."""
FREE_EDITION = "Fresco (free edition)"
_MARK = 'Made by "fresco install-plugin resolve"'


@dataclass(frozen=True, kw_only=True)
class Scripts:
    """The scripts of one installation: `program` starts Fresco, the companion is at `mailbox`."""

    program: Sequence[str]
    mailbox: Path
    options: Sequence[str] = ()
    """Of the companion."""

    @property
    def lua_problem(self) -> str:
        """A sentence if Lua cannot open the mailbox here; else empty."""
        if sys.platform != "win32" or loadable(self.mailbox).isascii():
            return ""
        return (
            f"Resolve's free edition cannot open {self.mailbox}, as Windows keeps no short name "
            "for it. If you use that edition, set FRESCO_DATA to a folder whose path has plain "
            "letters only, and run “fresco install-plugin resolve” again."
        )

    def contents(self) -> dict[str, str]:
        """Texts by file name."""
        library = files("fresco_davinci") / "scripts"
        menu = (library / "menu.py.txt").read_text("utf-8")
        menu = menu.replace("@LIBRARY@", ascii(str(library)))
        menu = menu.replace("@PROGRAM@", ascii([str(word) for word in self.program]))
        menu = menu.replace("@OPTIONS@", ascii([str(word) for word in self.options]))
        scripts = {
            f"{name}.py": menu.replace("@COMMAND@", ascii(command))
            for name, command in COMMANDS.items()
        }
        lua = (library / "Fresco.lua").read_text("utf-8")
        place = lua_text(loadable(self.mailbox))
        scripts[f"{FREE_EDITION}.lua"] = f"-- {_MARK}.\n" + lua.replace('"@MAILBOX@"', place)
        return scripts


def state(folders: ResolveFolders, scripts: Scripts) -> State:
    """Whether the scripts are in the menu, and are those that would be put there."""
    wanted = scripts.contents()
    found = {name: _read(folders.menu / name) for name in wanted}
    if all(text is None for text in found.values()):
        return "absent"
    return "current" if found == wanted else "outdated"


def install(folders: ResolveFolders, scripts: Scripts) -> list[Path]:
    """Put the scripts into the menu, in place of older ones of ours; gives their paths.

    Raises:
        InstallFailed: the folder cannot be written to, or holds a file that is not ours.
    """
    wanted = scripts.contents()
    for name in wanted:
        _check_ours(folders.menu / name)
    try:
        for name, text in wanted.items():
            write_whole(folders.menu / name, text)
        for path in folders.menu.iterdir():
            if path.name not in wanted and _is_ours(path):
                path.unlink()
    except FileFailed as error:
        raise InstallFailed(str(error)) from error
    except OSError as error:
        raise InstallFailed(str(FileFailed.from_os(folders.menu, error))) from error
    return [folders.menu / name for name in wanted]


def remove(folders: ResolveFolders) -> list[Path]:
    """Take our scripts out of the menu, and nothing else; gives what was removed.

    Raises:
        InstallFailed: they cannot be removed.
    """
    if not folders.menu.is_dir():
        return []
    ours = [path for path in sorted(folders.menu.iterdir()) if _is_ours(path)]
    try:
        for path in ours:
            path.unlink()
        cache = folders.menu / "__pycache__"
        shutil.rmtree(cache, ignore_errors=True)
        if not any(folders.menu.iterdir()):
            folders.menu.rmdir()
    except OSError as error:
        raise InstallFailed(
            f"{error.filename} cannot be removed ({error.strerror}). Check its rights, then try "
            "again."
        ) from error
    return ours


def loadable(path: Path) -> str:
    """A path as Lua can open it: on Windows it takes no letters beyond the system's own."""
    text = str(path)
    if sys.platform != "win32" or text.isascii():
        return text
    return _short_name(path)


def _short_name(path: Path) -> str:
    """The name of eight letters and three that Windows keeps beside a long one, if it does."""
    import ctypes

    path.mkdir(parents=True, exist_ok=True)
    buffer = ctypes.create_unicode_buffer(1024)
    windows = getattr(ctypes, "windll").kernel32  # noqa: B009 - only there on Windows
    length = windows.GetShortPathNameW(str(path), buffer, len(buffer))
    return buffer.value if 0 < length < len(buffer) else str(path)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _is_ours(path: Path) -> bool:
    return path.suffix in (".py", ".lua") and _MARK in (_read(path) or "").partition("\n")[0]


def _check_ours(path: Path) -> None:
    if path.exists() and not _is_ours(path):
        raise InstallFailed(
            f"{path} is there already and is not Fresco's. Move it away, then try again."
        )
