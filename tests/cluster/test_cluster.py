"""A real daemon with a real cluster of Ray's: the same as on one machine, whatever happens."""

from __future__ import annotations

import os
import random
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fresco_client import (
    ClientError,
    ClipSource,
    DaemonUnreachable,
    Device,
    Event,
    Failed,
    Finished,
    FrameReady,
    JobState,
    KeyframeReady,
    LookedPicture,
    OutputOptions,
    RestyleSettings,
    Session,
    Warned,
)
from fresco_media.types import Image

from tests.cluster.clusters import ClusterOfNodes
from tests.engine.conftest import scene, write_clip
from tests.engine.runs import contents
from tests.integration.daemons import DaemonProcess, wait_for

SETTINGS = RestyleSettings(
    prompt="a watercolour painting",
    size=64,
    steps=3,
    batch_size=3,
    keyframe_min=2,
    keyframe_max=4,
)
AHEAD = replace(SETTINGS, batch_size=5, keyframe_min=1, keyframe_max=2, anchors_first=1)
JOBS = {"in a row": SETTINGS, "anchors first": AHEAD}
KILLS = int(os.environ.get("FRESCO_CLUSTER_KILLS", "1"))
"""Of workers, of machines and of the daemon each; a night has time for twenty."""
SHOT = 14
TROUBLED = (sys.executable, "-m", "tests.fakes.troubled_cluster")
_JOB = "the-job"
_NOT_COMPARED = {".fresco", "events.jsonl", "job.json", "delivery.json"}
"""What names times, processes and places."""

StartCluster = Callable[..., ClusterOfNodes]
StartDaemon = Callable[..., DaemonProcess]
Made = tuple[list[Event], dict[str, str]]


def shots(count: int, frames: int = SHOT) -> list[Image]:
    """A clip of shots that look nothing like each other."""
    pictures: list[Image] = []
    for shot in range(count):
        for picture in scene(frames):
            rolled = np.roll(picture, 37 * shot, axis=1)
            seen = 255 - rolled if shot % 2 else rolled
            order = [0, 1, 2] if shot % 4 < 2 else [2, 0, 1]
            pictures.append(np.ascontiguousarray(seen[:, :, order]))
    return pictures


@pytest.fixture
def start_cluster() -> Iterator[StartCluster]:
    """Starts clusters."""
    clusters: list[ClusterOfNodes] = []

    def start(nodes: int = 2, **environment: str) -> ClusterOfNodes:
        clusters.append(ClusterOfNodes(nodes, **environment))
        return clusters[-1]

    yield start
    for cluster in clusters:
        cluster.close()


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[StartDaemon]:
    """Starts daemons, each in a folder of its own; keywords are settings."""
    daemons: list[DaemonProcess] = []

    def start(name: str = "daemon", **settings: object) -> DaemonProcess:
        daemons.append(DaemonProcess(tmp_path / name / "data", settings))
        return daemons[-1].start()

    yield start
    for daemon in daemons:
        daemon.stop_whatever()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four shots."""
    return write_clip(tmp_path_factory.mktemp("cluster clip") / "four shots.mp4", shots(4))


def submit(daemon: DaemonProcess, clip: Path, settings: RestyleSettings = SETTINGS) -> None:
    """Ask for the job."""
    with daemon.session() as session:
        session.submit(
            ClipSource(path=str(clip)),
            settings,
            output=OutputOptions(kind="lossless"),
            job_id=_JOB,
        )


def watched(daemon: DaemonProcess) -> list[Event]:
    """All events of the job until it has ended."""
    with daemon.session() as session:
        return list(session.watch(_JOB))


def made(daemon: DaemonProcess) -> dict[str, str]:
    """Digests of everything that the job has made."""
    (folder,) = (daemon.data / "jobs").iterdir()
    found = contents(folder)
    return {name: digest for name, digest in found.items() if name not in _NOT_COMPARED}


def done_on_one(data: Path, clip: Path, settings: RestyleSettings = SETTINGS) -> Made:
    """What a daemon without a cluster says and makes."""
    daemon = DaemonProcess(data).start()
    submit(daemon, clip, settings)
    events = watched(daemon)
    assert isinstance(events[-1], Finished)
    found = made(daemon)
    daemon.stop_whatever()
    return events, found


@pytest.fixture(scope="session")
def expected(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What is said and made of the four shots on one machine."""
    return done_on_one(tmp_path_factory.mktemp("alone") / "data", clip)


def is_in_order(events: list[Event], frames: int) -> bool:
    """Whether no event is missing or there twice, and all frames come one after the other."""
    made_frames = [event.index for event in events if isinstance(event, FrameReady)]
    numbers = [event.sequence for event in events]
    return made_frames == list(range(frames)) and numbers == list(range(1, len(events) + 1))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("job", JOBS)
