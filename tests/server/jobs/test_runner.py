"""A runner with a real worker process on a store that has no room left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fresco_client.events import Failed, Finished, Restarted
from fresco_client.values import JobState
from fresco_engine.errors import DiskFull
from fresco_engine.settings import RestyleSettings
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.runner import Runner
from fresco_server.jobs.store import JobStore
from fresco_server.settings import ServerSettings

from tests.engine.conftest import scene, write_clip
from tests.integration.daemons import wait_for, with_fake_worker


@pytest.fixture
def folders(tmp_path: Path) -> DataFolder:
    """A data folder."""
    folders = DataFolder(tmp_path / "data")
    folders.make()
    return folders


@pytest.fixture
def store(folders: DataFolder) -> Iterator[JobStore]:
    """An empty store."""
    store = JobStore(folders.root / "jobs.sqlite3")
    yield store
    store.close()


@pytest.fixture
def runner(
    store: JobStore, folders: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runner]:
    """A runner that is at work."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    worker = with_fake_worker(["--frame-s", "0.02"])["worker"]
    settings = ServerSettings(data=folders.root, worker=tuple(worker))
    runner = Runner(DeviceInfo(id="cpu", name="CPU"), store, folders, settings)
    runner.start()
    yield runner
    runner.close()


def _use_up_all_room(store: JobStore) -> None:
    """What SQLite says on a full disk it says now as well, and its reserve is gone."""
    full = store.database.one("PRAGMA page_count")[0]
    store.database.run(f"PRAGMA max_page_count = {full}")
    for size in (100_000, 1_000, 1):
        with suppress(DiskFull):
            while True:
                store.append_event("other", Restarted(reason="x" * size))


def test_a_failure_that_cannot_be_noted_is_noted_once_there_is_room(
    store: JobStore, folders: DataFolder, runner: Runner, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", scene(120))
    settings = RestyleSettings(prompt="a negative", size=64).as_dict()
    order = JobOrder(clip=str(clip), settings=settings, codec="lossless", suffix=".mkv")
    other = JobOrder(clip=str(clip), settings=settings, device="another")
    store.add("other", other, is_urgent=False, most_queued=9)
    store.add("job", order, is_urgent=False, most_queued=9)
    runner.wake()
    wait_for("some frames", lambda: store.get("job").ready_frames > 5)

    _use_up_all_room(store)
    wait_for("the worker's end", lambda: not list(folders.job("job").glob(".*partial*")))
    last = store.get("job").last_sequence
    assert store.get("job").state.is_running
    store.database.run("PRAGMA max_page_count = 1000000")

    wait_for("the failure", lambda: store.get("job").state is JobState.FAILED)
    failure = store.get("job").failure
    assert failure is not None
    assert failure.reason == "DISK_FULL"
    assert failure.can_resume
    events = store.events("job", last, limit=1000)
    assert isinstance(events[-1], Failed)
    assert not [event for event in events if isinstance(event, Finished)]
