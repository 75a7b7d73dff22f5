from __future__ import annotations

import queue
import sys
from pathlib import Path

import pytest
from fresco_client.values import Failure
from fresco_server.errors import CannotStart, WorkerLost
from fresco_server.jobs import starting
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.first_answer import wait_ready
from fresco_server.jobs.messages import Broken, Ended, Message, Ready, Refused
from fresco_server.jobs.process import WorkerProcess

_WAITS = (sys.executable, "-c", "import sys; sys.stdin.read()")
_REFUSED = Refused(failure=Failure(reason="CANNOT_START", message="no such device"))
_READY = Ready(devices=(DeviceInfo(id="cpu", name="CPU"),))


def _process(folder: Path) -> WorkerProcess:
    return WorkerProcess("worker", _WAITS, folder, lambda *_: None)


def test_one_that_is_ready_says_so(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Message | Ended] = queue.SimpleQueue()
    inbox.put(_READY)
    process = _process(tmp_path)

    assert wait_ready(process, inbox) is _READY
    process.kill()


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            Refused(failure=Failure(reason="CANNOT_START", message="no such device")),
            CannotStart,
            "no such device",
        ),
        (Broken(message="its import failed"), WorkerLost, "its import failed"),
        (Ended(code=-9), WorkerLost, "want of memory"),
        (Ended(code=3), WorkerLost, "exit code 3"),
    ],
)
def test_one_that_is_not_says_why(
    tmp_path: Path, answer: Message | Ended, error: type[Exception], says: str
) -> None:
    inbox: queue.SimpleQueue[Message | Ended] = queue.SimpleQueue()
    inbox.put(answer)

    with pytest.raises(error, match=says):
        wait_ready(_process(tmp_path), inbox)


def test_one_that_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "START_PATIENCE_S", 0.01)

    with pytest.raises(WorkerLost, match="does not answer"):
        wait_ready(_process(tmp_path), queue.SimpleQueue())
