"""Files are opened by what they are, and in a confined process only below its folders."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.errors import ClipNotFound, ClipUnreadable, KeyframesUnusable, SequenceGap
from fresco_media.files import opening as files
from fresco_media.files.opening import NotAFile, OutsideFolders, TooLarge
from fresco_media.painted.keys import check_key
from fresco_media.stills.images import read_image, write_image
from fresco_media.types import ClipProperties
from PIL import Image as Pillow

from tests.engine.conftest import scene, write_clip

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """The only folder that this process may read, until the test is over."""
    folder = tmp_path / "root"
    folder.mkdir()
    files.confine([folder])
    yield folder
    files.confine(None)


def _fifo(folder: Path) -> Path:
    path = folder / "pipe.png"
    os.mkfifo(path)
    return path


def _socket(folder: Path) -> Path:
    path = folder / "socket.png"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    return path


def _device(folder: Path) -> Path:
    path = folder / "device.png"
    path.symlink_to("/dev/zero")
    return path


def _made_up(folder: Path) -> Path:
    path = folder / "made up.png"
    path.symlink_to("/proc/self/environ" if Path("/proc/self").exists() else "/dev/zero")
    return path


_INFO = ClipProperties(
    path=Path("clip.mp4"),
    width=8,
    height=8,
    frame_rate=Fraction(24),
    time_base=Fraction(1, 24),
    times=(0,),
)
_ODD = (_fifo, _socket, _device, _made_up)


@pytest.mark.parametrize("make", _ODD)
def test_what_is_no_file_is_named_and_never_opened(tmp_path: Path, make: object) -> None:
    path = make(tmp_path)  # type: ignore[operator]

    with pytest.raises(NotAFile) as caught:
        files.open_file(path)
    with pytest.raises(ClipUnreadable, match="choose a file"):
        files.regular_file(path)

    assert "not a file" in str(caught.value.strerror)


@pytest.mark.parametrize("make", _ODD)
@pytest.mark.parametrize("suffix", [".png", ".mp4"])
def test_what_is_no_file_is_no_clip(tmp_path: Path, make: object, suffix: str) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    path = path.rename(path.with_suffix(suffix))

    with pytest.raises(ClipUnreadable, match="choose a file"):
        Clip.open(path)


@pytest.mark.parametrize("make", _ODD)
def test_what_is_no_file_is_no_picture(tmp_path: Path, make: object) -> None:
    path = make(tmp_path)  # type: ignore[operator]

    with pytest.raises(ClipUnreadable, match="choose a file"):
        read_image(path)
    with pytest.raises(KeyframesUnusable):
        check_key(path, _INFO)


def test_a_file_longer_than_it_may_be_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.touch()
    os.truncate(path, 1 << 40)

    with pytest.raises(TooLarge, match="64 KB"):
        files.read_file(path, 64 << 10)


def test_a_gap_of_numbers_takes_no_memory(tmp_path: Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    for number in (0, 10**17):
        write_image(tmp_path / f"frame_{number}.png", picture)

    with pytest.raises(SequenceGap, match="no frame 1, 2"):
        Clip.open(tmp_path)


def test_a_confined_process_reads_below_its_folders(root: Path) -> None:
    clip = write_clip(root / "clip.mp4", scene(3))
    (root / "link.mp4").symlink_to(clip)

    opened = [Clip.open(path) for path in (clip, root / "link.mp4")]

    assert [len(list(one.frames())) for one in opened] == [3, 3]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov", "clip.avi"])
def test_a_confined_process_knows_files_by_what_is_in_them(root: Path, name: str) -> None:
    clip = write_clip(root / name, scene(3))

    assert Clip.open(clip).info.frame_count == 3


def test_a_link_that_leads_outside_is_refused(root: Path, tmp_path: Path) -> None:
    outside = write_clip(tmp_path / "private.mp4", scene(3))
    (root / "clip.mp4").symlink_to(outside)

    with pytest.raises(ClipUnreadable, match="outside the folders"):
        Clip.open(root / "clip.mp4")


def test_a_picture_of_a_sequence_that_leads_outside_is_refused(root: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "private.png", np.zeros((8, 8, 3), np.uint8))
    for number in range(3):
        write_image(root / f"frame_{number}.png", np.zeros((8, 8, 3), np.uint8))
    (root / "frame_1.png").unlink()
    (root / "frame_1.png").symlink_to(tmp_path / "private.png")

    with pytest.raises(ClipUnreadable, match="outside the folders"):
        Clip.open(root)


def test_a_picture_swapped_for_a_link_after_the_look_is_refused(root: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "private.png", np.zeros((8, 8, 3), np.uint8))
    for number in range(3):
        write_image(root / f"frame_{number}.png", np.zeros((8, 8, 3), np.uint8))
    clip = Clip.open(root)
    (root / "frame_1.png").unlink()
    (root / "frame_1.png").symlink_to(tmp_path / "private.png")

    with pytest.raises(ClipUnreadable, match="outside the folders"):
        list(clip.frames())


def test_a_clip_swapped_for_a_link_after_the_look_is_refused(root: Path, tmp_path: Path) -> None:
    outside = write_clip(tmp_path / "private.mp4", scene(3))
    clip = Clip.open(write_clip(root / "clip.mp4", scene(3)))
    (root / "clip.mp4").unlink()
    (root / "clip.mp4").symlink_to(outside)

    with pytest.raises(ClipUnreadable, match="outside the folders"):
        list(clip.frames())


def test_a_folder_swapped_between_check_and_opening_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "private"
    for folder in (outside, root / "shots"):
        folder.mkdir()
        (folder / "notes.txt").write_text(folder.name)
    look = os.path.realpath

    def look_and_swap(path: str, **options: bool) -> str:
        real = look(path, **options)
        if (root / "shots").is_dir() and not (root / "shots").is_symlink():
            (root / "shots").rename(root / "moved")
            (root / "shots").symlink_to(outside)
        return real

    monkeypatch.setattr(os.path, "realpath", look_and_swap)

    with pytest.raises(OutsideFolders):
        files.read_file(root / "shots" / "notes.txt", 100)


def test_a_name_is_settled_whatever_becomes_of_its_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "private.txt").write_text("private")
    path = root / "notes.txt"
    path.write_text("open")

    with files.settled(path) as name:
        path.unlink()
        path.symlink_to(tmp_path / "private.txt")
        read = Path(name).read_text()

    assert read == "open"


def test_a_copy_is_made_of_nothing_outside(root: Path, tmp_path: Path) -> None:
    (tmp_path / "private.png").write_bytes(b"private")
    (root / "key.png").symlink_to(tmp_path / "private.png")

    with pytest.raises(OutsideFolders):
        files.copy_file(root / "key.png", root / "copy.png")

    assert not (root / "copy.png").exists()


def test_a_copy_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "new.png").write_bytes(b"new")
    (tmp_path / "precious.txt").write_bytes(b"precious")
    (tmp_path / "copy.png").symlink_to(tmp_path / "precious.txt")

    files.copy_file(tmp_path / "new.png", tmp_path / "copy.png")

    assert (tmp_path / "copy.png").read_bytes() == b"new"
    assert (tmp_path / "precious.txt").read_bytes() == b"precious"


def test_nothing_is_neither_read_nor_made(tmp_path: Path) -> None:
    with pytest.raises(ClipNotFound):
        files.regular_file(tmp_path / "nothing.mp4")
    with pytest.raises(FileNotFoundError):
        files.open_file(tmp_path / "nothing.mp4")


@pytest.mark.parametrize("name", ["key.png", "key.jpg", "key.tif", "key.gif"])
def test_a_picture_of_far_too_many_pixels_is_not_decoded(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Pillow.new("1", (30_000, 24_000)).save(path)

    with pytest.raises(KeyframesUnusable):
        check_key(path, _INFO)
    if name != "key.gif":
        with pytest.raises(ClipUnreadable, match="million pixels that are read"):
            read_image(path)
        with pytest.raises(ClipUnreadable, match="million pixels that are read"):
            Clip.open(path)
