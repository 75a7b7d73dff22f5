"""Project files as one window knows them: what others have written there is never written over."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from fresco_client import FileFailed
from fresco_media.files.disk import short_stem
from fresco_media.files.output_folders import FolderTaken, try_lock

from fresco_gui.project.document import Project, mark_of, read, save

_log = logging.getLogger(__name__)
_NUMBERED = re.compile(r" \([0-9]+\)$")


@dataclass(frozen=True)
class _Known:
    """What a file held when this window last read or wrote it, and its mark; "" for no file."""

    mark: str
    project: Project


class ProjectFiles:
    """Reads and writes the projects of one window, of which it holds one at a time.

    `locks` is a folder of this user's: there the window that was first shows others that it has a
    project open. Where no lock is to be had, the state of the file alone tells of them.
    """

    def __init__(self, locks: Path) -> None:
        self._locks = locks
        self._known: dict[Path, _Known] = {}
        self._held: Path | None = None
        self._lock: tuple[Path, int] | None = None

    def load(self, path: Path) -> Project:
        """Read a project.

        Raises:
            ProjectUnreadable: it cannot be opened.
        """
        project, mark = read(path)
        self._known[path] = _Known(mark, project)
        return project

    def hold(self, project: Project, path: Path) -> bool:
        """Work on this project from now on; whether no other window does."""
        self._known.setdefault(path, _Known("", project))
        return self._is_held(path)

    def let_go(self) -> None:
        """Work on none."""
        if self._lock is not None:
            file, descriptor = self._lock
            # Still locked: whoever opens it from now on makes another one.
            with suppress(OSError):
                file.unlink()
            os.close(descriptor)
        self._held = self._lock = None

    def agree(self, path: Path) -> None:
        """The user wants what is at `path` now to be replaced."""
        try:
            self._known[path] = _Known(mark_of(path), Project())
        except OSError:
            self._known.pop(path, None)

    def is_ours(self, path: Path) -> bool:
        """Whether no other window has it open, and it is as this one has left it, or gone.

        Raises:
            FileFailed: it cannot be read.
        """
        return self._is_held(path) and not self.is_changed(path)

    def is_changed(self, path: Path) -> bool:
        """Whether it holds something else than this window has last read or written.

        Raises:
            FileFailed: it cannot be read.
        """
        known = self._known.get(path)
        try:
            return mark_of(path) not in {"", known.mark if known else ""}
        except OSError as error:
            raise FileFailed.from_os(path, error) from error

    def has_own(self, project: Project, path: Path) -> bool:
        """Whether the user has changed anything of what this window has last read or written."""
        known = self._known.get(path)
        return known is None or _chosen(project) != _chosen(known.project)

    def save(self, project: Project, path: Path) -> None:
        """Write a project, whatever is there.

        Raises:
            FileFailed: it cannot be written.
        """
        self._known[path] = _Known(save(project, path), project)

    def save_copy(self, project: Project, path: Path) -> Path:
        """Write a project beside `path` under a name that is free, which is given back.

        Raises:
            FileFailed: it cannot be written.
        """
        copy = _reserved_beside(path)
        try:
            self.save(project, copy)
        except FileFailed:
            copy.unlink(missing_ok=True)
            raise
        return copy

    def _is_held(self, path: Path) -> bool:
        if self._held != path:
            self.let_go()
            self._lock, is_taken = self._locked(path)
            self._held = None if is_taken else path
        return self._held == path

    def _locked(self, path: Path) -> tuple[tuple[Path, int] | None, bool]:
        """The lock, if there can be one, and whether another window has it."""
        name = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]
        file = self._locks / f"{name}.lock"
        try:
            self._locks.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError as error:
            _log.warning("projects cannot be locked (%s)", error)
            return None, False
        try:
            try_lock(descriptor)
        except FolderTaken:
            os.close(descriptor)
            return None, True
        return (file, descriptor), False


def _chosen(project: Project) -> Project:
    """What of a project its user decides; the rest follows from it, or is a matter of looking."""
    made = tuple(replace(one, result="", keyframes=(), shots=()) for one in project.made)
    return replace(
        project,
        clip_fingerprint="",
        frame=0,
        view="",
        compared="",
        made=tuple(sorted(made, key=lambda one: one.job_id)),
    )


def _reserved_beside(path: Path) -> Path:
    """An empty file of a free name: `path` with a number."""
    stem = _NUMBERED.sub("", short_stem(path)) or "project"
    for number in count(2):
        copy = path.with_name(f"{stem} ({number}){path.suffix}")
        try:
            copy.touch(exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise FileFailed.from_os(copy, error) from error
        return copy
    raise AssertionError("numbers have no end")