def test_four_shots_on_two_machines_are_the_same_byte_for_byte(
    start_cluster: StartCluster,
    start_daemon: StartDaemon,
    clip: Path,
    expected: Made,
    tmp_path: Path,
    job: str,
) -> None:
    settings = JOBS[job]
    is_usual = settings is SETTINGS
    events, files = expected if is_usual else done_on_one(tmp_path / "alone", clip, settings)
    cluster = start_cluster(2)
    daemon = start_daemon("many", cluster=cluster.address)

    submit(daemon, clip, settings)
    told = watched(daemon)

    assert isinstance(told[-1], Finished)
    assert is_in_order(told, 4 * SHOT)
    assert [e.index for e in told if isinstance(e, KeyframeReady)] == [
        e.index for e in events if isinstance(e, KeyframeReady)
    ]
    assert made(daemon) == files
    with daemon.session() as session:
        devices = session.server().devices
    assert len({device.id for device in devices}) == 2
    daemon.stop()
    wait_for("the workers to end with their daemon", lambda: not cluster.workers())


@pytest.mark.timeout(3000)
def test_whatever_is_killed_the_result_is_the_same(
    start_cluster: StartCluster, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    count = max(4, 2 * KILLS)
    clip = write_clip(tmp_path / "long.mp4", shots(count))
    _, files = done_on_one(tmp_path / "alone" / "data", clip)
    cluster = start_cluster(2)
    daemon = start_daemon("many", cluster=cluster.address)
    submit(daemon, clip)
    chance = random.Random(0)
    watcher = _Watcher(daemon)
    kinds = [kind for kind in ("worker", "machine", "daemon") for _ in range(KILLS)]
    chance.shuffle(kinds)

    for kind in kinds:
        if not _makes_something(daemon, watcher, chance):
            break
        if kind == "worker":
            workers = cluster.workers()
            if workers:
                chance.choice(workers).kill()
        elif kind == "machine":
            cluster.kill_node(cluster.nodes.pop(chance.randrange(len(cluster.nodes))))
            cluster.nodes.append(cluster.add())
        else:
            daemon.kill()
            daemon.start()

    events = watcher.all()
    assert isinstance(events[-1], Finished), events[-1]
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))
    assert [e.index for e in events if isinstance(e, FrameReady)] == list(range(count * SHOT))
    assert made(daemon) == files
    daemon.stop()
    wait_for("the workers to end with their daemon", lambda: not cluster.workers())


def _makes_something(daemon: DaemonProcess, watcher: _Watcher, chance: random.Random) -> bool:
    """Wait until something new is made, or all is; whether it goes on after that."""
    wanted = watcher.count + chance.randrange(1, 4)
    wait_for("new pictures", lambda: watcher.count >= wanted or watcher.has_ended)
    threading.Event().wait(chance.random())
    return not watcher.has_ended


class _Watcher:
    """A client that goes on watching where it was when its daemon was killed."""

    def __init__(self, daemon: DaemonProcess) -> None:
        self._daemon = daemon
        self._events: list[Event] = []
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def count(self) -> int:
        """How many pictures were told of."""
        return sum(isinstance(e, FrameReady | KeyframeReady) for e in list(self._events))

    @property
    def has_ended(self) -> bool:
        """Whether the job has."""
        return bool(self._events) and isinstance(self._events[-1], Finished | Failed)

    def all(self) -> list[Event]:
        """All events, once the job has ended."""
        wait_for("the end of the job", lambda: self.has_ended, patience_s=900)
        return self._events

    def _watch(self) -> None:
        while not self.has_ended:
            last = self._events[-1].sequence if self._events else 0
            with suppress(DaemonUnreachable), self._daemon.session() as session:
                for event in session.watch(_JOB, after=last):
                    self._events.append(event)
            threading.Event().wait(0.1)


@pytest.mark.timeout(900)
def test_a_job_is_paused_everywhere_and_goes_on(
    start_cluster: StartCluster, start_daemon: StartDaemon, clip: Path, expected: Made
) -> None:
    _, files = expected
    daemon = start_daemon("many", cluster=start_cluster(2).address)
    submit(daemon, clip)
    watcher = _Watcher(daemon)
    wait_for("a keyframe", lambda: watcher.count > 0)

    with daemon.session() as session:
        session.pause(_JOB)
        wait_for("the pause", lambda: session.job(_JOB).state is JobState.PAUSED)
        wait_for("idle devices", lambda: all(d.state != "busy" for d in session.server().devices))
        session.resume(_JOB)

    assert isinstance(watcher.all()[-1], Finished)
    assert made(daemon) == files


@pytest.mark.timeout(900)
def test_looks_and_machines_that_leave(
    start_cluster: StartCluster, start_daemon: StartDaemon, clip: Path
) -> None:
    alone = start_daemon("alone")
    with alone.session() as session:
        expected = looked(session, clip)
    alone.stop()
    daemon = start_daemon("many", cluster=start_cluster(1).address)

    with daemon.session() as session:
        devices = wait_for("a device", lambda: ready(session))
        seen = looked(session, clip)
        session.load()
        with pytest.raises(ClientError, match="no machine 'nowhere'; there is"):
            session.drain("nowhere")
        session.drain(devices[0].node)
        wait_for("the leave", lambda: session.server().devices[0].is_draining)
        submit(daemon, clip)
        threading.Event().wait(2.0)
        made_while_leaving = session.job(_JOB).ready_keyframes
        session.drain(devices[0].node, is_over=True)
        events = list(session.watch(_JOB))
        with pytest.raises(ClientError, match="freed together"):
            session.unload(devices[0].id)
        session.unload()
        wait_for("free memory", lambda: [d.state for d in session.server().devices] == ["stopped"])

    assert seen == expected
    assert not made_while_leaving
    assert isinstance(events[-1], Finished)


