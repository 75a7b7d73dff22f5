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
    _fill_standard_streams()
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
    try:
        app(sys.argv[1:], prog_name="fresco")
    except OSError as error:
        # Commands tell of theirs themselves: this is a page of help or the version.
        from fresco_cli.output import refused, write_error

        failure = refused(error)
        write_error(f"Error: {failure}")
        sys.exit(failure.code)
    except KeyboardInterrupt:
        # Commands tell of theirs themselves: none had begun yet.
        os.write(2, f"{interrupts.NOTHING_LEFT}\n".encode())
        sys.exit(interrupts.CANCELLED)


def _fill_standard_streams() -> None:
    """Give this process the streams that it was started without, as scripts do by `>&-`.

    The next file opened would take the number of a missing one: what a library prints would go
    into a clip or a result.
    """
    streams = (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY))
    for number, (name, flags) in enumerate(streams):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    """Being told to end is treated like Ctrl-C, so that nothing half-written stays behind."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
