"""ServerService."""

from __future__ import annotations

import importlib.metadata
import os
import time
from typing import TYPE_CHECKING

import grpc
from fresco.v1 import server_pb2, server_pb2_grpc
from fresco_engine.settings import CONTROL_KINDS, PRESETS

from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.places import Places
from fresco_server.rpc.messages.basics import duration, fits_32, fits_64, text
from fresco_server.rpc.parameters import capabilities, outputs
from fresco_server.rpc.version import API_MAJOR, API_MINOR
from fresco_server.settings import CHUNK_BYTES, MESSAGE_BYTES, LimitSettings

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs


class ServerServicer(server_pb2_grpc.ServerServiceServicer):
    """The daemon itself."""

    def __init__(self, jobs: Jobs, places: Places, limits: LimitSettings) -> None:
        self._jobs = jobs
        self._places = places
        self._limits = limits
        self._begun = time.monotonic()

    def GetServer(  # noqa: N802
        self, request: server_pb2.GetServerRequest, context: grpc.ServicerContext
    ) -> server_pb2.GetServerResponse:
        """What the daemon is, has, and can do."""
        return server_pb2.GetServerResponse(
            version=program_version(),
            api_major=API_MAJOR,
            api_minor=API_MINOR,
            devices=[_device(info) for info in self._jobs.devices()],
            limits=_limits(self._limits),
            capabilities=self._capabilities(),
            uptime=duration(time.monotonic() - self._begun),
            open_jobs=fits_32(self._jobs.open_jobs()),
            disk_bytes=fits_64(self._jobs.disk_bytes()),
            free_disk_bytes=fits_64(self._jobs.free_disk_bytes()),
            process_id=os.getpid(),
        )

    def _capabilities(self) -> server_pb2.Capabilities:
        return server_pb2.Capabilities(
            parameters=capabilities(),
            presets=PRESETS,
            controls=CONTROL_KINDS,
            outputs=outputs(),
            has_file_access=self._places.has_file_access,
        )


def program_version() -> str:
    """Version of the installed program."""
    try:
        return importlib.metadata.version("fresco")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _limits(limits: LimitSettings) -> server_pb2.Limits:
    return server_pb2.Limits(
        message_bytes=MESSAGE_BYTES,
        chunk_bytes=CHUNK_BYTES,
        upload_bytes=fits_64(limits.upload_bytes),
        clip_frames=fits_32(limits.clip_frames),
        streams=fits_32(limits.streams),
        queued_jobs=fits_32(limits.queued_jobs),
        queued_looks=fits_32(limits.queued_looks),
        disk_bytes=fits_64(limits.disk_bytes),
    )


def _device(info: DeviceInfo) -> server_pb2.Device:
    return server_pb2.Device(
        id=text(info.id),
        name=text(info.name),
        memory_bytes=fits_64(info.memory_bytes),
        state=server_pb2.DeviceState.Value(f"DEVICE_STATE_{info.state.upper()}"),
        # The bundled model's source is empty for clients, and None here.
        model_source=text(info.model_source or ""),
        has_model=info.has_model,
        job_id=info.job_id,
    )
