"""`fresco status` and `fresco stop` from the outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import fresco_client as client
import pytest
from fresco_cli import status
from fresco_client import places

from tests.cli.conftest import Fresco
from tests.fakes.session import FakeConnect, RecordingSession


def test_a_daemon_says_what_it_is_and_has(fresco: Fresco) -> None:
    ended = fresco("status")

    assert ended.code == 0
    for text in ("0.1.0, contract 1.0", "127.0.0.1:7400", "2 min", "5.0 GB", "Processor, 8.0 GB"):
        assert text in ended.stdout
    assert "ready, holds the bundled model" in ended.stdout


def test_status_as_json_holds_the_devices(fresco: Fresco) -> None:
    values = json.loads(fresco("status", "--json").stdout)

    assert values["address"] == "127.0.0.1:7400"
    assert values["devices"][0]["id"] == "cpu"
    assert values["has_file_access"] is True


@pytest.mark.parametrize("command", ["status", "stop"])
def test_that_no_daemon_runs_is_one_sentence_and_code_1(
    fresco: Fresco, connect: FakeConnect, command: str
) -> None:
    connect.runs = False

    ended = fresco(command)

    assert ended.code == 1
    assert (
        ended.stderr == "Error: No Fresco daemon runs for /data. Start one with 'fresco serve'.\n"
    )


def _status_code(*options: str) -> object:
    from fresco_cli.app import app

    with pytest.raises(SystemExit) as end:
        app(["status", *options], prog_name="fresco")
    return end.value.code


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_a_token_that_was_copied_carelessly_becomes_private(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    token.chmod(0o644)

    code = _status_code("--daemon", "127.0.0.1:9", "--token-file", str(token))

    assert code == 1
    assert token.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(("mode", "code"), [(0o640, 1), (0o644, 1), (0o666, 2), (0o620, 2)])
def test_a_token_that_is_shared_is_taken_unless_others_may_write_it(
    tmp_path: Path, mode: int, code: int
) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    token.chmod(mode)
    os.chown(token, 12345, 12345)

    assert _status_code("--daemon", "127.0.0.1:9", "--token-file", str(token)) == code


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--token-file", "t"), "token-file: it belongs to a daemon elsewhere; add --daemon"),
        (("--tls-cert", "t"), "tls-cert: it belongs to a daemon elsewhere; add --daemon"),
        (("--daemon", "far:1", "--data", "d"), "data: it names a daemon of this machine"),
        (("--daemon", "far"), "daemon: 'far' is not of the form HOST:PORT"),
        (("--daemon", "far:0"), "daemon: 'far:0' is not of the form HOST:PORT"),
        (("--daemon", ":7400"), "daemon: ':7400' is not of the form HOST:PORT"),
        (("--daemon", "far:1"), "token-file: a daemon elsewhere asks for its token"),
        (("--daemon", "far:1", "--token-file", "no"), "token-file: no cannot be read"),
        (("--daemon", "far:1", "--token-file", "empty"), "token-file: empty is empty"),
        (
            ("--daemon", "far:1", "--token-file", "empty", "--tls-cert", "no.pem"),
            "tls-cert: there is no file no.pem",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_options_that_name_no_daemon_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    sentence: str,
) -> None:
    from fresco_cli.app import app

    monkeypatch.chdir(tmp_path)
    Path("empty").write_text("\n", encoding="utf-8")

    with pytest.raises(SystemExit) as end:
        app(["status", *options], prog_name="fresco")

    assert end.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_stop_ends_the_process_and_waits_for_it(
    fresco: Fresco, session: RecordingSession, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        (data / "daemon.json").write_text("{}", encoding="utf-8")
        server = replace(session.server(), process_id=process.pid, open_jobs=2)
        monkeypatch.setattr(session, "server", lambda: server)
        # The test is the parent, so the ended process is there until it is waited for.
        monkeypatch.setattr(places, "is_running", lambda process_id: process.poll() is None)

        ended = fresco("stop")

        assert ended.code == 0, ended.stderr
        assert ended.stdout == "The daemon has ended; 2 jobs go on when it runs again.\n"
        assert process.wait(10) < 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_daemon_that_does_not_end_is_named(
    fresco: Fresco, session: RecordingSession, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "daemon.json").write_text("{}", encoding="utf-8")
    server = replace(session.server(), process_id=4_000_000)
    monkeypatch.setattr(session, "server", lambda: server)
    monkeypatch.setattr("os.kill", lambda process_id, number: None)
    monkeypatch.setattr(status, "STOPPING_S", 0.1)

    ended = fresco("stop")

    assert ended.code == 1
    assert "process 4000000, still runs" in ended.stderr


def test_errors_of_calls_have_codes_of_their_own(fresco: Fresco, connect: FakeConnect) -> None:
    connect.error = client.NotAuthorised("far:1", "wrong")
    refused = fresco("status", "--json")
    connect.error = client.DaemonUnreachable("far:1", "refused")
    away = fresco("status", "--json")

    assert (refused.code, away.code) == (2, 1)
    assert refused.lines[-1]["kind"] == "NotAuthorised"
    assert away.lines[-1]["kind"] == "DaemonUnreachable"
