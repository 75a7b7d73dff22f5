"""Folders on the machines of a cluster, and that nothing of them is left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from fresco_server.cluster.scratch import part_folder, shared_folder

from tests.fakes.waiting import until

_WORKER = """
import sys, tempfile
from fresco_server.cluster import scratch
tempfile.tempdir, token, scratch._GRACE_S = sys.argv[1], sys.argv[2], float(sys.argv[3])
folder = scratch.shared_folder(token)
scratch.remove_afterwards(folder)
(folder / "clip.mkv").write_bytes(b"a clip")
print("ready", flush=True)
sys.stdin.read()
"""
StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts processes that hold the folder of "token" below the test's."""
    started: list[subprocess.Popen[bytes]] = []

    def start(grace_s: float = 0.0) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(tmp_path), "token", str(grace_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        end(process, is_killed=True)
    for process in psutil.process_iter(["cmdline"]):
        if any(part.startswith(str(tmp_path)) for part in process.info["cmdline"] or ()):
            process.kill()


def end(process: subprocess.Popen[bytes], *, is_killed: bool) -> None:
    """Let a process end."""
    if is_killed:
        process.kill()
    process.communicate(timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the workers share."""
    return tmp_path / "fresco-cluster-token"


@pytest.mark.parametrize("is_killed", [True, False])
def test_when_the_last_worker_has_gone_its_folder_goes_too(
    start_worker: StartWorker, folder: Path, *, is_killed: bool
) -> None:
    one, other = start_worker(), start_worker()
    assert (folder / "clip.mkv").exists()

    end(one, is_killed=is_killed)
    with pytest.raises(AssertionError):
        until(lambda: not folder.exists(), "nothing", 0.5)
    end(other, is_killed=is_killed)

    until(lambda: not folder.exists(), "the folder to be gone")


def test_a_worker_that_begins_anew_finds_what_was_there(
    start_worker: StartWorker, folder: Path
) -> None:
    end(start_worker(3600.0), is_killed=True)
    (folder / "copy").write_bytes(b"a copy")

    start_worker()

    assert (folder / "copy").read_bytes() == b"a copy"


def test_what_a_killed_worker_left_of_a_part_goes_with_the_next_one(
    start_worker: StartWorker, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = start_worker(3600.0)
    left = folder / f"part-{killed.pid}-abc"
    left.mkdir()
    end(killed, is_killed=True)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))

    with part_folder(shared_folder("token")) as made:
        (made / "picture.png").touch()
        start_worker(3600.0)
        assert (made / "picture.png").exists()
        assert made.name.startswith(f"part-{os.getpid()}-")

    assert not left.exists()
    assert not made.exists()


def test_a_folder_that_nobody_uses_any_more_is_removed_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    left, foreign = tmp_path / "fresco-cluster-left", tmp_path / "fresco-cluster-of-others"
    for folder in (left, foreign):
        folder.mkdir()
    (left / "in-use").touch()
    (foreign / "work").touch()

    first = shared_folder("first")
    second = shared_folder("second")

    assert first.is_dir()
    assert second.is_dir()
    assert not left.exists()
    assert foreign.is_dir()
