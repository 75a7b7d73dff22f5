"""A folder of painted keyframes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_engine.errors import KeyframesUnusable
from fresco_media.clip import Clip
from fresco_media.painted.keys import check_key, check_keys, find_painted_keys, misplaced, read_key
from fresco_media.stills.images import write_image
from fresco_media.types import Image
from PIL import Image as Pillow

from tests.engine.conftest import scene, write_clip
from tests.media import makers


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


@pytest.mark.parametrize(
    "name",
    ["{:04d}_painted_v3.png", "{}.v2.png", "shot7 {:03d} take 2 (1).png", "f{}-1920x1080.png"],
)
def test_where_the_last_number_is_always_the_same_an_earlier_one_is_the_frame(
    clip: Clip, tmp_path: Path, name: str
) -> None:
    folder = painted(tmp_path, *(name.format(number) for number in (0, 4, 11)))

    keys = find_painted_keys(folder, clip, 0, 12)

    assert {index: file.name for index, file in keys.files.items()} == {
        number: name.format(number) for number in (0, 4, 11)
    }


@pytest.mark.parametrize(
    "names",
    [
        {0: "key_0.png", 5: "key_5 (1).png", 10: "key_10.png"},
        {5: "key_5 (1).png", 9: "key_9 (2).png"},
        {5: "key_5 - Copy (2).png"},
        {2: "shot7 (2).png", 5: "shot7 (5).png"},
        {2: "frame (2).png"},
    ],
    ids=["one", "two", "Windows", "renamed in a row", "nothing else"],
)
def test_the_number_of_a_copy_is_not_that_of_a_frame(
    clip: Clip, tmp_path: Path, names: dict[int, str]
) -> None:
    keys = find_painted_keys(painted(tmp_path, *names.values()), clip, 0, 12, first_number=0)

    assert {index: file.name for index, file in keys.files.items()} == names


def test_a_number_in_brackets_that_is_not_taken_is_told(clip: Clip, tmp_path: Path) -> None:
    keys = find_painted_keys(painted(tmp_path, "key_5 (1).png"), clip, 0, 12, first_number=0)

    assert keys.warnings == (
        "key_5 (1).png is taken as frame 5, not 1; if that is wrong, name every key by its frame, "
        "for example key_0024.png",
    )


@pytest.mark.parametrize("first", [1001, 86400, 12])
def test_keys_that_are_counted_from_another_number_are_told_how_to_say_so(
    clip: Clip, tmp_path: Path, first: int
) -> None:
    folder = painted(tmp_path, f"a.{first + 1}.png", f"a.{first + 9}.png")

    with pytest.raises(KeyframesUnusable, match="say which number the keys give"):
        find_painted_keys(folder, clip, 0, 12)

    assert list(find_painted_keys(folder, clip, 0, 12, first_number=first).files) == [1, 9]


def test_what_is_true_of_many_keys_is_said_once(clip: Clip, tmp_path: Path) -> None:
    folder = painted(tmp_path, "1.png", "5.png", "9.png", size=(160, 128))
    painted(tmp_path, "7.png")

    said = check_keys(sorted(folder.iterdir()), clip.info)

    assert said == ("1.png is 160x128 and was resized to the clip's 80x64; likewise 5.png, 9.png",)


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


def test_documents_that_are_not_read_are_told_unless_a_key_was_saved_of_them(
    clip: Clip, tmp_path: Path
) -> None:
    folder = painted(tmp_path, "key_0003.png")
    for name in ("key_0003.kra", "key_0007.kra", "key_0009.jxl", "palette.kra", "notes_0001.txt"):
        (folder / name).write_bytes(b"...")

    keys = find_painted_keys(folder, clip, 0, 12)

    what = "is of a kind that is not read here and is not used; save it as PNG"
    assert keys.warnings == (f"key_0007.kra {what}", f"key_0009.jxl {what}")


def test_a_key_with_more_pictures_behind_it_is_told(clip: Clip, tmp_path: Path) -> None:
    key = painted(tmp_path, "key_0003.png") / "key_0003.png"
    key.write_bytes(key.read_bytes() * 2)

    (told,) = check_keys([key], clip.info)

    assert told.startswith("key_0003.png: the file holds several pictures")


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


def layer(folder: Path, name: str, mode: str = "RGBA") -> Path:
    """A layer of 80x64 that is red in its middle and hides green everywhere else."""
    rgba = np.zeros((64, 80, 4), np.uint8)
    rgba[..., 1] = 255
    rgba[16:48, 20:60] = (220, 30, 40, 255)
    picture = Pillow.fromarray(rgba)
    path = folder / name
    if mode == "P":
        palette = Pillow.fromarray((rgba[..., 3] // 255).astype(np.uint8))
        palette.putpalette([0, 255, 0, 220, 30, 40])
        palette.save(path, transparency=0)
    elif mode == "exr":
        path.write_bytes(layer_as_exr(rgba))
    else:
        picture.save(path)
    return path


def layer_as_exr(rgba: np.ndarray) -> bytes:
    light = ((rgba[..., :3] / 255) ** 2.2 * (rgba[..., 3:] / 255)).astype(np.float32)
    return makers.exr(light, (rgba[..., 3] / 255).astype(np.float32))


@pytest.mark.parametrize(
    ("name", "mode"),
    [("4.png", "RGBA"), ("4.webp", "RGBA"), ("4.tif", "RGBA"), ("4.png", "P"), ("4.exr", "exr")],
    ids=["png", "webp", "tiff", "palette", "exr"],
)
def test_only_what_is_painted_on_a_layer_changes(
    clip: Clip, tmp_path: Path, name: str, mode: str
) -> None:
    file = layer(tmp_path, name, mode)
    frame = next(clip.frames_at([4])).image

    image = read_key(file, clip, 4)

    untouched = np.ones((64, 80), bool)
    untouched[16:48, 20:60] = False
    # Lossy WebP bleeds a little at the border of what is painted.
    assert np.median(np.abs(image[untouched].astype(int) - frame[untouched])) == 0
    assert np.abs(image[untouched].astype(int) - frame[untouched]).mean() < 1
    assert np.abs(image[32, 40].astype(int) - (220, 30, 40)).max() <= 8
    assert "laid over the clip's frame" in check_key(file, clip.info)[0]


def test_a_soft_brush_lets_the_frame_through(clip: Clip, tmp_path: Path) -> None:
    Pillow.new("RGBA", (80, 64), (250, 0, 0, 64)).save(tmp_path / "4.png")
    frame = next(clip.frames_at([4])).image.astype(float)

    image = read_key(tmp_path / "4.png", clip, 4)

    wanted = frame * (191 / 255) + np.array([250, 0, 0]) * (64 / 255)
    assert np.abs(image - wanted).max() <= 1.5


def test_a_layer_of_another_size_hides_its_hidden_colours_at_the_borders(
    clip: Clip, tmp_path: Path
) -> None:
    rgba = np.zeros((128, 160, 4), np.uint8)
    rgba[..., 1] = 255
    rgba[:, 81:] = (0, 0, 0, 255)
    Pillow.fromarray(rgba).save(tmp_path / "4.png")
    frame = next(clip.frames_at([4])).image

    image = read_key(tmp_path / "4.png", clip, 4)

    assert (image[:, 40, 1].astype(int) <= frame[:, 40, 1].astype(int) + 1).all()


def test_an_empty_layer_is_told(clip: Clip, tmp_path: Path) -> None:
    Pillow.new("RGBA", (80, 64), (0, 0, 0, 0)).save(tmp_path / "4.png")

    assert "wholly transparent" in check_key(tmp_path / "4.png", clip.info)[0]


def test_keys_have_their_colour_profile_applied(clip: Clip, tmp_path: Path) -> None:
    profile = makers.icc_profile(makers.P3)
    Pillow.new("RGB", (80, 64), (230, 51, 51)).save(tmp_path / "4.png", icc_profile=profile)
    Pillow.new("RGBA", (80, 64), (230, 51, 51, 255)).save(tmp_path / "5.png", icc_profile=profile)

    assert read_key(tmp_path / "4.png", clip, 4)[5, 5, 0] > 242
    np.testing.assert_array_equal(
        read_key(tmp_path / "4.png", clip, 4), read_key(tmp_path / "5.png", clip, 5)
    )


@pytest.mark.parametrize(
    ("aspect", "size", "is_taken"),
    [
        ((64, 45), (72, 58), True),
        ((64, 45), (102, 58), True),
        ((64, 45), (144, 116), True),
        ((64, 45), (205, 116), True),
        ((64, 45), (85, 58), False),
        ((10, 11), (72, 58), True),
        ((10, 11), (65, 58), True),
        ((10, 11), (64, 58), True),
        ((10, 11), (58, 58), False),
        ((1, 1), (72, 58), True),
        ((1, 1), (102, 58), False),
    ],
)
def test_keys_may_have_the_shape_that_is_stored_or_the_one_that_is_shown(
    make_clip: Callable[..., Path],
    tmp_path: Path,
    aspect: tuple[int, int],
    size: tuple[int, int],
    is_taken: bool,
) -> None:
    squeezed = Clip.open(
        make_clip("a.mp4", frame_count=2, size=(72, 58), sample_aspect=Fraction(*aspect))
    )
    painted(tmp_path, "0.png", size=size)

    if is_taken:
        check_key(tmp_path / "0.png", squeezed.info)
        assert read_key(tmp_path / "0.png", squeezed, 0).shape == (58, 72, 3)
    else:
        with pytest.raises(KeyframesUnusable, match="another shape"):
            check_key(tmp_path / "0.png", squeezed.info)


def moving(count: int) -> list[Image]:
    """Frames of a texture that moves two pixels a frame."""
    noise = np.random.default_rng(3).integers(0, 255, (16, 60, 3), np.uint8)
    wide = np.asarray(cv2.resize(noise, (480, 128), interpolation=cv2.INTER_CUBIC), np.uint8)
    return [np.ascontiguousarray(wide[:, 2 * at : 2 * at + 160]) for at in range(count)]


@pytest.fixture(scope="module")
def moving_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return Clip.open(write_clip(tmp_path_factory.mktemp("moving") / "clip.mp4", moving(12)))


STYLES: dict[str, Callable[[Image], Image]] = {
    "negative": lambda image: 255 - image,
    "poster": lambda image: (image // 64 * 64 + 32).astype(np.uint8),
    "soft": lambda image: np.asarray(cv2.medianBlur(image, 7), np.uint8),
}


def paint(folder: Path, numbers: dict[int, int], style: str) -> Path:
    """Keys by number in the name, painted over the frames given."""
    pictures = moving(12)
    for number, index in numbers.items():
        write_image(folder / f"key_{number:04d}.png", STYLES[style](pictures[index]))
    return folder


@pytest.mark.parametrize("style", ["negative", "poster"])
@pytest.mark.parametrize("frames", [(3,), (0, 5, 11), (2, 9)], ids=["one", "all ends", "two"])
def test_keys_numbered_from_1_are_taken_so_and_told(
    moving_clip: Clip, tmp_path: Path, frames: tuple[int, ...], style: str
) -> None:
    folder = paint(tmp_path, {index + 1: index for index in frames}, style)

    keys = find_painted_keys(folder, moving_clip, 0, 12)

    assert tuple(keys.files) == frames
    assert "the keys are numbered from 1" in keys.warnings[0]
    assert "give the clip's first frame the number 0" in keys.warnings[0]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("frames", [(3,), (0, 5, 11), (1, 2, 9)], ids=["one", "all ends", "three"])
def test_keys_numbered_from_0_stay_where_they_are(
    moving_clip: Clip, tmp_path: Path, frames: tuple[int, ...], style: str
) -> None:
    folder = paint(tmp_path, {index: index for index in frames}, style)

    keys = find_painted_keys(folder, moving_clip, 0, 12)

    assert tuple(keys.files) == frames
    assert keys.warnings == ()


def test_of_keys_two_frames_off_nothing_is_concluded(moving_clip: Clip, tmp_path: Path) -> None:
    folder = paint(tmp_path, {index + 2: index for index in (2, 5, 8)}, "negative")

    keys = find_painted_keys(folder, moving_clip, 0, 12)

    assert tuple(keys.files) == (4, 7, 10)
    assert keys.warnings == ()


def test_keys_that_only_faintly_look_a_frame_late_are_told_and_left(
    moving_clip: Clip, tmp_path: Path
) -> None:
    folder = tmp_path
    for index in (2, 5, 8):
        strokes = np.random.default_rng(index).normal(0, 90, (128, 160, 3))
        painted_over = (moving(12)[index] + strokes).clip(0, 255).astype(np.uint8)
        write_image(folder / f"{index + 1}.png", painted_over)

    keys = find_painted_keys(folder, moving_clip, 0, 12)

    assert tuple(keys.files) == (3, 6, 9)
    assert "may be numbered from 1" in keys.warnings[0]
    assert "the number 1" in keys.warnings[0]


def test_one_key_of_many_that_is_a_frame_late_is_named(moving_clip: Clip, tmp_path: Path) -> None:
    folder = paint(tmp_path, {2: 2, 5: 5, 9: 8}, "negative")

    keys = find_painted_keys(folder, moving_clip, 0, 12)

    assert tuple(keys.files) == (2, 5, 9)
    assert keys.warnings == (
        "key_0009.png looks like frame 8, not 9 (frames are counted from 0); check its number",
    )


def test_the_number_that_is_given_counts_whatever_the_pictures_show(
    moving_clip: Clip, tmp_path: Path
) -> None:
    folder = paint(tmp_path, {4: 3, 8: 7}, "negative")

    from_0 = find_painted_keys(folder, moving_clip, 0, 12, first_number=0)
    from_1 = find_painted_keys(folder, moving_clip, 0, 12, first_number=1)

    assert tuple(from_0.files) == (4, 8)
    assert tuple(from_1.files) == (3, 7)
    assert from_0.warnings == from_1.warnings == ()


def test_keys_counted_from_0_over_files_that_are_counted_from_1_are_found(tmp_path: Path) -> None:
    frames, folder = tmp_path / "frames", tmp_path / "keys"
    frames.mkdir()
    folder.mkdir()
    for number, picture in enumerate(moving(12), start=1):
        write_image(frames / f"f_{number:04d}.png", picture)

    keys = find_painted_keys(paint(folder, {4: 4, 8: 8}, "poster"), Clip.open(frames), 0, 12)

    assert tuple(keys.files) == (4, 8)
    assert "numbered from 0" in keys.warnings[0]


def test_where_nothing_moves_nothing_is_said(tmp_path: Path) -> None:
    still = Clip.open(write_clip(tmp_path / "still.mp4", [moving(1)[0]] * 12))
    (tmp_path / "keys").mkdir()

    keys = find_painted_keys(paint(tmp_path / "keys", {3: 0, 7: 0}, "negative"), still, 0, 12)

    assert tuple(keys.files) == (3, 7)
    assert keys.warnings == ()


def test_a_painted_picture_for_a_frame_is_compared_with_its_neighbours(
    moving_clip: Clip, tmp_path: Path
) -> None:
    folder = paint(tmp_path, {4: 4, 9: 8}, "negative")
    files = {4: folder / "key_0004.png", 9: folder / "key_0009.png"}

    said = misplaced(files, moving_clip)

    assert len(said) == 1
    assert "key_0009.png looks like frame 8, not 9" in said[0]


def test_no_key_starts_another_program(clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "4.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 64\n")

    with pytest.raises(KeyframesUnusable, match="not a picture"):
        check_key(tmp_path / "4.png", clip.info)


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        (["key_0005_v2.png"], [5]),
        (["key_0005_v2.png", "key_0010_v3.png"], [5, 10]),
        (["key 0007 take 3.png"], [7]),
        (["frame_004_Rev2.tif", "frame_0009.png"], [4, 9]),
        (["shot3_0004.png"], [4]),
        (["v2_0004.png"], [4]),
        (["v7.png"], [7]),
    ],
)
def test_numbers_of_versions_and_takes_are_not_those_of_frames(
    clip: Clip, tmp_path: Path, names: list[str], frames: list[int]
) -> None:
    keys = find_painted_keys(painted(tmp_path, *names), clip, 0, 12)

    assert list(keys.files) == frames
    assert keys.warnings == ()


def test_a_number_that_is_guessed_is_told(clip: Clip, tmp_path: Path) -> None:
    keys = find_painted_keys(painted(tmp_path, "key_0005_2.png"), clip, 0, 12)

    assert list(keys.files) == [5]
    assert keys.warnings == (
        "key_0005_2.png is taken as frame 5, not 2; if that is wrong, name every key by its frame, "
        "for example key_0024.png",
    )


@pytest.mark.parametrize("name", ["key_-003.png", "-3.png", "key.-0003.png"])
def test_a_key_below_frame_0_is_refused_and_not_taken_as_another(
    clip: Clip, tmp_path: Path, name: str
) -> None:
    with pytest.raises(KeyframesUnusable, match="no frame -3, only 0 to 11"):
        find_painted_keys(painted(tmp_path, name, "key_0005.png"), clip, 0, 12)


def test_a_hyphen_between_word_and_number_is_no_sign(clip: Clip, tmp_path: Path) -> None:
    keys = find_painted_keys(painted(tmp_path, "key-0003.png", "a - 4.png"), clip, 0, 12)

    assert list(keys.files) == [3, 4]


def save_pages(path: Path) -> None:
    pages = [Pillow.new("RGB", (80, 64), (shade, 0, 0)) for shade in (10, 90, 200)]
    pages[0].save(path, save_all=True, append_images=pages[1:])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("key_0003.tif", "key_0003.tif: the file holds several pictures, as pages or layers"),
        ("key_0003.gif", "key_0003.gif: the picture is animated; its first frame is used"),
        ("key_0003.webp", "key_0003.webp: the picture is animated; its first frame is used"),
        ("key_0003.apng", "key_0003.apng: the picture is animated; its first frame is used"),
    ],
)
def test_a_key_that_holds_several_pictures_is_told(
    clip: Clip, tmp_path: Path, name: str, said: str
) -> None:
    save_pages(tmp_path / name)

    assert check_keys([tmp_path / name], clip.info)[0].startswith(said)


def test_keys_that_are_taken_as_linear_light_are_told_once(clip: Clip, tmp_path: Path) -> None:
    light = np.full((64, 80, 3), 0.2, np.float32)
    cv2.imwrite(str(tmp_path / "key_0002.tif"), light)
    (tmp_path / "key_0004.exr").write_bytes(makers.exr(light))
    cv2.imwrite(str(tmp_path / "key_0006.tif"), light[..., 0])
    files = sorted(tmp_path.iterdir())

    said = check_keys(files, clip.info)

    assert said == (
        "key_0002.tif: the pictures hold linear light; it is shown as sRGB, clipped above white"
        "; likewise key_0004.exr, key_0006.tif",
    )
    for file in files:
        assert abs(int(read_key(file, clip, 2)[5, 5, 0]) - 124) <= 1
