from __future__ import annotations

import errno
import gc
import os
import sys
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_engine.errors import DiskFull, OutputNotWritable
from fresco_media.clip import Clip
from fresco_media.stills.images import read_image
from fresco_media.types import ColourTags, Frame, Image
from fresco_media.writing import encode
from fresco_media.writing.writer import open_writer
from numpy.typing import NDArray
from PIL import Image as PillowImage

from tests.engine.conftest import scene, write_clip

MakeClip = Callable[..., Path]
UNEVEN = (0, 100, 133, 500, 533, 566, 1000, 1500, 1733)


def rewrite(source: Path, output: Path, **choices: object) -> Clip:
    """`source` written again without change, and opened."""
    clip = Clip.open(source)
    with open_writer(output, clip, **choices) as writer:  # type: ignore[arg-type]
        for frame in clip.frames():
            writer.write(frame)
    return Clip.open(output)


def seconds(clip: Clip) -> list[Fraction]:
    return [time * clip.info.time_base for time in clip.info.times]


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(10)], ids=str)
@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv"])
def test_count_times_and_rate_are_those_of_the_source(
    make_clip: MakeClip, tmp_path: Path, suffix: str, rate: Fraction
) -> None:
    source = make_clip("source.mp4", rate=rate, frame_count=30)

    result = rewrite(source, tmp_path / f"result{suffix}")

    assert seconds(result) == seconds(Clip.open(source))
    assert result.info.frame_rate == rate
    with av.open(str(result.info.path)) as container:
        assert container.streams.video[0].average_rate == rate
        assert container.streams.video[0].codec_context.name == "h264"


def test_rounded_times_of_matroska_become_exact_in_mp4(make_clip: MakeClip, tmp_path: Path) -> None:
    source = make_clip("source.mkv", rate=Fraction(24000, 1001), frame_count=40)

    result = rewrite(source, tmp_path / "result.mp4")

    assert seconds(result) == [k * Fraction(1001, 24000) for k in range(40)]
    with av.open(str(result.info.path)) as container:
        assert container.streams.video[0].average_rate == Fraction(24000, 1001)


@pytest.mark.parametrize("source_suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_rate_is_kept_frame_by_frame(
    make_clip: MakeClip, tmp_path: Path, source_suffix: str, suffix: str
) -> None:
    source = make_clip(f"phone{source_suffix}", stamps=UNEVEN, time_base=Fraction(1, 1000))

    result = rewrite(source, tmp_path / f"result{suffix}")

    assert seconds(result) == [Fraction(stamp, 1000) for stamp in UNEVEN]
    assert result.info.is_variable_rate


@pytest.mark.parametrize("count", [1, 2], ids=["one-frame", "two-frames"])
def test_shortest_clips_are_written(make_clip: MakeClip, tmp_path: Path, count: int) -> None:
    result = rewrite(make_clip("short.mp4", frame_count=count), tmp_path / "result.mp4")

    assert result.info.frame_count == count
    assert len(list(result.frames())) == count


