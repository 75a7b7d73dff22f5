"""The quota holds whatever clients announce, refuse to send, or send at the same time."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.waiting import PATIENCE_S
from fresco_client.values import JobState
from fresco_engine.errors import DiskFull
from fresco_server.errors import BadRequest, DaemonLimitReached, UploadDamaged, UploadNotFound
from fresco_server.jobs.disk_quota import DiskQuota
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.store import JobStore
from fresco_server.jobs.uploads import Uploads
from fresco_server.settings import CHUNK_BYTES, LimitSettings
from fresco_settings import Remedy, reworded

QUOTA = 10 << 20
LIMITS = LimitSettings(disk_bytes=QUOTA, upload_bytes=1 << 40, keep_free_bytes=0)
HOUR_S = 3600.0


class Daemon:
    """Uploads with a quota, as a daemon has them."""

    def __init__(self, root: Path) -> None:
        self.folders = DataFolder(root)
        self.folders.make()
        self.store = JobStore(self.folders.database)
        self.uploads = Uploads(self.folders.uploads, LIMITS, self._make_room)
        self.quota = DiskQuota(self.store, self.folders, self.uploads, LIMITS)

    def _make_room(self, wanted_bytes: int) -> None:
        self.quota.make_room(wanted_bytes)

    def uploads_in_use(self) -> set[str]:
        """Those that may not be removed."""
        return self.quota.uploads_in_use()

    def restarted(self) -> Daemon:
        """The next one in the same folder."""
        self.store.close()
        return Daemon(self.folders.root)

    @property
    def promised_bytes(self) -> int:
        """What uploads take or may still take."""
        return self.uploads.disk_bytes() + self.uploads.outstanding_bytes()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """One with an empty folder."""
    daemon = Daemon(tmp_path / "data")
    yield daemon
    daemon.store.close()


def _digest(number: int) -> str:
    return f"{number:064x}"


def _fill(daemon: Daemon, sha256: str, size: int) -> None:
    for offset in range(0, size, CHUNK_BYTES):
        daemon.uploads.chunk(sha256, offset, bytes(min(CHUNK_BYTES, size - offset)))


def test_an_upload_that_is_refused_can_not_be_sent_all_the_same(daemon: Daemon) -> None:
    with pytest.raises(DaemonLimitReached, match="no room"):
        daemon.uploads.start(_digest(1), QUOTA + 1, "x.mp4")

    with pytest.raises(UploadNotFound):
        daemon.uploads.chunk(_digest(1), 0, b"x")
    assert daemon.promised_bytes == 0
    assert list(daemon.folders.uploads.iterdir()) == []


@pytest.mark.parametrize(
    ("limits", "remedy"),
    [
        (replace(LIMITS, disk_bytes=1), "larger quota"),
        (
            replace(LIMITS, disk_bytes=1 << 60, keep_free_bytes=1 << 60),
            "free some room on the disk",
        ),
    ],
    ids=["quota", "disk"],
)
def test_the_remedy_is_for_what_is_short(
    daemon: Daemon, limits: LimitSettings, remedy: str
) -> None:
    quota = DiskQuota(daemon.store, daemon.folders, daemon.uploads, limits)

    with pytest.raises(DaemonLimitReached) as caught:
        quota.make_room(1000)

    shown = reworded(str(caught.value), {Remedy.MORE_ROOM: "a larger quota"}, {})
    assert remedy in shown
    assert ("quota" in shown) == (remedy == "larger quota")


def test_what_is_announced_counts_before_it_is_sent(daemon: Daemon) -> None:
    daemon.uploads.start(_digest(1), QUOTA * 2 // 3, "x.mp4")

    with pytest.raises(DaemonLimitReached, match="no room"):
        daemon.uploads.start(_digest(2), QUOTA * 2 // 3, "x.mp4")


def test_uploads_that_begin_at_the_same_time_share_the_room(daemon: Daemon) -> None:
    begun: list[int] = []
    together = threading.Barrier(16)

    def start(number: int) -> None:
        together.wait(PATIENCE_S)
        with suppress(DaemonLimitReached):
            daemon.uploads.start(_digest(number), QUOTA * 2 // 5, "x.mp4")
            begun.append(number)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert len(begun) == 2
    for number in begun:
        _fill(daemon, _digest(number), QUOTA * 2 // 5)
    assert daemon.promised_bytes <= QUOTA


def test_what_was_announced_counts_after_a_restart_too(daemon: Daemon) -> None:
    daemon.uploads.start(_digest(1), QUOTA * 2 // 3, "x.mp4")
    daemon.uploads.chunk(_digest(1), 0, b"abc")

    again = daemon.restarted()

    with pytest.raises(DaemonLimitReached):
        again.uploads.start(_digest(2), QUOTA * 2 // 3, "x.mp4")
    assert again.uploads.start(_digest(1), QUOTA * 2 // 3, "x.mp4").received_bytes == 3
    again.store.close()


def test_announcing_an_upload_again_takes_no_more_room(daemon: Daemon) -> None:
    for _ in range(5):
        daemon.uploads.start(_digest(1), QUOTA * 2 // 3, "x.mp4")

    assert daemon.uploads.outstanding_bytes() == QUOTA * 2 // 3


def test_announcing_more_than_at_first_needs_the_room_for_it(daemon: Daemon) -> None:
    daemon.uploads.start(_digest(1), 1000, "x.mp4")

    with pytest.raises(DaemonLimitReached):
        daemon.uploads.start(_digest(1), QUOTA + 1, "x.mp4")

    assert daemon.uploads.outstanding_bytes() == 1000
    with pytest.raises(BadRequest, match="past the announced size"):
        daemon.uploads.chunk(_digest(1), 0, bytes(1001))


def test_all_room_is_free_again_on_every_way_out(daemon: Daemon) -> None:
    size = QUOTA * 2 // 3
    real = hashlib.sha256(bytes(size)).hexdigest()

    daemon.uploads.start(_digest(1), size, "x.mp4")
    daemon.uploads.delete(_digest(1))
    daemon.uploads.start(_digest(2), size, "x.mp4")
    _fill(daemon, _digest(2), size)
    with pytest.raises(UploadDamaged):
        daemon.uploads.finish(_digest(2))
    assert daemon.promised_bytes == 0

    daemon.uploads.start(real, size, "x.mp4")
    _fill(daemon, real, size)
    daemon.uploads.finish(real)
    assert daemon.uploads.outstanding_bytes() == 0
    assert daemon.uploads.start(real, size, "x.mp4").is_finished


def test_a_disk_that_refuses_an_upload_keeps_no_room_for_it(tmp_path: Path) -> None:
    limits = LimitSettings(keep_free_bytes=1 << 60)
    uploads = Uploads(tmp_path / "uploads", limits)

    with pytest.raises(DiskFull):
        uploads.start(_digest(1), 100, "x.mp4")

    assert uploads.outstanding_bytes() == 0
    with pytest.raises(UploadNotFound):
        uploads.chunk(_digest(1), 0, b"x")


def _grow_old(path: Path, age_s: float) -> None:
    then = time.time() - age_s
    os.utime(path, (then, then))


def test_uploads_that_nobody_goes_on_with_go_before_jobs(daemon: Daemon) -> None:
    order = JobOrder(clip="/clips/a.mp4", settings={"prompt": "ink"})
    daemon.store.add("cancelled", order, is_urgent=False, most_queued=9)
    daemon.store.change_state("cancelled", JobState.CANCELLED)
    (daemon.folders.prepare_job("cancelled") / "result.mp4").write_bytes(bytes(QUOTA // 2))
    daemon.uploads.start(_digest(1), QUOTA // 4, "x.mp4")
    _grow_old(daemon.folders.uploads / f"{_digest(1)}.partial", 2 * HOUR_S)

    daemon.uploads.start(_digest(2), QUOTA * 2 // 5, "x.mp4")

    assert daemon.store.has("cancelled")
    with pytest.raises(UploadNotFound):
        daemon.uploads.chunk(_digest(1), 0, b"x")


def test_a_result_that_nobody_has_fetched_stays_where_a_fetched_one_goes(daemon: Daemon) -> None:
    order = JobOrder(clip="/clips/a.mp4", settings={"prompt": "ink"})
    for name in ("unfetched", "fetched"):
        daemon.store.add(name, order, is_urgent=False, most_queued=9)
        daemon.store.change_state(name, JobState.DONE)
        (daemon.folders.prepare_job(name) / "result.mp4").write_bytes(bytes(QUOTA // 3))
    daemon.store.set_fetched("fetched")

    daemon.uploads.start(_digest(1), QUOTA // 2, "x.mp4")

    assert daemon.store.has("unfetched")
    assert not daemon.store.has("fetched")


@pytest.mark.parametrize("state", [JobState.DONE, JobState.CANCELLED])
def test_nothing_goes_for_what_would_find_no_room_all_the_same(
    daemon: Daemon, state: JobState
) -> None:
    order = JobOrder(clip="/clips/a.mp4", settings={"prompt": "ink"})
    daemon.store.add("over", order, is_urgent=False, most_queued=9)
    daemon.store.change_state("over", state)
    daemon.store.set_fetched("over")
    (daemon.folders.prepare_job("over") / "result.mp4").write_bytes(bytes(QUOTA // 4))
    content = bytes(QUOTA // 4)
    unused = hashlib.sha256(content).hexdigest()
    daemon.uploads.start(unused, len(content), "x.mp4")
    _fill(daemon, unused, len(content))
    daemon.uploads.finish(unused)
    _grow_old(daemon.folders.uploads / f"{unused}.mp4", 2 * HOUR_S)

    with pytest.raises(DaemonLimitReached, match=r"for 16 MB more; 5\.2 MB are missing"):
        daemon.uploads.start(_digest(1), QUOTA * 3 // 2, "x.mp4")
    assert daemon.store.has("over")
    assert (daemon.folders.uploads / f"{unused}.mp4").exists()

    daemon.uploads.start(_digest(1), QUOTA * 7 // 8, "x.mp4")
    assert not daemon.store.has("over")
    assert not (daemon.folders.uploads / f"{unused}.mp4").exists()


def test_a_job_and_its_clip_do_not_go_while_another_is_made_of_it(daemon: Daemon) -> None:
    content = bytes(QUOTA // 4)
    clip = hashlib.sha256(content).hexdigest()
    path = daemon.folders.uploads / f"{clip}.mp4"
    order = JobOrder(clip=str(path), settings={"prompt": "ink"}, upload=clip)
    daemon.store.add("parent", order, is_urgent=False, most_queued=9)
    daemon.store.change_state("parent", JobState.DONE)
    daemon.store.set_fetched("parent")
    parent = daemon.store.get("parent")
    (daemon.folders.prepare_job("parent") / "result.mp4").write_bytes(bytes(QUOTA // 4))
    daemon.uploads.start(clip, len(content), "x.mp4")
    _fill(daemon, clip, len(content))
    daemon.uploads.finish(clip)
    _grow_old(path, 2 * HOUR_S)

    with daemon.quota.holding(parent), pytest.raises(DaemonLimitReached, match="no room"):
        daemon.quota.make_room(QUOTA * 3 // 4)
    with daemon.quota.holding(order), pytest.raises(DaemonLimitReached, match="no room"):
        daemon.quota.make_room(QUOTA * 7 // 8)
    assert daemon.store.has("parent")
    assert path.exists()

    daemon.quota.make_room(QUOTA * 7 // 8)
    assert not daemon.store.has("parent")
    assert not path.exists()


def test_an_upload_that_nobody_goes_on_with_yields_to_others(daemon: Daemon) -> None:
    daemon.uploads.start(_digest(1), QUOTA, "x.mp4")
    daemon.uploads.chunk(_digest(1), 0, b"abc")
    _grow_old(daemon.folders.uploads / f"{_digest(1)}.partial", 1.1 * HOUR_S)

    daemon.uploads.start(_digest(2), QUOTA * 2 // 3, "x.mp4")

    with pytest.raises(UploadNotFound):
        daemon.uploads.chunk(_digest(1), 3, b"d")


def test_an_upload_that_was_broken_off_stays_while_there_is_room(daemon: Daemon) -> None:
    daemon.uploads.start(_digest(1), QUOTA // 3, "x.mp4")
    daemon.uploads.chunk(_digest(1), 0, b"abc")
    _grow_old(daemon.folders.uploads / f"{_digest(1)}.partial", 24 * HOUR_S)

    daemon.uploads.start(_digest(2), QUOTA // 3, "x.mp4")

    assert daemon.uploads.start(_digest(1), QUOTA // 3, "x.mp4").received_bytes == 3


def test_a_clock_that_went_backwards_does_not_keep_an_upload_for_years(daemon: Daemon) -> None:
    partial = daemon.folders.uploads / f"{_digest(1)}.partial"
    daemon.uploads.start(_digest(1), QUOTA, "x.mp4")
    _grow_old(partial, -30 * 365 * 24 * HOUR_S)

    with pytest.raises(DaemonLimitReached):
        daemon.uploads.start(_digest(2), QUOTA // 2, "x.mp4")

    assert abs(partial.stat().st_mtime - time.time()) < HOUR_S


def test_there_is_an_end_to_uploads_under_way(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fresco_server.jobs.uploads._MOST_UNFINISHED", 3)
    for number in range(3):
        daemon.uploads.start(_digest(number), 1, "x.mp4")

    with pytest.raises(DaemonLimitReached, match="try again when some") as refusal:
        daemon.uploads.start(_digest(3), 1, "x.mp4")

    assert refusal.value.reason == "TOO_MANY_UPLOADS"
    daemon.uploads.delete(_digest(0))
    daemon.uploads.start(_digest(3), 1, "x.mp4")


def test_uploads_that_nobody_goes_on_with_shut_nobody_out(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fresco_server.jobs.uploads._MOST_UNFINISHED", 3)
    for number in range(3):
        daemon.uploads.start(_digest(number), 1, "x.mp4")
    _grow_old(daemon.folders.uploads / f"{_digest(1)}.partial", 2 * HOUR_S)

    daemon.uploads.start(_digest(3), 1, "x.mp4")

    with pytest.raises(UploadNotFound):
        daemon.uploads.chunk(_digest(1), 0, b"x")
    assert daemon.uploads.chunk(_digest(2), 0, b"x") == 1


def test_what_a_user_put_among_the_uploads_is_left_alone(daemon: Daemon) -> None:
    folder = daemon.folders.uploads
    names = ["film.mov", "notes.json", ".draft.partial", "x.partial", f"{_digest(1)}-copy.mp4"]
    for name in names:
        (folder / name).write_text("mine")
    (folder / "reel").mkdir()
    daemon.uploads.start(_digest(1), 10, "x.mp4")
    daemon.uploads.delete(_digest(1))

    again = daemon.restarted()
    again.uploads.sweep(0)
    again.uploads.remove_unused(set(), 1 << 40)
    again.store.close()

    assert {path.name for path in folder.iterdir()} == {*names, "reel"}


def test_uploads_are_in_use_as_clips_masks_and_references_until_their_job_is_over(
    daemon: Daemon,
) -> None:
    order = JobOrder(
        clip="/clips/a.mp4",
        settings={"prompt": "ink"},
        upload=_digest(1),
        mask_upload=_digest(2),
        reference_upload=_digest(3),
    )
    daemon.store.add("queued", order, is_urgent=False, most_queued=9)
    daemon.store.add("other", JobOrder(clip="/b.mp4", settings={}), is_urgent=False, most_queued=9)

    assert daemon.uploads_in_use() == {_digest(1), _digest(2), _digest(3)}
    daemon.store.change_state("queued", JobState.CANCELLED)
    assert daemon.uploads_in_use() == set()


@pytest.mark.parametrize("is_fetched", [False, True])
def test_the_upload_of_a_result_that_nobody_has_fetched_stays_to_try_keyframes_again(
    daemon: Daemon, is_fetched: bool
) -> None:
    sha256 = hashlib.sha256(bytes(QUOTA // 2)).hexdigest()
    daemon.uploads.start(sha256, QUOTA // 2, "x.mp4")
    _fill(daemon, sha256, QUOTA // 2)
    daemon.uploads.finish(sha256)
    _grow_old(daemon.uploads.path_of(sha256), 2 * HOUR_S)
    order = JobOrder(clip="/clips/a.mp4", settings={"prompt": "ink"}, upload=sha256)
    daemon.store.add("a", order, is_urgent=False, most_queued=9)
    daemon.store.change_state("a", JobState.DONE)
    if is_fetched:
        daemon.store.set_fetched("a")
        daemon.uploads.start(_digest(1), QUOTA * 2 // 3, "y.mp4")
    else:
        with pytest.raises(DaemonLimitReached, match="fetch results"):
            daemon.uploads.start(_digest(1), QUOTA * 2 // 3, "y.mp4")

    assert daemon.store.has("a") is not is_fetched
    assert any(daemon.folders.uploads.glob(f"{sha256}*")) is not is_fetched
