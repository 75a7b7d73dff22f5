"""Uploads are kept by what they hold, go on after any interruption, and are verified."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fresco_engine.errors import DiskFull, OutputNotWritable
from fresco_media.files.disk import partial_name
from fresco_server.errors import (
    BadRequest,
    DaemonLimitReached,
    PositionOutOfRange,
    UploadDamaged,
    UploadIncomplete,
    UploadNotFound,
)
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.reroll import check_uploads
from fresco_server.jobs.uploads import Uploads, UploadStatus
from fresco_server.settings import CHUNK_BYTES, LimitSettings
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = bytes(range(251)) * 10_000
SHA256 = hashlib.sha256(DATA).hexdigest()
LIMITS = LimitSettings(upload_bytes=10 << 20, keep_free_bytes=0)
PATIENCE_S = 120.0
posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where uploads go."""
    return tmp_path / "uploads"


@pytest.fixture
def uploads(folder: Path) -> Uploads:
    """Uploads with plenty of room."""
    return Uploads(folder, LIMITS)


def _send(uploads: Uploads, data: bytes = DATA, name: str = "clip.mp4", start: int = 0) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    if not start:
        uploads.start(sha256, len(data), name)
    for offset in range(start, len(data), CHUNK_BYTES):
        uploads.chunk(sha256, offset, data[offset : offset + CHUNK_BYTES])
    uploads.finish(sha256)
    return sha256


def _grow_old(path: Path, age_s: float) -> None:
    then = time.time() - age_s
    os.utime(path, (then, then))


def test_an_upload_is_a_file_with_its_bytes_and_its_ending(uploads: Uploads) -> None:
    sha256 = _send(uploads, name="Sunset.MOV")

    assert uploads.path_of(sha256).read_bytes() == DATA
    assert uploads.path_of(sha256).name == f"{sha256}.mov"
    assert uploads.name_of(sha256) == "Sunset.MOV"


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("clip", ".clip"),
        ("clip.", ".clip"),
        (".mp4", ".clip"),
        ("a.tar.MKV", ".mkv"),
        ("x.json", ".clip"),
        ("x.partial", ".clip"),
        ("x.mp4 ", ".clip"),
        ("x.mp*", ".clip"),
        ("x.%n", ".clip"),
        ("x.äöü", ".clip"),
        ("x.abcdefghijklmnop", ".clip"),
        ("漢字 'quoted'.webm", ".webm"),
    ],
)
def test_only_the_ending_of_a_name_reaches_the_disk(
    uploads: Uploads, folder: Path, name: str, ending: str
) -> None:
    sha256 = _send(uploads, name=name)

    assert uploads.path_of(sha256).suffix == ending
    assert {path.name for path in folder.iterdir()} == {f"{sha256}{ending}", f"{sha256}.json"}
    assert uploads.start(sha256, len(DATA), name).is_finished


def test_an_upload_stands_where_it_was_left(uploads: Uploads) -> None:
    first = uploads.start(SHA256, len(DATA), "clip.mp4")
    uploads.chunk(SHA256, 0, DATA[:1000])
    second = uploads.start(SHA256, len(DATA), "clip.mp4")

    assert first == UploadStatus(0, False)
    assert second == UploadStatus(1000, False)


def test_an_upload_goes_on_after_a_restart_of_the_daemon(uploads: Uploads, folder: Path) -> None:
    uploads.start(SHA256, len(DATA), "clip.mp4")
    uploads.chunk(SHA256, 0, DATA[:CHUNK_BYTES])

    again = Uploads(folder, LIMITS)

    assert again.start(SHA256, len(DATA), "clip.mp4") == UploadStatus(CHUNK_BYTES, False)
    _send(again, start=CHUNK_BYTES)
    assert again.path_of(SHA256).read_bytes() == DATA