def ready(session: Session) -> tuple[Device, ...]:
    """The devices that are ready."""
    return tuple(device for device in session.server().devices if device.state == "ready")


def looked(session: Session, clip: Path) -> bytes:
    """The picture of a look."""
    with session.look(ClipSource(path=str(clip)), 3, SETTINGS) as parts:
        (picture,) = (part for part in parts if isinstance(part, LookedPicture))
    return picture.data


@pytest.mark.timeout(900)
def test_a_machine_that_cannot_read_the_clip_is_sent_it(
    start_cluster: StartCluster, start_daemon: StartDaemon, clip: Path, expected: Made
) -> None:
    _, files = expected
    cluster = start_cluster(1, FRESCO_TEST_FAR="1")
    daemon = start_daemon("many", cluster=cluster.address, cluster_worker=TROUBLED)

    submit(daemon, clip)

    assert isinstance(watched(daemon)[-1], Finished)
    assert made(daemon) == files
    assert daemon.output.count(f"sending {clip}") == 1


@pytest.mark.timeout(900)
def test_a_recording_that_grows_is_restyled_as_far_as_it_was_known(
    start_cluster: StartCluster, start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    growing = tmp_path / "recording.mp4"
    shutil.copy(clip, growing)
    daemon = start_daemon("many", cluster=start_cluster(1).address)
    has_ended = threading.Event()

    def grow() -> None:
        while not has_ended.wait(0.05):
            with growing.open("ab") as file:
                file.write(bytes(1000))

    threading.Thread(target=grow, daemon=True).start()
    try:
        submit(daemon, growing)
        events = watched(daemon)
    finally:
        has_ended.set()

    assert isinstance(events[-1], Finished), events[-1]
    assert is_in_order(events, 4 * SHOT)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("FRESCO_TEST_NO_MODEL", "it is missing on a machine of the cluster"),
        ("FRESCO_TEST_FULL", "full"),
    ],
)
def test_a_machine_that_lacks_something_leaves_the_work_to_others(
    start_cluster: StartCluster, start_daemon: StartDaemon, clip: Path, trouble: str, told: str
) -> None:
    cluster = start_cluster(1, FRESCO_TEST_FAR="1", **{trouble: "1"})
    daemon = start_daemon("many", cluster=cluster.address, cluster_worker=TROUBLED)

    submit(daemon, clip)
    failed = watched(daemon)[-1]
    assert isinstance(failed, Failed)
    assert told in failed.failure.message
    cluster.add()
    with daemon.session() as session:
        wait_for("the other machine", lambda: len(session.server().devices) == 2)
        session.resume(_JOB)
    events = watched(daemon)

    assert isinstance(events[-1], Finished)
    assert any(isinstance(e, Warned) and "does not work on this job" in e.message for e in events)


@pytest.mark.timeout(900)
def test_a_machine_with_another_fresco_is_not_used_and_the_devices_say_why(
    start_cluster: StartCluster, start_daemon: StartDaemon, clip: Path
) -> None:
    cluster = start_cluster(1, FRESCO_TEST_VERSION="Fresco 0.0.1 with torch 1.0")
    daemon = start_daemon("many", cluster=cluster.address, cluster_worker=TROUBLED)

    def names() -> list[str]:
        with daemon.session() as session:
            return [device.name for device in session.server().devices]

    wait_for("the reason", lambda: any("Fresco 0.0.1" in name for name in names()))
    cluster.add()
    submit(daemon, clip)

    assert isinstance(watched(daemon)[-1], Finished)
    assert any("install the same on both" in name for name in names())


@pytest.mark.timeout(900)
def test_a_part_whose_workers_die_again_and_again_fails_the_job(
    start_cluster: StartCluster, start_daemon: StartDaemon, clip: Path
) -> None:
    cluster = start_cluster(1, FRESCO_TEST_DIES="1")
    daemon = start_daemon("many", cluster=cluster.address, cluster_worker=TROUBLED)

    submit(daemon, clip)
    failed = watched(daemon)[-1]

    assert isinstance(failed, Failed)
    assert failed.failure.reason == "WORKER_LOST"
    assert failed.failure.can_resume


def test_a_cluster_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    daemon = DaemonProcess(tmp_path / "data", {"cluster": "127.0.0.1:1"})
    daemon.begin()

    assert daemon.process is not None
    wait_for("its end", lambda: daemon.process and daemon.process.poll() is not None)
    assert daemon.process.returncode == 1
    assert "no cluster of Ray's can be reached at 127.0.0.1:1" in daemon.output
