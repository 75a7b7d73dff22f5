"""ClipService: describing clips and sending them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.caller import Caller, refused
from fakes.jobs import FRAMES, HEIGHT, WIDTH, FakeJobs
from fresco.v1 import clips_pb2, media_pb2
from fresco_client.values import JobState
from fresco_server.settings import CHUNK_BYTES
from grpc import StatusCode

DATA = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(DATA).hexdigest()


def _start(caller: Caller, **changes: object) -> clips_pb2.StartUploadResponse:
    values = {"sha256": SHA256, "size_bytes": len(DATA), "file_name": "clip.mp4", **changes}
    return caller.clips.StartUpload(clips_pb2.StartUploadRequest(**values))  # type: ignore[arg-type]


def _send(caller: Caller, offset: int, data: bytes) -> int:
    request = clips_pb2.UploadChunkRequest(sha256=SHA256, offset=offset, data=data)
    return caller.clips.UploadChunk(request).received_bytes


def _finish(caller: Caller) -> None:
    caller.clips.FinishUpload(clips_pb2.FinishUploadRequest(sha256=SHA256))


def _upload(caller: Caller) -> None:
    _start(caller)
    for offset in range(0, len(DATA), CHUNK_BYTES):
        _send(caller, offset, DATA[offset : offset + CHUNK_BYTES])
    _finish(caller)


def _describe(caller: Caller, **source: object) -> media_pb2.ClipInfo:
    clip = media_pb2.ClipSource(**source)  # type: ignore[arg-type]
    return caller.clips.DescribeClip(clips_pb2.DescribeClipRequest(clip=clip)).info


def test_a_clip_is_described(caller: Caller, roots: Path) -> None:
    info = _describe(caller, path=str(roots / "clip.mp4"))

    assert (info.width, info.height, info.frame_count) == (WIDTH, HEIGHT, FRAMES)
    assert (info.frame_rate.numerator, info.frame_rate.denominator) == (24, 1)
    assert info.has_audio


def test_a_frame_rate_is_handed_on_as_it_is(caller: Caller, roots: Path) -> None:
    rate = media_pb2.Rational(numerator=30000, denominator=1001)

    info = _describe(caller, path=str(roots / "clip.mp4"), frame_rate=rate)

    assert info.frame_rate == rate


@pytest.mark.parametrize(
    "rate", [(0, 1), (-24, 1), (24, 0), (24, -1), (2**62, 1), (1, 2**62), (2**40 + 1, 2**40)]
)
def test_a_frame_rate_that_cannot_be_is_refused(
    caller: Caller, roots: Path, rate: tuple[int, int]
) -> None:
    wrong = media_pb2.Rational(numerator=rate[0], denominator=rate[1])

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _describe(caller, path=str(roots / "clip.mp4"), frame_rate=wrong)


def test_clips_that_cannot_be_described_are_refused(caller: Caller, roots: Path) -> None:
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _describe(caller)
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _describe(caller, path="")
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _describe(caller, path="clip.mp4")
    with refused(StatusCode.NOT_FOUND, "CLIP_NOT_FOUND"):
        _describe(caller, path=str(roots / "nothing.mp4"))
    with refused(StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        _describe(caller, upload_sha256="0" * 64)
    with refused(StatusCode.PERMISSION_DENIED, "FORBIDDEN"):
        _describe(caller, path=str(roots / ".." / "data"))
    with refused(StatusCode.FAILED_PRECONDITION, "CLIP_UNREADABLE"):
        _describe(caller, path=str(roots / "broken.mp4"))
    with refused(StatusCode.FAILED_PRECONDITION, "CLIP_UNREADABLE"):
        _describe(caller, path=str(roots / "crash.mp4"))


def test_a_clip_that_crashes_a_closing_daemon_is_not_blamed(
    caller: Caller, jobs: FakeJobs, roots: Path
) -> None:
    jobs.close()

    with refused(StatusCode.UNAVAILABLE, "SHUTTING_DOWN"):
        _describe(caller, path=str(roots / "crash.mp4"))


def test_a_clip_is_sent_in_chunks_and_can_be_used(caller: Caller) -> None:
    _upload(caller)

    assert _describe(caller, upload_sha256=SHA256).frame_count == FRAMES
    assert _start(caller).is_finished


def test_an_interrupted_upload_goes_on_where_it_stood(caller: Caller) -> None:
    assert _start(caller).received_bytes == 0
    assert _send(caller, 0, DATA[:1000]) == 1000

    again = _start(caller)
    rest = _send(caller, 1000, DATA[1000 : 1000 + CHUNK_BYTES])

    assert (again.received_bytes, again.is_finished) == (1000, False)
    assert rest == 1000 + CHUNK_BYTES


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": ""},
        {"sha256": SHA256.upper()},
        {"sha256": "../" * 21 + "x"},
        {"size_bytes": 0},
        {"size_bytes": -1},
        {"file_name": ""},
        {"file_name": "../clip.mp4"},
        {"file_name": "a\\b.mp4"},
        {"file_name": ".."},
        {"file_name": "x" * 256},
        {"file_name": "a\0.mp4"},
    ],
    ids=str,
)
def test_an_upload_that_cannot_be_is_refused(caller: Caller, changes: dict[str, object]) -> None:
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _start(caller, **changes)


def test_uploads_beyond_the_limits_are_refused(caller: Caller, jobs: FakeJobs) -> None:
    limits = jobs.settings.limits

    with refused(StatusCode.RESOURCE_EXHAUSTED, "UPLOAD_TOO_LARGE"):
        _start(caller, size_bytes=limits.upload_bytes + 1)
    with refused(StatusCode.RESOURCE_EXHAUSTED, "NO_ROOM"):
        _start(caller, size_bytes=limits.disk_bytes + 1)


def test_an_upload_that_was_refused_cannot_be_sent_all_the_same(
    caller: Caller, jobs: FakeJobs
) -> None:
    with refused(StatusCode.RESOURCE_EXHAUSTED, "NO_ROOM"):
        _start(caller, size_bytes=jobs.settings.limits.disk_bytes + 1)

    with refused(StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        _send(caller, 0, b"x")
    assert list(jobs.uploads.folder.iterdir()) == []


def test_chunks_that_do_not_fit_are_refused(caller: Caller) -> None:
    with refused(StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        _send(caller, 0, b"x")
    _start(caller)
    with refused(StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE"):
        _send(caller, 1, b"x")
    with refused(StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE"):
        _send(caller, -1, b"x")
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _send(caller, 0, b"")
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _send(caller, 0, bytes(CHUNK_BYTES + 1))
    _send(caller, 0, DATA[:CHUNK_BYTES])
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        _send(caller, CHUNK_BYTES, bytes(len(DATA)))


def test_an_upload_is_verified_before_it_can_be_used(caller: Caller) -> None:
    with refused(StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        _finish(caller)
    _start(caller, size_bytes=3)
    with refused(StatusCode.FAILED_PRECONDITION, "UPLOAD_INCOMPLETE"):
        _finish(caller)
    _send(caller, 0, b"abc")
    with refused(StatusCode.DATA_LOSS, "UPLOAD_DAMAGED"):
        _finish(caller)
    with refused(StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        _describe(caller, upload_sha256=SHA256)


def test_finishing_a_finished_upload_is_no_error(caller: Caller) -> None:
    _upload(caller)

    _finish(caller)


def test_an_upload_is_forgotten_unless_a_job_needs_it(caller: Caller, jobs: FakeJobs) -> None:
    request = clips_pb2.DeleteUploadRequest(sha256=SHA256)
    with refused(StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        caller.clips.DeleteUpload(request)
    _upload(caller)
    job = jobs.put("x")
    jobs.change("x", order=replace(job.order, upload=SHA256))

    with refused(StatusCode.FAILED_PRECONDITION, "NOT_POSSIBLE"):
        caller.clips.DeleteUpload(request)

    jobs.change("x", state=JobState.CANCELLED)
    caller.clips.DeleteUpload(request)
    with refused(StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        _describe(caller, upload_sha256=SHA256)


def test_malformed_digests_are_refused_everywhere(caller: Caller) -> None:
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        caller.clips.DeleteUpload(clips_pb2.DeleteUploadRequest(sha256="*"))
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        caller.clips.FinishUpload(clips_pb2.FinishUploadRequest(sha256="../x"))
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        caller.clips.UploadChunk(clips_pb2.UploadChunkRequest(sha256="x", data=b"x"))
