"""`python -m fresco_server.worker`: started by the daemon, spoken to by JSON lines.

--device NAME    work on a device ("cuda:0"; without a name the best there is)
--media          only describe clips
--pull SOURCE    download a model, saying how far it is
--confined       open no files but those below folders given by --below DIR, and its own models
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from contextlib import suppress

from fresco_server.jobs.messages import Broken, ModelHeld, Ready, Refused
from fresco_server.worker import confinement
from fresco_server.worker.channel import Channel

_LOGGER = logging.getLogger(__name__)
_NICENESS = 5


def main() -> None:
    """Serve the daemon until it is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device")
    parser.add_argument("--media", action="store_true")
    parser.add_argument("--pull")
    confinement.add_arguments(parser)
    arguments = parser.parse_args()
    confinement.confine(arguments)
    channel = Channel()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    try:
        _serve(channel, arguments)
    # Whatever it was, the daemon is told; an orderly end would wait for the thread that listens.
    except Exception as error:
        _LOGGER.exception("the worker cannot go on")
        first_line = str(error).strip().split("\n")[0]
        if not arguments.media and arguments.pull is None:
            channel.send(Broken(message=f"{type(error).__name__}: {first_line}"))
        os._exit(1)


def _serve(channel: Channel, arguments: argparse.Namespace) -> None:
    if arguments.media:
        from fresco_server.worker import media

        _give_way()
        media.serve(channel)
    elif arguments.pull is not None:
        from fresco_server.worker import pull

        _give_way()
        pull.serve(channel, arguments.pull)
    else:
        _serve_device(channel, arguments.device)


def _serve_device(channel: Channel, device: str | None) -> None:
    from fresco_engine.errors import FrescoError

    from fresco_server.worker.devices import list_devices
    from fresco_server.worker.faults import failure_of

    try:
        devices = list_devices(device)
    except FrescoError as error:
        channel.send(Refused(failure=failure_of(error)))
        return
    from fresco_server.worker.device_worker import DeviceWorker
    from fresco_server.worker.engine import DeviceEngine

    engine = DeviceEngine(devices[0].id, lambda source: channel.send(ModelHeld(source=source)))
    _give_way()
    channel.send(Ready(devices=devices))
    DeviceWorker(channel, engine).serve()


def _give_way() -> None:
    """Let hosts, players and the daemon itself come first from now on.

    Not before it is ready: on a machine that is busy for long, a process that has to stand back
    while it loads its libraries does not get there in the time that it is given, however often.
    """
    with suppress(AttributeError, OSError):
        os.nice(_NICENESS)


if __name__ == "__main__":
    main()
