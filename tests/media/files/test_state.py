"""Clips that change on disk while they are worked on."""

import os
from pathlib import Path

import pytest
from fresco_media.clip import Clip
from fresco_media.errors import ClipUnreadable
from fresco_media.files.state import FileState

from tests.engine.conftest import scene, write_clip


def _first(clip: Clip) -> int:
    return int(next(clip.frames_at([0])).image.sum())


def test_a_clip_that_another_one_replaced_is_not_taken_for_itself(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip = Clip.open(path)
    _first(clip)

    write_clip(tmp_path / "other.mp4", scene(8)).replace(path)

    with pytest.raises(ClipUnreadable, match="it was replaced meanwhile; open it again"):
        _first(clip)


def test_a_clip_that_was_cut_off_is_not_read_on(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip = Clip.open(path)
    os.truncate(path, path.stat().st_size - 1)

    with pytest.raises(ClipUnreadable, match="replaced"):
        _first(clip)


def test_a_clip_that_grows_or_is_touched_goes_on(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip = Clip.open(path)
    before = _first(clip)
    with path.open("ab") as file:
        file.write(bytes(100))
    os.utime(path, (1, 1))

    assert _first(clip) == before


def test_a_drive_may_number_the_same_file_anew() -> None:
    one, same = FileState((1, 2), 10, 5), FileState((1, 3), 10, 5)

    assert one.is_continued_by(same)
    assert not one.is_continued_by(FileState((1, 3), 10, 6))