@pytest.mark.parametrize(
    "tags",
    [(1, 1, 1, 1), (6, 6, 6, 1), (5, 6, 5, 2), (2, 2, 2, 1)],
    ids=["bt709", "bt601", "full-range", "unstated"],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_colours_do_not_shift_and_tags_are_kept(
    make_clip: MakeClip, tmp_path: Path, suffix: str, tags: tuple[int, int, int, int]
) -> None:
    source = Clip.open(make_clip("source.mp4", frame_count=3, tags=tags))

    result = rewrite(source.info.path, tmp_path / f"result{suffix}")

    assert result.info.colour == source.info.colour
    before = np.stack([frame.image for frame in source.frames()]).astype(int)
    after = np.stack([frame.image for frame in result.frames()])
    assert np.abs((after - before).mean(axis=(0, 1, 2))).max() < 0.6
    assert np.abs(after - before).max() <= 9


@pytest.mark.parametrize("tags", [(9, 16, 9, 1), (9, 18, 9, 1), (9, 14, 9, 1)])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_converted_pictures_are_written_with_the_tags_of_what_they_became(
    make_clip: MakeClip, tmp_path: Path, suffix: str, tags: tuple[int, int, int, int]
) -> None:
    source = Clip.open(make_clip("source.mp4", frame_count=3, tags=tags))

    result = rewrite(source.info.path, tmp_path / f"result{suffix}")

    assert result.info.colour == ColourTags(primaries=1, transfer=1, matrix=1)
    before = np.stack([frame.image for frame in source.frames()]).astype(int)
    after = np.stack([frame.image for frame in result.frames()])
    assert np.abs((after - before).mean(axis=(0, 1, 2))).max() < 0.6


def test_eight_generations_do_not_fade(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("0.mp4", frame_count=1, tags=(1, 1, 1, 1))
    first = next(Clip.open(path).frames()).image

    for generation in range(1, 9):
        path = rewrite(path, tmp_path / f"{generation}.mp4").info.path
    last = next(Clip.open(path).frames()).image

    assert np.abs((last.astype(int) - first).mean(axis=(0, 1))).max() < 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_same_frames_give_the_same_bytes_every_time(tmp_path: Path, suffix: str) -> None:
    # Which bytes x264 would vary depends on what lay in memory before, so there are many tries.
    source = write_clip(tmp_path / "source.mp4", scene(12, size=(64, 48)))

    made: set[bytes] = set()
    for number in range(20):
        rewrite(source, tmp_path / f"{number}{suffix}")
        made.add((tmp_path / f"{number}{suffix}").read_bytes())

    assert len(made) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_lossless_keeps_every_value(make_clip: MakeClip, tmp_path: Path, suffix: str) -> None:
    source = Clip.open(make_clip("source.mp4", size=(63, 47), pixel_format="yuv444p"))
    output = tmp_path / f"result{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (12, 47, 63, 3), np.uint8)

    with open_writer(output, source, codec="lossless") as writer:
        for frame in source.frames():
            writer.write(Frame(frame.index, frame.time_s, noise[frame.index]))

    decoded = [frame.image for frame in Clip.open(output).frames()]
    np.testing.assert_array_equal(np.stack(decoded), noise)
    assert Clip.open(output).info.frame_rate == 24


@pytest.mark.parametrize("kind", ["film", "pictures"])
def test_lossless_matroska_keeps_what_is_transparent(tmp_path: Path, kind: str) -> None:
    colours = np.random.default_rng(3).integers(0, 256, (5, 24, 32, 4), np.uint8)
    colours[..., 3] = np.linspace(0, 255, 32).astype(np.uint8)
    source = Clip.open(_transparent(tmp_path, kind, colours))
    output = tmp_path / "result.mkv"

    with open_writer(output, source, codec="lossless", start=1) as writer:
        for frame in source.frames(1):
            writer.write(frame)

    written = Clip.open(output)
    assert writer.warnings == ()
    assert written.info.has_alpha
    np.testing.assert_array_equal(np.stack(list(written.mattes())), colours[1:, ..., 3])
    # Over black, as every reader of Fresco's shows it, nothing is lost by dividing.
    for made, wanted in zip(written.frames(), source.frames(1), strict=True):
        assert np.abs(made.image.astype(int) - wanted.image).max() <= 1


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(10, 11), Fraction(2), Fraction(1)])
@pytest.mark.parametrize("size", [(32, 24), (720, 486), (1999, 90)])
def test_lossless_matroska_keeps_the_shape_of_pixels(
    tmp_path: Path, aspect: Fraction, size: tuple[int, int]
) -> None:
    colours = np.full((size[1], size[0], 4), (200, 120, 40, 128), np.uint8)
    for number in range(2):
        picture = PillowImage.fromarray(colours)
        # Pixels are the wider the fewer of them there are in an inch.
        dots = (960 / aspect.numerator, 960 / aspect.denominator)
        picture.save(tmp_path / f"shot_{number:03d}.png", dpi=dots)
    source = Clip.open(tmp_path / "shot_%03d.png")
    output = tmp_path / "result.mkv"

    with open_writer(output, source, codec="lossless") as writer:
        for frame in source.frames():
            writer.write(frame)

    written = Clip.open(output)
    assert source.info.sample_aspect == pytest.approx(aspect, rel=0.002)
    assert written.info.has_alpha
    assert written.info.sample_aspect == source.info.sample_aspect
    assert writer.warnings == ()
    assert len(list(written.frames())) == 2
    data = output.read_bytes()
    # The list at the beginning names it first.
    tracks = data.index(b"\x16\x54\xae\x6b", data.index(b"\x16\x54\xae\x6b") + 4)
    length = int.from_bytes(data[tracks + 4 : tracks + 6], "big") & 0x3FFF
    body = data[tracks + 6 : tracks + 6 + length]
    assert body[:2] == b"\xbf\x84"
    assert int.from_bytes(body[2:6], "little") == zlib.crc32(body[6:])