def test_what_was_damaged_on_disk_before_a_restart_is_found(uploads: Uploads, folder: Path) -> None:
    uploads.start(SHA256, len(DATA), "clip.mp4")
    uploads.chunk(SHA256, 0, b"x" + DATA[1:CHUNK_BYTES])

    with pytest.raises(UploadDamaged):
        _send(Uploads(folder, LIMITS), start=CHUNK_BYTES)


def test_a_finished_upload_is_there_after_a_restart(uploads: Uploads, folder: Path) -> None:
    _send(uploads)

    again = Uploads(folder, LIMITS)

    assert again.start(SHA256, len(DATA), "other.mkv") == UploadStatus(len(DATA), True)
    assert again.path_of(SHA256) == uploads.path_of(SHA256)


def test_wrong_bytes_are_thrown_away_and_the_right_ones_taken_after(uploads: Uploads) -> None:
    uploads.start(SHA256, len(DATA), "clip.mp4")
    for offset in range(0, len(DATA), CHUNK_BYTES):
        size = min(CHUNK_BYTES, len(DATA) - offset)
        uploads.chunk(SHA256, offset, bytes(size))

    with pytest.raises(UploadDamaged, match="start again"):
        uploads.finish(SHA256)

    with pytest.raises(UploadNotFound):
        uploads.finish(SHA256)
    _send(uploads)
    assert uploads.path_of(SHA256).read_bytes() == DATA


def test_another_announced_size_begins_anew(uploads: Uploads) -> None:
    uploads.start(SHA256, 5, "clip.mp4")
    uploads.chunk(SHA256, 0, b"abc")

    assert uploads.start(SHA256, len(DATA), "clip.mp4").received_bytes == 0
    _send(uploads)


def test_finishing_twice_is_no_error(uploads: Uploads) -> None:
    _send(uploads)

    uploads.finish(SHA256)


def test_an_upload_with_bytes_missing_is_incomplete(uploads: Uploads) -> None:
    uploads.start(SHA256, len(DATA), "clip.mp4")

    with pytest.raises(UploadIncomplete, match=f"0 of {len(DATA)}"):
        uploads.finish(SHA256)


def test_what_was_not_started_is_not_found(uploads: Uploads) -> None:
    for call in (
        lambda: uploads.chunk(SHA256, 0, b"x"),
        lambda: uploads.finish(SHA256),
        lambda: uploads.delete(SHA256),
        lambda: uploads.path_of(SHA256),
    ):
        with pytest.raises(UploadNotFound):
            call()


def test_what_is_not_finished_has_no_path(uploads: Uploads) -> None:
    uploads.start(SHA256, len(DATA), "clip.mp4")

    with pytest.raises(UploadNotFound):
        uploads.path_of(SHA256)


def test_chunks_must_follow_each_other(uploads: Uploads) -> None:
    uploads.start(SHA256, 10, "clip.mp4")
    uploads.chunk(SHA256, 0, b"abc")

    for offset in (0, 2, 4, -1, 2**62):
        with pytest.raises(PositionOutOfRange, match="stands at 3"):
            uploads.chunk(SHA256, offset, b"x")
    with pytest.raises(BadRequest):
        uploads.chunk(SHA256, 3, b"defghijk")
    assert uploads.chunk(SHA256, 3, b"defghij") == 10


def test_a_chunk_for_a_finished_upload_says_where_it_stands(uploads: Uploads) -> None:
    _send(uploads)

    with pytest.raises(PositionOutOfRange, match=str(len(DATA))):
        uploads.chunk(SHA256, CHUNK_BYTES, b"x")


@pytest.mark.parametrize("digest", ["", "x", SHA256.upper(), SHA256 + "\n", "../" + SHA256[3:]])
def test_what_is_no_digest_is_a_bad_request(uploads: Uploads, digest: str) -> None:
    calls: list[Any] = [
        lambda: uploads.start(digest, 1, "x"),
        lambda: uploads.chunk(digest, 0, b"x"),
        lambda: uploads.finish(digest),
        lambda: uploads.delete(digest),
        lambda: uploads.path_of(digest),
        lambda: uploads.name_of(digest),
    ]
    for call in calls:
        with pytest.raises(BadRequest, match="sha256"):
            call()


