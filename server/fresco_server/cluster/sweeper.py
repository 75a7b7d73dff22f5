"""Removes the folder of a machine's workers once they have gone, however they ended.

    python sweeper.py FOLDER SECONDS

It removes the folder when nobody has held it for so many seconds: a worker that was killed begins
anew in it. A program of its own, started by its path and with nothing but the standard library, as
it waits for as long as they work, beside each machine's workers.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time

LOCK = "in-use"
"""In the folder: locked by everybody who works there."""
_SWEEPER_LOCK = "sweeper"


def main() -> None:
    """Wait, and remove the folder."""
    folder, grace_s = sys.argv[1], float(sys.argv[2])
    # With a worker Ray ends its children.
    if os.fork():
        os._exit(0)
    os.setsid()
    sweeper = _opened(folder, _SWEEPER_LOCK, os.O_CREAT)
    try:
        fcntl.flock(sweeper, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return  # There is one.
    held = _opened(folder, LOCK)
    while True:
        fcntl.flock(held, fcntl.LOCK_EX)
        fcntl.flock(held, fcntl.LOCK_UN)
        time.sleep(grace_s)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        return


def _opened(folder: str, name: str, flags: int = 0) -> int:
    path = os.path.join(folder, name)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)


if __name__ == "__main__":
    main()