def test_a_file_that_lost_the_shape_of_its_pixels_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PillowImage.new("RGBA", (32, 24), (9, 9, 9, 9)).save(tmp_path / "shot_0.png", dpi=(72, 96))
    source = Clip.open(tmp_path / "shot_0.png")
    monkeypatch.setattr(encode, "state_aspect", lambda *_: False)

    with open_writer(tmp_path / "result.mkv", source, codec="lossless") as writer:
        for frame in source.frames():
            writer.write(frame)

    assert any("pixels of the shape 1, not 4/3" in sentence for sentence in writer.warnings)


def _transparent(folder: Path, kind: str, colours: NDArray[np.uint8]) -> Path:
    if kind == "pictures":
        for number, picture in enumerate(colours):
            PillowImage.fromarray(picture).save(folder / f"shot_{number:03d}.png")
        return folder / "shot_%03d.png"
    return write_clip(folder / "source.mov", list(colours))


@pytest.mark.parametrize("rotation", [90, 180])
def test_a_rotated_clip_is_written_upright(
    make_clip: MakeClip, tmp_path: Path, rotation: int
) -> None:
    source = Clip.open(make_clip("phone.mp4", frame_count=3, rotation=rotation))

    result = rewrite(source.info.path, tmp_path / "result.mp4")

    assert result.info.rotation == 0
    assert (result.info.width, result.info.height) == (source.info.width, source.info.height)
    before, after = next(source.frames()).image, next(result.frames()).image
    assert np.abs(before.astype(int) - after).mean() < 2


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48)], ids=["both", "height", "width"])
def test_odd_sizes_are_kept_with_a_warning(
    make_clip: MakeClip, tmp_path: Path, size: tuple[int, int]
) -> None:
    source = Clip.open(make_clip("odd.mp4", frame_count=2, size=size, pixel_format="yuv444p"))

    with open_writer(tmp_path / "result.mp4", source) as writer:
        for frame in source.frames():
            writer.write(frame)

    result = Clip.open(tmp_path / "result.mp4")
    assert (result.info.width, result.info.height) == size
    assert "odd" in writer.warnings[0]
    before, after = next(source.frames()).image, next(result.frames()).image
    assert np.abs(before.astype(int) - after).mean() < 1.5


