"""Background Blenders: how many run at once, and that each can be ended."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fresco_blender.core.messages import Rendered, WorkerMessage
from fresco_blender.core.rendering import StripRenders
from fresco_blender.core.request import RestyleRequest

# In place of Blender: says that it has begun, waits, and writes a picture.
_PROGRAM = """
import sys, time
from pathlib import Path
path, go, text = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
path.with_suffix(".begun").touch()
while not go.exists():
    time.sleep(0.01)
path.touch()
print(text + "RENDERED")
"""


def _wait_for(is_so: Callable[[], Any]) -> Any:
    ends = time.monotonic() + 60
    while not (found := is_so()):
        assert time.monotonic() < ends
        time.sleep(0.02)
    return found


def _request(folder: Path, name: str) -> RestyleRequest:
    path = str(folder / name / "f_000001.png")
    return RestyleRequest(
        job_id=name, title=name, path=path, start=1, stop=2, lead=0, folder=str(folder)
    )


def _command(request: RestyleRequest, go: Path, text: str = "") -> list[str]:
    return [sys.executable, "-c", _PROGRAM, request.path, str(go), text]


def _begun(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/*.begun")}


def test_no_more_blenders_run_than_there_are_cores_and_a_look_waits_for_none(
    tmp_path: Path,
) -> None:
    inbox: queue.SimpleQueue[WorkerMessage] = queue.SimpleQueue()
    renders, go = StripRenders(inbox, cores=3), tmp_path / "go"
    jobs = [_request(tmp_path, f"job {number}") for number in range(5)]
    for request in jobs:
        renders.begin(request, _command(request, go), 1)
    _wait_for(lambda: len(_begun(tmp_path)) == 2)
    looked: list[str] = []
    for name in ("first look", "second look"):
        look = _request(tmp_path, name)
        renders.render_frame(
            look, _command(look, go), lambda _, name=name: looked.append(name), lambda _: None
        )
        _wait_for(lambda name=name: name in _begun(tmp_path))

    assert len(_begun(tmp_path)) == 4
    waiting = next(one for one in jobs if one.job_id not in _begun(tmp_path))
    assert renders.cancel(waiting)
    go.touch()

    rendered = {inbox_next(inbox) for _ in range(4)}
    assert rendered == {one.job_id for one in jobs} - {waiting.job_id}
    assert _wait_for(lambda: looked) == ["second look"]
    assert waiting.job_id not in _begun(tmp_path)
    renders.close()


class CancellingInbox(queue.SimpleQueue[WorkerMessage]):
    """Cancels a strip in the moment in which it is told to be rendered."""

    def __init__(self) -> None:
        super().__init__()
        self.renders = StripRenders(self)
        self.was_rendering: list[bool] = []

    def put(self, item: WorkerMessage, block: bool = True, timeout: float | None = None) -> None:
        if isinstance(item, Rendered):
            self.was_rendering.append(self.renders.cancel(item.request))
        super().put(item, block, timeout)


def test_what_is_told_to_be_rendered_is_cancelled_at_the_daemon(tmp_path: Path) -> None:
    inbox, go = CancellingInbox(), tmp_path / "go"
    go.touch()
    request = _request(tmp_path, "late")

    inbox.renders.begin(request, _command(request, go), 1)

    assert inbox_next(inbox) == request.job_id
    assert inbox.was_rendering == [False]


def inbox_next(inbox: queue.SimpleQueue[WorkerMessage]) -> str:
    """The next job that is rendered."""
    while not isinstance(message := inbox.get(timeout=60), Rendered):
        pass
    return message.job_id


def test_what_can_be_seen_through_is_told_with_the_request(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[WorkerMessage] = queue.SimpleQueue()
    renders, go = StripRenders(inbox), tmp_path / "go"
    go.touch()
    found = {}
    for name, text in (("opaque", ""), ("transparent", "TRANSPARENT\n")):
        request = _request(tmp_path, name)
        renders.begin(request, _command(request, go, text), 1)
        while not isinstance(message := inbox.get(timeout=60), Rendered):
            pass
        found[name] = message.request.is_transparent, message.request.output_kind

    assert found == {"opaque": (False, "MOVIE"), "transparent": (True, "TRANSPARENT")}
