"""One worker process for several runners."""

from __future__ import annotations

import queue
import sys
from pathlib import Path

import pytest
from fresco_server.jobs import shared_process
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.messages import (
    CancelLook,
    Ended,
    JobStopped,
    Message,
    Order,
    Ready,
    RunJob,
    StopJob,
)
from fresco_server.jobs.shared_process import SharedLine, SharedProcess

_PROGRAM = """
import json, sys, time
def say(**message):
    print(json.dumps(message), flush=True)
say(kind="Ready", devices=[])
say(kind="DevicesChanged", devices=[{"id": "studio1/cuda:0", "name": "A GPU"}])
for line in sys.stdin:
    order = json.loads(line)
    if order["kind"] == "PingProcess":
        say(kind="ProcessAnswered")
    elif order["kind"] == "StopJob":
        say(kind="JobStopped", job=order["job"])
    elif order["kind"] == "CancelLook":
        pass
    elif order["job"] == "deaf":
        time.sleep(600)
    elif order["job"] == "fatal":
        sys.exit(3)
"""
_PATIENCE_S = 60


class User:
    """Somebody who uses the process, and what is said to it."""

    def __init__(self, shared: SharedProcess) -> None:
        self._heard: queue.SimpleQueue[Message | Ended] = queue.SimpleQueue()
        self.line: SharedLine = shared.open(lambda _, message: self._heard.put(message))

    def hears(self) -> Message | Ended:
        """The next message, waited for."""
        return self._heard.get(timeout=_PATIENCE_S)

    @property
    def hears_nothing(self) -> bool:
        """Whether nothing is said."""
        return self._heard.empty()

    def run(self, job: str) -> None:
        """Have a job done."""
        order = JobOrder(clip="clip.mp4", settings={})
        self.line.send(RunJob(job=job, folder="", order=order, restarts=0))


def users(shared: SharedProcess) -> tuple[User, User]:
    """Two of one process, which is ready for both."""
    both = User(shared), User(shared)
    for user in both:
        assert isinstance(user.hears(), Ready)
    return both


@pytest.fixture
def devices() -> queue.SimpleQueue[tuple[DeviceInfo, ...] | None]:
    """What is said of devices."""
    return queue.SimpleQueue()


@pytest.fixture
def shared(
    tmp_path: Path, devices: queue.SimpleQueue[tuple[DeviceInfo, ...] | None]
) -> SharedProcess:
    """A process that stops jobs."""
    return SharedProcess("cluster", (sys.executable, "-c", _PROGRAM), tmp_path, devices.put)


def test_everybody_is_told_that_it_is_ready_and_of_his_own_jobs(
    shared: SharedProcess, devices: queue.SimpleQueue[tuple[DeviceInfo, ...] | None]
) -> None:
    one, other = User(shared), User(shared)
    assert isinstance(one.hears(), Ready)
    assert isinstance(other.hears(), Ready)
    late = User(shared)
    assert isinstance(late.hears(), Ready)
    assert one.line.pid == other.line.pid == late.line.pid
    found = devices.get(timeout=_PATIENCE_S)
    assert found is not None
    assert [device.id for device in found] == ["studio1/cuda:0"]

    one.run("a")
    other.run("b")
    for user, job in ((one, "a"), (other, "b")):
        user.line.send(StopJob(job=job))
        assert user.hears() == JobStopped(job=job)

    assert one.hears_nothing
    assert late.hears_nothing
    for user in (one, other, late):
        user.line.close()


def test_it_ends_with_the_last_who_uses_it(
    shared: SharedProcess, devices: queue.SimpleQueue[tuple[DeviceInfo, ...] | None]
) -> None:
    one, other = User(shared), User(shared)
    assert isinstance(other.hears(), Ready)
    assert devices.get(timeout=_PATIENCE_S)
    first = one.line.pid

    one.line.close()
    other.run("a")
    other.line.send(StopJob(job="a"))
    assert other.hears() == JobStopped(job="a")
    other.line.close()
    assert devices.get(timeout=_PATIENCE_S) is None

    again = User(shared)
    assert isinstance(again.hears(), Ready)
    assert again.line.pid != first
    again.line.close()


def test_everybody_is_told_that_it_has_ended_and_the_next_begins_anew(
    shared: SharedProcess, devices: queue.SimpleQueue[tuple[DeviceInfo, ...] | None]
) -> None:
    one, other = users(shared)
    devices.get(timeout=_PATIENCE_S)

    one.run("fatal")

    assert one.hears() == Ended(code=3)
    assert other.hears() == Ended(code=3)
    assert devices.get(timeout=_PATIENCE_S) == ()
    again = User(shared)
    assert isinstance(again.hears(), Ready)
    again.line.close()


def closed(*users: User) -> None:
    """Nobody uses the process any more."""
    for user in users:
        user.line.close()


def test_work_that_does_not_stop_ends_the_process_of_one_but_not_of_others(
    shared: SharedProcess,
) -> None:
    one, other = users(shared)
    one.run("a")
    other.run("b")

    for _ in range(3):
        assert not one.line.give_up()
    other.line.send(StopJob(job="b"))
    assert other.hears() == JobStopped(job="b")

    assert one.line.give_up()
    assert one.hears() == Ended(code=-9)
    closed(one, other)


def test_a_process_that_does_not_even_answer_is_ended_for_all(
    shared: SharedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = users(shared)
    one.run("a")
    other.run("deaf")
    assert not one.line.give_up()

    monkeypatch.setattr(shared_process, "_HANGS_S", 0.0)
    assert one.line.give_up()

    assert other.hears() == Ended(code=-9)
    closed(one, other)


def test_one_that_answers_is_asked_again_and_not_ended(
    shared: SharedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = users(shared)
    one.run("a")
    other.run("b")
    assert not one.line.give_up()
    one.line.send(StopJob(job="a"))  # Whatever was said before has come when this has.
    assert one.hears() == JobStopped(job="a")
    one.run("a")

    monkeypatch.setattr(shared_process, "_HANGS_S", 3600.0)
    asked = shared._asked  # pyright: ignore[reportPrivateUsage]
    assert asked is None
    assert not one.line.give_up()
    closed(one, other)


@pytest.mark.parametrize("order", [StopJob(job="old"), CancelLook(look="old")])
def test_what_has_ended_already_keeps_nobody_from_ending_the_process(
    shared: SharedProcess, order: Order
) -> None:
    one, other = users(shared)
    one.run("a")
    other.line.send(order)

    assert one.line.give_up()
    assert one.hears() == Ended(code=-9)
    closed(one, other)
