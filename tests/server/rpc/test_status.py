"""Every error there is has a status, and none says more than its sentence."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

import fresco_engine.errors
import fresco_server.errors
import pytest
from fakes.caller import Caller, refused
from fakes.jobs import FakeJobs
from fresco.v1 import jobs_pb2, server_pb2
from fresco_engine.errors import (
    ClipNotFound,
    DiskFull,
    FrescoError,
    InvalidSettings,
    RangeOutsideClip,
)
from fresco_server import errors
from fresco_server.errors import DaemonLimitReached, EngineRefused, ServerError, reason_of
from fresco_server.rpc.status import ENGINE_REASONS, short, status_of
from grpc import StatusCode


def _kinds(module: Any, base: type) -> list[type]:
    values = vars(module).values()
    return [kind for kind in values if isinstance(kind, type) and issubclass(kind, base)]


ENGINE = [
    kind
    for kind in _kinds(fresco_engine.errors, FrescoError)
    if kind.__name__ not in ("FrescoError", "PathError", "ClipError", "OutputError", "ModelError")
]
SERVER = [kind for kind in _kinds(fresco_server.errors, ServerError) if kind is not ServerError]


@pytest.mark.parametrize("kind", ENGINE, ids=lambda kind: kind.__name__)
def test_every_error_of_the_engine_has_a_status(kind: type) -> None:
    assert reason_of(kind.__name__) in ENGINE_REASONS


def test_the_table_names_no_error_that_is_not_there() -> None:
    assert set(ENGINE_REASONS) == {reason_of(kind.__name__) for kind in ENGINE}


@pytest.mark.parametrize("kind", SERVER, ids=lambda kind: kind.__name__)
def test_every_error_of_the_daemon_has_a_status(kind: type[ServerError]) -> None:
    error = kind.__new__(kind)
    ServerError.__init__(error, "a sentence")

    status = status_of(error)

    assert status is not None
    assert status.message == "a sentence"
    assert status.reason == (kind.kind or reason_of(kind.__name__))


def test_the_setting_that_is_wrong_is_named_beside_the_sentence() -> None:
    status = status_of(InvalidSettings("size", "no"))

    assert status is not None
    assert status.metadata == (("fresco-reason", "INVALID_SETTINGS"), ("fresco-field", "size"))


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InvalidSettings("size", "no"), StatusCode.INVALID_ARGUMENT, "INVALID_SETTINGS"),
        (ClipNotFound("x", "no"), StatusCode.NOT_FOUND, "CLIP_NOT_FOUND"),
        (RangeOutsideClip("x", 3, 9, 5), StatusCode.OUT_OF_RANGE, "RANGE_OUTSIDE_CLIP"),
        (DiskFull("x", 5), StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL"),
        (
            EngineRefused("no", reason="WRONG_MODEL_KIND"),
            StatusCode.FAILED_PRECONDITION,
            "WRONG_MODEL_KIND",
        ),
        (EngineRefused("no", reason="NEW_KIND"), StatusCode.FAILED_PRECONDITION, "NEW_KIND"),
        (
            DaemonLimitReached("no", reason="CLIP_TOO_LONG"),
            StatusCode.RESOURCE_EXHAUSTED,
            "CLIP_TOO_LONG",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_errors_become_the_status_that_fits(error: Any, code: StatusCode, reason: str) -> None:
    status = status_of(error)

    assert status is not None
    assert (status.code, status.reason) == (code, reason)


def test_an_error_nobody_raised_on_purpose_has_no_status() -> None:
    assert status_of(KeyError("x")) is None


def test_an_unexpected_error_is_told_by_the_log_and_not_by_the_answer(
    jobs: FakeJobs, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    jobs.refusal = cast(ServerError, RuntimeError("a secret detail"))
    caplog.set_level(logging.INFO, "fresco_server.rpc")

    with refused(StatusCode.INTERNAL, "INTERNAL"):
        caller.models.UnloadModel(_unload())

    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.exc_info is not None
    assert "a secret detail" in caplog.text


def test_an_unexpected_error_is_answered_with_its_id_in_the_log(
    jobs: FakeJobs, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    jobs.refusal = cast(ServerError, RuntimeError("a secret detail"))

    with pytest.raises(Exception, match=r"under error [0-9a-f]{8}") as caught:
        caller.models.UnloadModel(_unload())

    error: Any = caught.value
    assert "secret" not in error.details()
    error_id = error.details().split("under error ")[1][:8]
    assert error_id in caplog.text


def _unload() -> Any:
    from fresco.v1 import models_pb2

    return models_pb2.UnloadModelRequest()


def test_bytes_that_are_no_message_are_an_invalid_argument(caller: Caller) -> None:
    call = caller.channel.unary_unary("/fresco.v1.JobService/GetJob")

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        call(b"\xff\xff\xff")


def test_a_text_that_is_not_utf_8_is_an_invalid_argument(caller: Caller) -> None:
    call = caller.channel.unary_unary("/fresco.v1.JobService/GetJob")

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        call(b"\x0a\x02\xff\xfe")


def test_a_call_without_a_message_is_an_invalid_argument(caller: Caller) -> None:
    call = caller.plain.stream_unary("/fresco.v1.JobService/GetJob")

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        call(iter(()), metadata=(("authorization", "Bearer a-token-for-tests"),), timeout=20)


def test_a_message_beyond_4_mib_is_refused(caller: Caller) -> None:
    with refused(StatusCode.RESOURCE_EXHAUSTED):
        caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="x" * (5 << 20)))

    assert caller.server.GetServer(server_pb2.GetServerRequest()).version


@pytest.mark.parametrize("letter", ["x", "ü", "漢", "\x00", "🎬"])
def test_a_sentence_with_a_megabyte_of_somebodys_words_still_arrives(
    caller: Caller, letter: str
) -> None:
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        caller.clips.DescribeClip(_describe(letter * 200_000))
    with refused(StatusCode.FAILED_PRECONDITION, "DEVICE_UNKNOWN"):
        request = _unload()
        request.device = letter * 200_000
        caller.models.UnloadModel(request)


def _describe(path: str) -> Any:
    from fresco.v1 import clips_pb2, media_pb2

    return clips_pb2.DescribeClipRequest(clip=media_pb2.ClipSource(path=path))


def test_what_is_no_utf_8_is_an_escape_in_sentences() -> None:
    name = Path(b"caf\xe9.png".decode("utf-8", "surrogateescape"))

    assert short(f"{name}: no") == r"caf\xe9.png: no"


def test_refused_calls_are_logged_with_their_job(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fresco_server.rpc")

    with refused(StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        caller.jobs.CancelJob(jobs_pb2.CancelJobRequest(job_id="of-mine"))

    assert "/fresco.v1.JobService/CancelJob job 'of-mine' refused: JOB_NOT_FOUND" in caplog.text


def test_reasons_that_clients_know_stay_whatever_the_classes_are_called() -> None:
    known = {
        errors.PathForbidden("no"): "FORBIDDEN",
        errors.PositionOutOfRange("no"): "OUT_OF_RANGE",
        errors.DaemonLimitReached("no"): "LIMIT_REACHED",
        errors.StoreBusy(Path("jobs.sqlite3")): "STORE_BUSY",
    }

    assert {error: error.reason for error in known} == known
