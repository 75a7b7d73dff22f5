from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from fresco_engine.errors import ClipNotFound, ClipUnreadable, NoVideoStream, SequenceGap
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image
from fresco_media.types import Image
from PIL import Image as Pillow

from tests.media import makers
from tests.media.conftest import picture

MakeImages = Callable[..., Path]


@pytest.mark.parametrize("way", ["", "shot_%04d.png", "shot_%d.png", "shot_1003.png"])
def test_a_folder_a_pattern_and_a_member_name_the_same_sequence(
    make_images: MakeImages, reference_picture: Callable[..., Image], way: str
) -> None:
    folder = make_images("plates", range(1001, 1006))

    clip = Clip.open(folder / way)
    frames = list(clip.frames())

    assert clip.info.frame_count == 5
    assert clip.info.is_sequence
    assert clip.first_number == 1001
    for frame in frames:
        np.testing.assert_array_equal(frame.image, reference_picture(1001 + frame.index))


def test_a_sequence_runs_at_24_unless_told_otherwise(make_images: MakeImages) -> None:
    folder = make_images("plates", range(3))

    assert Clip.open(folder).info.frame_rate == 24
    info = Clip.open(folder, frame_rate=Fraction(30000, 1001)).info
    assert info.frame_rate == Fraction(30000, 1001)
    assert info.times[2] * info.time_base == Fraction(2002, 30000)


def test_numbers_without_leading_zeros_are_ordered_as_numbers(make_images: MakeImages) -> None:
    folder = make_images("plates", range(8, 12), name="f%d.jpg")

    numbers = [frame.index for frame in Clip.open(folder).frames()]

    assert numbers == [0, 1, 2, 3]
    assert Clip.open(folder).first_number == 8


def test_a_pattern_of_a_kind_that_is_not_read_says_what_is(make_images: MakeImages) -> None:
    folder = make_images("plates", (1, 2))
    for picture_path in folder.iterdir():
        picture_path.rename(picture_path.with_suffix(".jxl"))

    with pytest.raises(ClipNotFound, match=r"of this kind are not read; save them as one of .*png"):
        Clip.open(folder / "shot_%04d.jxl")
    with pytest.raises(ClipNotFound, match="no file fits this pattern"):
        Clip.open(folder / "shot_%04d.png")


def test_holes_are_named(make_images: MakeImages) -> None:
    folder = make_images("plates", [1, 2, 5, 6])

    with pytest.raises(SequenceGap, match="no frame 3, 4") as caught:
        Clip.open(folder)

    assert caught.value.missing == (3, 4)


def test_pictures_of_different_sizes_are_refused(make_images: MakeImages) -> None:
    folder = make_images("plates", [1, 2])
    make_images("plates", [3], size=(32, 48))

    with pytest.raises(ClipUnreadable, match=r"shot_0003\.png is 32x48.*give all pictures one"):
        Clip.open(folder)


def test_pictures_of_different_shapes_of_pixels_are_told(tmp_path: Path) -> None:
    plain = Pillow.new("RGB", (64, 48))
    plain.save(tmp_path / "a_1.jpg")
    plain.save(tmp_path / "a_2.jpg", dpi=(72, 144))

    clip = Clip.open(tmp_path)

    assert clip.info.sample_aspect == 1
    assert any("1 in the first and 2 in a_2.jpg" in said for said in clip.warnings)


def test_two_sequences_in_a_folder_need_a_choice(make_images: MakeImages) -> None:
    make_images("plates", range(3), name="left_%03d.png")
    folder = make_images("plates", range(3), name="right_%03d.png")

    with pytest.raises(ClipUnreadable, match="name a picture of one"):
        Clip.open(folder)
    assert Clip.open(folder / "right_001.png").info.frame_count == 3


def test_a_stray_picture_does_not_disturb(make_images: MakeImages) -> None:
    folder = make_images("plates", range(4))
    (folder / "contact sheet.png").write_bytes((folder / "shot_0000.png").read_bytes())

    assert Clip.open(folder).info.frame_count == 4


