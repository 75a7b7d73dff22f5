"""Pictures are encoded once, and not kept for ever."""

from __future__ import annotations

import threading
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.jobs import FakeJobs, picture
from fakes.waiting import PATIENCE_S
from fresco.v1 import media_pb2
from fresco_media.stills.png import png_size
from fresco_server.errors import ArtefactNotFound, WorkerLost
from fresco_server.rpc.pictures import Encoded, PictureFormat, Pictures, _Kept
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
        Pictures.in_file(tmp_path / "nothing.png", PictureFormat())


def test_a_picture_is_never_made_larger(settings: ServerSettings, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 0, picture(9))

    shown = Pictures().stored(jobs.folder("x"), "keyframes", 0, PictureFormat(long_side=8192))

    assert (shown.width, shown.height) == (96, 64)


LOSSLESS = PictureFormat(media_pb2.PICTURE_ENCODING_PNG)


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