def test_an_upload_larger_than_is_taken_is_refused(uploads: Uploads) -> None:
    with pytest.raises(DaemonLimitReached) as caught:
        uploads.start(SHA256, LIMITS.upload_bytes + 1, "clip.mp4")

    assert caught.value.reason == "UPLOAD_TOO_LARGE"
    assert "are 1 B more than this daemon takes" in str(caught.value)


def test_a_disk_without_room_is_told_before_and_while_bytes_come(folder: Path) -> None:
    roomy, full = Uploads(folder, LIMITS), Uploads(folder, LimitSettings(keep_free_bytes=1 << 60))
    roomy.start(SHA256, len(DATA), "clip.mp4")
    roomy.chunk(SHA256, 0, DATA[:100])

    with pytest.raises(DiskFull):
        full.start(SHA256, len(DATA), "clip.mp4")
    with pytest.raises(DiskFull):
        full.chunk(SHA256, 100, DATA[100:200])

    assert roomy.start(SHA256, len(DATA), "clip.mp4").received_bytes == 100


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a file on a full disk")
@posix
@pytest.mark.parametrize("way", ["a link", "a pipe", "a second name"])
def test_what_took_the_place_of_an_upload_is_never_written_to(
    uploads: Uploads, folder: Path, tmp_path: Path, way: str
) -> None:
    uploads.start(SHA256, len(DATA), "clip.mp4")
    partial, users = folder / f"{SHA256}.partial", tmp_path / "users.mov"
    users.write_bytes(b"irreplaceable")
    partial.unlink()
    if way == "a link":
        partial.symlink_to(users)
    elif way == "a pipe":
        os.mkfifo(partial)
    else:
        os.link(users, partial)

    with pytest.raises((UploadNotFound, PositionOutOfRange, OutputNotWritable)):
        uploads.chunk(SHA256, 0, b"x")
    with pytest.raises((UploadNotFound, UploadIncomplete, OutputNotWritable)):
        uploads.finish(SHA256)
    sha256 = _send(uploads)

    assert uploads.path_of(sha256).read_bytes() == DATA
    assert users.read_bytes() == b"irreplaceable"


@posix
def test_a_link_that_takes_the_folders_place_is_not_followed(
    uploads: Uploads, folder: Path, tmp_path: Path
) -> None:
    _send(uploads)
    users = tmp_path / "users"
    users.mkdir()
    for name in (f"{SHA256}.mp4", f"{SHA256}.json", f"{SHA256}.partial"):
        (users / name).write_bytes(b"irreplaceable")
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(users)

    with pytest.raises(UploadNotFound):
        uploads.delete(SHA256)
    with pytest.raises(UploadNotFound):
        uploads.path_of(SHA256)
    with pytest.raises(UploadNotFound):
        uploads.chunk(SHA256, 0, b"x")
    with pytest.raises(OutputNotWritable, match="it is a link and not the daemon's own folder"):
        uploads.start(SHA256, len(DATA), "clip.mp4")
    uploads.sweep(0.0)
    uploads.remove_unused((), 1 << 40)

    assert {path.read_bytes() for path in users.iterdir()} == {b"irreplaceable"}
    assert len(list(users.iterdir())) == 3
    assert uploads.disk_bytes() == 0


def test_a_folder_that_was_moved_away_is_made_again(
    uploads: Uploads, folder: Path, tmp_path: Path
) -> None:
    uploads.start(SHA256, len(DATA), "clip.mp4")
    folder.rename(tmp_path / "elsewhere")

    with pytest.raises(UploadNotFound):
        uploads.chunk(SHA256, 0, b"x")
    assert (uploads.disk_bytes(), uploads.outstanding_bytes(), uploads.sweep(0.0)) == (0, 0, 0)
    _send(uploads)

    assert uploads.path_of(SHA256).read_bytes() == DATA


