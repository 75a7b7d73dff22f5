"""A disk that is full: a sentence, nothing lost, and on it goes when there is room."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from fresco_client import (
    ClipSource,
    Failed,
    Finished,
    JobState,
    LimitReached,
    OutputOptions,
    RestyleSettings,
)

from tests.engine.conftest import scene, write_clip
from tests.integration.conftest import StartDaemon
from tests.integration.daemons import wait_for, with_fake_worker

_SIZE = "size=32m"


def _mount(*arguments: str) -> bool:
    try:
        ended = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    except OSError:
        return False
    return ended.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room, where a daemon named "small" has its data."""
    folder = tmp_path / "small" / "data"
    folder.mkdir(parents=True)
    if not _mount("-t", "tmpfs", "-o", _SIZE, "tmpfs", str(folder)):
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass
    assert shutil.disk_usage(folder).free < 1 << 16
    return filler


@pytest.mark.parametrize(("kind", "is_restarted"), [("lossless", False), ("frames", True)])
def test_a_full_disk_fails_the_job_with_a_sentence_and_it_goes_on_when_there_is_room(
    small_disk: Path,
    start_daemon: StartDaemon,
    tmp_path: Path,
    kind: Literal["lossless", "frames"],
    is_restarted: bool,
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", scene(120, size=(320, 256)))
    worker = with_fake_worker(["--frame-s", "0.02"])
    daemon = start_daemon("small", **worker, limits={"keep_free_bytes": 0})
    if is_restarted:  # What an earlier daemon held in reserve has gone with it.
        daemon.stop()
        daemon.start()
    with daemon.session() as session:
        job = session.submit(
            ClipSource(path=str(clip)),
            RestyleSettings(prompt="a negative", size=256),
            output=OutputOptions(kind=kind),
        )
        wait_for("some frames", lambda: session.job(job.id).ready_frames > 5)
        filler = _fill(small_disk)
        failed = list(session.watch(job.id))[-1]
        assert isinstance(failed, Failed)
        assert failed.failure.reason == "DISK_FULL"
        assert "free some room" in failed.failure.message
        assert failed.failure.can_resume
        assert session.job(job.id).state is JobState.FAILED
        made_before = session.job(job.id).ready_frames

        filler.unlink()
        session.resume(job.id)
        events = list(session.watch(job.id, after=failed.sequence))

        assert isinstance(events[-1], Finished)
        assert 0 < made_before < session.job(job.id).ready_frames == 120
        if kind == "lossless":
            session.fetch_result(job.id, tmp_path / "result.mp4")


def test_a_daemon_whose_disk_is_nearly_full_takes_no_more_jobs(
    small_disk: Path, start_daemon: StartDaemon, clip: Path
) -> None:
    daemon = start_daemon("small", **with_fake_worker(), limits={"keep_free_bytes": 20 << 20})
    with daemon.session() as session, pytest.raises(LimitReached, match="no room") as refusal:
        session.submit(ClipSource(path=str(clip)), RestyleSettings(prompt="a negative", size=64))

    assert refusal.value.reason == "NO_ROOM"
