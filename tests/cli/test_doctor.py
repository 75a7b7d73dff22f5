"""`fresco doctor` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine


def test_a_healthy_machine_ends_with_code_0(fresco: Fresco) -> None:
    ended = fresco("doctor")

    assert ended.code == 0, ended.stdout
    assert "All is well." in ended.stdout
    assert "the bundled model loads in" in ended.stdout


def test_every_examination_is_in_the_json(fresco: Fresco) -> None:
    ended = fresco("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    assert {"libraries", "device", "memory", "disk", "codecs", "self-test"} <= set(checks)
    assert all(check["is_ok"] and check["detail"] for check in checks.values())
    assert "torch" in checks["libraries"]["detail"]


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
    assert "see self-test above" in ended.stdout


def test_a_full_disk_is_found(fresco: Fresco, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: _Usage())

    ended = fresco("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    assert ended.code == 1
    assert "free some room" in checks["disk"]["detail"]


class _Usage:
    total, used, free = 10_000_000, 9_000_000, 1_000_000