def folder_of(folder: Path, names: Sequence[str]) -> Path:
    """A picture a name, the first the darkest."""
    folder.mkdir()
    for place, name in enumerate(names):
        Pillow.new("RGB", (32, 24), (10 * place, 0, 0)).save(folder / name)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "{:04d}_final_v2.png",
        "{}_v2.png",
        "{:04d}_final_2.png",
        "shot2_{:04d}_v03.jpg",
        "{:04d} copy 2.png",
        "{:04d}.left.2.png",
        "scene_1_frame_{:03d}_take_4.tif",
        "2026-11-30_{:04d}_1920x1080.png",
        "{:04d}_final.png",
        "name_v2_{:04d}.png",
        "v{}.png",
        "take_{:03d}.png",
    ],
)
def test_the_number_that_varies_counts_wherever_it_stands(tmp_path: Path, name: str) -> None:
    names = [name.format(number) for number in range(3, 15)]
    folder = folder_of(tmp_path / "shot", names)

    for path in (folder, folder / names[0], folder / names[-1]):
        clip = Clip.open(path)

        assert (clip.info.frame_count, clip.first_number, clip.warnings) == (12, 3, ())
        levels = [int(frame.image[0, 0, 0]) for frame in clip.frames()]
        assert levels == pytest.approx(range(0, 120, 10), abs=3)


@pytest.mark.parametrize(
    "names",
    [
        ("beach1.png", "forest2.png", "hill3.png"),
        ("beach_1.png", "beach-2.png"),
        ("IMG_20260101_120000.png", "IMG_20260102_130500.png", "IMG_20260104_070809.png"),
        ("0001_v1.png", "0002_v2.png", "0003_v3.png"),
    ],
)
def test_pictures_that_are_not_numbered_alike_never_become_one_frame(
    tmp_path: Path, names: Sequence[str]
) -> None:
    folder = folder_of(tmp_path / "shot", names)

    with pytest.raises(ClipUnreadable, match="not numbered alike; name a picture of one, such as"):
        Clip.open(folder)
    assert Clip.open(folder / names[1]).info.frame_count == 1


def test_versions_of_a_sequence_need_a_choice(tmp_path: Path) -> None:
    newer = [f"{number:04d}_v2.png" for number in range(12)]
    folder = folder_of(tmp_path / "shot", (*newer, "0003_v1.png", "0004_v1.png"))

    with pytest.raises(ClipUnreadable, match=r"such as 0000_v2\.png or 0003_v1\.png"):
        Clip.open(folder)
    assert Clip.open(folder / newer[3]).info.frame_count == 12
    assert Clip.open(folder / "0003_v1.png").info.frame_count == 2


def test_takes_of_several_frames_stay_sequences_of_their_own(tmp_path: Path) -> None:
    names = [f"take{take:02d}_{number:04d}.png" for take in range(12) for number in range(3)]
    folder = folder_of(tmp_path / "shot", names)

    with pytest.raises(ClipUnreadable, match="several sequences"):
        Clip.open(folder)
    assert Clip.open(folder / names[0]).info.frame_count == 3


@pytest.mark.parametrize(
    ("names", "frame_count", "told"),
    [
        (
            ("0_v2.png", "1_v2.png", "2_v2.png", "1_v1.png"),
            3,
            "1 other picture in the folder is not numbered like the sequence and not used: "
            "1_v1.png",
        ),
        (
            ("a_1.png", "a_2.png", "b_1.png", "c.png", "d.png", "e.png"),
            2,
            "4 other pictures in the folder are not numbered like the sequence and not used: "
            "b_1.png, c.png, d.png, …",
        ),
        (("key_1.png", "sheet.png"), 1, "not used: sheet.png"),
        (("0001_a.png", "0002_a.png", "sheet_1.png"), 2, "not used: sheet_1.png"),
    ],
)
def test_pictures_that_are_left_out_are_told(
    tmp_path: Path, names: Sequence[str], frame_count: int, told: str
) -> None:
    folder = folder_of(tmp_path / "shot", names)

    clip = Clip.open(folder)

    assert clip.info.frame_count == frame_count
    assert told in clip.warnings[0]
    assert Clip.open(folder / names[0]).warnings == ()


