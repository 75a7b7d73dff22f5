from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.stream
import numpy as np
import pytest
from fresco_engine.errors import (
    ClipNotFound,
    ClipUnreadable,
    InvalidSettings,
    NoVideoStream,
    RangeOutsideClip,
)
from fresco_media.clip import Clip
from fresco_media.errors import ClipChanged
from fresco_media.types import Image
from fresco_media.writing.writer import open_writer

MakeClip = Callable[..., Path]
LOSSLESS = {"codec": "libx264rgb", "pixel_format": "rgb24", "options": {"crf": "0"}}
UNEVEN = (0, 100, 133, 500, 533, 566, 1000, 1500, 1733)


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(24000, 1001), Fraction(10)], ids=str)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts"])
def test_a_constant_rate_is_exact_in_every_container(
    make_clip: MakeClip, suffix: str, rate: Fraction
) -> None:
    info = Clip.open(make_clip(f"clip{suffix}", rate=rate)).info

    seconds = [time * info.time_base for time in info.times]
    steps = [later - earlier for earlier, later in pairwise(seconds)]
    assert info.frame_rate == rate
    assert info.frame_count == 12
    assert set(steps) == {1 / rate}
    assert not info.is_variable_rate


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_rate_keeps_every_frames_time(make_clip: MakeClip, suffix: str) -> None:
    path = make_clip(f"phone{suffix}", stamps=UNEVEN, time_base=Fraction(1, 1000))

    clip = Clip.open(path)
    times = [frame.time_s for frame in clip.frames()]

    assert clip.info.is_variable_rate
    assert times == [Fraction(stamp, 1000) for stamp in UNEVEN]
    assert clip.info.frame_rate == Fraction(8000, 1733)


@pytest.mark.parametrize("count", [1, 2], ids=["one-frame", "two-frames"])
def test_shortest_clips_are_fine(make_clip: MakeClip, count: int) -> None:
    clip = Clip.open(make_clip("short.mp4", frame_count=count))

    assert clip.info.frame_rate == 24
    assert [frame.index for frame in clip.frames()] == list(range(count))
    assert clip.info.duration_s == Fraction(count, 24)


def test_frames_come_in_order_each_at_its_index(
    make_clip: MakeClip, reference_picture: Callable[..., Image]
) -> None:
    clip = Clip.open(make_clip("clip.mp4", **LOSSLESS))

    frames = list(clip.frames())

    assert [frame.index for frame in frames] == list(range(12))
    for frame in frames:
        np.testing.assert_array_equal(frame.image, reference_picture(frame.index))
        assert frame.time_s == Fraction(frame.index, 24)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("start", [1, 5, 13, 39])
def test_a_range_gives_the_same_frames_as_decoding_everything(
    make_clip: MakeClip, suffix: str, start: int
) -> None:
    clip = Clip.open(make_clip(f"clip{suffix}", frame_count=40))
    everything = [frame.image for frame in clip.frames()]

    part = list(clip.frames(start, start + 1))

    assert [frame.index for frame in part] == [start]
    np.testing.assert_array_equal(part[0].image, everything[start])


def test_scattered_frames_are_the_ones_asked_for(make_clip: MakeClip) -> None:
    clip = Clip.open(make_clip("clip.mp4", frame_count=60))
    everything = [frame.image for frame in clip.frames()]
    wanted = [0, 1, 7, 8, 30, 59]

    frames = list(clip.frames_at(wanted))

    assert [frame.index for frame in frames] == wanted
    for frame in frames:
        np.testing.assert_array_equal(frame.image, everything[frame.index])


def test_a_frame_that_is_looked_at_again_is_not_read_again_unless_the_file_is_another(
    make_clip: MakeClip,
) -> None:
    path = make_clip("clip.mp4", frame_count=12)
    clip = Clip.open(path).remembering()
    (first,) = clip.frames_at([7])

    assert next(clip.frames_at([7])).image is first.image
    for indices, size in (([8], None), ([7], (64, 48)), ([7, 8], None)):
        for frame, plain in zip(
            clip.frames_at(indices, size=size),
            Clip.open(path).frames_at(indices, size=size),
            strict=True,
        ):
            np.testing.assert_array_equal(frame.image, plain.image)

    list(clip.frames_at([7]))
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ClipChanged):
        list(clip.frames_at([7]))


