"""`fresco` and `python -m fresco_cli`."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType

from fresco_media.files import interrupts


def main() -> None:
    """Run the command line of this process."""
    with interrupts.ends_at_once():
        from fresco_cli.app import app
    # Threads that wait for each other by spinning halve the speed of a machine that has something
    # else to do as well; after a short spin they are to sleep. OpenMP reads this when torch is
    # imported, which is later.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    # What gRPC has to say on the terminal is said by us, in a sentence.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal cannot show must not end a command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _interrupt)
    app(sys.argv[1:], prog_name="fresco")


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    """Being told to end is treated like Ctrl-C, so that nothing half-written stays behind."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
