"""A folder of painted keyframes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fresco_engine.errors import KeyframesUnusable
from fresco_media.clip import Clip
from fresco_media.images import write_image
from fresco_media.painted import check_key, find_painted_keys, read_key
from PIL import Image as Pillow

from tests.engine.conftest import scene, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return Clip.open(write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", scene(12)))


def painted(folder: Path, *names: str, size: tuple[int, int] = (80, 64)) -> Path:
    for name in names:
        Pillow.new("RGB", size, (200, 30, 90)).save(folder / name)
    return folder


def test_the_last_number_in_a_name_is_the_frame(clip: Clip, tmp_path: Path) -> None:
    folder = painted(tmp_path, "shot2 key_0003.png", "7.jpg", "été-010.tif", "v1.0-0.gif", "11.tga")

    keys = find_painted_keys(folder, clip, 0, 12)

    assert {index: file.name for index, file in keys.files.items()} == {
        0: "v1.0-0.gif",
        3: "shot2 key_0003.png",
        7: "7.jpg",
        10: "été-010.tif",
        11: "11.tga",
    }


def test_keys_of_an_image_sequence_are_numbered_like_its_files(tmp_path: Path) -> None:
    frames, keys = tmp_path / "frames", tmp_path / "keys"
    frames.mkdir()
    keys.mkdir()
    for number, picture in enumerate(scene(4), start=1001):
        write_image(frames / f"f.{number}.png", picture)
    painted(keys, "f.1002.png")

    found = find_painted_keys(keys, Clip.open(frames), 0, 4)

    assert list(found.files) == [1]


def test_other_files_are_left_alone_and_pictures_without_a_number_are_told(
    clip: Clip, tmp_path: Path
) -> None:
    folder = painted(tmp_path, "004.png", "palette.png")
    (folder / "notes 5.txt").write_text("mine")
    (folder / ".hidden 6.png").write_bytes(b"")

    keys = find_painted_keys(folder, clip, 0, 12)

    assert list(keys.files) == [4]
    assert keys.warnings == ("palette.png has no number in its name and is not used",)


def test_keys_outside_the_range_are_told_and_not_used(clip: Clip, tmp_path: Path) -> None:
    keys = find_painted_keys(painted(tmp_path, "2.png", "9.png"), clip, 0, 6)

    assert list(keys.files) == [2]
    assert keys.warnings == ("9.png lies outside the range and is not used",)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), "holds no pictures; name every key by its frame"),
        (("one.png",), "no frame number in this name"),
        (("a3.png", "b003.png"), "a3.png and b003.png are both frame 3; move one of them"),
        (("12.png",), "no frame 12, only 0 to 11; frames are counted from 0"),
        (("400.png",), "no frame 400, only 0 to 11; rename the file"),
        (("9.png",), "lie outside the range"),
    ],
    ids=["empty", "no number", "twice", "counted from one", "too large", "outside the range"],
)
def test_a_folder_that_cannot_be_used_is_refused_with_what_to_do(
    clip: Clip, tmp_path: Path, names: tuple[str, ...], told: str
) -> None:
    with pytest.raises(KeyframesUnusable, match=told):
        find_painted_keys(painted(tmp_path, *names), clip, 0, 6)


@pytest.mark.parametrize("name", ["gone", "file.txt"])
def test_what_is_no_folder_is_refused(clip: Clip, tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("")

    with pytest.raises(KeyframesUnusable, match="folder"):
        find_painted_keys(tmp_path / name, clip, 0, 12)


def test_a_key_painted_at_another_size_is_resized_and_told(clip: Clip, tmp_path: Path) -> None:
    painted(tmp_path, "large.png", size=(160, 128))

    image = read_key(tmp_path / "large.png", clip, 0)
    said = check_key(tmp_path / "large.png", clip.info)

    assert image.shape == (64, 80, 3)
    assert said == ("large.png is 160x128 and was resized to the clip's 80x64",)


def test_a_key_of_another_shape_is_refused(clip: Clip, tmp_path: Path) -> None:
    painted(tmp_path, "tall.png", size=(64, 80))

    with pytest.raises(KeyframesUnusable, match="another shape; paint it over a frame"):
        check_key(tmp_path / "tall.png", clip.info)


@pytest.mark.parametrize("name", ["broken.png", "broken.gif"])
def test_a_damaged_key_is_refused(clip: Clip, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"GIF89a" if name.endswith("gif") else b"no picture")

    with pytest.raises(KeyframesUnusable, match="damaged or not a picture"):
        check_key(tmp_path / name, clip.info)


def test_a_key_of_the_clips_size_is_taken_as_it_is(clip: Clip, tmp_path: Path) -> None:
    picture = scene(1)[0]
    write_image(tmp_path / "0.png", picture)

    image = read_key(tmp_path / "0.png", clip, 0)

    np.testing.assert_array_equal(image, picture)
    assert check_key(tmp_path / "0.png", clip.info) == ()
