"""A daemon's program for tests of starting it: as `fresco serve`, but without an engine.

The file `behaviour` in its data folder, if there is one, says how it fails.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.daemon import TOKEN, FakeDaemon

LONGEST_S = 30.0


def main() -> int:
    """Serve until the file `stop` appears."""
    command, *options = sys.argv[1:]
    assert (command, options[0], options[2]) == ("serve", "--data", "--exit-when-idle"), sys.argv
    data = Path(options[1])
    with (data / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    behaviour = data / "behaviour"
    if behaviour.exists():
        return _misbehave(behaviour.read_text())
    try:
        os.close(os.open(data / "lock", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return 3
    return _serve(data)


def _misbehave(how: str) -> int:
    if how == "fail":
        os.write(2, "The disk is broken.\nBuy another – größer.".encode())
        return 1
    time.sleep(LONGEST_S)
    return 0


def _serve(data: Path) -> int:
    daemon = FakeDaemon()
    announcement = data / "daemon.json"
    temporary = data / "daemon.json.new"
    temporary.write_text(
        json.dumps(
            {
                "process_id": os.getpid(),
                "address": daemon.address,
                "token": TOKEN,
                "version": "0.1.0",
                "is_secure": False,
                "certificate": None,
            }
        )
    )
    temporary.replace(announcement)
    (data / "environment.json").write_text(json.dumps(dict(os.environ)))
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end and not (data / "stop").exists():
        time.sleep(0.02)
    announcement.unlink()
    return 0


if __name__ == "__main__":
    os._exit(main())  # nothing is to be tidied, and the test waits
