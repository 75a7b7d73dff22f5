"""Real daemons whose data folder is lost, swapped, filled, locked or somebody else's."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fresco_client import (
    ClipSource,
    Failed,
    Finished,
    JobState,
    OutputOptions,
    RestyleSettings,
    Session,
)

from tests.integration.conftest import StartDaemon
from tests.integration.daemons import DaemonProcess, wait_for, with_fake_worker
from tests.integration.test_full_disk import small_disk

__all__ = ["small_disk"]

posix = pytest.mark.skipif(os.name == "nt", reason="links, locks and signals of POSIX")
SLOWLY = ["--frame-s", "0.05"]
NewDaemon = Callable[..., DaemonProcess]


@pytest.fixture
def new_daemon(tmp_path: Path) -> Iterator[NewDaemon]:
    """Daemons that are not started yet."""
    daemons: list[DaemonProcess] = []

    def make(data: Path | None = None, name: str = "daemon") -> DaemonProcess:
        daemon = DaemonProcess(data or tmp_path / name / "data", with_fake_worker())
        daemon.data.parent.mkdir(parents=True, exist_ok=True)
        daemons.append(daemon)
        return daemon

    yield make
    for daemon in daemons:
        daemon.stop_whatever()


def _code(daemon: DaemonProcess) -> int:
    """How it ends that is not to start."""
    daemon.begin()
    assert daemon.process is not None
    return daemon.process.wait(60)


def _submit(session: Session, clip: Path, job_id: str) -> str:
    return session.submit(
        ClipSource(path=str(clip)),
        RestyleSettings(prompt="a negative", size=64),
        output=OutputOptions(kind="lossless"),
        job_id=job_id,
    ).id


def _done(session: Session, clip: Path, job_id: str) -> None:
    _submit(session, clip, job_id)
    assert isinstance(list(session.watch(job_id))[-1], Finished)


def _everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _lose(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _spoil(path: Path) -> None:
    path.write_bytes(b"garbage" * 5000)


@posix
@pytest.mark.parametrize("damage", [_lose, _empty, _spoil])
def test_with_its_list_of_jobs_gone_a_daemon_still_has_them(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    daemon = start_daemon(**with_fake_worker(SLOWLY))
    with daemon.session() as session:
        _done(session, clip, "done")
        before = session.job("done")
        _submit(session, clip, "running")
        wait_for("a frame", lambda: session.job("running").ready_frames > 3)
    daemon.kill()
    for log in daemon.data.glob("jobs.sqlite3-*"):
        log.unlink()
    damage(daemon.data / "jobs.sqlite3")

    daemon.start()

    with daemon.session() as session:
        assert replace(session.job("done"), disk_bytes=0) == replace(before, disk_bytes=0)
        session.fetch_result("done", tmp_path / "result.mp4")
        assert isinstance(list(session.watch("running"))[-1], Finished)
        assert session.job("running").ready_frames == 40
    assert len(list(daemon.data.glob("*.damaged-*"))) == (damage is _spoil)


@posix
@pytest.mark.parametrize("name", ["jobs", "uploads", "looks"])
def test_a_users_folder_is_refused_and_keeps_all_it_has(
    new_daemon: NewDaemon, tmp_path: Path, name: str
) -> None:
    daemon = new_daemon()
    users = daemon.data / name / "client A"
    users.mkdir(parents=True)
    (users / "master.mov").write_bytes(b"irreplaceable")
    before = _everything(daemon.data)

    code = _code(daemon)

    assert code == 1
    assert f"is not a data folder of Fresco's: {name}/client A is in it" in daemon.output
    assert _everything(daemon.data) == before


@posix
def test_a_link_in_the_place_of_the_jobs_costs_nothing(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker())
    daemon.stop()
    users = tmp_path / "users"
    (users / "project").mkdir(parents=True)
    (users / "project" / "master.mov").write_bytes(b"irreplaceable")
    before = _everything(users)
    (daemon.data / "jobs").rename(daemon.data / "old")
    (daemon.data / "jobs").symlink_to(users)

    code = _code(daemon)

    assert code == 1
    assert "jobs is a link and not a folder of the daemon's" in daemon.output
    assert _everything(users) == before


@posix
def test_a_link_that_takes_a_jobs_place_while_it_runs_costs_nothing(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(SLOWLY))
    users = tmp_path / "users"
    (users / "frames").mkdir(parents=True)
    (users / "frames" / ".mine.partial").write_bytes(b"irreplaceable")
    with daemon.session() as session:
        _submit(session, clip, "job")
        wait_for("a frame", lambda: session.job("job").ready_frames > 3)
        (folder,) = (daemon.data / "jobs").iterdir()
        folder.rename(tmp_path / "moved")
        folder.symlink_to(users)
        session.pause("job")
        session.resume("job")
        failed = list(session.watch("job"))[-1]
        assert isinstance(failed, Failed)
        assert "is not the folder that was made for job 'job'" in failed.failure.message
        session.delete("job")
    daemon.stop()
    daemon.start()

    assert (users / "frames" / ".mine.partial").read_bytes() == b"irreplaceable"
    assert folder.is_symlink()


@posix
def test_a_second_daemon_is_refused_though_the_lock_file_is_gone(
    start_daemon: StartDaemon, new_daemon: NewDaemon, clip: Path
) -> None:
    first = start_daemon(**with_fake_worker())
    (first.data / "daemon.lock").unlink()

    code = _code(new_daemon(first.data))

    assert code == 3
    wait_for("the lock file", (first.data / "daemon.lock").exists)
    with first.session() as session:
        _done(session, clip, "job")


@posix
def test_of_daemons_that_start_at_the_same_instant_one_remains(new_daemon: NewDaemon) -> None:
    daemons = [new_daemon() for _ in range(4)]
    for daemon in daemons:
        daemon.begin()
    processes = [daemon.process for daemon in daemons if daemon.process is not None]

    wait_for("three to end", lambda: sum(p.poll() is not None for p in processes) == 3)

    wait_for("the last to be found", (daemons[0].data / "daemon.json").exists)
    assert sorted(p.poll() or 0 for p in processes) == [0, 3, 3, 3]


def test_a_daemon_that_cannot_be_found_any_more_is_found_again(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(**with_fake_worker())
    announcement = daemon.data / "daemon.json"
    before = announcement.read_text("utf-8")

    announcement.unlink()
    wait_for("it to be announced anew", announcement.exists)

    assert announcement.read_text("utf-8") == before
    with daemon.session() as session:
        assert session.server()


@posix
@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_daemon_whose_folder_is_moved_away_ends_with_a_sentence(
    start_daemon: StartDaemon, tmp_path: Path, is_replaced: bool
) -> None:
    daemon = start_daemon(**with_fake_worker())
    assert daemon.process is not None
    daemon.data.rename(tmp_path / "elsewhere")
    if is_replaced:
        daemon.data.mkdir()
        (daemon.data / "daemon.json").write_text("somebody else's")

    code = daemon.process.wait(30)

    assert code == 1
    assert "was moved, removed or replaced while the daemon worked in it" in daemon.output
    assert not is_replaced or (daemon.data / "daemon.json").exists()
    moved = DaemonProcess(tmp_path / "elsewhere", with_fake_worker())
    moved.start()
    assert moved.stop() == 0


@posix
def test_a_daemon_starts_after_one_that_was_killed(start_daemon: StartDaemon, clip: Path) -> None:
    daemon = start_daemon(**with_fake_worker())
    daemon.kill()

    daemon.start()

    with daemon.session() as session:
        _done(session, clip, "job")


def _fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


@posix
@pytest.mark.parametrize("is_new", [True, False])
def test_a_disk_that_is_full_at_the_start_is_a_sentence_and_nothing_is_lost(
    small_disk: Path, new_daemon: NewDaemon, clip: Path, is_new: bool
) -> None:
    daemon = new_daemon(small_disk)
    daemon.settings["limits"] = {"keep_free_bytes": 0}
    filler = small_disk / "resolve"
    filler.mkdir()
    if not is_new:
        daemon.start()
        with daemon.session() as session:
            _done(session, clip, "job")
        daemon.stop()
    _fill(filler)

    code = _code(daemon)
    said = daemon.output

    shutil.rmtree(filler)
    daemon.start()
    with daemon.session() as session:
        if not is_new:
            assert session.job("job").state is JobState.DONE
        _done(session, clip, "another")
    assert code == 1
    assert "the disk is full" in said
    assert "Traceback" not in said


@posix
def test_a_disk_that_is_read_only_is_a_sentence(small_disk: Path, new_daemon: NewDaemon) -> None:
    daemon = new_daemon(small_disk)
    daemon.start()
    daemon.stop()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    code = _code(daemon)

    assert code == 1
    assert "Traceback" not in daemon.output
    assert "Read-only file system" in daemon.output or "may not be written" in daemon.output
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    daemon.start()


@posix
@pytest.mark.parametrize("delay_s", [0.2, 0.8, 1.4])
def test_a_daemon_that_is_told_to_end_while_it_starts_leaves_a_folder_that_works(
    new_daemon: NewDaemon, delay_s: float
) -> None:
    daemon = new_daemon()
    daemon.begin()
    assert daemon.process is not None
    time.sleep(delay_s)

    daemon.process.send_signal(signal.SIGTERM)

    assert daemon.process.wait(30) in (0, -signal.SIGTERM)
    assert "Traceback" not in daemon.output
    daemon.start()


@posix
def test_a_program_that_holds_the_list_of_jobs_is_a_sentence(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon(**with_fake_worker())
    daemon.stop()
    other = sqlite3.connect(daemon.data / "jobs.sqlite3", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")

    code = _code(daemon)

    assert code == 1
    assert "another program holds it; close that program and start again" in daemon.output
    other.execute("ROLLBACK")
    other.close()
    daemon.start()


@posix
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"short", b"\0" * 40])
def test_a_token_of_its_own_that_was_damaged_is_made_anew(
    start_daemon: StartDaemon, content: bytes
) -> None:
    daemon = start_daemon(**with_fake_worker())
    daemon.stop()
    (daemon.data / "token").write_bytes(content)

    daemon.start()

    with daemon.session() as session:
        assert session.jobs() is not None


@posix
def test_an_enormous_list_of_jobs_that_is_none_is_moved_aside_at_once(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon(**with_fake_worker())
    daemon.stop()
    os.truncate(daemon.data / "jobs.sqlite3", 0)
    os.truncate(daemon.data / "jobs.sqlite3", 1 << 40)

    daemon.start()

    (kept,) = daemon.data.glob("jobs.sqlite3.damaged-*")
    assert kept.stat().st_size == 1 << 40
