"""Files on machines that may have them, and on others that are sent them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_engine.errors import ModelNotFound
from fresco_media.clip import Clip
from fresco_media.errors import ClipChanged
from fresco_media.files.state import sample_of
from fresco_media.stills.images import write_image
from fresco_server.cluster import files
from fresco_server.cluster.files import (
    SourceCache,
    SourceGone,
    check_models,
    names_of,
    needs_of,
    needs_of_look,
    pieces_of,
    placed,
)
from fresco_server.cluster.orders import Needs, SourceFile
from fresco_server.jobs.job import JobOrder, ModelOrder
from fresco_server.jobs.looks import LookOrder
from fresco_server.worker.digests import DigestStopped

from tests.engine.conftest import scene, write_clip


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """A folder of pictures."""
    folder = tmp_path / "shot é"
    folder.mkdir()
    for index, picture in enumerate(scene(4)):
        write_image(folder / f"frame_{index:04d}.png", picture)
    return folder


@pytest.fixture
def order(tmp_path: Path, sequence: Path) -> JobOrder:
    """A job with a clip, a mask in pictures, a reference and a painted picture."""
    clip = write_clip(tmp_path / "clip.mp4", scene(4))
    for name in ("reference.png", "painted.png"):
        write_image(tmp_path / name, scene(1)[0])
    settings = {
        "subject_mask": str(sequence),
        "reference": str(tmp_path / "reference.png"),
        "keyframe_pictures": {"2": str(tmp_path / "painted.png")},
        "prompt": "ink",
    }
    return JobOrder(clip=str(clip), settings=settings)


def send(cache: SourceCache, needs: Needs) -> list[SourceFile]:
    """Everything that is missing, in pieces of a few bytes."""
    missing = list(cache.missing(needs))
    for file in missing:
        for offset, data in pieces_of(file):
            cache.write(file, offset, data)
    return missing


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are sent a kilobyte at a time."""
    monkeypatch.setattr(files, "CHUNK_BYTES", 1000)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is at the same place as at the daemon."""
    monkeypatch.setattr(files, "_is_here", lambda _: False)


def needs_on(path: Path, **settings: object) -> Needs:
    """What a job on the clip at `path` reads."""
    return needs_of(JobOrder(clip=str(path), settings=settings), Clip.open(path))


def copied(cache: SourceCache, needs: Needs, name: Path) -> Path:
    """The copy of a source, which is sent if it is not there."""
    send(cache, needs)
    (source,) = (one for one in needs.sources if one.name == str(name))
    return Path(cache.place(source))


def overwrite(path: Path, start: int, data: bytes) -> None:
    """Write into a file, whose size and time of the last writing stay as they were."""
    facts = path.stat()
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert path.stat().st_size == facts.st_size


def bitmap(path: Path, height: int, width: int = 1024) -> Path:
    """An uncompressed picture, in which some rows lie between any two samples."""
    assert cv2.imwrite(str(path), np.zeros((height, width, 3), np.uint8))
    return path


def is_between_samples(path: Path, blocks: int, start: int, data: bytes) -> bool:
    """Whether writing there leaves the sample of `blocks` blocks as it is."""
    before = sample_of(path, path.stat().st_size, blocks)
    overwrite(path, start, data)
    return sample_of(path, path.stat().st_size, blocks) == before


def test_what_is_at_the_same_place_is_read_there(order: JobOrder, tmp_path: Path) -> None:
    cache = SourceCache(tmp_path / "cache")
    needs = needs_of(order, Clip.open(order.clip))

    places = {source.name: cache.place(source) for source in needs.sources}

    assert cache.missing(needs) == ()
    assert placed(order, places) == (order.clip, order.settings)


def test_what_is_not_there_is_sent_once_and_read_from_there(
    order: JobOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_is_here", lambda _: False)
    cache = SourceCache(tmp_path / "cache")
    needs = needs_of(order, Clip.open(order.clip))

    sent = send(cache, needs)
    places = {source.name: cache.place(source) for source in needs.sources}
    clip, settings = placed(order, places)

    assert len(sent) == 7
    assert cache.missing(needs) == ()
    for there, here in (
        (order.clip, clip),
        (order.settings["subject_mask"], settings["subject_mask"]),
        (order.settings["reference"], settings["reference"]),
        (order.settings["keyframe_pictures"]["2"], settings["keyframe_pictures"]["2"]),
    ):
        assert Path(here).is_relative_to(tmp_path / "cache")
        assert Clip.open(here).state == Clip.open(there).state
    assert settings["prompt"] == "ink"


@pytest.mark.parametrize("name", ["", "frame_%04d.png", "frame_0001.png"])
def test_a_sequence_may_be_named_in_every_way(
    sequence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(files, "_is_here", lambda _: False)
    cache = SourceCache(tmp_path / "cache")
    order = JobOrder(clip=str(sequence / name), settings={})
    needs = needs_of(order, Clip.open(order.clip))
    send(cache, needs)

    clip, _ = placed(order, {source.name: cache.place(source) for source in needs.sources})

    assert Clip.open(clip).info.frame_count == 4


def test_another_file_at_the_same_place_is_not_taken_for_it(
    order: JobOrder, tmp_path: Path
) -> None:
    cache = SourceCache(tmp_path / "cache")
    needs = needs_of(order, Clip.open(order.clip))
    clip = Path(order.clip)
    data = bytearray(clip.read_bytes())
    data[len(data) // 2] ^= 1

    clip.write_bytes(data)

    assert [file.path for file in cache.missing(needs)] == [order.clip]


def test_a_file_that_was_sent_in_part_is_sent_anew(
    order: JobOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_is_here", lambda _: False)
    cache = SourceCache(tmp_path / "cache")
    needs = needs_of(order, Clip.open(order.clip))
    first = cache.missing(needs)[0]

    cache.write(first, 0, b"half")

    assert first in cache.missing(needs)


@pytest.mark.usefixtures("far")
def test_a_picture_that_is_painted_over_between_its_samples_is_sent_again(tmp_path: Path) -> None:
    folder = tmp_path / "shot"
    folder.mkdir()
    frames = [bitmap(folder / f"f_{index}.bmp", 256) for index in range(3)]
    cache = SourceCache(tmp_path / "cache")
    first = copied(cache, needs_on(folder), folder)

    assert is_between_samples(frames[1], 4, 200_000, b"x" * 20_000)
    needs = needs_on(folder)
    assert [file.path for file in cache.missing(needs)] == [str(frames[1])]
    second = copied(cache, needs, folder)

    for frame in frames:
        assert (second / frame.name).read_bytes() == frame.read_bytes()
    # A job that runs still goes on with what it began with.
    assert b"xxx" not in (first / frames[1].name).read_bytes()


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("setting", ["subject_mask", "reference", "painted"])
def test_other_pictures_that_are_changed_between_their_samples_are_sent_again(
    tmp_path: Path, setting: str
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", scene(2))
    picture = bitmap(tmp_path / "picture.bmp", 1024, 1280)
    given = {"keyframe_pictures": {"0": str(picture)}}
    settings = given if setting == "painted" else {setting: str(picture)}
    cache = SourceCache(tmp_path / "cache")
    copied(cache, needs_on(clip, **settings), picture)

    assert is_between_samples(picture, 64, 2_020_000, b"x" * 10_000)
    copy = copied(cache, needs_on(clip, **settings), picture)

    assert copy.read_bytes() == picture.read_bytes()


def test_what_only_looks_like_the_daemons_file_is_not_taken_for_it(tmp_path: Path) -> None:
    clip, kept = tmp_path / "shot.bmp", tmp_path / "kept.bmp"
    bitmap(clip, 1024, 1280)
    needs = needs_on(clip)
    cache = SourceCache(tmp_path / "cache")
    assert cache.missing(needs) == ()

    # Another machine's own disk has a file of the same name, size, age and samples.
    shutil.copy2(clip, kept)
    clip.unlink()
    kept.rename(clip)
    overwrite(clip, 2_020_000, b"x" * 10_000)

    assert [file.path for file in cache.missing(needs)] == [str(clip)]
    with pytest.raises(SourceGone):
        cache.place(needs.sources[0])


def test_of_a_recording_that_grows_is_used_what_the_job_knows(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", scene(4))
    needs = needs_on(clip)
    known = clip.read_bytes()
    cache = SourceCache(tmp_path / "cache")
    assert cache.missing(needs) == ()
    with clip.open("ab") as growing:
        growing.write(bytes(5000))
    with pytest.raises(SourceGone):
        cache.place(needs.sources[0])

    copy = copied(cache, needs, clip)

    assert cache.missing(needs) == ()
    assert copy.read_bytes() == known


@pytest.mark.usefixtures("far")
def test_a_recording_may_grow_while_it_is_sent(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", scene(4))
    needs = needs_on(clip)
    known = clip.read_bytes()
    cache = SourceCache(tmp_path / "cache")
    (file,) = cache.missing(needs)

    for offset, data in pieces_of(file):
        cache.write(file, offset, data)
        with clip.open("ab") as growing:
            growing.write(bytes(500))

    assert cache.missing(needs) == ()
    assert Path(cache.place(needs.sources[0])).read_bytes() == known


@pytest.mark.parametrize("change", ["cut off", "another", "gone"])
def test_a_file_that_is_another_one_when_it_is_sent_is_named_and_not_kept(
    tmp_path: Path, change: str
) -> None:
    clip = write_clip(tmp_path / "clip.mkv", scene(4))
    needs = needs_on(clip)
    cache = SourceCache(tmp_path / "cache")
    data = clip.read_bytes()
    match change:
        case "cut off":
            clip.write_bytes(data[: len(data) // 2])
        case "another":
            clip.write_bytes(bytes(len(data)))
        case _:
            clip.unlink()

    with pytest.raises((ClipChanged, FileNotFoundError), match=r"clip\.mkv"):
        send(cache, needs)

    assert [file.path for file in cache.missing(needs)] == [str(clip)]


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("length", [246, 247, 250, 255])
def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path, length: int) -> None:
    clip = write_clip(tmp_path / "clip.mkv", scene(2))
    clip = clip.rename(tmp_path / ("n" * (length - 4) + ".mkv"))

    copy = copied(SourceCache(tmp_path / "cache"), needs_on(clip), clip)

    assert copy.name == clip.name
    assert copy.read_bytes() == clip.read_bytes()


@pytest.mark.usefixtures("far")
def test_an_empty_file_is_sent_once(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", scene(2))
    empty = tmp_path / "empty.png"
    empty.touch()

    copy = copied(SourceCache(tmp_path / "cache"), needs_on(clip, reference=str(empty)), empty)

    assert copy.read_bytes() == b""


@pytest.mark.usefixtures("far")
def test_two_workers_of_a_machine_put_the_same_copy_together(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", scene(2))
    needs = needs_on(clip)
    caches = [SourceCache(tmp_path / "cache") for _ in range(2)]
    send(caches[0], needs)

    assert caches[1].missing(needs) == ()
    assert len({cache.place(needs.sources[0]) for cache in caches}) == 1


def test_a_models_file_has_to_be_there_and_the_same(tmp_path: Path) -> None:
    lora = tmp_path / "ink.safetensors"
    lora.write_bytes(b"weights")
    clip = write_clip(tmp_path / "clip.mp4", scene(2))
    order = JobOrder(clip=str(clip), settings={}, model=ModelOrder(loras=((str(lora), 1.0),)))
    needs = needs_of(order, Clip.open(order.clip))

    check_models(needs.models)
    lora.write_bytes(b"Weights")
    with pytest.raises(ModelNotFound, match=r"another content on .*copy it there"):
        check_models(needs.models)
    lora.unlink()
    with pytest.raises(ModelNotFound, match=r"is missing on .*copy it there"):
        check_models(needs.models)


def test_a_job_that_is_to_stop_does_so_while_its_models_are_read(tmp_path: Path) -> None:
    lora = tmp_path / "ink.safetensors"
    lora.write_bytes(bytes(5 << 20))
    clip = write_clip(tmp_path / "clip.mp4", scene(2))
    model = ModelOrder(loras=((str(lora), 1.0),))
    order = JobOrder(clip=str(clip), settings={}, model=model)
    look = LookOrder(clip=str(clip), index=0, settings={}, model=model)

    with pytest.raises(DigestStopped):
        needs_of(order, Clip.open(clip), lambda: False)
    with pytest.raises(DigestStopped):
        needs_of_look(look, lambda: False)

    needs = needs_of(order, Clip.open(clip))
    os.utime(lora)
    with pytest.raises(DigestStopped):
        check_models(needs.models, lambda: False)
    check_models(needs.models)


def copies(cache: SourceCache, *clips: Path) -> list[bool]:
    """Which of the clips are there."""
    return [not cache.missing(needs_on(clip)) for clip in clips]


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Three clips of some kilobytes."""
    return [write_clip(tmp_path / f"clip {number}.mkv", scene(3)) for number in range(3)]


