"""Pictures are encoded once, and not kept for ever."""

from __future__ import annotations

import threading
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.jobs import FakeJobs, picture
from fakes.waiting import PATIENCE_S
from fresco.v1 import media_pb2
from fresco_media.stills.png import encode_png, png_size
from fresco_server.errors import ArtefactNotFound, WorkerLost
from fresco_server.rpc.pictures import Encoded, PictureFormat, Pictures, _Kept
from fresco_server.rpc.work_room import WorkRoom
from fresco_server.settings import ServerSettings


def _encoded(size: int = 10) -> Encoded:
    return Encoded(media_pb2.PICTURE_ENCODING_JPEG, 1, 1, bytes(size))


def test_many_who_ask_at_once_get_one_encoding() -> None:
    kept = _Kept(1000)
    begun, may_go_on = threading.Event(), threading.Event()
    made: list[int] = []
    got: list[Encoded] = []

    def make() -> Encoded:
        made.append(1)
        begun.set()
        assert may_go_on.wait(PATIENCE_S)
        return _encoded()

    threads = [threading.Thread(target=lambda: got.append(kept.get("x", make))) for _ in range(20)]
    for thread in threads:
        thread.start()
    assert begun.wait(PATIENCE_S)
    may_go_on.set()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert len(made) == 1
    assert len({id(encoded) for encoded in got}) == 1
    assert len(got) == 20


def test_the_pictures_that_were_asked_for_longest_ago_are_forgotten() -> None:
    kept = _Kept(25)
    made: list[str] = []

    def get(name: str) -> None:
        kept.get(name, lambda: (made.append(name), _encoded())[1])

    for name in ("a", "b", "a", "c", "a", "b"):
        get(name)

    assert made == ["a", "b", "c", "b"]


def test_a_picture_that_could_not_be_made_is_tried_again() -> None:
    kept = _Kept(100)

    def fail() -> Encoded:
        raise ArtefactNotFound("not yet")

    with pytest.raises(ArtefactNotFound):
        kept.get("x", fail)

    assert kept.get("x", _encoded) == _encoded()


def test_a_looks_picture_that_is_lost_can_be_asked_for_again(tmp_path: Path) -> None:
    with pytest.raises(WorkerLost, match="try again"):
        Pictures().in_file(tmp_path / "nothing.png", PictureFormat())


def test_a_picture_is_never_made_larger(settings: ServerSettings, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 0, picture(9))

    shown = Pictures().stored(jobs.folder("x"), "keyframes", 0, PictureFormat(long_side=8192))

    assert (shown.width, shown.height) == (96, 64)


LOSSLESS = PictureFormat(media_pb2.PICTURE_ENCODING_PNG)


@pytest.mark.parametrize("size", [(66_000, 4), (4, 66_000)])
def test_a_picture_that_jpeg_has_no_place_for_is_made_smaller(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "wide.png"
    path.write_bytes(encode_png(np.full((size[1], size[0], 3), 90, np.uint8)))

    shown, _ = Pictures().in_file(path, PictureFormat())
    lossless, _ = Pictures().in_file(path, LOSSLESS)

    assert max(shown.width, shown.height) == 65_500
    assert shown.data.startswith(b"\xff\xd8")
    assert (lossless.width, lossless.height) == size


def test_pictures_that_are_made_at_once_take_no_more_than_there_is_room_for() -> None:
    room = WorkRoom(100)
    at_once: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def make(size: int) -> None:
        with room.taken(size):
            with lock:
                at_once.append(size)
                most.append(sum(at_once))
            with lock:
                at_once.remove(size)

    # The last is larger than all the room, and has it to itself.
    threads = [threading.Thread(target=make, args=(size,)) for size in (60, 30, 50, 90, 20, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert len(most) == 6
    assert all(taken <= 100 or taken == 500 for taken in most)


def test_who_finds_no_room_waits_until_there_is_some() -> None:
    room = WorkRoom(100)
    made = threading.Event()

    def make() -> None:
        with room.taken(80):
            made.set()

    thread = threading.Thread(target=make)
    with room.taken(40):
        thread.start()
        assert not made.wait(0.2)
    thread.join(PATIENCE_S)

    assert made.is_set()


def test_a_lossless_picture_is_the_stored_file_where_nothing_is_scaled(
    settings: ServerSettings, jobs: FakeJobs
) -> None:
    jobs.put("x")
    jobs.make_picture("x", "frames", 0, picture(9))
    path = jobs.plan("x").picture_path("frames", 0)
    # What any PNG encoder would not write again.
    path.write_bytes(_with_text(path.read_bytes()))

    shown = Pictures().stored(jobs.folder("x"), "frames", 0, LOSSLESS)

    assert shown.data == path.read_bytes()
    assert (shown.width, shown.height) == (96, 64)


def test_a_lossless_picture_is_made_smaller_where_that_is_wished(
    settings: ServerSettings, jobs: FakeJobs
) -> None:
    jobs.put("x")
    jobs.make_picture("x", "frames", 0, picture(9))

    shown = Pictures().stored(jobs.folder("x"), "frames", 0, replace(LOSSLESS, long_side=48))

    assert (shown.width, shown.height) == (48, 32)
    assert png_size(shown.data) == (48, 32)


def test_a_torn_file_is_not_sent(settings: ServerSettings, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "frames", 0, picture(9))
    path = jobs.plan("x").picture_path("frames", 0)
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(ArtefactNotFound):
        Pictures().stored(jobs.folder("x"), "frames", 0, LOSSLESS)


def _with_text(png: bytes) -> bytes:
    """The same picture, with a comment before the end of its file."""
    chunk = b"tEXtComment\0as it is"
    length = (len(chunk) - 4).to_bytes(4, "big")
    return png[:-12] + length + chunk + zlib.crc32(chunk).to_bytes(4, "big") + png[-12:]
