"""A server on a real socket, with jobs that nobody works on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from fakes.caller import TOKEN, Caller
from fakes.jobs import FakeJobs
from fresco_server.jobs.service import Jobs
from fresco_server.rpc.server import RpcServer, make_server
from fresco_server.settings import LimitSettings, ServerSettings


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """A folder with clips, below which everything may be named by path."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("clip.mp4", "broken.mp4", "crash.mp4", "lora.safetensors", "old.ckpt"):
        (folder / name).write_bytes(b"something")
    (folder / "model").mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path, roots: Path) -> ServerSettings:
    """A daemon for this machine only, with small limits."""
    limits = LimitSettings(
        streams=8, queued_jobs=5, upload_bytes=4 << 20, disk_bytes=3 << 20, keep_free_bytes=0
    )
    return ServerSettings(data=tmp_path / "data", roots=(roots,), limits=limits)


@pytest.fixture
def jobs(settings: ServerSettings) -> Iterator[FakeJobs]:
    """Jobs in memory."""
    fake = FakeJobs(settings)
    yield fake
    fake.close()


@pytest.fixture
def server(jobs: FakeJobs, settings: ServerSettings) -> Iterator[RpcServer]:
    """A server that answers."""
    running = make_server(cast(Jobs, jobs), settings, TOKEN)
    running.start()
    yield running
    jobs.close()
    running.stop(grace_s=5)


@pytest.fixture
def caller(server: RpcServer) -> Iterator[Caller]:
    """A client with the right token."""
    client = Caller(server.address)
    yield client
    client.close()
