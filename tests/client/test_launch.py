"""Finding the daemon of a data folder, and starting one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.daemon import TOKEN, FakeDaemon
from fakes.waiting import PATIENCE_S, until
from fresco_client import (
    Daemon,
    DaemonFailedToStart,
    DaemonNotFound,
    DaemonNotInstalled,
    DaemonSilent,
    Session,
    VersionMismatch,
    data_folder,
    find,
    find_or_start,
    launch,
)
from fresco_client.places import discovery_file, program_file, read_discovery, read_program

PROGRAM = [sys.executable, str(Path(__file__).parents[1] / "fakes" / "launched_daemon.py")]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder; daemons started in it are ended."""
    folder = tmp_path / "data of ä"
    folder.mkdir()
    yield folder
    (folder / "stop").touch()
    for process_id in started(folder):
        until(lambda process_id=process_id: not is_alive(process_id), "the daemon to end")


def started(data: Path) -> list[int]:
    """Process ids of all daemons that were started."""
    starts = data / "starts"
    return [int(line) for line in starts.read_text().split()] if starts.exists() else []


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def announce(data: Path, address: str, **changes: Any) -> None:
    """What a daemon at this address would have written."""
    content = {"process_id": os.getpid(), "address": address, "token": TOKEN, "version": "0.1.0"}
    (data / "daemon.json").write_text(json.dumps(content | changes))


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_the_data_folder_is_the_one_given_or_of_the_environment_or_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FRESCO_DATA", str(tmp_path / "variable"))

    assert data_folder(tmp_path / "given") == tmp_path / "given"
    assert data_folder() == tmp_path / "variable"
    monkeypatch.delenv("FRESCO_DATA")
    assert data_folder().name == "fresco"


def test_a_running_daemon_is_found(daemon: FakeDaemon, data: Path) -> None:
    announce(data, daemon.address)

    assert find(data) == Daemon(
        process_id=os.getpid(), address=daemon.address, token=TOKEN, version="0.1.0"
    )


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"process_id": 1, "address": "nowhere", "token": "t"}', "\x00"],
)
def test_what_is_no_announcement_is_no_daemon(data: Path, content: str) -> None:
    (data / "daemon.json").write_text(content)

    assert find(data) is None


def test_no_announcement_is_no_daemon(data: Path) -> None:
    assert find(data) is None
    assert find(data / "nowhere") is None
    with pytest.raises(DaemonNotFound, match="Start the daemon"):
        Session.open(data, start=False)


