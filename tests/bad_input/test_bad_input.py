"""Every row of the page on bad and unusual input, run through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_cli.app import app
from fresco_cli.daemons import Tools

from tests.bad_input.page import PAGE, page, situations
from tests.bad_input.situations import Ended, Situation, Stage
from tests.fakes.engine import FakeEngine
from tests.fakes.session import FakeConnect, RecordingSession


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Stage:
    """An empty folder in which commands are run, with the fakes behind them."""
    folder, data, daemon = (tmp_path / name for name in ("folder", "data", "daemon"))
    for each in (folder, data, daemon):
        each.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FRESCO_DATA", str(data))
    engine = FakeEngine()
    connect = FakeConnect(RecordingSession(engine, daemon))
    return Stage(folder, monkeypatch, engine, connect, ends=request.addfinalizer)


@pytest.mark.parametrize("row", situations(), ids=lambda row: row.name)
def test_a_situation_ends_as_the_page_says(
    row: Situation, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    row.make(stage)
    before = _files(stage.folder)
    arguments = row.arguments(stage)

    with pytest.raises(SystemExit) as end:
        app(arguments, prog_name="fresco", obj=Tools(stage.used_engine, stage.connect))
    stderr = capsys.readouterr().err

    assert int(end.value.code or 0) == row.code, stderr
    assert row.missing(stderr) == [], stderr
    assert "Traceback" not in stderr
    if row.code:
        assert _files(stage.folder) == before
    if row.code == 2:
        assert len(stderr.splitlines()) == len(row.says), stderr
    assert row.then is None or row.then(Ended(stage.folder, stderr)), stderr


def test_the_page_is_made_of_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run 'python -m tests.bad_input.page'"


def test_no_two_rows_are_the_same() -> None:
    names = [row.name for row in situations()]

    assert sorted(set(names)) == sorted(names)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