@pytest.mark.usefixtures("far")
def test_copies_that_nobody_needs_go_when_there_are_too_many_the_oldest_first(
    tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = SourceCache(tmp_path / "cache")
    for number, clip in enumerate(clips):
        copied(cache, needs_on(clip), clip)
        for file in (tmp_path / "cache" / "files").iterdir():
            if file.stat().st_mtime_ns > number + 1:
                os.utime(file, ns=(0, number + 1))

    cache.make_room(frozenset(), 0)
    assert copies(cache, *clips) == [True, True, True]

    monkeypatch.setattr(files, "MOST_SPARE_BYTES", clips[2].stat().st_size)
    cache.make_room(names_of(needs_on(clips[0])), 0)
    assert copies(cache, *clips) == [True, False, True]

    cache.make_room(frozenset(), 0)
    assert copies(cache, *clips) == [False, False, True]
    assert not list((tmp_path / "cache" / "sources").iterdir())


@pytest.mark.usefixtures("far")
def test_copies_that_nobody_needs_make_room_on_a_full_disk_and_others_stay(
    tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = SourceCache(tmp_path / "cache")
    places = [copied(cache, needs_on(clip), clip) for clip in clips]
    monkeypatch.setattr(files, "free_bytes", lambda _: 1000)

    cache.make_room(names_of(needs_on(clips[1])), 1000)
    assert copies(cache, *clips) == [True, True, True]
    cache.make_room(names_of(needs_on(clips[1])), 2000)

    assert copies(cache, *clips) == [False, True, False]
    assert places[1].read_bytes() == clips[1].read_bytes()


@pytest.mark.usefixtures("far")
def test_what_is_left_of_a_file_that_was_not_sent_to_its_end_goes_too(
    tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = SourceCache(tmp_path / "cache")
    (file,) = cache.missing(needs_on(clips[0]))
    cache.write(file, 0, b"a")
    monkeypatch.setattr(files, "MOST_SPARE_BYTES", 0)

    cache.make_room(names_of(needs_on(clips[0])), 0)

    assert not list((tmp_path / "cache" / "files").iterdir())
