"""Folders on the machines of a cluster that last as long as somebody works in them.

A minute after the last one has gone the folder is removed, by a program that waits for that. Where
that was ended too, the next one that makes such a folder removes it, which it can tell by the lock
that nobody holds any more.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fresco_media.files.disk import storing

from fresco_server.cluster import sweeper
from fresco_server.cluster.sweeper import LOCK

_LOGGER = logging.getLogger(__name__)
_PREFIX = "fresco-cluster-"
_PART = "part-"
_GRACE_S = 60.0
"""How long copies are kept for a worker that has ended and may begin anew."""


def shared_folder(token: str) -> Path:
    """The folder of everybody on this machine who has `token`, held until this process ends.

    Raises:
        DiskFull, OutputNotWritable: it cannot be had.
    """
    parent = Path(tempfile.gettempdir())
    folder = parent / f"{_PREFIX}{token}"
    _remove_left_over(parent, folder.name)
    with storing(folder):
        while not _is_held(folder):
            _LOGGER.debug("%s was being removed", folder)
    _remove_left_parts(folder)
    return folder


def _is_held(folder: Path) -> bool:
    """Make a folder and hold it; False if it was removed meanwhile."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(1, "it belongs to somebody else", str(folder))
    try:
        # Not closed: the lock is this process's until it ends.
        held = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        return False
    fcntl.flock(held, fcntl.LOCK_SH)
    with suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(held), os.lstat(folder / LOCK)):
            return True
    os.close(held)
    return False


def remove_afterwards(folder: Path) -> None:
    """Have a folder removed once nobody holds it any more, also if they are all killed."""
    command = [sys.executable, "-I", "-S", sweeper.__file__, str(folder), str(_GRACE_S)]
    try:
        # It goes to the background by itself, so that it is no child of this process.
        nothing = subprocess.DEVNULL
        subprocess.run(
            command, stdin=nothing, stdout=nothing, stderr=nothing, cwd="/", timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        _LOGGER.warning("%s will be left there: %s", folder, error)


@contextmanager
def part_folder(folder: Path) -> Iterator[Path]:
    """A folder in `folder` for a part that this process makes."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"{_PART}{os.getpid()}-") as made:
        yield Path(made)


def _remove_left_parts(folder: Path) -> None:
    """Those of processes that were killed."""
    for part in folder.glob(f"{_PART}*-*"):
        process = part.name.removeprefix(_PART).partition("-")[0]
        if not (process.isdecimal() and _is_running(int(process))):
            shutil.rmtree(part, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def _remove_left_over(parent: Path, own: str) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            facts = folder.lstat()
            if folder.name == own or facts.st_uid != os.getuid() or folder.is_symlink():
                continue
            held = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
