"""FrameService: pictures and results in chunks."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.caller import Caller, refused
from fakes.jobs import HEIGHT, WIDTH, FakeJobs, picture
from fresco.v1 import frames_pb2, media_pb2
from fresco_client.values import JobState
from fresco_server.rpc.pictures import Encoded
from fresco_server.settings import CHUNK_BYTES
from grpc import StatusCode

KEYFRAME = frames_pb2.FRAME_KIND_KEYFRAME
FILM = np.random.default_rng(1).bytes(2 * CHUNK_BYTES + 1000)


def _fetch(caller: Caller, index: int, kind: Any = KEYFRAME, **options: Any) -> list[Any]:
    request = frames_pb2.FetchFrameRequest(
        job_id="x", kind=kind, index=index, options=media_pb2.PictureOptions(**options)
    )
    return [answer.chunk for answer in caller.frames.FetchFrame(request)]


def _image(chunks: list[Any]) -> Any:
    data = b"".join(chunk.data for chunk in chunks)
    assert chunks[0].size_bytes == len(data)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[:2] == (chunks[0].height, chunks[0].width)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def test_a_picture_is_fetched_without_loss(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 8, picture(50))
    jobs.make_picture("x", "frames", 8, picture(90))
    png = media_pb2.PICTURE_ENCODING_PNG

    keyframe = _fetch(caller, 8, encoding=png)
    frame = _fetch(caller, 8, frames_pb2.FRAME_KIND_RESULT, encoding=png)

    assert keyframe[0].encoding == png
    assert np.array_equal(_image(keyframe), picture(50))
    assert np.array_equal(_image(frame), picture(90))


def test_a_picture_is_a_jpeg_in_the_clips_size_by_default(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 8, picture(50))

    chunks = _fetch(caller, 8)

    assert chunks[0].encoding == media_pb2.PICTURE_ENCODING_JPEG
    assert (chunks[0].width, chunks[0].height) == (WIDTH, HEIGHT)
    assert _image(_fetch(caller, 8, long_side=24)).shape == (16, 24, 3)


def test_large_pictures_come_in_chunks() -> None:
    encoded = Encoded(media_pb2.PICTURE_ENCODING_PNG, 10, 20, FILM)

    chunks = list(encoded.chunks())

    assert b"".join(chunk.data for chunk in chunks) == FILM
    assert [chunk.size_bytes for chunk in chunks] == [len(FILM), 0, 0]
    assert max(len(chunk.data) for chunk in chunks) <= CHUNK_BYTES


def test_pictures_that_are_not_there_are_not_found(caller: Caller, jobs: FakeJobs) -> None:
    with refused(StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        _fetch(caller, 0)
    jobs.put("x")
    with refused(StatusCode.NOT_FOUND, "ARTEFACT_NOT_FOUND"):
        _fetch(caller, 0)
    jobs.plan("x")
    with refused(StatusCode.NOT_FOUND, "ARTEFACT_NOT_FOUND"):
        _fetch(caller, -5)


def test_a_damaged_picture_is_not_found(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 8, picture(50))
    jobs.plan("x").picture_path("keyframes", 8).write_bytes(b"no picture")

    with refused(StatusCode.NOT_FOUND, "ARTEFACT_NOT_FOUND"):
        _fetch(caller, 8)


def test_a_picture_made_anew_is_not_the_old_one(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 8, picture(50))
    png = media_pb2.PICTURE_ENCODING_PNG
    _fetch(caller, 8, encoding=png)

    jobs.make_picture("x", "keyframes", 8, picture(200))

    assert np.array_equal(_image(_fetch(caller, 8, encoding=png)), picture(200))


def test_pictures_that_cannot_be_are_refused(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _fetch(caller, 0, kind=frames_pb2.FRAME_KIND_UNSPECIFIED)
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _fetch(caller, 0, kind=9)
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _fetch(caller, 0, long_side=5)
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        list(caller.frames.FetchFrame(frames_pb2.FetchFrameRequest(job_id="/")))


def _result(caller: Caller, offset: int = 0, job_id: str = "x") -> list[Any]:
    request = frames_pb2.FetchResultRequest(job_id=job_id, offset=offset)
    return list(caller.frames.FetchResult(request))


@pytest.mark.parametrize("offset", [0, 1, CHUNK_BYTES, len(FILM) - 1, len(FILM)])
def test_a_result_is_fetched_from_any_byte_on(caller: Caller, jobs: FakeJobs, offset: int) -> None:
    jobs.put("x")
    result = jobs.finish("x", FILM)

    answers = _result(caller, offset)

    assert b"".join(answer.data for answer in answers) == FILM[offset:]
    assert answers[0].result.sha256 == result.sha256
    assert answers[0].result.file_name == "clip.mp4"
    position = offset
    for answer in answers:
        assert answer.offset == position
        position += len(answer.data)


def test_results_that_cannot_be_fetched_are_refused(caller: Caller, jobs: FakeJobs) -> None:
    with refused(StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        _result(caller)
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _result(caller, job_id="")
    jobs.put("x", JobState.ENCODING)
    with refused(StatusCode.FAILED_PRECONDITION, "NOT_POSSIBLE"):
        _result(caller)
    jobs.finish("x", FILM)
    with refused(StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE"):
        _result(caller, len(FILM) + 1)
    with refused(StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE"):
        _result(caller, -1)
    jobs.put("y")
    jobs.finish("y", b"")
    with refused(StatusCode.FAILED_PRECONDITION, "NOT_POSSIBLE"):
        _result(caller, job_id="y")


@pytest.mark.parametrize("loss", ["gone", "shorter"])
def test_a_result_that_is_lost_is_told(caller: Caller, jobs: FakeJobs, loss: str) -> None:
    jobs.put("x")
    jobs.finish("x", FILM)
    path: Path = jobs.folder("x") / "clip.mp4"
    if loss == "gone":
        path.unlink()
    else:
        path.write_bytes(FILM[:100])

    with refused(StatusCode.DATA_LOSS, "ARTEFACT_LOST"):
        _result(caller)


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
@pytest.mark.parametrize("swap", ["link", "hidden link", "folder link", "pipe", "folder"])
def test_what_was_put_in_the_place_of_what_a_job_made_is_not_read(
    caller: Caller, jobs: FakeJobs, tmp_path: Path, swap: str
) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 8, picture(50))
    jobs.finish("x", FILM)
    for path in (jobs.folder("x") / "clip.mp4", jobs.folder("x") / "keyframes" / "000008.png"):
        _swap(path, tmp_path, swap)

    with refused(StatusCode.DATA_LOSS, "ARTEFACT_LOST"):
        _result(caller)
    with refused(StatusCode.NOT_FOUND, "ARTEFACT_NOT_FOUND"):
        _fetch(caller, 8)


def _swap(path: Path, elsewhere: Path, swap: str) -> None:
    """Put something else where `path` is, mostly with the very bytes that were there."""
    if swap == "folder link":
        moved = elsewhere / f"moved-{path.parent.name}"
        if not path.parent.is_symlink():
            path.parent.rename(moved)
            path.parent.symlink_to(moved)
        return
    aside = elsewhere / f"aside-{path.name}"
    path.rename(aside)
    if swap == "pipe":
        os.mkfifo(path)
    elif swap == "folder":
        path.mkdir()
    elif swap == "link":
        path.symlink_to(aside)
    else:
        (elsewhere / f"second-{path.name}").symlink_to(aside)
        path.symlink_to(elsewhere / f"second-{path.name}")


def _confirm(caller: Caller, sha256: str, job_id: str = "x") -> None:
    caller.frames.ConfirmResult(frames_pb2.ConfirmResultRequest(job_id=job_id, sha256=sha256))


def test_a_result_is_confirmed_as_often_as_one_likes(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.finish("x", FILM)

    _confirm(caller, hashlib.sha256(FILM).hexdigest())
    _confirm(caller, hashlib.sha256(FILM).hexdigest())

    assert jobs.get("x").is_fetched


def test_confirming_what_is_not_so_is_refused(caller: Caller, jobs: FakeJobs) -> None:
    with refused(StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        _confirm(caller, "")
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _confirm(caller, "", job_id="a b")
    jobs.put("x")
    with refused(StatusCode.FAILED_PRECONDITION, "NOT_POSSIBLE"):
        _confirm(caller, "")
    jobs.finish("x", FILM)
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _confirm(caller, "0" * 64)
