"""Giving a file its name, and what has to keep its own, for what writes and fetches results.

It is here as both of them know nothing else in common.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

_PROTECTED = "what has this name may not be replaced, as it is another user's or protected"


def why_kept(path: Path) -> str:
    """Why what has this name must not, or cannot, be replaced by a file; empty where it may be.

    A device or a pipe would be gone for all who use it, also where a link leads there. The system
    keeps what is another user's in a folder for all, such as /tmp, and what was made unchangeable.
    Folders are for others to refuse.
    """
    try:
        facts, folder = os.stat(path), os.stat(path.parent)
    except OSError:
        return ""
    if stat.S_ISDIR(facts.st_mode):
        return ""
    if not stat.S_ISREG(facts.st_mode) or _is_of_the_system(path.parent):
        return "this is a device, a pipe or the like"
    return _PROTECTED if _is_protected(path, folder) else ""


def _is_of_the_system(folder: Path) -> bool:
    """Whether links stand in it that lead wherever a program prints, which may be a file."""
    real = os.path.realpath(folder)
    return real == "/dev" or real.startswith("/proc/")


def _is_protected(path: Path, folder: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):
        return False
    facts = os.lstat(path)
    if folder.st_mode & stat.S_ISVTX and os.geteuid() not in (0, folder.st_uid, facts.st_uid):
        return True
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
    except OSError as error:
        # What may only be read can be replaced, and says EACCES.
        return error.errno == errno.EPERM
    return False


def rename_new(temporary: Path | str, path: Path | str, folder: int | None = None) -> None:
    """Give the file `temporary` the name `path`, in one step that never replaces anything.

    Where the file system knows no second names, the name is taken first, by an empty file. Both
    are names in `folder`, where that is held open.

    Raises:
        FileExistsError: something has this name; all is as it was.
        OSError: it cannot be done.
    """
    try:
        os.link(temporary, path, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        _rename_into_own(temporary, path, folder)
    else:
        with suppress(OSError):  # Then the file has two names, and nothing is lost.
            os.unlink(temporary, dir_fd=folder)


def _rename_into_own(temporary: Path | str, path: Path | str, folder: int | None) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder))
    try:
        os.replace(temporary, path, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(path, dir_fd=folder)
        raise
