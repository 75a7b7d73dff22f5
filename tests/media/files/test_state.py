"""Clips that change on disk while they are worked on."""

import os
from pathlib import Path

import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.errors import ClipChanged, FileChanged
from fresco_media.files.state import FileState, KnownFile
from fresco_media.stills.images import write_image

from tests.engine.conftest import scene, write_clip


def _first(clip: Clip) -> int:
    return int(next(clip.frames_at([0])).image.sum())


def test_a_clip_that_another_one_replaced_is_not_taken_for_itself(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip = Clip.open(path)
    _first(clip)

    write_clip(tmp_path / "other.mp4", scene(8)).replace(path)

    with pytest.raises(ClipChanged, match="it was replaced, overwritten or cut off"):
        _first(clip)


def test_a_clip_that_was_cut_off_is_not_read_on(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip = Clip.open(path)
    os.truncate(path, path.stat().st_size - 1)

    with pytest.raises(ClipChanged):
        _first(clip)


def test_a_clip_that_grows_or_is_touched_goes_on(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip = Clip.open(path)
    before = _first(clip)
    with path.open("ab") as file:
        file.write(bytes(100))
    os.utime(path, (1, 1))

    assert _first(clip) == before


def _overwritten(path: Path, content: bytes) -> None:
    """Other content of the same length in the same file, which keeps its time."""
    times = path.stat()
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_clip_that_was_overwritten_by_one_as_large_is_told_at_the_next_frame(
    tmp_path: Path,
) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip = Clip.open(path)
    frames = clip.frames()
    next(frames)

    _overwritten(path, path.read_bytes()[::-1])

    with pytest.raises(ClipChanged):
        next(frames)


def test_what_a_changed_clip_cannot_be_decoded_to_is_no_damage(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip = Clip.open(path)
    path.write_bytes(bytes(path.stat().st_size))

    with pytest.raises(ClipChanged):
        _first(clip)


def test_a_picture_of_a_sequence_that_was_overwritten_is_told(tmp_path: Path) -> None:
    for frame, image in enumerate(scene(3)):
        write_image(tmp_path / f"{frame:04d}.bmp", image)
    clip = Clip.open(tmp_path)
    last = tmp_path / "0002.bmp"
    _first(clip)

    _overwritten(last, last.read_bytes()[:54] + bytes(last.stat().st_size - 54))

    assert _first(clip)
    with pytest.raises(ClipChanged, match=r"0002\.bmp"):
        next(clip.frames_at([2]))


def test_a_clip_that_was_copied_back_is_the_same(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    clip, state = Clip.open(path), Clip.open(path).state
    content = path.read_bytes()
    path.write_bytes(content[:100])
    with pytest.raises(ClipChanged):
        clip.check()
    path.unlink()
    path.write_bytes(content)

    clip.check()
    Clip.open(path).check(state)


@pytest.mark.parametrize("size", [0, 1, 5000, 3_000_000])
def test_one_byte_of_every_block_that_is_looked_at_counts(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    known = KnownFile(path)

    if size:
        _overwritten(path, bytes(size - 1) + b"x")
        with pytest.raises(ClipChanged):
            known.check()
    path.write_bytes(bytes(size) + b"more")
    known.check()


def test_a_state_knows_its_clip_also_when_there_is_more_of_it(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(6))
    folder = tmp_path / "pictures"
    folder.mkdir()
    images = scene(4)
    for frame in range(3):
        write_image(folder / f"{frame:04d}.png", images[frame])
    states = [Clip.open(one).state for one in (path, folder)]

    with path.open("ab") as file:
        file.write(bytes(100))
    write_image(folder / "0003.png", images[3])

    for one, state in zip((path, folder), states, strict=True):
        Clip.open(one).check(state)
    write_image(folder / "0001.png", images[0])
    write_clip(tmp_path / "other.mp4", scene(8)).replace(path)
    for one, state in zip((path, folder), states, strict=True):
        with pytest.raises(ClipChanged):
            Clip.open(one).check(state)


def test_one_stroke_in_a_picture_that_is_not_compressed_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "key_0000.bmp"
    image = np.full((1080, 1920, 3), 90, np.uint8)
    write_image(path, image)
    state = FileState.of(path)
    image[500:503, 300:303] = 200
    write_image(path, image)

    with pytest.raises(FileChanged):
        state.check()
