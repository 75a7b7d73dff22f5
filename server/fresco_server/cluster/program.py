"""The process that the daemon starts for a cluster."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from fresco_client.values import Failure

from fresco_server.jobs.messages import Broken, Ready, Refused
from fresco_server.worker import confinement
from fresco_server.worker.channel import Channel

_LOGGER = logging.getLogger(__name__)
_CONNECT_S = 10.0
_TRY_S = 40.0
_NO_RAY = "what is there does not answer as Ray does"
_AUTH_MODE = "RAY_AUTH_MODE"
_TOLD = "fresco: "
_TRY = f"""
import sys, ray
try:
    ray.init(address=sys.argv[1], log_to_driver=False, namespace="fresco")
except Exception as error:
    sys.exit({_TOLD!r} + str(error))
ray.shutdown()
"""
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
    if find_spec("ray") is None:
        return "Ray is not installed; install Fresco with it: pip install 'fresco[cluster]'"
    problem = None if address == "auto" else _problem_at(address)
    if problem is None:
        # Only now, as it takes its settings from the environment.
        import ray

        options = {"log_to_driver": False, "logging_level": logging.WARNING, "namespace": "fresco"}
        try:
            ray.init(address=address, **options)
        except ConnectionError as error:
            if address == "auto":
                ray.init(include_dashboard=False, **options)
                return None
            problem = _first_line(str(error))
        except (OSError, ValueError, RuntimeError) as error:
            problem = _first_line(str(error))
    if problem is None:
        return None
    return (
        f"no cluster of Ray's can be reached at {address or '(nothing)'} ({problem}); start its "
        "head there, with the same versions of Ray and Python as here, and with the same token if "
        "it has one, and give its address as HOST:PORT"
    )


def _problem_at(address: str) -> str | None:
    """Why the cluster at an address cannot be joined; sets how its members know each other."""
    host, _, port = address.rpartition(":")
    if not host.strip("[]") or not port.isdecimal() or address.startswith("-"):
        return "that is no address"
    try:
        # Ray itself goes on trying for minutes.
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except (OSError, OverflowError) as error:
        return _first_line(str(error))
    modes = [os.environ[_AUTH_MODE]] if _AUTH_MODE in os.environ else _auth_modes()
    problem: str | None = None
    for mode in modes:
        problem = _refusal(address, mode)
        if problem is None:
            os.environ[_AUTH_MODE] = mode
        if problem in (None, _NO_RAY):
            break
    return problem


def _auth_modes() -> list[str]:
    """How a cluster may be protected that this user has started, or was given the token of."""
    is_given = "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ
    has_token = is_given or (Path.home() / ".ray" / "auth_token").exists()
    return ["disabled", "token"] if has_token else ["disabled"]


def _refusal(address: str, mode: str) -> str | None:
    """Why Ray cannot be joined in this way, tried by a program of its own.

    Where something else answers than Ray, it ends the program.
    """
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _TRY, address],
            # Ray itself would ask twenty times, with a second in between.
            env={**os.environ, _AUTH_MODE: mode, "RAY_NUM_REDIS_GET_RETRIES": "3"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_TRY_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _NO_RAY
    if tried.returncode == 0:
        return None
    said = tried.stderr.decode("utf-8", "replace")
    is_told = said.rpartition(_TOLD)[2].strip() if _TOLD in said else ""
    return _first_line(is_told) or _NO_RAY


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0]
