"""ModelService: what there is, and having it here."""

from __future__ import annotations

import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from fakes.caller import Caller, refused
from fakes.jobs import FakeJobs
from fakes.waiting import PATIENCE_S
from fresco.v1 import models_pb2, settings_pb2
from fresco_server.errors import EngineRefused, NotPossible, ServerError
from fresco_server.jobs.pulls import PullStep
from fresco_server.settings import MESSAGE_BYTES
from grpc import StatusCode


def _step(done: int, *, is_finished: bool = False) -> PullStep:
    return PullStep(done_bytes=done, total_bytes=100, bytes_per_second=7.5, is_finished=is_finished)


def _pull(caller: Caller, source: str = "owner/name") -> Any:
    return caller.models.PullModel(models_pb2.PullModelRequest(source=source))


def test_models_are_listed_the_bundled_one_without_its_place(caller: Caller) -> None:
    bundled, other = caller.models.ListModels(models_pb2.ListModelsRequest()).models

    assert (bundled.source, bundled.state) == ("", models_pb2.MODEL_STATE_BUNDLED)
    assert list(bundled.loaded_on) == ["cpu"]
    assert bundled.styles[0] == models_pb2.Style(
        name="watercolour", words="a watercolour painting", prompt="watercolour", strength=0.75
    )
    assert (other.source, other.state) == ("owner/name", models_pb2.MODEL_STATE_AVAILABLE)
    assert not other.loaded_on


