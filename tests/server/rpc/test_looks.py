"""LookService: one frame, now."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.caller import Caller, refused
from fakes.jobs import FRAMES, FakeJobs, picture
from fakes.waiting import PATIENCE_S
from fresco.v1 import looks_pb2, media_pb2, settings_pb2
from fresco_media.stills.mask_picture import white_of
from fresco_media.stills.png import decode_png
from fresco_server.errors import DaemonLimitReached, EngineRefused, WorkerLost
from fresco_server.jobs.looks import LookStepDone
from grpc import StatusCode


@pytest.fixture
def request_(roots: Path) -> looks_pb2.LookRequest:
    """A request that is fine."""
    return looks_pb2.LookRequest(
        clip=media_pb2.ClipSource(path=str(roots / "clip.mp4")),
        index=5,
        settings=settings_pb2.RestyleSettings(prompt="ink"),
        client_id="me",
        options=media_pb2.PictureOptions(encoding=media_pb2.PICTURE_ENCODING_PNG),
    )


def test_a_look_tells_its_steps_and_then_its_picture(
    caller: Caller, jobs: FakeJobs, request_: looks_pb2.LookRequest
) -> None:
    parts = list(caller.looks.Look(request_))

    steps = [part.progress for part in parts if part.WhichOneof("part") == "progress"]
    chunks = [part.chunk for part in parts if part.WhichOneof("part") == "chunk"]
    assert [(step.done, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    data = np.frombuffer(b"".join(chunk.data for chunk in chunks), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert image is not None
    assert np.array_equal(image[..., ::-1], picture(5))
    assert jobs.looks[0].order.client_id == "me"
    assert not jobs.looks[0].picture.exists()


def test_where_the_frame_is_changed_comes_behind_the_picture(
    caller: Caller, jobs: FakeJobs, request_: looks_pb2.LookRequest
) -> None:
    jobs.look_mask = np.zeros(picture(5).shape[:2], np.bool_)
    jobs.look_mask[:4, :6] = True
    request_.options.encoding = media_pb2.PICTURE_ENCODING_JPEG

    parts = list(caller.looks.Look(request_))

    kinds = [part.WhichOneof("part") for part in parts]
    assert kinds[-2:] == ["chunk", "region_chunk"]
    region = parts[-1].region_chunk
    shown = decode_png(region.data)
    assert region.encoding == media_pb2.PICTURE_ENCODING_PNG
    assert shown is not None
    assert np.array_equal(white_of(shown), jobs.look_mask)


@pytest.mark.parametrize("is_wanted", [True, False])
def test_whether_it_is_to_show_what_binds_is_handed_on(
    caller: Caller, jobs: FakeJobs, request_: looks_pb2.LookRequest, is_wanted: bool
) -> None:
    request_.is_control_picture = is_wanted

    list(caller.looks.Look(request_))

    assert jobs.looks[0].order.shows_control is is_wanted


def test_a_mask_of_a_look_is_a_clip_below_a_root(
    caller: Caller, jobs: FakeJobs, roots: Path, request_: looks_pb2.LookRequest
) -> None:
    (roots / "mask.mp4").symlink_to(roots / "clip.mp4")
    request_.settings.subject_mask = str(roots / "mask.mp4")

    list(caller.looks.Look(request_))

    assert jobs.looks[0].order.settings["subject_mask"] == str(roots / "clip.mp4")


def test_a_look_is_shown_as_small_as_is_wished(
    caller: Caller, request_: looks_pb2.LookRequest
) -> None:
    request_.options.long_side = 24

    last = list(caller.looks.Look(request_))[-1].chunk

    assert (last.width, last.height) == (24, 16)


def test_a_newer_look_of_the_same_client_ends_the_older(
    caller: Caller, jobs: FakeJobs, request_: looks_pb2.LookRequest
) -> None:
    jobs.is_look_silent = True
    older = caller.looks.Look(request_)
    _wait_for_look(jobs, 1)
    jobs.is_look_silent = False

    newer = list(caller.looks.Look(request_))

    assert newer[-1].chunk.data
    with refused(StatusCode.CANCELLED, "SUPERSEDED"):
        list(older)


def test_closing_the_stream_cancels_the_look(
    caller: Caller, jobs: FakeJobs, request_: looks_pb2.LookRequest
) -> None:
    jobs.is_look_silent = True
    call = caller.looks.Look(request_)
    _wait_for_look(jobs, 1)
    jobs.looks[0].put(LookStepDone(1, 3))
    next(call)

    call.cancel()

    patience = time.monotonic() + PATIENCE_S
    while not jobs.looks[0].has_ended or jobs.looks[0].picture.exists():
        assert time.monotonic() < patience, "waited in vain until the look was cancelled"
        time.sleep(0.01)


def _wait_for_look(jobs: FakeJobs, count: int) -> None:
    patience = time.monotonic() + PATIENCE_S
    while len(jobs.looks) < count:
        assert time.monotonic() < patience, "waited in vain for the look to begin"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (DaemonLimitReached("too many looks wait; try again"), StatusCode.RESOURCE_EXHAUSTED),
        (WorkerLost("the process ended; try again"), StatusCode.UNAVAILABLE),
        (
            EngineRefused("too little memory", reason="OUT_OF_DEVICE_MEMORY"),
            StatusCode.RESOURCE_EXHAUSTED,
        ),
        (
            EngineRefused("it is too long", reason="INVALID_SETTINGS"),
            StatusCode.INVALID_ARGUMENT,
        ),
        (
            EngineRefused("none here", reason="CONTROL_UNAVAILABLE"),
            StatusCode.FAILED_PRECONDITION,
        ),
        (EngineRefused("no such model", reason="MODEL_NOT_FOUND"), StatusCode.NOT_FOUND),
    ],
    ids=lambda value: getattr(value, "reason", ""),
)
def test_what_stops_a_look_is_told(
    caller: Caller, jobs: FakeJobs, request_: looks_pb2.LookRequest, refusal: Any, code: StatusCode
) -> None:
    jobs.refusal = refusal
    with refused(code, refusal.reason):
        list(caller.looks.Look(request_))

    jobs.is_look_silent = True
    call = caller.looks.Look(request_)
    _wait_for_look(jobs, 1)
    jobs.looks[0].put(refusal)

    with refused(code, refusal.reason):
        list(call)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("index", FRAMES, StatusCode.OUT_OF_RANGE),
        ("index", -1, StatusCode.OUT_OF_RANGE),
        ("client_id", "x" * 65, StatusCode.INVALID_ARGUMENT),
        ("device", "cuda:9", StatusCode.FAILED_PRECONDITION),
    ],
)
def test_a_look_that_cannot_be_is_refused(
    caller: Caller, request_: looks_pb2.LookRequest, field: str, value: Any, code: StatusCode
) -> None:
    setattr(request_, field, value)

    with refused(code):
        list(caller.looks.Look(request_))


def test_a_look_with_impossible_settings_or_clip_is_refused(
    caller: Caller, request_: looks_pb2.LookRequest
) -> None:
    request_.options.long_side = 3
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        list(caller.looks.Look(request_))
    request_.options.long_side = 0
    request_.settings.strength = 2
    with refused(StatusCode.INVALID_ARGUMENT, "INVALID_SETTINGS"):
        list(caller.looks.Look(request_))
    request_.settings.ClearField("strength")
    request_.clip.path = "/etc/passwd"
    with refused(StatusCode.PERMISSION_DENIED, "FORBIDDEN"):
        list(caller.looks.Look(request_))


def test_a_daemon_that_shuts_down_takes_no_looks(
    caller: Caller, jobs: FakeJobs, request_: looks_pb2.LookRequest
) -> None:
    jobs.close()

    with refused(StatusCode.UNAVAILABLE, "SHUTTING_DOWN"):
        list(caller.looks.Look(request_))
