from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from fresco_engine.errors import (
    ClipError,
    DiskFull,
    InvalidSettings,
    OutputExists,
    OutputNotWritable,
    RangeOutsideClip,
)
from fresco_media.clip import Clip
from fresco_media.stills.images import read_image, write_image
from fresco_media.stills.numbered_folder import encoded_own
from fresco_media.writing.destination import Destination, originals_of, pictures_of
from fresco_media.writing.writer import open_writer

MakeClip = Callable[..., Path]


@pytest.fixture
def clip(make_clip: MakeClip) -> Clip:
    return Clip.open(make_clip("source.mp4", frame_count=3))


@pytest.mark.parametrize("name", ["a.avi", "a.webm", "a.gif", "a", "a.MP3"])
def test_unknown_types_are_refused(tmp_path: Path, clip: Clip, name: str) -> None:
    with pytest.raises(OutputNotWritable, match=r"name the file \.mp4"):
        open_writer(tmp_path / name, clip)


def test_an_existing_output_is_kept_unless_told_otherwise(tmp_path: Path, clip: Clip) -> None:
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"precious")

    with pytest.raises(OutputExists, match="allow it to be replaced"):
        open_writer(taken, clip)

    assert taken.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["out.mp4", "out_%04d.png"])
def test_a_file_that_appeared_during_the_work_is_kept_and_the_result_too(
    tmp_path: Path, clip: Clip, name: str
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    foreign = folder / name.replace("%04d", "9999")

    def write_all() -> None:
        with open_writer(folder / name, clip) as writer:
            for frame in clip.frames():
                writer.write(frame)
            foreign.write_bytes(b"precious")

    with pytest.raises(OutputNotWritable, match=r"was taken during the work.* \(2\)") as raised:
        write_all()

    assert foreign.read_bytes() == b"precious"
    (kept,) = set(folder.iterdir()) - {foreign}
    assert kept.name in str(raised.value)
    assert Clip.open(kept).info.frame_count == 3


@pytest.mark.parametrize("name", ["out.mp4", "out_%04d.png"])
def test_a_result_whose_place_cannot_be_had_is_kept_beside_it(
    tmp_path: Path, clip: Clip, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    others = folder / name.replace("%04d", "0001")
    others.write_bytes(b"another user's")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    def write_all() -> None:
        with open_writer(folder / name, clip, overwrite=True) as writer:
            for frame in clip.frames():
                writer.write(frame)
            monkeypatch.setattr(Destination, "rename", refuse)

    with pytest.raises(OutputNotWritable, match=r"may not be replaced; the result is whole, as"):
        write_all()

    (kept,) = set(folder.iterdir()) - {others}
    assert Clip.open(kept).info.frame_count == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("name", ["out.mp4", "out_%04d.png"])
def test_a_pipe_is_not_replaced(tmp_path: Path, clip: Clip, name: str) -> None:
    os.mkfifo(tmp_path / name.replace("%04d", "0001"))

    for overwrite in (False, True):
        with pytest.raises(OutputNotWritable, match="a device, a pipe"):
            open_writer(tmp_path / name, clip, overwrite=overwrite)


@pytest.mark.parametrize("name", ["out.mp4", "out_%04d.png"])
def test_a_folder_that_is_removed_during_the_work_ends_it_at_once(
    tmp_path: Path, clip: Clip, name: str
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    frames = clip.frames()

    with (  # noqa: PT012
        pytest.raises(OutputNotWritable, match="folder"),
        open_writer(folder / name, clip) as writer,
    ):
        writer.write(next(frames))
        shutil.rmtree(folder)
        writer.write(next(frames))
        pytest.fail("it was written on")


def test_pictures_stay_together_when_one_of_their_names_is_taken_as_they_get_them(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if it had come after the last look.
    monkeypatch.setattr(Destination, "is_taken", False)
    foreign = tmp_path / "out_0001.png"

    def write_all() -> None:
        with open_writer(tmp_path / "out_%04d.png", clip) as writer:
            for frame in clip.frames():
                writer.write(frame)
            foreign.write_bytes(b"precious")

    with pytest.raises(OutputNotWritable, match=r"was taken during the work.* \(2\)"):
        write_all()

    assert foreign.read_bytes() == b"precious"
    (kept,) = set(tmp_path.iterdir()) - {foreign, clip.info.path}
    assert Clip.open(kept).info.frame_count == 3


@pytest.mark.parametrize("name", [f"{'x' * 252}.mp4", f"{'x' * 252}_%04d.png"])
def test_a_name_that_no_disk_takes_is_refused(tmp_path: Path, clip: Clip, name: str) -> None:
    with pytest.raises(OutputNotWritable, match="too long; choose a shorter one"):
        open_writer(tmp_path / name, clip)


def test_a_folder_named_like_a_video_is_not_filled_with_pictures(
    tmp_path: Path, clip: Clip
) -> None:
    (tmp_path / "out.mp4").mkdir()

    with pytest.raises(OutputNotWritable, match="this is a folder"):
        open_writer(tmp_path / "out.mp4", clip)


def test_pictures_that_go_without_being_replaced_are_told(tmp_path: Path, clip: Clip) -> None:
    (tmp_path / "shot_1.png").write_bytes(b"earlier")
    for number in (7001, 7002):
        black = np.zeros((8, 8, 3), np.uint8)
        (tmp_path / f"shot_{number}.png").write_bytes(encoded_own(black))

    with open_writer(tmp_path / "shot_%d.png", clip, overwrite=True) as writer:
        told = writer.warnings
        for frame in clip.frames():
            writer.write(frame)

    assert any("2 pictures of an earlier result" in one and "shot_7002.png" in one for one in told)


def test_a_missing_folder_is_refused(tmp_path: Path, clip: Clip) -> None:
    with pytest.raises(OutputNotWritable, match=r"does not exist; create it"):
        open_writer(tmp_path / "no" / "out.mp4", clip)


def test_a_folder_that_may_not_be_written_is_refused(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not bind every user that runs tests, so the system's answer is replaced.
    monkeypatch.setattr("os.access", lambda *_: False)

    with pytest.raises(OutputNotWritable, match="may not be written to"):
        open_writer(tmp_path / "out.mp4", clip)


def test_the_clip_itself_is_never_the_output(clip: Clip) -> None:
    with pytest.raises(OutputNotWritable, match="choose another name"):
        open_writer(clip.info.path, clip, overwrite=True)


def test_a_sequence_is_never_written_over(make_images: Callable[..., Path]) -> None:
    folder = make_images("plates", range(3))

    with pytest.raises(OutputNotWritable, match="choose another name or folder"):
        open_writer(folder / "shot_%04d.png", Clip.open(folder), overwrite=True)


@pytest.mark.parametrize("name", ["plates", "plates/shot_%04d.png", "plates/shot_0000.png"])
def test_a_sequence_that_has_lost_a_picture_is_never_written_over_either(
    make_images: Callable[..., Path], name: str
) -> None:
    folder = make_images("plates", range(4))
    members = sorted(folder.iterdir())
    members.pop(1).unlink()

    originals = pictures_of(folder.parent / name, "the clip itself is")

    for member in members:
        with pytest.raises(OutputNotWritable, match="this is where the clip itself is"):
            originals.check(member)


def test_what_lies_nowhere_here_protects_nothing(tmp_path: Path) -> None:
    originals = pictures_of(tmp_path / "away" / "a_%04d.png", "the clip itself is")

    originals.check(tmp_path / "away" / "b_0001.png")


def test_a_folder_is_no_video_file(tmp_path: Path, clip: Clip) -> None:
    (tmp_path / "folder.mp4").mkdir()

    with pytest.raises(OutputNotWritable, match="this is a folder"):
        open_writer(tmp_path / "folder.mp4", clip, codec="h264")


def test_a_file_is_no_folder_of_images(tmp_path: Path, clip: Clip) -> None:
    (tmp_path / "out").write_bytes(b"")

    with pytest.raises(OutputNotWritable, match="this is a file"):
        open_writer(tmp_path / "out", clip, codec="images", overwrite=True)


def test_images_are_png_only(tmp_path: Path, clip: Clip) -> None:
    with pytest.raises(OutputNotWritable, match="written as PNG"):
        open_writer(tmp_path / "out_%04d.jpg", clip)


def test_an_unknown_codec_is_refused(tmp_path: Path, clip: Clip) -> None:
    with pytest.raises(InvalidSettings, match="use one of h264, lossless, prores, images"):
        open_writer(tmp_path / "out.mp4", clip, codec="av1")  # type: ignore[arg-type]


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize("codec", ["h264", "lossless", "images"])
def test_a_nearly_full_disk_is_noticed_before_the_work(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch, codec: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(10**9, 10**9, 5000))
    name = "out" if codec == "images" else "out.mp4"

    with pytest.raises(DiskFull, match="free some room") as caught:
        open_writer(tmp_path / name, clip, codec=codec)  # type: ignore[arg-type]

    assert caught.value.free_bytes == 5000
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(("start", "stop"), [(0, 4), (-1, 2), (2, 2)])
def test_a_range_outside_the_clip_is_refused(
    tmp_path: Path, clip: Clip, start: int, stop: int
) -> None:
    with pytest.raises(RangeOutsideClip):
        open_writer(tmp_path / "out.mp4", clip, start=start, stop=stop)


def test_refusals_leave_nothing_behind(tmp_path: Path, clip: Clip) -> None:
    before = sorted(tmp_path.iterdir())

    for name in ("a.avi", "no/a.mp4", "source.mp4"):
        with pytest.raises((OutputExists, OutputNotWritable, ClipError)):
            open_writer(tmp_path / name, clip)

    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", [".", "../results"])
def test_the_current_folder_has_a_name_for_what_must_go_elsewhere(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def write_all() -> None:
        with open_writer(name, clip, codec="images") as writer:
            for frame in clip.frames():
                writer.write(frame)
            (folder / "frame_000001.png").write_bytes(b"precious")

    with pytest.raises(OutputNotWritable, match=r"as results \(2\)"):
        write_all()

    assert len(list((tmp_path / "results (2)").iterdir())) == clip.info.frame_count
    assert [path.name for path in folder.iterdir()] == ["frame_000001.png"]


def test_the_top_of_a_disk_is_no_place_for_pictures(tmp_path: Path, clip: Clip) -> None:
    with pytest.raises(OutputNotWritable, match="name a folder in it"):
        open_writer(Path(tmp_path.anchor), clip, codec="images")


def test_a_folder_for_pictures_has_to_be_writable_itself(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").mkdir()
    # Permissions do not bind every user that runs tests, so the system's answer is replaced.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "results")

    with pytest.raises(OutputNotWritable, match="results may not be written to"):
        open_writer(tmp_path / "results", clip, codec="images")


@pytest.mark.parametrize("number", [2, 3, 99])
def test_a_picture_does_not_become_a_frame_of_the_clip(tmp_path: Path, number: int) -> None:
    for index in range(3):
        write_image(tmp_path / f"shot_{index}.png", np.full((24, 32, 3), 80 * index, np.uint8))
    originals = originals_of(Clip.open(tmp_path / "shot_1.png").info)

    with pytest.raises(OutputNotWritable, match=r"the clip itself is|would become a frame"):
        originals.check(tmp_path / f"shot_{number}.png")
    originals.check(tmp_path / "shot_2-oil.png", tmp_path / "elsewhere" / "shot_3.png")


def test_pictures_that_no_job_has_made_are_neither_removed_nor_mixed_with(
    tmp_path: Path, clip: Clip
) -> None:
    def write_all(stop: int) -> None:
        with open_writer(tmp_path / "out_%d.png", clip, overwrite=True, stop=stop) as writer:
            for frame in clip.frames(0, stop):
                writer.write(frame)

    write_all(3)
    write_image(tmp_path / "out_0.png", np.zeros((8, 8, 3), np.uint8))
    write_all(2)
    assert sorted(path.name for path in tmp_path.glob("out_*")) == ["out_0.png", "out_1.png"]

    painted = np.zeros((10, 10, 3), np.uint8)
    write_image(tmp_path / "out_9.png", painted)
    with pytest.raises(OutputNotWritable, match=r"out_9\.png: no job has saved this picture"):
        write_all(2)
    assert (read_image(tmp_path / "out_9.png") == painted).all()


def test_pictures_lose_nothing_either(tmp_path: Path, clip: Clip) -> None:
    with open_writer(tmp_path / "out_%d.png", clip, codec="lossless") as writer:
        for frame in clip.frames():
            writer.write(frame)

    assert len(list(tmp_path.glob("out_*.png"))) == 3
