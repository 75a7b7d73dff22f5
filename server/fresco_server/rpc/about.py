"""ServerService."""

from __future__ import annotations

import importlib.metadata
import os
import time
from typing import TYPE_CHECKING

import grpc
from fresco.v1 import server_pb2, server_pb2_grpc
from fresco_engine.settings import CONTROL_KINDS, PRESETS

from fresco_server.jobs.path_policy import PathPolicy
from fresco_server.rpc.messages.basics import message_of
from fresco_server.rpc.parameters import capabilities, outputs
from fresco_server.rpc.version import API_MAJOR, API_MINOR
from fresco_server.settings import CHUNK_BYTES, MESSAGE_BYTES, LimitSettings

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs


class ServerServicer(server_pb2_grpc.ServerServiceServicer):
    """The daemon itself."""

    def __init__(self, jobs: Jobs, path_policy: PathPolicy, limits: LimitSettings) -> None:
        self._jobs = jobs
        self._path_policy = path_policy
        self._limits = message_of(
            limits, server_pb2.Limits, message_bytes=MESSAGE_BYTES, chunk_bytes=CHUNK_BYTES
        )
        self._begun = time.monotonic()

    def GetServer(  # noqa: N802
        self, request: server_pb2.GetServerRequest, context: grpc.ServicerContext
    ) -> server_pb2.GetServerResponse:
        """What the daemon is, has, and can do."""
        values = {
            "version": program_version(),
            "api_major": API_MAJOR,
            "api_minor": API_MINOR,
            "devices": self._jobs.devices(),
            "limits": self._limits,
            "capabilities": self._capabilities(),
            "uptime_s": time.monotonic() - self._begun,
            "open_jobs": self._jobs.open_jobs(),
            "disk_bytes": self._jobs.disk_bytes(),
            "free_disk_bytes": self._jobs.free_disk_bytes(),
            "process_id": os.getpid(),
        }
        return message_of(values, server_pb2.GetServerResponse)

    def DrainNode(  # noqa: N802
        self, request: server_pb2.DrainNodeRequest, context: grpc.ServicerContext
    ) -> server_pb2.DrainNodeResponse:
        """Gives a machine nothing new to do."""
        self._jobs.drain(request.node, is_over=request.is_over)
        return server_pb2.DrainNodeResponse()

    def _capabilities(self) -> server_pb2.Capabilities:
        return server_pb2.Capabilities(
            parameters=capabilities(),
            presets=PRESETS,
            controls=CONTROL_KINDS,
            outputs=outputs(),
            has_file_access=self._path_policy.has_file_access,
        )


def program_version() -> str:
    """Version of the installed program."""
    try:
        return importlib.metadata.version("fresco")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
