"""What the daemon is started with; the only place that reads the environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_path

MESSAGE_BYTES = 4 << 20
"""gRPC's own default; everything larger travels in chunks."""
CHUNK_BYTES = 1 << 20
PICTURE_BYTES = 3 << 20
"""The largest picture that an event carries."""


def default_data_folder() -> Path:
    """`FRESCO_DATA`, else the platform's place for a program's data."""
    chosen = os.environ.get("FRESCO_DATA")
    return Path(chosen) if chosen else user_data_path("fresco", appauthor=False)


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """Beyond these, calls fail with a sentence instead of the daemon growing.

    `disk_bytes` is what jobs and uploads may take together; `keep_free_bytes` of the disk are
    never used.
    """

    upload_bytes: int = 64 << 30
    clip_frames: int = 1_000_000
    streams: int = 100
    queued_jobs: int = 200
    queued_looks: int = 16
    disk_bytes: int = 200 << 30
    keep_free_bytes: int = 64 << 20


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Everything about a daemon that its user can choose.

    `roots` are the folders below which clips and models may be named by path; `None` stands for
    every place on a daemon that only this machine reaches, and for none on one that others reach.
    `devices` empty means the best there are. `idle_unload_s` after its last work a device's
    process ends; `idle_exit_s` after the last work and call the daemon itself does, if given.
    `worker` is the command that starts a worker process. With a `cluster`, the address of the head
    of one of Ray's or "auto", `cluster_worker` is the command that starts the one for all of it.
    """

    data: Path = field(default_factory=default_data_folder)
    host: str = "127.0.0.1"
    port: int = 0
    devices: tuple[str, ...] = ()
    roots: tuple[Path, ...] | None = None
    model_folders: tuple[Path, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    token_file: Path | None = None
    idle_unload_s: float = 300.0
    idle_exit_s: float | None = None
    limits: LimitSettings = LimitSettings()
    worker: tuple[str, ...] = (sys.executable, "-m", "fresco_server.worker")
    cluster: str | None = None
    cluster_worker: tuple[str, ...] = (sys.executable, "-m", "fresco_server.cluster")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the daemon."""
        return self.host in ("127.0.0.1", "::1", "localhost")
