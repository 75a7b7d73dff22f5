"""Folders on the machines of a cluster that last as long as somebody works in them.

A killed process leaves its folder; the next one that makes such a folder removes it, which it can
tell by the lock that nobody holds any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from fresco_media.files.disk import storing

_PREFIX = "fresco-cluster-"
_LOCK = "in-use"


def shared_folder(token: str) -> Path:
    """The folder of everybody on this machine who has `token`, held until this process ends.

    Raises:
        DiskFull, OutputNotWritable: it cannot be had.
    """
    parent = Path(tempfile.gettempdir())
    folder = parent / f"{_PREFIX}{token}"
    _remove_left_over(parent, folder.name)
    with storing(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise PermissionError(1, "it belongs to somebody else", str(folder))
        # Not closed: the lock is this process's until it ends.
        held = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(held, fcntl.LOCK_SH)
    return folder


def _remove_left_over(parent: Path, own: str) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            facts = folder.lstat()
            if folder.name == own or facts.st_uid != os.getuid() or folder.is_symlink():
                continue
            held = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