def test_notes_that_a_killed_daemon_left_half_written_are_removed(folder: Path) -> None:
    folder.mkdir()
    left = partial_name(folder / f"{SHA256}.json")
    left.write_bytes(b"{")

    Uploads(folder, LIMITS)

    assert not left.exists()


def test_many_clients_may_send_the_same_upload(uploads: Uploads) -> None:
    failures: list[Exception] = []

    def send() -> None:
        try:
            stand = uploads.start(SHA256, len(DATA), "clip.mp4")
            while not stand.is_finished and stand.received_bytes < len(DATA):
                offset = stand.received_bytes
                with suppress(PositionOutOfRange):
                    uploads.chunk(SHA256, offset, DATA[offset : offset + 50_000])
                stand = uploads.start(SHA256, len(DATA), "clip.mp4")
            uploads.finish(SHA256)
        except Exception as error:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert failures == []
    assert uploads.path_of(SHA256).read_bytes() == DATA


def test_more_uploads_at_once_than_are_remembered_are_still_verified(uploads: Uploads) -> None:
    contents = [str(number).encode() * 3 for number in range(300)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    for digest, content in zip(digests, contents, strict=True):
        uploads.start(digest, len(content), "x.mp4")
        uploads.chunk(digest, 0, content[:1])
    for digest, content in zip(digests, contents, strict=True):
        uploads.chunk(digest, 1, content[1:])
        uploads.finish(digest)

    assert all(uploads.path_of(digest).exists() for digest in digests)


def test_deleting_removes_every_trace(uploads: Uploads, folder: Path) -> None:
    _send(uploads)
    uploads.delete(SHA256)
    uploads.start(SHA256, len(DATA), "clip.mp4")
    uploads.chunk(SHA256, 0, b"abc")
    uploads.delete(SHA256)

    assert list(folder.iterdir()) == []


def test_bytes_on_disk_are_counted(uploads: Uploads) -> None:
    before = uploads.disk_bytes()
    _send(uploads)
    uploads.start("0" * 64, 100, "x")
    uploads.chunk("0" * 64, 0, b"abc")

    assert before == 0
    assert len(DATA) + 3 <= uploads.disk_bytes() < len(DATA) + 1000


def test_room_is_made_of_the_uploads_needed_longest_ago(uploads: Uploads) -> None:
    digests = [_send(uploads, bytes([number]) * 1000) for number in range(4)]
    for number, digest in enumerate(digests):
        _grow_old(uploads.path_of(digest), 100_000 - number)

    freed = uploads.remove_unused({digests[0]}, 1500)

    assert freed == 2000
    assert uploads.path_of(digests[0]).exists()
    assert uploads.path_of(digests[3]).exists()
    for digest in digests[1:3]:
        with pytest.raises(UploadNotFound):
            uploads.path_of(digest)


def test_fresh_uploads_and_those_under_way_are_not_removed_to_make_room(uploads: Uploads) -> None:
    sha256 = _send(uploads)
    uploads.start("0" * 64, 100, "x")

    assert uploads.remove_unused(set(), 1 << 40) == 0
    assert uploads.path_of(sha256).exists()


def test_uploads_that_nobody_went_on_sending_are_swept_up(uploads: Uploads, folder: Path) -> None:
    sha256 = _send(uploads)
    for digit in "01":
        uploads.start(digit * 64, 100, "x")
    _grow_old(folder / f"{'0' * 64}.partial", 8 * 24 * 3600)
    _grow_old(uploads.path_of(sha256), 800 * 24 * 3600)
    (folder / f".{'2' * 64}.json.partial").touch()

    again = Uploads(folder, LIMITS)

    assert {path.name for path in folder.iterdir()} == {
        f"{sha256}.mp4",
        f"{sha256}.json",
        f"{'1' * 64}.partial",
        f"{'1' * 64}.json",
    }
    assert again.start("1" * 64, 100, "x") == UploadStatus(0, False)


def test_stale_uploads_are_swept_up_also_when_room_is_made(uploads: Uploads, folder: Path) -> None:
    uploads.start("0" * 64, 100, "x")
    uploads.chunk("0" * 64, 0, b"abc")
    _grow_old(folder / f"{'0' * 64}.partial", 8 * 24 * 3600)

    uploads.remove_unused(set(), 1)

    assert list(folder.iterdir()) == []


def test_a_folder_that_has_vanished_is_made_again_or_told(uploads: Uploads, folder: Path) -> None:
    folder.rmdir()
    _send(uploads)
    uploads.delete(SHA256)
    folder.rmdir()
    folder.touch()

    with pytest.raises(OutputNotWritable):
        uploads.start(SHA256, len(DATA), "clip.mp4")


@pytest.mark.parametrize("facts", [b"", b"{}", b"[]", b'{"size_bytes": "x"}', b"\xff"])
def test_a_damaged_note_begins_the_upload_anew(
    uploads: Uploads, folder: Path, facts: bytes
) -> None:
    uploads.start(SHA256, len(DATA), "clip.mp4")
    uploads.chunk(SHA256, 0, b"abc")
    (folder / f"{SHA256}.json").write_bytes(facts)

    with pytest.raises(UploadNotFound):
        uploads.chunk(SHA256, 3, b"def")
    assert uploads.start(SHA256, len(DATA), "clip.mp4").received_bytes == 0
    _send(uploads)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OutputNotWritable):
        Uploads(tmp_path / "file" / "uploads", LIMITS)


