"""One daemon for one data folder, whatever becomes of the lock file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from fresco_engine.errors import OutputNotWritable
from fresco_server.errors import CannotStart
from fresco_server.lock import ALREADY_RUNNING, DataLock, alone_in, locked

_HOLD = """
import sys
from pathlib import Path
from fresco_server.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def _hold(data: Path) -> subprocess.Popen[bytes]:
    """Another process that holds the folder's lock."""
    command = [sys.executable, "-c", _HOLD, str(data)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.mark.skipif(os.name == "nt", reason="a file in use cannot be removed there")
@pytest.mark.parametrize("attack", ["none", "removed", "replaced", "swapped"])
def test_a_second_daemon_is_refused_whatever_became_of_the_lock_file(
    tmp_path: Path, attack: str
) -> None:
    with _hold(tmp_path) as first:
        lock = tmp_path / "daemon.lock"
        if attack in ("removed", "replaced"):
            lock.unlink()
        if attack == "replaced":
            lock.touch()
        if attack == "swapped":
            lock.rename(tmp_path / "old.lock")

        with (
            pytest.raises(CannotStart, match="another daemon works in") as refusal,
            locked(tmp_path),
        ):
            pass

        first.kill()
    assert refusal.value.exit_code == ALREADY_RUNNING


def test_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with _hold(tmp_path) as first:
        first.kill()
        first.wait(10)

        with locked(tmp_path) as lock:
            lock.check()


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder"])
def test_a_lock_file_that_is_none_is_told_of_and_stays(tmp_path: Path, kind: str) -> None:
    other = tmp_path / "other"
    if kind == "link":
        other.write_text("mine")
    if kind == "folder":
        (tmp_path / "daemon.lock").mkdir()
    else:
        (tmp_path / "daemon.lock").symlink_to(other)

    with (
        pytest.raises(CannotStart, match="is no file of the daemon's; remove it"),
        locked(tmp_path),
    ):
        pass

    assert (kind == "link") == other.exists()
    assert kind != "link" or other.read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="a file in use cannot be removed there")
@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_lock_file_that_is_removed_is_made_again(tmp_path: Path, is_replaced: bool) -> None:
    with locked(tmp_path) as lock:
        (tmp_path / "daemon.lock").unlink()
        if is_replaced:
            (tmp_path / "daemon.lock").touch()

        lock.check()
        lock.check()

        assert (tmp_path / "daemon.lock").exists()


@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be moved there")
@pytest.mark.parametrize("what", ["moved", "replaced", "removed"])
def test_a_folder_that_is_another_one_by_now_is_noticed(tmp_path: Path, what: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with locked(data) as lock:
        if what == "removed":
            (data / "daemon.lock").unlink()
            data.rmdir()
        else:
            data.rename(tmp_path / "elsewhere")
        if what == "replaced":
            data.mkdir()

        with pytest.raises(CannotStart, match="was moved, removed or replaced"):
            lock.check()


@pytest.mark.skipif(os.name == "nt", reason="flock is of POSIX")
def test_on_a_disk_without_locks_there_never_are_two_daemons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import fcntl

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)

    # Where the library makes do without them, there still is one daemon only.
    with (
        suppress(CannotStart),
        locked(tmp_path),
        pytest.raises(CannotStart, match="another daemon"),
    ):
        DataLock(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be locked there")
def test_two_processes_never_work_in_one_jobs_folder(tmp_path: Path) -> None:
    with _hold(tmp_path) as first:
        with pytest.raises(OutputNotWritable, match="another process"), alone_in(tmp_path, 0.0):
            pass

        first.kill()
    with alone_in(tmp_path):
        pass


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be locked there")
def test_a_jobs_folder_is_waited_for(tmp_path: Path) -> None:
    with _hold(tmp_path) as first:
        threading.Timer(0.3, first.kill).start()

        with alone_in(tmp_path):
            assert list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_left_to_who_writes_into_it(tmp_path: Path) -> None:
    with alone_in(tmp_path / "gone"):
        assert not (tmp_path / "gone").exists()
