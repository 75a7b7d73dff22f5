"""What the app remembers of its user, apart from projects."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import platformdirs
from fresco_media.stills.numbered import is_pattern
from PyQt6.QtCore import QByteArray, QSettings

RECENT_LIMIT = 10


@dataclass(frozen=True, kw_only=True)
class DaemonChoice:
    """Which daemon is used: this machine's own, or one elsewhere."""

    data: Path | None = None
    """The data folder of this machine's daemon; None for the user's own."""
    is_started: bool = True
    """Whether it is started where none runs."""
    command: tuple[str, ...] = ()
    """What starts it; empty for the installed program."""
    address: str = ""
    """HOST:PORT of one elsewhere; empty for this machine's."""
    token_file: Path | None = None
    certificate: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where the app keeps what it makes."""

    state: Path
    """Autosaved projects, presets, logs."""
    results: Path
    """Fetched results."""

    @property
    def looks(self) -> Path:
        """Pictures of looks."""
        return self.state / "looks"

    @classmethod
    def of_user(cls) -> Folders:
        """The usual places of this system; the variable FRESCO_GUI_STATE moves them."""
        chosen = os.environ.get("FRESCO_GUI_STATE")
        state = Path(chosen) if chosen else platformdirs.user_data_path("fresco-gui", False)
        return cls(state=state, results=state / "results")


class Preferences:
    """Settings of the app, in an INI file so that they can be read and carried elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)

    def save(self) -> None:
        """Put everything on disk now."""
        self._settings.sync()

    @property
    def recent(self) -> list[Path]:
        """Clips and projects, the last one first; those that are gone are left out."""
        return [path for path in self._paths("recent") if _is_there(path)]

    def add_recent(self, path: Path) -> None:
        """Put one in front."""
        others = [known for known in self._paths("recent") if known != path]
        kept = [path, *others][:RECENT_LIMIT]
        self._settings.setValue("recent", [str(one) for one in kept])

    def drop_recent(self, path: Path) -> None:
        """Forget one that is no clip."""
        left = [str(one) for one in self._paths("recent") if one != path]
        self._settings.setValue("recent", left)

    def clear_recent(self) -> None:
        """Forget all."""
        self._settings.remove("recent")

    @property
    def last_project(self) -> Path | None:
        """What was open when the app was closed."""
        return self._path("last_project")

    @last_project.setter
    def last_project(self, path: Path | None) -> None:
        self._settings.setValue("last_project", str(path) if path else "")

    @property
    def restores_session(self) -> bool:
        """Whether the last project is opened at the start."""
        return self._flag("restores_session", True)

    @restores_session.setter
    def restores_session(self, is_on: bool) -> None:
        self._settings.setValue("restores_session", is_on)

    @property
    def shows_looks(self) -> bool:
        """Whether a clip that is opened is shown in every look of the model."""
        return self._flag("shows_looks", True)

    @shows_looks.setter
    def shows_looks(self, is_on: bool) -> None:
        self._settings.setValue("shows_looks", is_on)

    @property
    def is_lossless(self) -> bool:
        """Whether results are made without loss, for exports of the best quality."""
        return self._flag("is_lossless", True)

    @is_lossless.setter
    def is_lossless(self, is_on: bool) -> None:
        self._settings.setValue("is_lossless", is_on)

    @property
    def preview_side(self) -> int:
        """Long side in pixels of the frames that are streamed while a job runs."""
        return int(str(self._settings.value("preview_side", 1280)))

    @preview_side.setter
    def preview_side(self, side: int) -> None:
        self._settings.setValue("preview_side", side)

    @property
    def results(self) -> Path | None:
        """Where results go, if another folder than usual was chosen."""
        return self._path("results")

    @results.setter
    def results(self, folder: Path | None) -> None:
        self._settings.setValue("results", str(folder) if folder else "")

    @property
    def daemon(self) -> DaemonChoice:
        """Which daemon is used."""
        return DaemonChoice(
            data=self._path("daemon/data"),
            is_started=self._flag("daemon/is_started", True),
            address=str(self._settings.value("daemon/address", "")),
            token_file=self._path("daemon/token_file"),
            certificate=self._path("daemon/certificate"),
        )

    @daemon.setter
    def daemon(self, choice: DaemonChoice) -> None:
        self._settings.setValue("daemon/data", str(choice.data or ""))
        self._settings.setValue("daemon/is_started", choice.is_started)
        self._settings.setValue("daemon/address", choice.address)
        self._settings.setValue("daemon/token_file", str(choice.token_file or ""))
        self._settings.setValue("daemon/certificate", str(choice.certificate or ""))

    def keep_bytes(self, name: str, value: QByteArray) -> None:
        """Keep what a widget says of its own state, such as the window's geometry."""
        self._settings.setValue(f"window/{name}", value)

    def restore_bytes(self, name: str, restore: Callable[[QByteArray], object]) -> None:
        """Hand such a state back, if there is one."""
        value = self._settings.value(f"window/{name}")
        if isinstance(value, QByteArray) and not value.isEmpty():
            restore(value)

    def shortcut(self, action: str) -> str | None:
        """The keys a user has given to an action; None for the usual ones."""
        value = self._settings.value(f"shortcuts/{action}")
        return None if value is None else str(value)

    def keep_shortcut(self, action: str, keys: str | None) -> None:
        """Keep the keys of an action; None goes back to the usual ones."""
        if keys is None:
            self._settings.remove(f"shortcuts/{action}")
        else:
            self._settings.setValue(f"shortcuts/{action}", keys)

    def _paths(self, name: str) -> list[Path]:
        value: object = self._settings.value(name)
        if isinstance(value, str):
            return [Path(value)] if value else []
        if isinstance(value, list):
            return [Path(str(one)) for one in cast(list[object], value)]
        return []

    def _path(self, name: str) -> Path | None:
        value = str(self._settings.value(name) or "")
        return Path(value) if value else None

    def _flag(self, name: str, default: bool) -> bool:
        return str(self._settings.value(name, default)).lower() == "true"


def _is_there(path: Path) -> bool:
    return path.exists() or is_pattern(path)