@settings(deadline=None, max_examples=50)
@given(
    st.binary(min_size=1, max_size=2000),
    st.lists(st.tuples(st.integers(-5, 2005), st.integers(0, 2005), st.booleans()), max_size=12),
)
def test_whatever_order_chunks_come_in_only_the_right_bytes_are_ever_used(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    chunks: list[tuple[int, int, bool]],
) -> None:
    folder = tmp_path_factory.mktemp("uploads")
    uploads = Uploads(folder, LIMITS)
    sha256 = hashlib.sha256(data).hexdigest()
    uploads.start(sha256, len(data), "x.mp4")

    for offset, size, is_restarted in chunks:
        if is_restarted:
            uploads = Uploads(folder, LIMITS)
        with suppress(PositionOutOfRange, BadRequest):
            uploads.chunk(sha256, offset, data[max(0, offset) :][:size])
    stand = uploads.start(sha256, len(data), "x.mp4")
    if stand.received_bytes < len(data):
        uploads.chunk(sha256, stand.received_bytes, data[stand.received_bytes :])
    uploads.finish(sha256)

    assert uploads.path_of(sha256).read_bytes() == data


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
@pytest.mark.parametrize("kind", ["pipe", "nested"])
def test_a_note_that_is_none_holds_nobody_up(tmp_path: Path, kind: str) -> None:
    uploads = Uploads(tmp_path, LIMITS)
    note = tmp_path / f"{'a' * 64}.json"
    if kind == "pipe":
        os.mkfifo(note)
    else:
        note.write_text("[" * 5000, encoding="utf-8")
    note.with_suffix(".partial").write_bytes(b"zz")

    facts = uploads._facts("a" * 64)

    assert facts is None


def test_a_job_is_not_made_anew_of_an_upload_that_has_gone(uploads: Uploads) -> None:
    clip, mask = _send(uploads), _send(uploads, b"mask", "mask.png")
    look = _send(uploads, b"look", "look.png")
    order = JobOrder(clip="clip", settings={}, upload=clip, mask_upload=mask, reference_upload=look)
    check_uploads(order, uploads)

    for gone, field in ((look, "reference"), (mask, "subject_mask")):
        uploads.delete(gone)
        with pytest.raises(UploadNotFound) as found:
            check_uploads(order, uploads)
        assert found.value.field == field