def test_one_picture_is_a_clip_of_one_frame(make_images: MakeImages) -> None:
    folder = make_images("plates", [7])
    alone = (folder / "shot_0007.png").rename(folder / "portrait.png")

    assert Clip.open(alone).info.frame_count == 1
    assert Clip.open(folder).info.frame_count == 1


def test_pictures_without_numbers_are_refused(make_images: MakeImages) -> None:
    folder = make_images("plates", [1, 2])
    for number, name in ((1, "a.png"), (2, "b.png")):
        (folder / f"shot_{number:04d}.png").rename(folder / name)

    with pytest.raises(ClipUnreadable, match="frame_0001"):
        Clip.open(folder)


def test_two_files_with_one_number_are_refused(make_images: MakeImages) -> None:
    folder = make_images("plates", [1, 2])
    (folder / "shot_1.png").write_bytes((folder / "shot_0001.png").read_bytes())

    with pytest.raises(ClipUnreadable, match="same number"):
        Clip.open(folder)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")

    with pytest.raises(NoVideoStream, match="no pictures"):
        Clip.open(tmp_path)


@pytest.mark.parametrize("name", ["nope_%04d.png", "missing.png", "no/such/%04d.png"])
def test_a_pattern_or_picture_that_is_not_there_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClipNotFound, match="check the"):
        Clip.open(tmp_path / name)


def test_a_damaged_picture_is_named(make_images: MakeImages) -> None:
    folder = make_images("plates", range(3))
    (folder / "shot_0001.png").write_bytes(b"")

    with pytest.raises(ClipUnreadable, match=r"shot_0001\.png: it is empty, damaged"):
        Clip.open(folder)


def test_a_picture_damaged_inside_is_named_when_it_is_read(make_images: MakeImages) -> None:
    folder = make_images("plates", range(3))
    victim = folder / "shot_0001.png"
    victim.write_bytes(victim.read_bytes()[:60])
    clip = Clip.open(folder)

    with pytest.raises(ClipUnreadable, match=r"shot_0001\.png"):
        list(clip.frames())


def test_transparent_pictures_are_laid_over_black_with_a_warning(tmp_path: Path) -> None:
    half = np.full((48, 64, 4), 128, np.uint8)
    half[..., 0] = 200
    (tmp_path / "key_1.png").write_bytes(cv2.imencode(".png", half)[1].tobytes())

    clip = Clip.open(tmp_path)
    frame = next(clip.frames())

    assert clip.info.has_alpha
    assert "transparent" in clip.warnings[0]
    assert frame.image[0, 0].tolist() == [64, 64, 100]


def test_deep_pictures_are_rounded_to_8_bits(tmp_path: Path) -> None:
    values = np.array([0, 128, 129, 257 * 100 + 128, 257 * 100 + 129, 65535], np.uint16)
    deep = np.repeat(np.tile(values, (4, 1))[..., None], 3, axis=2)
    (tmp_path / "deep_1.png").write_bytes(cv2.imencode(".png", deep)[1].tobytes())

    clip = Clip.open(tmp_path)

    assert clip.info.bit_depth == 16
    assert next(clip.frames()).image[0, :, 0].tolist() == [0, 0, 1, 100, 101, 255]


def test_sequence_frames_arrive_at_the_size_asked_for(make_images: MakeImages) -> None:
    clip = Clip.open(make_images("plates", range(2)))

    assert next(clip.frames(size=(32, 24))).image.shape == (24, 32, 3)


