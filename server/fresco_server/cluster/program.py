"""The process that the daemon starts for a cluster."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys

from fresco_client.values import Failure

from fresco_server.jobs.messages import Broken, Ready, Refused
from fresco_server.worker import confinement
from fresco_server.worker.channel import Channel

_LOGGER = logging.getLogger(__name__)
_CONNECT_S = 10.0
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "1",
    # A head that is gone for longer is gone.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "20",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def main(worker: type | None = None) -> None:
    """Serve the daemon until it is gone; `worker` is the class that works on a device."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    confinement.add_arguments(parser)
    arguments = parser.parse_args()
    confinement.confine(arguments)
    channel = Channel()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        _serve(channel, arguments.address, worker)
    # Whatever it was, the daemon is told; an orderly end would wait for threads that listen.
    except Exception as error:
        _LOGGER.exception("the cluster cannot be used")
        first_line = str(error).strip().split("\n")[0]
        channel.send(Broken(message=f"{type(error).__name__}: {first_line}"))
        os._exit(1)


def _serve(channel: Channel, address: str, worker: type | None) -> None:
    problem = _join(address)
    if problem is not None:
        channel.send(Refused(failure=Failure(reason="CANNOT_START", message=problem)))
        return
    from fresco_server.cluster.coordinator import Coordinator
    from fresco_server.cluster.part_worker import PartWorker
    from fresco_server.cluster.version import installed

    coordinator = Coordinator(channel, worker or PartWorker, installed())
    coordinator.start()
    channel.send(Ready())
    coordinator.serve()


def _join(address: str) -> str | None:
    """Become part of a cluster; why that cannot be."""
    try:
        import ray
    except ImportError:
        return "Ray is not installed; install Fresco with it: pip install 'fresco[cluster]'"
    options = {"log_to_driver": False, "logging_level": logging.WARNING, "namespace": "fresco"}
    if address == "auto":
        try:
            ray.init(address="auto", **options)
        except ConnectionError:
            ray.init(include_dashboard=False, **options)
        return None
    try:
        # Ray itself goes on trying for minutes.
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), _CONNECT_S).close()
        ray.init(address=address, **options)
    except (OSError, ValueError, RuntimeError) as error:
        first_line = str(error).strip().split("\n")[0]
        return (
            f"no cluster of Ray's can be reached at {address} ({first_line}); start its head "
            "there, with the same versions of Ray and Python as here, and give its address as "
            "HOST:PORT"
        )
    return None
