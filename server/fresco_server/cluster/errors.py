"""What can go wrong between the machines of a cluster.

Each becomes a `Failure` of the job, or the reason why a device is not used.
"""

from __future__ import annotations

from fresco_client.values import Failure
from fresco_engine.errors import FrescoError, OutOfDeviceMemory

from fresco_server.worker.faults import KnownFailure


class PartStopped(Exception):
    """The job is to stop; raised inside of its run to end it."""


class RemoteOutOfMemory(OutOfDeviceMemory):
    """The device of another machine cannot hold a batch, however small it was made."""

    def __init__(self, failure: Failure) -> None:
        FrescoError.__init__(self, failure.message)
        self.stage = ""
        self.is_of_autoencoder = False
        self.wanted_bytes = self.free_bytes = None


def raised(failure: Failure) -> Exception:
    """What the run is to meet in the place of the part that has failed."""
    if failure.reason == "OUT_OF_DEVICE_MEMORY":
        return RemoteOutOfMemory(failure)
    return KnownFailure(failure)