def test_names_beyond_ascii_are_read(make_images: MakeImages) -> None:
    folder = make_images("Фото 映像", range(2), name="Bär's_%03d.png")

    assert len(list(Clip.open(folder).frames())) == 2


@pytest.mark.parametrize(
    ("stem", "pattern"),
    [
        ("50%_", "50%_%04d.png"),
        ("100% done_", "100% done_%04d.png"),
        ("%%_", "%%_%04d.png"),
        ("50%_", "50%%_%04d.png"),
        ("%d_", "%d_%04d.png"),
        ("take2", "take2%04d.png"),
        ("[a]\n", "[a]\n%04d.png"),
    ],
)
def test_per_cent_signs_in_names_are_plain(tmp_path: Path, stem: str, pattern: str) -> None:
    folder = tmp_path / "100% %d %04d"
    folder.mkdir()
    for number in (1, 2, 3):
        write_image(folder / f"{stem}{number:04d}.png", picture(number))

    for path in (folder / pattern, folder, folder / f"{stem}0002.png"):
        clip = Clip.open(path)
        assert (clip.info.frame_count, len(list(clip.frames()))) == (3, 3)


def test_numbers_far_apart_are_holes_and_not_a_full_memory(tmp_path: Path) -> None:
    for number in (1, 20261128235959000000):
        write_image(tmp_path / f"shot_{number}.png", picture(1))

    with pytest.raises(SequenceGap, match=r"no frame 2, 3, 4, 5, 6 and 20261128235958999993 more"):
        Clip.open(tmp_path)


@pytest.mark.parametrize("kind", ["exr", "dpx", "tga", "tif", "png", "webp"])
@pytest.mark.parametrize("spelling", ["folder", "first", "last", "pattern"])
def test_sequences_of_every_kind_are_whole_however_they_are_named(
    tmp_path: Path, kind: str, spelling: str
) -> None:
    folder = tmp_path / "shot.v2"
    folder.mkdir()
    for number in range(1, 6):
        shade = np.full((24, 32, 3), 30 * number, np.uint8)
        (folder / f"shot_{number:04d}.{kind}").write_bytes(_encoded(shade, kind))
    path = {
        "folder": folder,
        "first": folder / f"shot_0001.{kind}",
        "last": folder / f"shot_0005.{kind}",
        "pattern": folder / f"shot_%04d.{kind}",
    }[spelling]

    clip = Clip.open(path)

    assert clip.info.frame_count == 5
    assert clip.first_number == 1
    levels = [int(frame.image[5, 5, 1]) for frame in clip.frames()]
    assert np.abs(np.array(levels) - [30, 60, 90, 120, 150]).max() <= 2


def _encoded(shade: Image, kind: str) -> bytes:
    if kind == "exr":
        codes = shade / 255
        light = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
        return makers.exr(light.astype(np.float32))
    if kind == "dpx":
        frame = av.VideoFrame.from_ndarray(shade, format="rgb24")
        return makers.encoded("dpx", frame.reformat(format="gbrp10le"))
    file = io.BytesIO()
    Pillow.fromarray(shade).save(file, {"tif": "TIFF"}.get(kind, kind.upper()))
    return file.getvalue()


def test_linear_light_is_told(tmp_path: Path) -> None:
    (tmp_path / "a_1.exr").write_bytes(_encoded(np.full((24, 32, 3), 90, np.uint8), "exr"))

    clip = Clip.open(tmp_path)

    assert clip.warnings == (
        "the pictures hold linear light; it is shown as sRGB, clipped above white",
    )
    assert clip.info.bit_depth == 16


