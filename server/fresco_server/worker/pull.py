"""Downloading a model in a process of its own, which can be ended at any moment."""

from __future__ import annotations

import os
import threading

from fresco_engine.diffusion.sources import cached_bytes, download_size, locate
from fresco_engine.errors import FrescoError

from fresco_server.jobs.messages import Pulled, Refused
from fresco_server.worker.channel import Channel
from fresco_server.worker.faults import failure_of

_INTERVAL_S = 0.5


def serve(channel: Channel, source: str) -> None:
    """Download the model `source`, saying how far it is, then end."""
    is_over = threading.Event()

    def report() -> None:
        total = download_size(source)
        while not is_over.wait(_INTERVAL_S):
            channel.send(Pulled(done=cached_bytes(source), total=total))

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        locate(source)
    except FrescoError as error:
        channel.send(Refused(failure=failure_of(error)))
    else:
        is_over.set()
        reporter.join()
        size = cached_bytes(source)
        channel.send(Pulled(done=size, total=size, is_finished=True))
    # Threads of the network library may still wait for a peer.
    os._exit(0)
