"""Clips and results arrive whole, whatever happens on the way."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from fakes.daemon import TOKEN, FakeDaemon, fail
from fakes.relay import Relay
from fresco.v1 import clips_pb2, frames_pb2
from fresco_client import (
    DataLost,
    FileFailed,
    NotPossibleNow,
    Session,
    TransferProgress,
    TransportKind,
)
from fresco_client.files import part_name

MIB = 1024 * 1024


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A file of two and a half chunks, with a name that needs care."""
    path = tmp_path / "mein Clip – 1.mp4"
    path.write_bytes(os.urandom(5 * MIB // 2))
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def calls(daemon: FakeDaemon, name: str) -> int:
    return sum(seen == name for seen, _ in daemon.seen)


def test_an_upload_arrives_whole_and_tells_how_far_it_is(
    daemon: FakeDaemon, session: Session, clip: Path
) -> None:
    told: list[TransferProgress] = []

    source = session.upload(clip, told.append)

    sha256 = digest(clip)
    assert source.upload_sha256 == sha256
    assert daemon.facts.uploads[sha256] == clip.read_bytes()
    assert sha256 in daemon.facts.finished
    size = clip.stat().st_size
    sent = [progress.done_bytes for progress in told if progress.stage == "sending"]
    assert sent == [0, MIB, 2 * MIB, size]
    assert {progress.total_bytes for progress in told} == {size}


def test_a_clip_the_daemon_has_is_not_sent_again(
    daemon: FakeDaemon, session: Session, clip: Path
) -> None:
    session.upload(clip)
    daemon.seen.clear()

    session.upload(clip)

    assert calls(daemon, "StartUpload") == 1
    assert calls(daemon, "UploadChunk") == 0


def test_an_upload_goes_on_where_it_was_broken_off(
    daemon: FakeDaemon, session: Session, clip: Path
) -> None:
    class Stopped(Exception):
        pass

    def stop(progress: TransferProgress) -> None:
        if progress.stage == "sending" and progress.done_bytes == MIB:
            raise Stopped

    with pytest.raises(Stopped):
        session.upload(clip, stop)
    daemon.seen.clear()

    session.upload(clip)

    assert calls(daemon, "UploadChunk") == 2
    assert daemon.facts.uploads[digest(clip)] == clip.read_bytes()


def test_an_upload_survives_broken_connections(
    daemon: FakeDaemon, kind: TransportKind, clip: Path
) -> None:
    relay = Relay(daemon.port, cuts=(400, 300, 300))

    with Session.connect(relay.address, token=TOKEN, transport=kind) as session:
        session.upload(clip)
    relay.close()

    assert daemon.facts.uploads[digest(clip)] == clip.read_bytes()


def test_a_chunk_whose_answer_was_lost_is_not_sent_twice(
    daemon: FakeDaemon, session: Session, clip: Path
) -> None:
    received = bytearray()
    daemon.facts.uploads[digest(clip)] = received

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        if request.offset != len(received):
            fail(context, grpc.StatusCode.OUT_OF_RANGE, "Wrong offset.")
        received.extend(request.data)
        if request.offset == MIB:
            fail(context, grpc.StatusCode.UNAVAILABLE, "Lost.")
        return clips_pb2.UploadChunkResponse(received_bytes=len(received))

    daemon.answers["UploadChunk"] = answer

    session.upload(clip)

    assert received == clip.read_bytes()


def test_bytes_that_arrive_damaged_are_data_lost(
    daemon: FakeDaemon, session: Session, clip: Path
) -> None:
    daemon.facts.uploads[digest(clip)] = bytearray(b"wrong")

    with pytest.raises(DataLost):
        session.upload(clip)


@pytest.mark.parametrize("stage", ["reading", "sending"])
@pytest.mark.parametrize("change", ["longer", "shorter", "other"])
def test_a_file_that_is_still_written_is_not_sent_in_vain_and_is_said_to_change(
    session: Session, clip: Path, stage: str, change: str
) -> None:
    def disturb(progress: TransferProgress) -> None:
        if progress.stage == stage and progress.done_bytes >= MIB:
            with clip.open("r+b") as file:
                if change == "shorter":
                    file.truncate(MIB)
                else:
                    file.seek(0, os.SEEK_END if change == "longer" else os.SEEK_SET)
                    file.write(os.urandom(2 * MIB))
            # The clock of a file may be coarser than this test is quick.
            os.utime(clip, ns=(0, 0))

    with pytest.raises(DataLost, match="changed while it was sent"):
        session.upload(clip, disturb)


@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_a_file_that_cannot_be_sent_is_named(
    session: Session, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(FileFailed, match=r"a\.mp4"):
        session.upload(path)


def test_an_upload_can_be_forgotten(daemon: FakeDaemon, session: Session, clip: Path) -> None:
    source = session.upload(clip)

    session.delete_upload(source.upload_sha256 or "")

    assert daemon.facts.uploads == {}


@pytest.fixture
def result(daemon: FakeDaemon) -> bytes:
    """The result of job a."""
    data = os.urandom(500_000)
    daemon.facts.results["a"] = data
    return data


def test_a_result_arrives_whole_and_is_confirmed(
    daemon: FakeDaemon, session: Session, result: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "das Ergebnis.mp4"
    told: list[TransferProgress] = []

    info = session.fetch_result("a", path, told.append)

    assert path.read_bytes() == result
    assert info.sha256 == digest(path)
    assert daemon.facts.confirmed == {"a": info.sha256}
    assert list(tmp_path.iterdir()) == [path]
    assert told[-1] == TransferProgress(
        stage="receiving", done_bytes=len(result), total_bytes=len(result)
    )


def test_a_result_goes_on_at_the_byte_that_is_there(
    daemon: FakeDaemon, session: Session, result: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    offsets: list[int] = []

    class Stopped(Exception):
        pass

    def stop(progress: TransferProgress) -> None:
        offsets.append(progress.done_bytes)
        if progress.done_bytes > 200_000:
            raise Stopped

    with pytest.raises(Stopped):
        session.fetch_result("a", path, stop)
    assert not path.exists()
    stopped_at, *_ = offsets[-1:]
    offsets.clear()
    session.fetch_result("a", path, lambda progress: offsets.append(progress.done_bytes))

    assert path.read_bytes() == result
    assert offsets[0] == stopped_at


def test_a_result_survives_broken_connections(
    daemon: FakeDaemon, kind: TransportKind, result: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    relay = Relay(daemon.port, cuts=(100_000, 90_000, 1000))

    with Session.connect(relay.address, token=TOKEN, transport=kind) as session:
        session.fetch_result("a", path)
    relay.close()

    assert path.read_bytes() == result


def test_what_is_left_of_another_result_is_thrown_away(
    daemon: FakeDaemon, session: Session, result: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    part_name(tmp_path / "a.mp4", "a").write_bytes(bytes(len(result) + 7))
    session.fetch_result("a", path)
    assert path.read_bytes() == result
    part_name(tmp_path / "a.mp4", "a").write_bytes(b"something else")

    session.fetch_result("a", path, is_overwriting=True)

    assert path.read_bytes() == result


def test_a_result_that_stays_damaged_is_data_lost(
    daemon: FakeDaemon, session: Session, tmp_path: Path
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        message = frames_pb2.FetchResultResponse(data=b"damaged")
        message.result.size_bytes = 7
        message.result.sha256 = "0" * 64
        yield message

    daemon.answers["FetchResult"] = answer

    with pytest.raises(DataLost, match="damaged"):
        session.fetch_result("a", tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_same_name_is_kept(session: Session, result: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"mine")

    with pytest.raises(FileFailed, match=r"a\.mp4"):
        session.fetch_result("a", path)

    assert path.read_bytes() == b"mine"


def test_a_place_that_cannot_be_written_is_named(
    session: Session, result: bytes, tmp_path: Path
) -> None:
    with pytest.raises(FileFailed, match="nowhere"):
        session.fetch_result("a", tmp_path / "nowhere" / "a.mp4")


def test_a_result_that_is_not_there_leaves_nothing_behind(
    daemon: FakeDaemon, session: Session, tmp_path: Path
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        fail(context, grpc.StatusCode.FAILED_PRECONDITION, "The job is not done.", "NOT_DONE")
        yield

    daemon.answers["FetchResult"] = answer

    with pytest.raises(NotPossibleNow):
        session.fetch_result("a", tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "y" * 251 + ".mp4",
        "\U0001f3a8" * 62 + ".mp4",
        os.fsdecode(b"\xff\xe9.mp4") if sys.platform == "linux" else "\u00ff.mp4",
        "100% %d\n.mp4",
    ],
    ids=["long", "emoji", "not-utf8", "signs"],
)
def test_clips_and_results_may_have_any_legal_name(
    daemon: FakeDaemon, session: Session, result: bytes, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name

    session.fetch_result("a", path)
    source = session.upload(path)

    assert path.read_bytes() == result
    assert list(tmp_path.iterdir()) == [path]
    assert source.upload_sha256 in daemon.facts.finished


def test_a_file_that_gets_the_name_while_a_result_is_fetched_is_kept(
    session: Session, result: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"

    def write(progress: TransferProgress) -> None:
        path.write_bytes(b"mine")

    with pytest.raises(FileFailed, match="of this name already"):
        session.fetch_result("a", path, write)

    assert path.read_bytes() == b"mine"


def test_a_file_that_gets_the_name_after_the_last_look_is_kept(
    session: Session, result: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    looks: list[Path] = []

    def write(place: Path) -> None:
        looks.append(place)
        if len(looks) == 2:
            path.write_bytes(b"mine")

    with pytest.raises(FileFailed, match="of this name already"):
        session.fetch_result("a", path, before_replacing=write)

    assert path.read_bytes() == b"mine"
    path.unlink()
    session.fetch_result("a", path)
    assert path.read_bytes() == result


@pytest.mark.parametrize("asked_before", [0, 1])
def test_who_fetches_may_forbid_a_file_to_be_replaced_until_the_end(
    session: Session, result: bytes, tmp_path: Path, asked_before: int
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"mine")
    asked: list[Path] = []

    def forbid(place: Path) -> None:
        asked.append(place)
        if len(asked) > asked_before:
            raise FileFailed(place, "This is the clip itself.")

    with pytest.raises(FileFailed, match="the clip itself"):
        session.fetch_result("a", path, is_overwriting=True, before_replacing=forbid)

    assert asked == [path] * (asked_before + 1)
    assert path.read_bytes() == b"mine"
