"""Results that are being written: a living run holds a lock on its own, a dead one's go."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path

from fresco_media.files.disk import NEW, partial_name
from fresco_media.files.output_folders import FolderTaken, lock_folder, try_lock

_TOKEN_BYTES = 8
_UNFINISHED = re.compile(rf"\.fresco-[0-9a-f]{{{2 * _TOKEN_BYTES}}}\.partial")
# On some shared disks a lock counts on one machine only, and a run may rest for hours between
# two frames.
_DEAD_AFTER_S = 24 * 3600.0


def unfinished_name(path: Path) -> Path:
    """A name of its own, in the folder of `path`, for what a run writes until it is whole."""
    return partial_name(path, secrets.token_hex(_TOKEN_BYTES))


def begin_unfinished(path: Path, *, is_folder: bool) -> int | None:
    """Make the file or folder, and say by a lock that its writer lives.

    The lock is held as long as the descriptor that is given back is open; None where the system
    has no such locks.

    Raises:
        OSError: it cannot be made, or there is something.
    """
    if is_folder:
        path.mkdir()
    else:
        os.close(os.open(path, NEW, 0o666))
    try:
        return lock_folder(path)
    except FolderTaken:  # A backup, or whatever else looks at it; being new it is safe.
        return None


def remove_dead(folder: Path) -> None:
    """Remove what runs left in `folder` that were killed a day ago or longer.

    Only what has such a name, is this user's, and has no living writer; what cannot be told or
    removed stays, without a word.
    """
    with suppress(OSError):
        for entry in os.scandir(folder):
            if _UNFINISHED.fullmatch(entry.name):
                with suppress(OSError, FolderTaken):
                    _remove_if_dead(Path(entry.path))


def _remove_if_dead(path: Path) -> None:
    # Neither is a link followed nor a pipe waited for.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    try:
        facts = os.fstat(descriptor)
        if not _is_ours(facts) or time.time() - facts.st_mtime < _DEAD_AFTER_S:
            return
        if not try_lock(descriptor):
            return
        if stat.S_ISDIR(facts.st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def _is_ours(facts: os.stat_result) -> bool:
    is_of_kind = stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)
    return is_of_kind and (not hasattr(os, "geteuid") or facts.st_uid == os.geteuid())