def test_a_killed_daemon_is_not_found(data: Path) -> None:
    announce(data, free_address())

    assert find(data) is None


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a program that lets everybody connect and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_daemon_that_runs_and_is_silent_is_not_said_not_to_run(
    data: Path, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_PROBE_S", 0.2)
    announce(data, silent)

    with pytest.raises(DaemonSilent, match=r"runs for .* but it does not answer") as caught:
        Session.open(data, start=False)

    assert str(os.getpid()) in caught.value.message
    assert str(data / "daemon.log") in caught.value.message


def test_no_other_daemon_helps_where_a_silent_one_has_the_folder(
    data: Path, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_PROBE_S", 0.2)
    announce(data, silent)
    (data / "lock").touch()

    with pytest.raises(DaemonSilent):
        find_or_start(data, PROGRAM, 1.0)


def test_a_process_that_only_has_the_number_of_a_killed_daemon_is_left_alone(data: Path) -> None:
    announce(data, free_address())

    with pytest.raises(DaemonNotFound):
        Session.open(data, start=False)


def test_another_daemon_on_its_port_is_not_found(daemon: FakeDaemon, data: Path) -> None:
    announce(data, daemon.address, token="another")

    assert find(data) is None


def test_another_program_on_its_port_is_not_found(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        announce(data, f"127.0.0.1:{listener.getsockname()[1]}")

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(10)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()

        assert find(data, transport="pure") is None


def test_a_daemon_whose_certificate_is_gone_is_not_found(daemon: FakeDaemon, data: Path) -> None:
    announce(data, daemon.address, is_secure=True, certificate=str(data / "gone.pem"))

    assert find(data) is None


def test_a_daemon_of_another_version_is_named(daemon: FakeDaemon, data: Path) -> None:
    daemon.facts.api = (2, 0)
    announce(data, daemon.address)

    with pytest.raises(VersionMismatch):
        find(data)


def test_a_daemon_is_started_where_none_runs_and_found_by_the_next(data: Path) -> None:
    states: list[str] = []

    daemon = find_or_start(data, PROGRAM, on_state=states.append)
    again = find_or_start(data, ["no such program"], on_state=states.append)

    assert started(data) == [daemon.process_id]
    assert again == daemon
    assert states == ["starting", "waiting", "ready", "ready"]
    with Session.open(data, start=False) as session:
        assert session.server().version == "0.1.0"


def test_a_daemon_is_started_in_place_of_a_killed_one(data: Path) -> None:
    announce(data, free_address())

    daemon = find_or_start(data, PROGRAM)

    assert started(data) == [daemon.process_id]


def test_a_missing_data_folder_is_made(data: Path) -> None:
    daemon = find_or_start(data / "below", PROGRAM)

    assert started(data / "below") == [daemon.process_id]
    (data / "below" / "stop").touch()
    until(lambda: not is_alive(daemon.process_id), "the daemon to end")


def test_of_several_clients_at_once_all_get_the_same_daemon(data: Path) -> None:
    found: list[Daemon] = []
    clients = [
        threading.Thread(target=lambda: found.append(find_or_start(data, PROGRAM)), daemon=True)
        for _ in range(4)
    ]

    for client in clients:
        client.start()
    for client in clients:
        client.join(PATIENCE_S)

    assert len(found) == 4
    assert len({daemon.address for daemon in found}) == 1


def test_a_daemon_that_is_about_to_end_is_followed_by_a_new_one(data: Path) -> None:
    (data / "lock").touch()

    def end() -> None:
        until(lambda: len(started(data)) == 1, "the first to start")
        until(lambda: not is_alive(started(data)[0]), "the first to end, as another has the lock")
        (data / "lock").unlink()

    other = threading.Thread(target=end, daemon=True)
    other.start()

    daemon = find_or_start(data, PROGRAM, PATIENCE_S)

    other.join(PATIENCE_S)
    assert len(started(data)) == 2
    assert started(data)[-1] == daemon.process_id


def test_a_daemon_that_ends_early_shows_its_last_log_lines_without_a_wait(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "behaviour").write_text("fail")
    (data / "daemon-output.log").write_text("Something older.\n")
    monkeypatch.setattr(launch, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=time.sleep))

    with pytest.raises(DaemonFailedToStart, match="exit code 1") as caught:
        find_or_start(data, PROGRAM, 20)

    assert caught.value.log_tail == "The disk is broken.\nBuy another – größer."


def test_a_full_disk_which_no_log_can_tell_of_is_told(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SimpleNamespace(total=1 << 30, used=1 << 30, free=4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
    silent = [sys.executable, "-c", "raise SystemExit(1)"]

    with pytest.raises(DaemonFailedToStart, match=r"exit code 1.*the disk is full, so free some"):
        find_or_start(data, silent, PATIENCE_S)


def test_a_daemon_that_does_not_answer_is_waited_for_in_bounded_time(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "behaviour").write_text("sleep")
    clock = FakeClock()
    monkeypatch.setattr(launch, "time", clock)

    with pytest.raises(DaemonFailedToStart, match="does not answer"):
        find_or_start(data, PROGRAM, 20)

    assert clock.now_s == pytest.approx(20, abs=0.5)
    until(lambda: bool(started(data)), "the daemon to start")
    os.kill(started(data)[0], signal.SIGTERM)


def test_a_program_that_is_not_there_is_named(data: Path) -> None:
    with pytest.raises(DaemonFailedToStart, match="no-such-program"):
        find_or_start(data, ["/no-such-program"])


def test_the_command_is_that_of_the_last_installation(data: Path) -> None:
    (data / "program.json").write_text(json.dumps({"command": PROGRAM}))

    daemon = find_or_start(data)

    assert started(data) == [daemon.process_id]


@pytest.mark.parametrize("content", [None, "{}", '{"command": ["/gone/python"]}', "no JSON"])
def test_without_a_program_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, data: Path, content: str | None
) -> None:
    monkeypatch.setenv("PATH", str(data))
    if content is not None:
        (data / "program.json").write_text(content)

    with pytest.raises(DaemonNotInstalled, match="Install it"):
        find_or_start(data)


@pytest.mark.skipif(sys.platform == "win32", reason="the script is of a Unix shell")
def test_a_program_is_found_where_the_system_looks(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    folder = data / "bin"
    folder.mkdir()
    script = folder / "fresco"
    script.write_text(f'#!/bin/sh\nexec "{PROGRAM[0]}" "{PROGRAM[1]}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    daemon = find_or_start(data)

    assert started(data) == [daemon.process_id]


def test_a_hosts_python_variables_do_not_reach_the_daemon(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/of/blender")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")

    find_or_start(data, PROGRAM)

    until((data / "environment.json").exists, "the daemon's environment")
    environment = json.loads((data / "environment.json").read_text())
    assert "PYTHONHOME" not in environment
    assert environment["SOMETHING_ELSE"] == "kept"


@pytest.mark.skipif(sys.platform == "win32", reason="sessions are of Unix")
def test_a_daemon_outlives_the_terminal_of_its_client(data: Path) -> None:
    daemon = find_or_start(data, PROGRAM)

    assert os.getsid(daemon.process_id) != os.getsid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="zombies are of Unix")
def test_an_ended_daemon_leaves_no_zombie(data: Path) -> None:
    daemon = find_or_start(data, PROGRAM)

    (data / "stop").touch()

    until(lambda: not is_alive(daemon.process_id), "the daemon to be gone")


def test_waiting_ends_when_the_callback_wants_it(data: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(state: str) -> None:
        if state == "waiting":
            raise Stopped

    with pytest.raises(Stopped):
        find_or_start(data, PROGRAM, on_state=stop)

    until(lambda: find(data) is not None, "the daemon to answer")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
def test_a_session_starts_a_daemon_again_that_was_killed(data: Path) -> None:
    with Session.open(data, command=PROGRAM, patience_s=15) as session:
        first = started(data)[0]
        os.kill(first, signal.SIGKILL)
        until(lambda: not is_alive(first), "the daemon to be killed")
        (data / "lock").unlink()

        assert list(session.jobs()) == []

    assert len(started(data)) == 2


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("attack", ["another user's", "writable for all", "a pipe"])
def test_what_others_may_have_written_is_neither_started_nor_given_clips(
    data: Path, attack: str
) -> None:
    announce(data, "127.0.0.1:9")
    program_file(data).write_text(json.dumps({"command": ["true"]}))
    assert read_program(data) == ["true"]
    for path in (program_file(data), discovery_file(data)):
        if attack == "another user's":
            os.chown(path, 12345, 12345)
        elif attack == "writable for all":
            path.chmod(0o666)
        else:
            path.unlink()
            os.mkfifo(path)

    assert read_program(data) is None
    assert read_discovery(data) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("kind", ["link", "other name", "pipe", "folder", "folder of somebody"])
def test_what_a_daemon_prints_is_written_into_no_file_but_its_own(
    kind: str, data: Path, tmp_path: Path
) -> None:
    precious, output = tmp_path / "precious", data / "daemon-output.log"
    precious.write_text("mine")
    (data / "behaviour").write_text("fail")
    if kind != "folder of somebody":
        (data / "daemon.lock").touch()
    if kind == "link":
        output.symlink_to(precious)
    elif kind == "other name":
        os.link(precious, output)
    elif kind == "pipe":
        os.mkfifo(output)
    elif kind == "folder":
        output.mkdir()

    with pytest.raises(DaemonFailedToStart) as caught:
        find_or_start(data, PROGRAM)

    assert "The disk is broken." in caught.value.log_tail
    assert caught.value.log is None
    assert precious.read_text() == "mine"
    assert output.exists() == (kind != "folder of somebody")
