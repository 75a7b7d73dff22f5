"""What killed runs leave beside their results: removed a day later, and nothing else is."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from fresco_media.clip import Clip
from fresco_media.files.unfinished import begin_unfinished, remove_dead, unfinished_name
from fresco_media.writing.writer import open_writer

from tests.engine.conftest import scene, write_clip

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

DAY_S = 24 * 3600


def age(path: Path, days: float = 1.5) -> Path:
    then = time.time() - days * DAY_S
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize("is_folder", [False, True], ids=["file", "folder"])
def test_what_a_dead_run_left_goes(is_folder: bool, tmp_path: Path) -> None:
    left = unfinished_name(tmp_path / "result.mp4")
    descriptor = begin_unfinished(left, is_folder=is_folder)
    assert descriptor is not None
    if is_folder:
        (left / "frame_000001.png").write_bytes(b"half a picture")

    remove_dead(age(left).parent)
    assert left.exists(), "its writer lives"

    os.close(descriptor)  # as the end of a process does
    remove_dead(tmp_path)
    assert not left.exists()


def test_what_was_touched_today_stays(tmp_path: Path) -> None:
    left = unfinished_name(tmp_path / "result.mp4")
    left.write_bytes(b"of a run on another machine, whose lock is not seen here")

    remove_dead(age(left, days=0.5).parent)

    assert left.exists()


@pytest.mark.parametrize(
    "name",
    [
        ".fresco-0123456789ab.partial",
        ".fresco-0123456789abcdef.partial.mp4",
        "fresco-0123456789abcdef.partial",
        ".fresco-0123456789ABCDEF.partial",
        ".fresco-frame-by-hand-16.partial",
    ],
)
def test_other_names_stay(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"mine")

    remove_dead(age(tmp_path / name).parent)

    assert (tmp_path / name).exists()


def test_what_is_no_file_or_folder_stays_and_is_not_waited_for(tmp_path: Path) -> None:
    target = tmp_path / "clip.mov"
    target.write_bytes(b"mine")
    link, pipe = (unfinished_name(tmp_path / "result.mp4") for _ in range(2))
    link.symlink_to(age(target))
    os.mkfifo(pipe)

    remove_dead(age(pipe).parent)

    assert link.is_symlink()
    assert target.exists()
    assert pipe.exists()


@pytest.mark.parametrize("name", ["result.mp4", "picture_%04d.png"])
def test_a_result_removes_dead_ones_beside_it_but_not_a_living_one(
    name: str, tmp_path: Path
) -> None:
    frames = scene(3)
    clip = Clip.open(write_clip(tmp_path / "clip.mp4", frames))
    dead = unfinished_name(tmp_path / name)
    dead.write_bytes(b"half a film")
    age(dead)

    with open_writer(tmp_path / name, clip) as living:
        (own,) = set(tmp_path.glob(".fresco-*.partial"))
        assert own != dead
        age(own)
        with open_writer(tmp_path / f"other_{name}", clip) as other:
            for writer in (other, living):
                for frame in clip.frames():
                    writer.write(frame)

    assert not list(tmp_path.glob(".fresco-*"))
    assert len(list(tmp_path.glob(name.replace("%04d", "*")))) == (3 if "%" in name else 1)
