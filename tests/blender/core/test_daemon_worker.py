"""The network's side, without Blender, against real daemons."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from fresco_blender.core import files
from fresco_blender.core.daemon_config import DaemonConfig
from fresco_blender.core.daemon_worker import DaemonWorker
from fresco_blender.core.faults import NOT_RUNNING
from fresco_blender.core.messages import (
    ConnectionChanged,
    JobDescribed,
    JobEvent,
    JobProblem,
    KeyframeFile,
    RenderNeeded,
    ResultFile,
    WorkerMessage,
)
from fresco_blender.core.request import RestyleRequest
from fresco_client import Finished, Stage
from fresco_client.files import part_name

from tests.integration.conftest import StartDaemon, clip, start_daemon
from tests.integration.daemons import DaemonProcess, wait_for, with_fake_worker

__all__ = ["clip", "start_daemon"]
MessageT = TypeVar("MessageT")


def _next(
    daemon_worker: DaemonWorker,
    kind: type[MessageT],
    is_it: Callable[[MessageT], bool] = lambda _: True,
) -> MessageT:
    """The next message of a kind."""
    ends = time.monotonic() + 60
    seen: list[WorkerMessage] = []
    while time.monotonic() < ends:
        message = daemon_worker.inbox.get(timeout=60)
        seen.append(message)
        if isinstance(message, kind) and is_it(message):
            return message
    raise AssertionError(f"no {kind.__name__} came, only {seen}")


def _request(clip: Path, folder: Path) -> RestyleRequest:
    return RestyleRequest(
        job_id="job1",
        title="shot é/7",
        path=str(clip),
        start=3,
        stop=20,
        lead=3,
        settings={"prompt": "a negative", "size": 64},
        folder=str(folder),
    )


def test_an_order_becomes_keyframes_and_a_movie_on_disk(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker())
    daemon_worker = DaemonWorker(DaemonConfig(data=str(daemon.data)))
    try:
        daemon_worker.submit(_request(clip, tmp_path / "out"))
        keyframe = _next(daemon_worker, KeyframeFile)
        result = _next(daemon_worker, ResultFile)
        daemon_worker.submit(_request(clip, tmp_path / "out"))
        again = _next(daemon_worker, ResultFile)
    finally:
        daemon_worker.close()

    assert keyframe.path.read_bytes().startswith(b"\x89PNG")
    assert result.path == again.path == tmp_path / "out" / "shot é_7_job1.mp4"
    assert result.frame_count == 17


def test_what_was_rendered_for_a_job_that_is_cancelled_before_it_is_sent_is_removed(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker())
    daemon_worker = DaemonWorker(DaemonConfig(data=str(daemon.data)))
    request = _request(clip, tmp_path / "out")
    rendered = files.rendered_folder(tmp_path / "out", request.job_id)
    rendered.mkdir(parents=True)
    (rendered / "f_000001.png").touch()
    try:
        daemon_worker.cancel(request)
        problem = _next(daemon_worker, JobProblem)
    finally:
        daemon_worker.close()

    assert problem.job_id == request.job_id
    assert not rendered.exists()


def test_pictures_of_a_job_that_is_followed_anew_are_all_there_under_their_numbers(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--frame-s", "0.1"]))
    daemon_worker = DaemonWorker(DaemonConfig(data=str(daemon.data)))
    request = replace(_request(clip, tmp_path / "out"), output="FRAMES")
    folder = tmp_path / "out" / "job1" / "result"
    try:
        daemon_worker.submit(request)
        wait_for("some pictures", lambda: len(list(folder.glob("*.png"))) >= 3)
        daemon_worker.leave("job1")
        wait_for("more pictures", lambda: _frames_made(daemon) >= 8)
        daemon_worker.follow(request, _last_sequence(daemon_worker))
        result = _next(daemon_worker, ResultFile)
    finally:
        daemon_worker.close()

    found = sorted(folder.glob("*.png"))
    assert [path.name for path in found] == [f"frame_{number:06d}.png" for number in range(17)]
    assert result.path == found[0]
    assert len({path.read_bytes() for path in found}) == 17


def test_a_result_that_could_not_be_fetched_is_fetched_when_the_job_is_followed_again(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker())
    daemon_worker = DaemonWorker(DaemonConfig(data=str(daemon.data)))
    request = _request(clip, tmp_path / "out")
    in_its_way = part_name(tmp_path / "out" / "shot é_7_job1.mp4", "job1")
    in_its_way.mkdir(parents=True)
    try:
        daemon_worker.submit(request)
        finished = _next(
            daemon_worker, JobEvent, lambda message: isinstance(message.event, Finished)
        )
        fault = _next(daemon_worker, JobProblem).fault
        in_its_way.rmdir()
        daemon_worker.follow(request, finished.event.sequence)
        result = _next(daemon_worker, ResultFile)
    finally:
        daemon_worker.close()

    assert fault.remedy == "FOLLOW"
    assert result.path.exists()


def _frames_made(daemon: DaemonProcess) -> float:
    with daemon.session() as session:
        stages = {progress.stage: progress.done for progress in session.job("job1").progress}
    return stages.get(Stage.INTERPOLATING, 0)


def _last_sequence(daemon_worker: DaemonWorker) -> int:
    """Of all that has been told so far."""
    told: list[WorkerMessage] = []
    while not daemon_worker.inbox.empty():
        told.append(daemon_worker.inbox.get())
    return max(message.event.sequence for message in told if isinstance(message, JobEvent))


def test_closing_ends_every_thread_at_once(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--step-s", "5"]))
    daemon_worker = DaemonWorker(DaemonConfig(data=str(daemon.data)))
    daemon_worker.submit(_request(clip, tmp_path))
    _next(daemon_worker, ConnectionChanged, lambda message: message.state == "ready")

    daemon_worker.close()

    ends = time.monotonic() + 10
    while any(thread.name.startswith("fresco-") for thread in threading.enumerate()):
        assert time.monotonic() < ends, threading.enumerate()
        time.sleep(0.05)


def test_all_threads_are_daemon_threads_as_blender_waits_for_others_for_ever(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--step-s", "1"]))
    daemon_worker = DaemonWorker(DaemonConfig(data=str(daemon.data)))
    try:
        daemon_worker.submit(_request(clip, tmp_path))
        _next(daemon_worker, ConnectionChanged, lambda message: message.state == "ready")
        ours = [thread for thread in threading.enumerate() if thread.name.startswith("fresco-")]
    finally:
        daemon_worker.close()

    assert ours
    assert all(thread.daemon for thread in ours)


def test_a_sequence_for_another_machine_is_to_be_rendered_to_one_file(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker())
    announced = daemon.announced
    daemon_worker = DaemonWorker(
        DaemonConfig(address=announced["address"], token=announced["token"])
    )
    request = replace(_request(clip, tmp_path), is_sequence=True)
    try:
        daemon_worker.submit(request)
        wanted = _next(daemon_worker, RenderNeeded)
    finally:
        daemon_worker.close()

    assert wanted.request == request


def test_a_reference_picture_is_sent_to_another_machine(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker())
    announced = daemon.announced
    daemon_worker = DaemonWorker(
        DaemonConfig(address=announced["address"], token=announced["token"])
    )
    picture = tmp_path / "look.png"
    picture.write_bytes(b"a picture")
    request = _request(clip, tmp_path / "out")
    request = replace(request, settings={**request.settings, "reference": str(picture)})
    try:
        daemon_worker.submit(request)
        described = _next(daemon_worker, JobDescribed)
    finally:
        daemon_worker.close()

    assert described.job.settings is not None
    sent = hashlib.sha256(b"a picture").hexdigest()
    assert described.job.settings.reference == f"upload:{sent}"


@pytest.mark.parametrize(
    ("address", "is_refused"),
    [("studio:7400", True), ("127.0.0.1:1", False), ("[::1]:1", False), ("127.evil.org:1", True)],
)
def test_other_machines_are_spoken_to_only_if_blender_may(address: str, is_refused: bool) -> None:
    daemon_worker = DaemonWorker(DaemonConfig(address=address, is_online_allowed=False))
    try:
        daemon_worker.connect(start=False)
        connection = _next(
            daemon_worker, ConnectionChanged, lambda message: message.state == "failed"
        )
    finally:
        daemon_worker.close()

    assert connection.fault is not None
    assert ("Online Access is off" in connection.fault.message) is is_refused


@pytest.mark.parametrize("kind", ["submit", "look", "follow"])
def test_no_daemon_is_started_for_a_job_where_the_preferences_say_so(
    clip: Path, tmp_path: Path, kind: str
) -> None:
    data = tmp_path / "data"
    daemon_worker = DaemonWorker(
        DaemonConfig(data=str(data), program="/nowhere/fresco", starts_daemon=False)
    )
    try:
        getattr(daemon_worker, kind)(_request(clip, tmp_path))
        connection = _next(
            daemon_worker, ConnectionChanged, lambda message: message.state == "failed"
        )
        daemon_worker.connect(start=True)
        asked = _next(daemon_worker, ConnectionChanged, lambda message: message.state == "failed")
    finally:
        daemon_worker.close()

    assert connection.fault == NOT_RUNNING
    assert asked.fault is not None
    assert "/nowhere/fresco" in asked.fault.message
