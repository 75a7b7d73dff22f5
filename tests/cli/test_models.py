"""`fresco models` from the outside, with a daemon and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fresco_client as client
import pytest
from fresco_engine.errors import ModelNotFound

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine, bundled_entry
from tests.fakes.session import FakeConnect, RecordingSession

REMOTE = client.Model(
    source="",
    name="far away",
    state="bundled",
    size_bytes=12_000_000,
    memory_bytes=48_000_000,
    styles=(client.Style(name="ink", words="ink wash"),),
    problem="",
    loaded_on=("cuda:0",),
)


@pytest.fixture
def without_daemon(connect: FakeConnect) -> None:
    """No daemon runs."""
    connect.runs = False


@pytest.mark.usefixtures("without_daemon")
def test_models_are_listed_with_state_and_size(fresco: Fresco, engine: FakeEngine) -> None:
    engine.models = (bundled_entry(),)

    ended = fresco("models", "list")

    assert ended.code == 0
    assert all(word in ended.stdout for word in ("negative", "bundled", "12 MB", "48 MB"))


@pytest.mark.usefixtures("without_daemon")
def test_a_model_that_cannot_be_used_says_why(fresco: Fresco, engine: FakeEngine) -> None:
    engine.models = (bundled_entry(problem="it is incomplete; get it again"),)

    ended = fresco("models", "list")

    assert "negative: it is incomplete; get it again" in ended.stdout


@pytest.mark.usefixtures("without_daemon")
def test_models_are_listed_as_json(fresco: Fresco, engine: FakeEngine) -> None:
    engine.models = (bundled_entry(),)

    ended = fresco("models", "list", "--json")

    (entry,) = json.loads(ended.stdout)
    assert (entry["name"], entry["state"], entry["loaded_on"]) == ("negative", "bundled", [])


def test_a_daemon_that_runs_is_asked_for_its_models(
    fresco: Fresco, session: RecordingSession, connect: FakeConnect
) -> None:
    session.hub_models = (REMOTE,)

    ended = fresco("models", "list")
    listed = fresco("models", "list", "--json", "--daemon", "far:1", "--token-file", "t")

    assert "bundled, on cuda:0" in ended.stdout
    assert "ink wash" in ended.stdout
    (entry,) = json.loads(listed.stdout)
    assert (entry["name"], entry["problem"]) == ("far away", None)
    assert connect.wanted[-1].daemon == "far:1"


def test_files_that_prompts_name_are_listed_with_their_words(
    fresco: Fresco, session: RecordingSession
) -> None:
    lora = replace(REMOTE, name="ink", kind="lora", styles=(), trigger_words=("inkwash", "soft"))
    session.hub_models, session.files = (REMOTE,), (lora,)

    ended = fresco("models", "list")
    listed = fresco("models", "list", "--json")

    assert "lora  inkwash, soft" in ended.stdout
    assert [one["kind"] for one in json.loads(listed.stdout)] == ["whole", "lora"]


def test_a_pull_is_done_by_the_daemon_that_runs(fresco: Fresco) -> None:
    ended = fresco("models", "pull", "owner/name", "--json")

    assert ended.lines == [
        {"event": "pulling", "done_bytes": 1_000_000, "total_bytes": 2_000_000},
        {"event": "pulling", "done_bytes": 2_000_000, "total_bytes": 2_000_000},
    ]


@pytest.mark.usefixtures("without_daemon")
def test_a_pull_without_a_daemon_is_done_here(
    fresco: Fresco, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(source: str) -> Iterator[tuple[int, int]]:
        yield 5_000_000, 5_000_000

    monkeypatch.setattr(engine, "pull", pull)

    ended = fresco("models", "pull", "owner/name")

    assert ended.stdout == "owner/name: 5.0 MB are here\n"


@pytest.mark.usefixtures("without_daemon")
def test_a_model_that_is_nowhere_is_one_sentence(
    fresco: Fresco, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locate(source: str) -> Path:
        raise ModelNotFound(source, "it is nowhere; check the name")

    monkeypatch.setattr("fresco_engine.diffusion.sources.locate", locate)
    monkeypatch.setattr("fresco_engine.diffusion.sources.download_size", lambda source: 0)

    ended = fresco("models", "pull", "owner/name")

    assert ended.code == 2
    assert ended.stderr == "Error: owner/name: it is nowhere; check the name\n"


def test_models_are_loaded_and_unloaded_by_the_daemon(
    fresco: Fresco, session: RecordingSession, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()

    bundled = fresco("models", "load")
    named = fresco("models", "load", tmp_path / "model", "--device", "cuda")
    freed = fresco("models", "unload", "--device", "cuda:1")

    assert (bundled.code, named.code, freed.code) == (0, 0, 0)
    assert [what for what in session.asked if what != "close"] == [
        "load bundled on any",
        f"load {tmp_path / 'model'} on cuda:0",
        "unload cuda:1",
    ]


@pytest.mark.usefixtures("without_daemon")
def test_nothing_is_unloaded_without_a_daemon(fresco: Fresco) -> None:
    ended = fresco("models", "unload")

    assert ended.code == 1
    assert "No Fresco daemon runs" in ended.stderr
