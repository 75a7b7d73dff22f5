"""The network's side, without Blender, against real daemons."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from fresco_blender.core.desk import Desk
from fresco_blender.core.doorway import Doorway
from fresco_blender.core.faults import NOT_RUNNING
from fresco_blender.core.news import (
    JobEvent,
    JobFault,
    KeyframeFile,
    LinkChanged,
    News,
    RenderWanted,
    ResultFile,
)
from fresco_blender.core.order import Order
from fresco_client import Finished, Stage
from fresco_client.files import part_name

from tests.integration.conftest import StartDaemon, clip, start_daemon
from tests.integration.daemons import DaemonProcess, wait_for, with_fake_worker

__all__ = ["clip", "start_daemon"]
NewsT = TypeVar("NewsT")


def _next(desk: Desk, kind: type[NewsT], is_it: Callable[[NewsT], bool] = lambda _: True) -> NewsT:
    """The next news of a kind."""
    ends = time.monotonic() + 60
    seen: list[News] = []
    while time.monotonic() < ends:
        news = desk.inbox.get(timeout=60)
        seen.append(news)
        if isinstance(news, kind) and is_it(news):
            return news
    raise AssertionError(f"no {kind.__name__} came, only {seen}")


def _order(clip: Path, folder: Path) -> Order:
    return Order(
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
    desk = Desk(Doorway(data=str(daemon.data)))
    try:
        desk.submit(_order(clip, tmp_path / "out"))
        keyframe = _next(desk, KeyframeFile)
        result = _next(desk, ResultFile)
        desk.submit(_order(clip, tmp_path / "out"))
        again = _next(desk, ResultFile)
    finally:
        desk.close()

    assert keyframe.path.read_bytes().startswith(b"\x89PNG")
    assert result.path == again.path == tmp_path / "out" / "shot é_7_job1.mp4"
    assert result.frame_count == 17


def test_pictures_of_a_job_that_is_followed_anew_are_all_there_under_their_numbers(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--frame-s", "0.1"]))
    desk = Desk(Doorway(data=str(daemon.data)))
    order = replace(_order(clip, tmp_path / "out"), output="FRAMES")
    folder = tmp_path / "out" / "job1" / "result"
    try:
        desk.submit(order)
        wait_for("some pictures", lambda: len(list(folder.glob("*.png"))) >= 3)
        desk.leave("job1")
        wait_for("more pictures", lambda: _frames_made(daemon) >= 8)
        desk.follow(order, _last_sequence(desk))
        result = _next(desk, ResultFile)
    finally:
        desk.close()

    found = sorted(folder.glob("*.png"))
    assert [path.name for path in found] == [f"frame_{number:06d}.png" for number in range(17)]
    assert result.path == found[0]
    assert len({path.read_bytes() for path in found}) == 17


def test_a_result_that_could_not_be_fetched_is_fetched_when_the_job_is_followed_again(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker())
    desk = Desk(Doorway(data=str(daemon.data)))
    order = _order(clip, tmp_path / "out")
    in_its_way = part_name(tmp_path / "out" / "shot é_7_job1.mp4", "job1")
    in_its_way.mkdir(parents=True)
    try:
        desk.submit(order)
        finished = _next(desk, JobEvent, lambda news: isinstance(news.event, Finished))
        fault = _next(desk, JobFault).fault
        in_its_way.rmdir()
        desk.follow(order, finished.event.sequence)
        result = _next(desk, ResultFile)
    finally:
        desk.close()

    assert fault.remedy == "FOLLOW"
    assert result.path.exists()


def _frames_made(daemon: DaemonProcess) -> float:
    with daemon.session() as session:
        stages = {progress.stage: progress.done for progress in session.job("job1").progress}
    return stages.get(Stage.INTERPOLATING, 0)


def _last_sequence(desk: Desk) -> int:
    """Of all that has been told so far."""
    told: list[News] = []
    while not desk.inbox.empty():
        told.append(desk.inbox.get())
    return max(news.event.sequence for news in told if isinstance(news, JobEvent))


def test_closing_ends_every_thread_at_once(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--step-s", "5"]))
    desk = Desk(Doorway(data=str(daemon.data)))
    desk.submit(_order(clip, tmp_path))
    _next(desk, LinkChanged, lambda news: news.state == "ready")

    desk.close()

    ends = time.monotonic() + 10
    while any(thread.name.startswith("fresco-") for thread in threading.enumerate()):
        assert time.monotonic() < ends, threading.enumerate()
        time.sleep(0.05)


def test_all_threads_are_daemon_threads_as_blender_waits_for_others_for_ever(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--step-s", "1"]))
    desk = Desk(Doorway(data=str(daemon.data)))
    try:
        desk.submit(_order(clip, tmp_path))
        _next(desk, LinkChanged, lambda news: news.state == "ready")
        ours = [thread for thread in threading.enumerate() if thread.name.startswith("fresco-")]
    finally:
        desk.close()

    assert ours
    assert all(thread.daemon for thread in ours)


def test_a_sequence_for_another_machine_is_to_be_rendered_to_one_file(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker())
    announced = daemon.announced
    desk = Desk(Doorway(address=announced["address"], token=announced["token"]))
    order = replace(_order(clip, tmp_path), is_sequence=True)
    try:
        desk.submit(order)
        wanted = _next(desk, RenderWanted)
    finally:
        desk.close()

    assert wanted.order == order


@pytest.mark.parametrize(
    ("address", "is_refused"),
    [("studio:7400", True), ("127.0.0.1:1", False), ("[::1]:1", False), ("127.evil.org:1", True)],
)
def test_other_machines_are_spoken_to_only_if_blender_may(address: str, is_refused: bool) -> None:
    desk = Desk(Doorway(address=address, is_online_allowed=False))
    try:
        desk.connect(start=False)
        link = _next(desk, LinkChanged, lambda news: news.state == "failed")
    finally:
        desk.close()

    assert link.fault is not None
    assert ("Online Access is off" in link.fault.message) is is_refused


@pytest.mark.parametrize("kind", ["submit", "look", "follow"])
def test_no_daemon_is_started_for_a_job_where_the_preferences_say_so(
    clip: Path, tmp_path: Path, kind: str
) -> None:
    data = tmp_path / "data"
    desk = Desk(Doorway(data=str(data), program="/nowhere/fresco", starts_daemon=False))
    try:
        getattr(desk, kind)(_order(clip, tmp_path))
        link = _next(desk, LinkChanged, lambda news: news.state == "failed")
        desk.connect(start=True)
        asked = _next(desk, LinkChanged, lambda news: news.state == "failed")
    finally:
        desk.close()

    assert link.fault == NOT_RUNNING
    assert asked.fault is not None
    assert "/nowhere/fresco" in asked.fault.message
