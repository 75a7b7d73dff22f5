"""Jobs go on after SIGKILL at any moment, and nobody can tell from what comes out."""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from fresco_client import (
    ClipSource,
    DaemonUnreachable,
    Event,
    Finished,
    FrameReady,
    JobState,
    KeyframeReady,
    ModelChoice,
    OutputOptions,
    RestyleSettings,
    StateChanged,
)

from tests.engine.conftest import scene, write_clip
from tests.integration.conftest import StartDaemon
from tests.integration.daemons import DaemonProcess, wait_for

SETTINGS = RestyleSettings(
    prompt="a watercolour painting",
    size=64,
    steps=4,
    batch_size=3,
    keyframe_min=6,
    keyframe_max=12,
    interpolation="flow",
)
KILLS = int(os.environ.get("FRESCO_KILLS", "6"))
"""Each costs the start of a process that loads torch; a night has time for a hundred."""
FRAMES = 24 * KILLS + 20
MOST_NEW = 2
"""So many new pictures are waited for at most before a kill; the job has many more for each."""


@dataclass(frozen=True)
class Made:
    """Everything a job has made: the bytes of its pictures and its result, by file name."""

    files: dict[str, bytes]


def _submit(daemon: DaemonProcess, clip: Path, model: Path) -> None:
    with daemon.session() as session:
        session.submit(
            ClipSource(path=str(clip)),
            SETTINGS,
            model=ModelChoice(source=str(model)),
            output=OutputOptions(kind="lossless"),
            job_id="the-job",
        )


def _job_folder(daemon: DaemonProcess) -> Path:
    (folder,) = (daemon.data / "jobs").iterdir()
    return folder


def _made(daemon: DaemonProcess) -> Made:
    folder = _job_folder(daemon)
    names = [*folder.glob("*/*.png"), *folder.glob("result.*")]
    return Made({str(path.relative_to(folder)): path.read_bytes() for path in names})


@pytest.fixture
def long_clip(tmp_path: Path) -> Path:
    """A clip long enough for all kills."""
    return write_clip(tmp_path / "long.mp4", scene(FRAMES, cut_at=FRAMES // 2))


@pytest.fixture
def undisturbed(start_daemon: StartDaemon, long_clip: Path, tiny_model_folder: Path) -> Made:
    """What the job makes when nothing happens to it."""
    daemon = start_daemon("undisturbed")
    _submit(daemon, long_clip, tiny_model_folder)
    with daemon.session() as session:
        assert isinstance(list(session.watch("the-job"))[-1], Finished)
    made = _made(daemon)
    daemon.stop()
    return made


class Watcher(threading.Thread):
    """A client that watches the job through all its daemons' deaths."""

    def __init__(self, daemon: DaemonProcess) -> None:
        super().__init__(daemon=True)
        self._session = daemon.session()
        self.events: list[Event] = []
        self.start()

    def run(self) -> None:
        with self._session, self._session.watch("the-job", patience_s=600) as watch:
            for event in watch:
                self.events.append(event)

    @property
    def pictures(self) -> int:
        """How many pictures were told of."""
        return sum(isinstance(event, KeyframeReady | FrameReady) for event in self.events)

    @property
    def states(self) -> list[JobState]:
        """The states the job has been in."""
        return [event.state for event in self.events if isinstance(event, StateChanged)]


@pytest.mark.timeout(1800)
def test_killed_again_and_again_a_job_makes_the_same_as_undisturbed(
    start_daemon: StartDaemon, long_clip: Path, tiny_model_folder: Path, undisturbed: Made
) -> None:
    chance = random.Random(7)
    daemon = start_daemon("killed")
    _submit(daemon, long_clip, tiny_model_folder)
    watcher = Watcher(daemon)

    killed_in: set[JobState] = set()
    for _ in range(KILLS - 1):
        wanted = watcher.pictures + chance.randint(0, MOST_NEW)
        _wait_until_running(daemon)
        wait_for(f"picture {wanted}", lambda wanted=wanted: watcher.pictures >= wanted)
        assert JobState.ENCODING not in watcher.states, "the job is too short for so many kills"
        # Between two pictures, while a batch is denoised, while a file is written or told of.
        watcher.join(chance.uniform(0, 0.2))
        killed_in.add(watcher.states[-1])
        _kill(daemon, chance)
    wait_for("the job to be encoded", lambda: JobState.ENCODING in watcher.states, 900)
    killed_in.add(watcher.states[-1])
    daemon.kill()
    daemon.start()
    watcher.join(120)

    assert not watcher.is_alive(), "the job does not end"
    assert isinstance(watcher.events[-1], Finished)
    assert {JobState.TRANSLATING, JobState.ENCODING} <= killed_in
    assert _made(daemon).files.keys() == undisturbed.files.keys()
    for name, data in undisturbed.files.items():
        assert _made(daemon).files[name] == data, f"{name} differs"
    _assert_told_once(watcher.events)
    _assert_no_orphans(daemon)


def _wait_until_running(daemon: DaemonProcess) -> None:
    with daemon.session() as session:
        wait_for("the job to run", lambda: session.job("the-job").state is not JobState.QUEUED)


def _kill(daemon: DaemonProcess, chance: random.Random) -> None:
    """Kill the worker alone, or the daemon, which takes the worker with it."""
    if chance.random() < 0.4:
        for process in daemon.workers():
            process.kill()
    else:
        daemon.kill()
        daemon.start()


def _assert_told_once(events: list[Event]) -> None:
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    frames = [event.index for event in events if isinstance(event, FrameReady)]
    assert frames == list(range(FRAMES))
    keyframes = [event.index for event in events if isinstance(event, KeyframeReady)]
    assert keyframes == sorted(set(keyframes))


def _assert_no_orphans(daemon: DaemonProcess) -> None:
    leftovers = [path for path in daemon.data.rglob("*") if "partial" in path.name]
    assert leftovers == []
    assert len(list((daemon.data / "jobs").iterdir())) == 1
    assert list((daemon.data / "looks").iterdir()) == []


def test_workers_end_with_their_daemon(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    workers = daemon.workers()
    assert workers

    daemon.kill()

    assert not any(psutil.pid_exists(worker.pid) and worker.is_running() for worker in workers)


def test_a_killed_daemon_is_said_to_be_unreachable(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    with daemon.session() as session:
        daemon.kill()

        with pytest.raises(DaemonUnreachable):
            session.server()