def test_frames_arrive_at_the_size_asked_for(make_clip: MakeClip) -> None:
    blank = av.VideoFrame(3840, 2160, "yuv420p")
    clip = Clip.open(make_clip("4k.mp4", frame_count=1, size=(3840, 2160), pictures=[blank]))

    frame = next(clip.frames(size=(455, 256)))

    assert frame.image.shape == (256, 455, 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous


def test_odd_sizes_are_decoded_whole(
    make_clip: MakeClip, reference_picture: Callable[..., Image]
) -> None:
    clip = Clip.open(make_clip("odd.mkv", frame_count=2, size=(63, 47), **LOSSLESS))

    frame = next(clip.frames())

    assert (clip.info.width, clip.info.height) == (63, 47)
    np.testing.assert_array_equal(frame.image, reference_picture(0, (63, 47)))


def test_pixels_that_are_not_square_are_told(make_clip: MakeClip) -> None:
    upright = make_clip("dv.mp4", frame_count=2, sample_aspect=Fraction(16, 15))
    turned = make_clip("turned.mp4", frame_count=2, sample_aspect=Fraction(16, 15), rotation=90)

    assert Clip.open(upright).info.sample_aspect == Fraction(16, 15)
    assert Clip.open(turned).info.sample_aspect == Fraction(15, 16)


@pytest.mark.parametrize("stated", ["1000000:1", "1:1000000", "65535:2", "11:1"])
def test_a_shape_of_pixels_that_cannot_be_meant_is_square_and_told(
    tmp_path: Path, stated: str
) -> None:
    path = tmp_path / "a.y4m"
    head = f"YUV4MPEG2 W64 H48 F25:1 Ip A{stated} C420jpeg\n".encode()
    path.write_bytes(head + 2 * (b"FRAME\n" + bytes(64 * 48 * 3 // 2)))

    clip = Clip.open(path)

    assert clip.info.sample_aspect == 1
    assert any("cannot be meant; they are taken for square" in said for said in clip.warnings)
    with open_writer(tmp_path / "a_%04d.png", clip) as writer:
        for frame in clip.frames():
            writer.write(frame)
    assert Clip.open(tmp_path / "a_%04d.png").info.width == 64


@pytest.mark.parametrize("stated", ["10:1", "1:10", "2:1"])
def test_a_shape_of_pixels_that_is_only_odd_is_kept(tmp_path: Path, stated: str) -> None:
    path = tmp_path / "a.y4m"
    head = f"YUV4MPEG2 W64 H48 F25:1 Ip A{stated} C420jpeg\n".encode()
    path.write_bytes(head + b"FRAME\n" + bytes(64 * 48 * 3 // 2))

    assert Clip.open(path).info.sample_aspect == Fraction(stated.replace(":", "/"))


@pytest.mark.parametrize(
    ("codec", "pixel_format"), [("libx264", "yuv420p10le"), ("prores_ks", "yuv422p10le")]
)
def test_ten_bit_clips_keep_their_colours(
    make_clip: MakeClip, reference_picture: Callable[..., Image], codec: str, pixel_format: str
) -> None:
    path = make_clip("deep.mov", frame_count=3, codec=codec, pixel_format=pixel_format)

    clip = Clip.open(path)
    frame = list(clip.frames())[2]

    difference = frame.image.astype(int) - reference_picture(2)
    assert clip.info.bit_depth == 10
    assert np.abs(difference[2:-2, 2:-2]).max() <= 6
    assert abs(difference.mean()) < 1.5


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [("key.mov", "prores_ks", "yuva444p10le"), ("key.mkv", "ffv1", "bgra")],
    ids=["prores4444", "ffv1-bgra"],
)
def test_transparency_is_laid_over_black_with_a_warning(
    make_clip: MakeClip,
    reference_picture: Callable[..., Image],
    name: str,
    codec: str,
    pixel_format: str,
) -> None:
    clip = Clip.open(make_clip(name, frame_count=2, codec=codec, pixel_format=pixel_format))

    frame = next(clip.frames())

    assert clip.info.has_alpha
    assert "transparent" in clip.warnings[0]
    assert np.abs(frame.image.astype(int) - reference_picture(0)).max() <= 6


@pytest.mark.parametrize(
    "name", ["two words.mp4", 'it\'s "quoted".mp4', "Übung ёлка 映像.mp4", "100%d.mp4"]
)
def test_any_file_name_opens(make_clip: MakeClip, name: str) -> None:
    path = make_clip("plain.mp4", frame_count=2)
    path = path.rename(path.with_name(name))

    clip = Clip.open(str(path))

    assert len(list(clip.frames())) == 2


def test_closing_the_iterator_frees_the_file(make_clip: MakeClip) -> None:
    clip = Clip.open(make_clip("clip.mp4"))
    frames = clip.frames()
    next(frames)

    frames.close()  # type: ignore[attr-defined]

    assert next(frames, None) is None
    clip.info.path.unlink()


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ClipNotFound, match="check the path"):
        Clip.open(tmp_path / "nothing.mp4")


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("empty.mp4", b"", "empty"),
        ("text.mp4", b"To whom it may concern\n" * 50, "not a video"),
        ("letter.txt", b"To whom it may concern\n" * 50, "text file"),
        ("noise.mkv", bytes(range(256)) * 20, "not a video"),
    ],
    ids=["empty", "renamed-text", "text", "noise"],
)
def test_what_is_not_a_video_is_refused(
    tmp_path: Path, name: str, content: bytes, advice: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(ClipUnreadable, match=advice):
        Clip.open(path)


def test_a_video_without_its_header_is_refused(make_clip: MakeClip) -> None:
    path = make_clip("interrupted.mp4", frame_count=30)
    path.write_bytes(path.read_bytes()[:-600])

    with pytest.raises(ClipUnreadable, match="copy or export it again"):
        Clip.open(path)


def write_sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48000, layout="mono")
        for index in range(10):
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, index * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def test_sound_only_is_refused(tmp_path: Path) -> None:
    path = write_sound_only(tmp_path / "song.m4a")

    with pytest.raises(NoVideoStream, match="sound but no video"):
        Clip.open(path)


def test_cover_art_is_no_video(tmp_path: Path, reference_picture: Callable[..., Image]) -> None:
    song = write_sound_only(tmp_path / "song.m4a")
    with av.open(str(song)) as source, av.open(str(tmp_path / "album.mp4"), "w") as output:
        sound = output.add_stream_from_template(source.streams.audio[0])
        cover = output.add_stream("mjpeg", rate=1)
        cover.codec_context.width, cover.codec_context.height = 64, 48
        cover.codec_context.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        art = av.VideoFrame.from_ndarray(reference_picture(0), format="rgb24")
        output.mux(cover.encode(art.reformat(format="yuvj420p")))
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = sound
                output.mux(packet)
        output.mux(cover.encode(None))

    with pytest.raises(NoVideoStream, match="choose a video"):
        Clip.open(tmp_path / "album.mp4")


@pytest.mark.parametrize(("start", "stop"), [(0, 13), (12, 13), (-1, 3), (5, 5), (6, 2)])
def test_ranges_outside_the_clip_are_refused_at_once(
    make_clip: MakeClip, start: int, stop: int
) -> None:
    clip = Clip.open(make_clip("clip.mp4"))

    with pytest.raises(RangeOutsideClip, match="choose a range inside it"):
        clip.frames(start, stop)


@pytest.mark.parametrize(
    ("count", "frame", "sentence"),
    [
        (12, 12, "frame 12 was asked for, but the clip has frames 0 to 11"),
        (1, 1, "frame 1 was asked for, but the clip has only frame 0"),
    ],
)
def test_a_single_frame_outside_the_clip_is_named_as_one(
    make_clip: MakeClip, count: int, frame: int, sentence: str
) -> None:
    clip = Clip.open(make_clip("clip.mp4", frame_count=count))

    with pytest.raises(RangeOutsideClip, match=sentence):
        clip.frames_at([frame])


def test_indices_must_ascend(make_clip: MakeClip) -> None:
    clip = Clip.open(make_clip("clip.mp4"))

    with pytest.raises(ValueError, match="ascend"):
        clip.frames_at([3, 2])


def test_a_frame_rate_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="positive"):
        Clip.open(tmp_path, frame_rate=Fraction(0))


def test_sound_is_noticed(make_clip: MakeClip) -> None:
    silent, loud = make_clip("silent.mp4"), make_clip("loud.mp4", sound=["aac"])

    assert not Clip.open(silent).info.has_audio
    assert Clip.open(loud).info.has_audio


def test_hdr_is_told(make_clip: MakeClip) -> None:
    path = make_clip("hdr.mp4", frame_count=2, pixel_format="yuv420p10le", tags=(9, 16, 9, 1))

    assert "HDR (PQ)" in Clip.open(path).warnings[0]
