"""Looking at clips: one that takes for ever holds up nobody else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from fakes.clock import FakeClock
from fakes.waiting import PATIENCE_S, until
from fresco_server.errors import (
    DaemonLimitReached,
    EngineRefused,
    ServerError,
    ShuttingDown,
    WorkerLost,
)
from fresco_server.jobs import media
from fresco_server.jobs.media import MediaProcesses
from fresco_server.jobs.process import WorkerProcess

from tests.engine.conftest import scene, write_clip
from tests.integration.daemons import FAKE_WORKER, ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a clip that is quick to look at and some that take for ever."""
    write_clip(tmp_path / "clip.mp4", scene(3))
    for number in range(4):
        (tmp_path / f"slow{number}.mp4").write_bytes(b"slow")
    return tmp_path


@pytest.fixture
def looks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaProcesses]:
    """Three processes that look at clips."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made = MediaProcesses(FAKE_WORKER, folder, most=3)
    yield made
    made.close()


class _Asking:
    """Somebody who asks about a clip on a thread of their own, until they go away."""

    def __init__(self, looks: MediaProcesses, path: Path) -> None:
        self.is_there = True
        self.error: ServerError | None = None
        self.frame_count = 0
        self._looks, self._path = looks, path
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self) -> None:
        try:
            info = self._looks.describe(self._path, None, lambda: self.is_there).info
            self.frame_count = info["frame_count"]
        except ServerError as error:
            self.error = error


def _children() -> int:
    return len(psutil.Process().children())


def test_slow_clips_do_not_hold_up_others(looks: MediaProcesses, folder: Path) -> None:
    slow = [_Asking(looks, folder / f"slow{number}.mp4") for number in range(2)]
    until(lambda: _children() >= 2, "two processes")

    counts = [looks.describe(folder / "clip.mp4", None).info["frame_count"] for _ in range(3)]

    assert counts == [3, 3, 3]
    assert all(asking.thread.is_alive() for asking in slow)


def test_a_look_that_nobody_waits_for_ends(looks: MediaProcesses, folder: Path) -> None:
    before = _children()
    asking = _Asking(looks, folder / "slow0.mp4")
    until(lambda: _children() > before, "a process")

    asking.is_there = False
    asking.thread.join(PATIENCE_S)

    assert not asking.thread.is_alive()
    assert isinstance(asking.error, WorkerLost)
    assert _children() == before


def test_a_look_that_takes_too_long_ends_with_a_sentence(
    looks: MediaProcesses, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "_PATIENCE_S", 0.5)

    with pytest.raises(WorkerLost, match="takes too long"):
        looks.describe(folder / "slow0.mp4", None)


def test_more_looks_than_there_are_processes_are_told(
    looks: MediaProcesses, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        _Asking(looks, folder / f"slow{number}.mp4")
    until(lambda: _children() >= 3, "three processes")
    monkeypatch.setattr(media, "_PATIENCE_S", 0.5)

    with pytest.raises(DaemonLimitReached, match="being looked at already"):
        looks.describe(folder / "clip.mp4", None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_is_refused_at_once(looks: MediaProcesses, folder: Path) -> None:
    os.mkfifo(folder / "pipe.mp4")

    with pytest.raises(EngineRefused, match="it is a pipe"):
        looks.describe(folder / "pipe.mp4", None)


def test_processes_end_with_the_daemon(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    looks = MediaProcesses(FAKE_WORKER, folder)
    before = _children()
    asking = _Asking(looks, folder / "slow0.mp4")
    until(lambda: _children() > before, "a process")

    looks.close()
    asking.thread.join(PATIENCE_S)

    assert not asking.thread.is_alive()
    assert _children() == before
    assert isinstance(asking.error, ShuttingDown)


def test_a_process_that_starts_while_the_daemon_ends_does_not_outlive_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    looks = MediaProcesses(FAKE_WORKER, folder)
    before = _children()
    starts, go_on = threading.Event(), threading.Event()

    class _SlowToStart(WorkerProcess):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            starts.set()
            go_on.wait(PATIENCE_S)

    monkeypatch.setattr(media, "WorkerProcess", _SlowToStart)
    asking = _Asking(looks, folder / "slow0.mp4")
    assert starts.wait(PATIENCE_S)

    looks.close()
    go_on.set()
    asking.thread.join(PATIENCE_S)

    assert isinstance(asking.error, ShuttingDown)
    assert _children() == before


def test_the_clip_is_not_blamed_for_processes_that_the_system_has_killed(
    looks: MediaProcesses, folder: Path
) -> None:
    before = psutil.Process().children()
    asking = [_Asking(looks, folder / "clip.mp4") for _ in range(2)]
    for one in asking:
        one.thread.join(60)
    for child in set(psutil.Process().children()) - set(before):
        child.kill()
        child.wait(20)

    assert looks.describe(folder / "clip.mp4", None).info["frame_count"] == 3


def test_a_clip_that_ends_every_process_is_to_blame_and_others_are_not(
    looks: MediaProcesses, folder: Path
) -> None:
    (folder / "deadly.mp4").write_bytes(b"deadly")

    with pytest.raises(WorkerLost, match=r"deadly\.mp4: reading it made the decoder crash"):
        looks.describe(folder / "deadly.mp4", None)

    assert looks.describe(folder / "clip.mp4", None).info["frame_count"] == 3


def test_the_clip_is_not_blamed_for_a_process_that_does_not_start(folder: Path) -> None:
    looks = MediaProcesses([sys.executable, "-c", "raise SystemExit(1)"], folder)

    with pytest.raises(WorkerLost, match="the process that looks at clips does not start"):
        looks.describe(folder / "clip.mp4", None)


_STARTS_LATE = """
import pathlib, runpy, sys, time
may_start = pathlib.Path(sys.argv.pop(1))
while not may_start.exists():
    time.sleep(0.01)
runpy.run_module("tests.fakes.worker", run_name="__main__", alter_sys=True)
"""


def test_the_clip_is_not_blamed_for_a_process_that_is_slow_to_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, may_start = FakeClock(), folder / "may start"
    monkeypatch.setattr(media, "time", clock)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    looks = MediaProcesses([sys.executable, "-c", _STARTS_LATE, str(may_start)], folder)
    asking = _Asking(looks, folder / "clip.mp4")
    until(lambda: clock.readings >= 3, "the process to be waited for")

    clock.sleep(media._PATIENCE_S + 1)
    readings = clock.readings
    until(lambda: clock.readings >= readings + 2, "another look at the clock")
    may_start.touch()
    asking.thread.join(PATIENCE_S)
    looks.close()

    assert asking.error is None
    assert asking.frame_count == 3


def test_a_process_that_never_is_ready_is_given_up_with_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "_START_PATIENCE_S", 0.5)
    looks = MediaProcesses([sys.executable, "-c", "import time; time.sleep(60)"], folder)

    with pytest.raises(WorkerLost, match="takes too long to start"):
        looks.describe(folder / "clip.mp4", None)
