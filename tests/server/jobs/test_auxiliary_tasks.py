"""Loading and downloading models: who has gone away holds nothing up."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from fakes.waiting import until
from fresco_server.errors import DaemonLimitReached, WorkerLost
from fresco_server.jobs import pulls
from fresco_server.jobs.auxiliary_tasks import ModelLoad
from fresco_server.jobs.pulls import Pulls

_SLEEPER = (sys.executable, "-c", "import sys; sys.stdin.read()")


def test_a_load_that_nobody_waits_for_is_not_waited_for() -> None:
    is_there = threading.Event()
    is_there.set()
    load, ended = ModelLoad(None), threading.Event()

    def wait() -> None:
        with pytest.raises(WorkerLost, match="still not loaded"):
            load.wait(is_there.is_set)
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    is_there.clear()

    until(ended.is_set, "the wait to end")


def test_a_load_that_fails_tells_why() -> None:
    load = ModelLoad("owner/name")
    load.end(WorkerLost("gone"))

    with pytest.raises(WorkerLost, match="gone"):
        load.wait(lambda: True)


def test_no_more_models_than_a_few_are_downloaded_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulls, "_MOST_PULLS", 2)
    downloads = Pulls(_SLEEPER, tmp_path)
    for number in range(2):
        pull = downloads.pull(f"owner/{number}")
        threading.Thread(target=_exhaust, args=(pull,), daemon=True).start()
    until(lambda: len(downloads._running) == 2, "two downloads")

    with pytest.raises(DaemonLimitReached, match="2 models are being downloaded"):
        next(downloads.pull("owner/more"))
    downloads.close()

    until(lambda: not downloads._running, "the downloads to end")


_PULLED = """
import json, sys
for done in (1, 2):
    step = {"kind": "Pulled", "done": done, "total": 2, "is_finished": done == 2}
    print(json.dumps(step), flush=True)
sys.stdin.read()
"""


def test_a_model_is_coming_until_the_moment_it_is_whole(tmp_path: Path) -> None:
    downloads = Pulls((sys.executable, "-c", _PULLED), tmp_path)
    coming: list[frozenset[str]] = []

    for _ in downloads.pull("owner/name"):
        coming.append(downloads.sources)

    assert coming == [{"owner/name"}, set()]
    assert downloads.sources == set()


def _exhaust(pull: object) -> None:
    with pytest.raises(WorkerLost):
        list(pull)  # type: ignore[call-overload]