def test_a_video_that_is_named_like_a_picture_is_a_video(
    make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    video = make_clip("a.mp4", frame_count=5)
    video.rename(tmp_path / "a.heic")

    clip = Clip.open(tmp_path / "a.heic")

    assert not clip.info.is_sequence
    assert clip.info.frame_count == 5


@pytest.mark.parametrize("numbers", [(-3, -2, -1), (-1, 0, 1), (-2, -1, 0)])
@pytest.mark.parametrize("name", ["shot_{:04d}.png", "shot.{:d}.png"])
def test_numbers_below_0_count_up_to_it(
    tmp_path: Path, name: str, numbers: tuple[int, ...]
) -> None:
    for place, number in enumerate(numbers):
        Pillow.new("RGB", (32, 24), (40 + 60 * place, 0, 0)).save(tmp_path / name.format(number))

    for path in (tmp_path, tmp_path / name.format(numbers[1])):
        clip = Clip.open(path)

        assert clip.first_number == numbers[0]
        assert [int(frame.image[0, 0, 0]) for frame in clip.frames()] == [40, 100, 160]


def test_pages_of_a_tiff_that_are_not_used_are_told_once(tmp_path: Path) -> None:
    pages = [Pillow.new("RGB", (32, 24), (shade, 0, 0)) for shade in (10, 90)]
    for number in range(3):
        pages[0].save(tmp_path / f"a_{number}.tif", save_all=True, append_images=pages[1:])

    clip = Clip.open(tmp_path)

    assert clip.info.frame_count == 3
    assert clip.warnings == (
        "the file holds several pictures, as pages or layers; the first one is used, so save the "
        "others as files of their own if they are meant",
    )


def test_a_preview_in_a_tiff_is_no_page(tmp_path: Path) -> None:
    picture, preview = Pillow.new("RGB", (32, 24)), Pillow.new("RGB", (8, 6))
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    picture.save(tmp_path / "a.tif", save_all=True, append_images=[preview])

    assert Clip.open(tmp_path / "a.tif").warnings == ()


def pictures_in_one(suffix: str, count: int) -> bytes:
    """Pictures one behind the other, as FFmpeg writes them into a pipe."""
    if suffix == ".exr":
        return makers.exr(np.full((24, 32, 3), 0.5, np.float32)) * count
    if suffix == ".dpx":
        encoder = av.CodecContext.create("dpx", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = 32, 24, "gbrp10le"
        encoder.time_base = Fraction(1, 24)
        frame = av.VideoFrame.from_ndarray(makers.picture_of(90), format="rgb24")
        data = b"".join(map(bytes, encoder.encode(frame.reformat(format="gbrp10le"))))
        return data * count
    file = io.BytesIO()
    Pillow.fromarray(makers.picture_of(90)).save(file, {".tga": "TGA"}.get(suffix, suffix[1:]))
    return file.getvalue() * count


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tga", ".exr", ".dpx"])
def test_pictures_in_one_file_are_told(tmp_path: Path, suffix: str) -> None:
    for count in (1, 2):
        path = tmp_path / f"{count}"
        path.mkdir()
        (path / f"shot{suffix}").write_bytes(pictures_in_one(suffix, count))

        clip = Clip.open(path / f"shot{suffix}")

        is_told = any("several pictures, one behind the other" in one for one in clip.warnings)
        assert is_told is (count == 2)
        assert clip.info.frame_count == 1


def test_a_picture_that_may_be_meant_alone_says_how(make_images: MakeImages) -> None:
    folder = make_images("masks", [1, 16])

    with pytest.raises(SequenceGap, match="for this picture alone give it a name without"):
        Clip.open(folder / "shot_0016.png")
    with pytest.raises(SequenceGap) as caught:
        Clip.open(folder)
    assert "alone" not in str(caught.value)


@pytest.mark.parametrize("name", ["dance.gif", "dance.png", "dance_1.webp"])
def test_a_folder_with_one_film_of_pictures_names_it(name: str, tmp_path: Path) -> None:
    pictures = [Pillow.new("RGB", (32, 24), (40 * index, 90, 60)) for index in range(4)]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=40)

    with pytest.raises((NoVideoStream, ClipUnreadable), match=re.escape(name)):
        Clip.open(tmp_path)
    assert Clip.open(tmp_path / name).info.frame_count == 4