def test_styles_come_with_their_pictures(
    caller: Caller, jobs: FakeJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "card.jpg"
    card.write_bytes(b"\xff\xd8\xff shown")
    listed = deepcopy(jobs.list_models())
    listed[0]["styles"][0]["picture"] = str(card)
    monkeypatch.setattr(jobs, "list_models", lambda: listed)

    bundled = caller.models.ListModels(models_pb2.ListModelsRequest()).models[0]

    assert bundled.styles[0].picture == card.read_bytes()


def test_many_models_with_pictures_are_listed_in_an_answer_that_can_be_received(
    caller: Caller, jobs: FakeJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "card.jpg"
    card.write_bytes(b"\xff\xd8\xff" + bytes(15_000))
    template = deepcopy(jobs.list_models()[0])
    template["styles"] = [
        {**template["styles"][0], "name": f"s{number}", "picture": str(card)}
        for number in range(25)
    ]
    listed = [{**template, "name": f"m{number}"} for number in range(14)]
    monkeypatch.setattr(jobs, "list_models", lambda: listed)

    answer = caller.models.ListModels(models_pb2.ListModelsRequest())

    assert answer.ByteSize() <= MESSAGE_BYTES
    assert [model.name for model in answer.models] == [f"m{number}" for number in range(14)]
    shown = [bool(model.styles[0].picture) for model in answer.models]
    assert shown[:5] == [True] * 5
    assert shown[-1] is False


def test_one_model_of_very_many_styles_does_not_hide_the_others(
    caller: Caller, jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = deepcopy(jobs.list_models()[0])
    huge = deepcopy(first)
    huge["styles"] = [{**huge["styles"][0], "prompt": "x" * 4000}] * 2000
    monkeypatch.setattr(jobs, "list_models", lambda: [first, huge])

    answer = caller.models.ListModels(models_pb2.ListModelsRequest())

    assert len(answer.models) == 1


def test_settings_come_to_what_style_preset_and_model_decide(caller: Caller) -> None:
    chosen = settings_pb2.RestyleSettings(prompt="a town", style="watercolour", preset="draft")

    told = caller.models.ResolveSettings(models_pb2.ResolveSettingsRequest(settings=chosen))

    assert told.settings.strength == 0.75  # the style's
    assert (told.settings.interpolation, told.settings.size) == ("flow", 384)  # the preset's
    assert told.settings.steps == 8  # the model's
    assert not told.doubts
    assert not told.called_styles


def test_what_has_no_effect_is_told_before_anything_is_made(caller: Caller) -> None:
    chosen = settings_pb2.RestyleSettings(
        prompt="A watercolour (painting", guidance_scale=1, negative_prompt="people", keep=0.5
    )

    told = caller.models.ResolveSettings(models_pb2.ResolveSettingsRequest(settings=chosen))

    assert list(told.called_styles) == ["watercolour"]
    assert [words.split(" ")[0] for words in told.doubts] == ["the", "“Keep”", "the"]


def test_a_style_that_the_model_does_not_know_is_refused_at_once(caller: Caller) -> None:
    chosen = settings_pb2.RestyleSettings(style="lego")

    with refused(StatusCode.INVALID_ARGUMENT):
        caller.models.ResolveSettings(models_pb2.ResolveSettingsRequest(settings=chosen))


def test_a_pull_tells_how_far_it_is(caller: Caller, jobs: FakeJobs) -> None:
    jobs.pull_steps = [_step(0), _step(50), _step(100, is_finished=True)]

    answers = list(_pull(caller))

    assert [answer.done_bytes for answer in answers] == [0, 50, 100]
    assert [answer.is_finished for answer in answers] == [False, False, True]
    assert answers[0].bytes_per_second == 7.5


def test_closing_the_stream_stops_the_pull(caller: Caller, jobs: FakeJobs) -> None:
    jobs.pull_steps = [_step(index) for index in range(100_000)]
    call = _pull(caller)
    next(call)

    call.cancel()

    patience = time.monotonic() + PATIENCE_S
    while not jobs.pulls_closed:
        assert time.monotonic() < patience, "waited in vain until the pull was stopped"
        time.sleep(0.01)


def test_a_daemon_that_shuts_down_ends_the_pull(caller: Caller, jobs: FakeJobs) -> None:
    jobs.pull_steps = [_step(index) for index in range(100_000)]
    call = _pull(caller)
    next(call)

    jobs.close()

    with refused(StatusCode.UNAVAILABLE, "SHUTTING_DOWN"):
        list(call)


@pytest.mark.parametrize("source", ["", "name", "/etc/x", "a/b/c", "../x", "a/..", "a/b--c", "ä/b"])
def test_only_hub_ids_can_be_pulled(caller: Caller, source: str) -> None:
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        list(_pull(caller, source))


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("MODEL_NOT_FOUND", StatusCode.NOT_FOUND),
        ("DISK_FULL", StatusCode.RESOURCE_EXHAUSTED),
        ("OUTPUT_NOT_WRITABLE", StatusCode.FAILED_PRECONDITION),
    ],
)
def test_what_stops_a_pull_is_told(
    caller: Caller, jobs: FakeJobs, reason: str, code: StatusCode
) -> None:
    jobs.refusal = EngineRefused("it cannot be had", reason=reason)

    with refused(code, reason):
        list(_pull(caller))


def test_a_daemon_that_shuts_down_pulls_nothing(caller: Caller, jobs: FakeJobs) -> None:
    jobs.close()

    with refused(StatusCode.UNAVAILABLE, "SHUTTING_DOWN"):
        list(_pull(caller))


def _load(caller: Caller, source: str = "", device: str = "") -> None:
    caller.models.LoadModel(models_pb2.LoadModelRequest(source=source, device=device))


def test_models_are_loaded_and_unloaded(caller: Caller, jobs: FakeJobs, roots: Path) -> None:
    _load(caller)
    _load(caller, "owner/name", "cpu")
    _load(caller, str(roots / "model"))

    assert jobs.loaded == [(None, ""), ("owner/name", "cpu"), (str(roots / "model"), "")]
    caller.models.UnloadModel(models_pb2.UnloadModelRequest())
    assert not jobs.loaded


def test_models_that_cannot_be_loaded_are_refused(
    caller: Caller, jobs: FakeJobs, roots: Path
) -> None:
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _load(caller, "neither/nor/that")
    with refused(StatusCode.NOT_FOUND, "MODEL_NOT_FOUND"):
        _load(caller, str(roots / "nothing"))
    with refused(StatusCode.PERMISSION_DENIED, "FORBIDDEN"):
        _load(caller, "/etc")
    with refused(StatusCode.FAILED_PRECONDITION, "MODEL_UNUSABLE"):
        _load(caller, str(roots / "old.ckpt"))
    with refused(StatusCode.FAILED_PRECONDITION, "MODEL_UNUSABLE"):
        _load(caller, str(roots / "clip.mp4"))
    with refused(StatusCode.FAILED_PRECONDITION, "DEVICE_UNKNOWN"):
        _load(caller, device="cuda:9")
    jobs.refusal = EngineRefused("too large", reason="OUT_OF_DEVICE_MEMORY")
    with refused(StatusCode.RESOURCE_EXHAUSTED, "OUT_OF_DEVICE_MEMORY"):
        _load(caller)


@pytest.mark.parametrize("device", ["", "cuda:9"])
def test_a_device_in_use_or_unknown_is_not_unloaded(
    caller: Caller, jobs: FakeJobs, device: str
) -> None:
    refusal: ServerError = NotPossible("a job runs there; pause or cancel it first")
    jobs.refusal = refusal

    with refused(StatusCode.FAILED_PRECONDITION):
        caller.models.UnloadModel(models_pb2.UnloadModelRequest(device=device))
