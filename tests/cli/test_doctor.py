"""`fresco doctor` from the outside."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import fresco_client as client
import pytest
from fresco_cli.fault_report import cleaned
from fresco_engine.checkpoint import Adjustments

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine
from tests.fakes.session import FakeConnect, RecordingSession, new_job


def test_a_healthy_machine_ends_with_code_0(fresco: Fresco) -> None:
    ended = fresco("doctor")

    assert ended.code == 0, ended.stdout
    assert "All is well." in ended.stdout
    assert "the bundled model loads in" in ended.stdout


def test_every_examination_is_in_the_json(fresco: Fresco) -> None:
    ended = fresco("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    assert {"libraries", "device", "memory", "disk", "codecs", "daemon", "self-test"} <= set(checks)
    assert all(check["is_ok"] and check["detail"] for check in checks.values())
    assert "torch" in checks["libraries"]["detail"]


def test_a_job_of_ones_own_is_forecast(fresco: Fresco, engine: FakeEngine, clip: Path) -> None:
    ended = fresco("doctor", str(clip), "--model", "mine", "--size", "256", "--json")

    checks = {check["name"]: check["detail"] for check in json.loads(ended.stdout)}
    assert "8 keyframes at once at 256 px take 5.0 GB" in checks["forecast"]
    assert "which fits graphics cards of 6 GB and more" in checks["forecast"]
    assert clip.name in checks["forecast"]
    assert [loaded["source"] for loaded in engine.loaded] == [None, "mine"]


def test_a_card_that_is_too_small_is_told_the_batch_that_fits(
    fresco: Fresco, engine: FakeEngine
) -> None:
    engine.adjustments = Adjustments(batch_size=5)

    ended = fresco("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    assert ended.code == 1
    assert not checks["forecast"]["is_ok"]
    assert "more than is free, so 5 will be made at once" in checks["forecast"]["detail"]


def test_what_is_missing_is_named_and_ends_with_code_1(
    fresco: Fresco, engine: FakeEngine, tmp_path: Path
) -> None:
    engine.sample = tmp_path / "gone.mp4"

    ended = fresco("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    assert ended.code == 1
    assert not checks["sample clip"]["is_ok"]
    assert "there is no such file" in checks["sample clip"]["detail"]
    assert checks["codecs"]["is_ok"]


def test_a_model_that_fails_is_found(fresco: Fresco, engine: FakeEngine) -> None:
    engine.failure = ZeroDivisionError("division by zero")

    ended = fresco("doctor")

    assert ended.code == 1
    assert "ZeroDivisionError: division by zero" in " ".join(ended.stdout.split())
    assert "see self-test, forecast above" in ended.stdout


def test_a_full_disk_is_found(fresco: Fresco, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: _Usage())

    ended = fresco("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    assert ended.code == 1
    assert "free some room" in checks["disk"]["detail"]


class _Usage:
    total, used, free = 10_000_000, 9_000_000, 1_000_000


def _daemon_check(ended_stdout: str) -> dict[str, object]:
    return {check["name"]: check for check in json.loads(ended_stdout)}["daemon"]


def test_a_daemon_that_runs_is_shown(fresco: Fresco) -> None:
    check = _daemon_check(fresco("doctor", "--json").stdout)

    assert check["is_ok"]
    assert "version 0.1.0 runs at 127.0.0.1:7400" in str(check["detail"])


def test_it_is_well_that_no_daemon_runs(fresco: Fresco, connect: FakeConnect) -> None:
    connect.runs = False

    check = _daemon_check(fresco("doctor", "--json").stdout)

    assert check == {
        "name": "daemon",
        "is_ok": True,
        "detail": "none runs; one is started when it is needed",
    }


def test_a_silent_daemon_is_found(fresco: Fresco, connect: FakeConnect, data: Path) -> None:
    connect.error = client.DaemonSilent(data, "127.0.0.1:9", 7, data / "daemon.log")

    check = _daemon_check(fresco("doctor", "--json").stdout)

    assert check["is_ok"] is False
    assert "does not answer" in str(check["detail"])


def test_a_daemon_that_was_killed_left_a_log(
    fresco: Fresco, connect: FakeConnect, data: Path
) -> None:
    connect.runs = False
    found = {"process_id": 4_000_000, "address": "127.0.0.1:9", "token": "t", "version": "0"}
    (data / "daemon.json").write_text(json.dumps(found), encoding="utf-8")

    check = _daemon_check(fresco("doctor", "--json").stdout)

    assert check["is_ok"] is True
    assert "the last one was killed" in str(check["detail"])


def test_a_daemon_of_another_version_is_found(fresco: Fresco, connect: FakeConnect) -> None:
    connect.error = client.VersionMismatch("It speaks another version. Update it.")

    ended = fresco("doctor", "--json")

    assert ended.code == 1
    assert _daemon_check(ended.stdout)["detail"] == "It speaks another version. Update it."


def test_a_data_folder_that_is_a_file_is_found(fresco: Fresco, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    ended = fresco("doctor", "--data", tmp_path / "file")

    assert ended.code == 1
    assert "is a file; set FRESCO_DATA" in " ".join(ended.stdout.split())


@pytest.mark.parametrize("suffix", [".zip", ".txt"])
@pytest.mark.parametrize("prompts", [(), ("--with-prompts",)], ids=["without", "with prompts"])
def test_a_report_has_no_token_and_prompts_only_if_wanted(
    fresco: Fresco,
    session: RecordingSession,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    prompts: tuple[str, ...],
) -> None:
    (data / "token").write_text("very-secret-token", encoding="utf-8")
    (data / "daemon.log").write_text(
        "job a: failed: prompt: 'private words'\nhello very-secret-token\n", encoding="utf-8"
    )
    monkeypatch.setenv("HF_TOKEN", "another-secret")
    settings = client.RestyleSettings(prompt="private words")
    failure = client.Failure(
        reason="X", message="prompt: 'private words'", log_tail="private words", can_resume=False
    )
    session.add(new_job("a", settings=settings, failure=failure))
    report = tmp_path / f"report{suffix}"

    ended = fresco("doctor", "--report", report, *prompts)

    text = _text_of(report)
    assert ended.code == 0
    assert "checks.txt, settings.txt, daemon.txt, jobs.json, daemon.log" in ended.stdout
    assert "very-secret-token" not in text
    assert "another-secret" not in text
    assert "hello" in text
    assert ("private words" in text) == bool(prompts)


def _text_of(report: Path) -> str:
    if report.suffix == ".txt":
        return report.read_text(encoding="utf-8")
    with zipfile.ZipFile(report) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())


def test_the_users_own_folder_becomes_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ann"))

    assert cleaned("/home/ann/clips/a.mp4, secret", ["secret"]) == "~/clips/a.mp4, (left out)"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("report.doc", "reports are written as .zip or .txt"),
        ("no/report.zip", "does not exist; create it"),
        ("taken.txt", "it exists already"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_the_examinations(
    fresco: Fresco, engine: FakeEngine, tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "taken.txt").write_text("mine", encoding="utf-8")

    ended = fresco("doctor", "--report", tmp_path / name)

    assert ended.code == 2
    assert sentence in ended.stderr
    assert engine.loaded == []


def test_a_data_folder_that_a_daemon_would_refuse_is_found(fresco: Fresco, data: Path) -> None:
    (data / "jobs" / "client A").mkdir(parents=True)

    ended = fresco("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    assert not checks["data folder"]["is_ok"]
    assert "jobs/client A is in it" in checks["data folder"]["detail"]


def test_a_list_of_jobs_that_was_damaged_is_told_of(fresco: Fresco, data: Path) -> None:
    data.mkdir(parents=True, exist_ok=True)
    (data / "jobs.sqlite3.damaged-20260101-120000").write_bytes(b"x")

    ended = fresco("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    assert checks["data folder"]["is_ok"]
    assert "jobs.sqlite3.damaged-20260101-120000 is what it was" in checks["data folder"]["detail"]
