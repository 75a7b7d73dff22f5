"""Giving a file a name that nobody else has: what writes results, and what fetches them, need it.

It is here as both of them know nothing else in common.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


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