def test_even_sizes_are_what_every_player_opens(make_clip: MakeClip, tmp_path: Path) -> None:
    result = rewrite(make_clip("a.mkv", pixel_format="yuv444p"), tmp_path / "b.mp4")

    with av.open(str(result.info.path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.pix_fmt, context.profile) == ("yuv420p", "High")
    content = result.info.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("codec", ["h264", "lossless"])
def test_pixels_that_are_not_square_stay_so(
    make_clip: MakeClip, tmp_path: Path, suffix: str, codec: str
) -> None:
    source = make_clip("dv.mp4", frame_count=2, sample_aspect=Fraction(16, 15))

    result = rewrite(source, tmp_path / f"result{suffix}", codec=codec)

    assert result.info.sample_aspect == Fraction(16, 15)


def test_a_late_first_picture_stays_late(make_clip: MakeClip, tmp_path: Path) -> None:
    stamps = [250 + 40 * index for index in range(10)]
    source = make_clip("late.mkv", rate=Fraction(25), stamps=stamps, time_base=Fraction(1, 1000))

    result = rewrite(source, tmp_path / "result.mp4")

    assert seconds(result)[0] == Fraction(1, 4)


def test_a_part_starts_at_zero_and_has_only_its_frames(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = Clip.open(make_clip("source.mp4", frame_count=20))

    with open_writer(tmp_path / "part.mp4", clip, start=7, stop=15) as writer:
        for frame in clip.frames(7, 15):
            writer.write(frame)

    part = Clip.open(tmp_path / "part.mp4")
    assert seconds(part) == [Fraction(k, 24) for k in range(8)]
    first = next(part.frames()).image.astype(int)
    assert np.abs(first - next(clip.frames(7)).image).mean() < 2


def test_images_are_exact_and_numbered_like_the_source(
    make_images: Callable[..., Path], tmp_path: Path, reference_picture: Callable[..., Image]
) -> None:
    clip = Clip.open(make_images("plates", range(1001, 1006)))

    with open_writer(tmp_path / "out_%04d.png", clip, start=1, stop=3) as writer:
        for frame in clip.frames(1, 3):
            writer.write(frame)

    written = sorted(file.name for file in tmp_path.glob("out_*"))
    assert written == ["out_1002.png", "out_1003.png"]
    image = read_image(tmp_path / "out_1003.png")
    np.testing.assert_array_equal(image, reference_picture(1003))


def test_images_can_go_into_a_new_folder(make_clip: MakeClip, tmp_path: Path) -> None:
    result = rewrite(make_clip("a.mp4", frame_count=3), tmp_path / "stills", codec="images")

    names = sorted(file.name for file in (tmp_path / "stills").iterdir())
    assert names == ["frame_000000.png", "frame_000001.png", "frame_000002.png"]
    assert result.info.frame_count == 3


def test_overwriting_images_leaves_none_of_the_old_ones(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    rewrite(make_clip("long.mp4", frame_count=5), tmp_path / "stills", codec="images")
    (tmp_path / "stills" / "notes.txt").write_text("keep me")

    rewrite(make_clip("short.mp4", frame_count=2), tmp_path / "stills", overwrite=True)

    names = sorted(file.name for file in (tmp_path / "stills").iterdir())
    assert names == ["frame_000000.png", "frame_000001.png", "notes.txt"]


def test_an_image_sequence_becomes_a_video_with_stated_colours(
    make_images: Callable[..., Path], tmp_path: Path, reference_picture: Callable[..., Image]
) -> None:
    folder = make_images("plates", range(4))

    result = rewrite(folder, tmp_path / "result.mp4")

    assert result.info.colour == ColourTags(primaries=1, transfer=13, matrix=1)
    assert result.info.frame_rate == 24
    difference = next(result.frames()).image.astype(int) - reference_picture(0)
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.7


def half_written(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if "partial" in path.name]


def write_one_and_fail(
    clip: Clip, output: Path, failure: type[BaseException], *, overwrite: bool = False
) -> None:
    with open_writer(output, clip, overwrite=overwrite) as writer:
        writer.write(next(clip.frames()))
        assert half_written(output.parent)
        raise failure


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out_%03d.png"])
@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_failure_leaves_nothing_half_written(
    make_clip: MakeClip, tmp_path: Path, name: str, failure: type[BaseException]
) -> None:
    clip = Clip.open(make_clip("source.mp4", sound=["aac"]))
    before = sorted(tmp_path.iterdir())

    with pytest.raises(failure):
        write_one_and_fail(clip, tmp_path / name, failure)

    assert sorted(tmp_path.iterdir()) == before


def test_a_disk_that_fills_up_is_told_with_the_users_name_of_the_output(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = Clip.open(make_clip("source.mp4"))
    output = tmp_path / "out_%03d.png"

    def write_bytes(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with (
        pytest.raises(DiskFull, match="the disk is full") as caught,
        open_writer(output, clip) as writer,
    ):
        writer.write(next(clip.frames()))

    assert caught.value.path == output
    assert half_written(tmp_path) == []


def test_an_existing_output_survives_a_failure(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = Clip.open(make_clip("source.mp4"))
    (tmp_path / "out.mp4").write_bytes(b"precious")

    with pytest.raises(RuntimeError):
        write_one_and_fail(clip, tmp_path / "out.mp4", RuntimeError, overwrite=True)

    assert (tmp_path / "out.mp4").read_bytes() == b"precious"


def test_an_existing_output_is_replaced_when_wanted(make_clip: MakeClip, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"old")

    result = rewrite(make_clip("source.mp4"), tmp_path / "out.mp4", overwrite=True)

    assert result.info.frame_count == 12


def test_a_forgotten_writer_cleans_up(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = Clip.open(make_clip("source.mp4"))
    writer = open_writer(tmp_path / "out.mp4", clip)

    del writer
    gc.collect()

    assert half_written(tmp_path) == []


def test_nothing_written_is_an_error(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = Clip.open(make_clip("source.mp4"))

    with (
        pytest.raises(OutputNotWritable, match="no frame was made"),
        open_writer(tmp_path / "out.mp4", clip),
    ):
        pass

    assert not (tmp_path / "out.mp4").exists()
    assert half_written(tmp_path) == []


def test_frames_must_come_in_order_and_at_size(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = Clip.open(make_clip("source.mp4"))
    frames = list(clip.frames())

    with open_writer(tmp_path / "out.mp4", clip) as writer:
        writer.write(frames[0])
        with pytest.raises(ValueError, match="frame 0 came where 1"):
            writer.write(frames[0])
        with pytest.raises(ValueError, match="shape"):
            writer.write(Frame(1, Fraction(1, 24), frames[1].image[:10]))


@pytest.mark.parametrize(
    "name",
    [
        "two words.mp4",
        'it\'s "me".mkv',
        "Übung 映像.mov",
        "50%.mp4",
        "50%d.mp4",
        "%%04d.mov",
        "-o.mp4",
        "a\nb.mp4",
        "[1] {2} *?.mp4",
        "x" * 251 + ".mp4",
        "\U0001f3a8" * 62 + ".mkv",
        "U\u0308bung.mp4",
        os.fsdecode(b"\xff\xe9.mp4") if sys.platform == "linux" else "\u00ff\u00e9.mp4",
    ],
)
def test_any_file_name_can_be_written(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    result = rewrite(make_clip("source.mp4", frame_count=2), tmp_path / name)

    assert result.info.frame_count == 2
    assert half_written(tmp_path) == []


@pytest.mark.parametrize("codec", ["h264", "images"])
def test_a_name_with_a_colon_is_no_protocol(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str
) -> None:
    clip = Clip.open(make_clip("source.mp4", frame_count=1))
    (tmp_path / "rtmp:x").mkdir()
    monkeypatch.chdir(tmp_path)
    output = Path("rtmp:x", "out.mp4" if codec == "h264" else "out_%d.png")

    with open_writer(output, clip) as writer:
        for frame in clip.frames():
            writer.write(frame)

    assert Clip.open(output).info.frame_count == 1


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("100% done_%04d.png", "100% done_0000.png"),
        ("100%_%04d.png", "100%_0000.png"),
        ("50%d_%04d.png", "50%d_0000.png"),
        ("%%_%d.png", "%%_0.png"),
        ("%s%04d.png", "%s0000.png"),
        ("%(x)d %02d.png", "%(x)d 00.png"),
        ("x" * 246 + "%04d.png", "x" * 246 + "0000.png"),
    ],
)
def test_per_cent_signs_in_the_names_of_pictures_are_plain(
    make_clip: MakeClip, tmp_path: Path, pattern: str, first: str
) -> None:
    clip = Clip.open(make_clip("source.mp4", frame_count=2))
    folder = tmp_path / "100% %d"
    folder.mkdir()

    for _ in range(2):
        with open_writer(folder / pattern, clip, overwrite=True) as writer:
            for frame in clip.frames():
                writer.write(frame)

    assert len(list(folder.iterdir())) == 2
    assert (folder / first).is_file()
    assert Clip.open(folder / pattern).info.frame_count == 2


@pytest.mark.parametrize("size", [(16400, 2), (2, 20_000)])
def test_a_clip_no_video_can_hold_is_told_before_the_work(
    make_images: Callable[..., Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    clip = Clip.open(make_images("long", range(1), size=size))

    with pytest.raises(OutputNotWritable, match="write pictures instead"):
        open_writer(tmp_path / "out.mp4", clip)
    with open_writer(tmp_path / "out_%d.png", clip) as writer:
        writer.write(next(clip.frames()))

    assert Clip.open(tmp_path / "out_%d.png").info.width == size[0]


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (8, 8), (1, 64), (4096, 16), (16, 4096)])
def test_the_smallest_and_thinnest_clips_are_written(
    make_images: Callable[..., Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    clip = Clip.open(make_images("thin", range(2), size=size))

    with open_writer(tmp_path / "out.mp4", clip) as writer:
        for frame in clip.frames():
            writer.write(frame)

    written = Clip.open(tmp_path / "out.mp4").info
    assert (written.width, written.height, written.frame_count) == (*size, 2)


@pytest.mark.parametrize(
    ("aspect", "expected"), [((64, 45), (1024, 576)), ((8, 9), (640, 576)), ((1, 1), (720, 576))]
)
def test_pictures_of_pixels_that_are_not_square_are_written_as_they_are_shown(
    make_clip: MakeClip, tmp_path: Path, aspect: tuple[int, int], expected: tuple[int, int]
) -> None:
    path = make_clip("a.mp4", frame_count=2, size=(720, 576), sample_aspect=Fraction(*aspect))
    clip = Clip.open(path)

    with open_writer(tmp_path / "f_%04d.png", clip) as writer:
        for frame in clip.frames():
            writer.write(frame)
        said = writer.warnings

    assert read_image(tmp_path / "f_0001.png").shape[1::-1] == expected
    assert any("not square" in text for text in said) == (aspect != (1, 1))


def test_a_video_of_pixels_that_are_not_square_keeps_them(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    source = make_clip("a.mp4", frame_count=2, size=(72, 58), sample_aspect=Fraction(64, 45))

    result = rewrite(source, tmp_path / "b.mp4")

    assert (result.info.width, result.info.height) == (72, 58)
    assert result.info.sample_aspect == Fraction(64, 45)
