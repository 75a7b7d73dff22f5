"""Written videos are read back, and files that do not play everywhere are known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.types import ClipProperties, ColourTags, Frame
from fresco_media.writing.delivery import Delivery, Quality
from fresco_media.writing.encode import Encoder, Target
from fresco_media.writing.estimate import expected_bytes, sample_places
from fresco_media.writing.readback import ReadbackExpectation, obstacles, shortcomings, video_facts

from tests.engine.conftest import scene
from tests.media.hearing import Track, rewritten, write_sounding

EVERYWHERE = Delivery(plays_everywhere=True, sound="aac")


@pytest.mark.parametrize(
    ("name", "video", "tracks"),
    [
        ("a.mov", "libx264", [Track(codec="pcm_s24le", rate=96_000)]),
        ("a.avi", "mjpeg", [Track(codec="adpcm_ms", rate=11025)]),
        ("a.mkv", "libx264", [Track(codec="ac3"), Track(codec="libopus", layout="mono")]),
        ("a.wmv", "wmv2", [Track(codec="wmav2", rate=44_100)]),
        ("a.mp4", "libx264", [Track(codec="aac"), Track(codec="libmp3lame")]),
        ("b.mp4", "libx264", []),
    ],
    ids=["pcm", "adpcm", "two", "wma", "mp3", "silent"],
)
@pytest.mark.parametrize("size", [(64, 48), (63, 49)], ids=["even", "odd"])
def test_what_plays_everywhere_does_whatever_the_source_is(
    tmp_path: Path, name: str, video: str, tracks: list[Track], size: tuple[int, int]
) -> None:
    even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
    made = size if video == "mjpeg" else even
    source = write_sounding(tmp_path / name, *tracks, video=video, size=made)
    clip = Clip.open(source)
    info = replace(clip.info, width=size[0], height=size[1])
    encoder = Encoder(info, Target(tmp_path / "out.mp4", "mp4", "h264", EVERYWHERE), 0, 50)

    for frame in clip.frames():
        encoder.write(replace(frame, image=frame.image[: size[1], : size[0]]))
    encoder.finish()

    facts = video_facts(tmp_path / "out.mp4")
    assert obstacles(facts) == []
    assert facts.size == even
    assert facts.tags == ColourTags(primaries=1, transfer=1, matrix=1)
    assert facts.frame_count == 50
    assert facts.sound == ("aac",) * len(tracks)
    assert not any("read back" in said for said in encoder.warnings)
    assert any("is odd" in said for said in encoder.warnings) == (size != even)


def written(path: Path, pixel_format: str = "yuv420p", **changes: object) -> Path:
    """A clip as another program might write it."""
    choices = {"codec": "libx264", "sound": "aac", "tags": (1, 1, 1, 1), "size": (64, 48)}
    choices |= changes
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as output:
        options = choices.get("options")
        stream = output.add_stream(str(choices["codec"]), rate=25, options=options)  # type: ignore[arg-type]
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = choices["size"]  # type: ignore[misc]
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        tags = choices["tags"]
        context.color_primaries, context.color_trc = tags[:2]  # type: ignore[index]
        context.colorspace, context.color_range = tags[2:]  # type: ignore[index]
        sound = output.add_stream(str(choices["sound"]), rate=48_000)
        assert isinstance(sound, av.AudioStream)
        sound.codec_context.layout = "stereo"
        for index in range(10):
            shade = np.full((stream.height, stream.width, 3), 20 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(shade, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(frame))
        quiet = av.AudioFrame.from_ndarray(np.zeros((2, 9600), np.float32), "fltp", "stereo")
        quiet.sample_rate, quiet.pts = 48_000, 0
        output.mux(sound.encode(quiet))
        output.mux(sound.encode(None))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("a.mp4", {}, ""),
        ("a.mp4", {"pixel_format": "rgb24", "codec": "libx264rgb", "tags": (1, 1, 0, 2)}, "gbrp"),
        ("a.mp4", {"pixel_format": "yuv444p"}, "yuv444p"),
        ("a.mp4", {"pixel_format": "yuv422p"}, "yuv422p"),
        ("a.mp4", {"pixel_format": "yuv420p10le"}, "High 10"),
        ("a.mp4", {"codec": "mpeg4"}, "is mpeg4"),
        ("a.mp4", {"tags": (9, 16, 9, 1)}, "colours that few players"),
        ("a.mp4", {"tags": (1, 1, 1, 2)}, "colours that few players"),
        ("a.mp4", {"sound": "libmp3lame"}, "sound other than AAC"),
        ("a.mp4", {"sound": "ac3"}, "sound other than AAC"),
        ("a.mkv", {}, "no MP4"),
        ("a.mp4", {"options": {"x264-params": "level=62"}}, "level 6.2"),
    ],
    ids=["fine", "rgb", "444", "422", "10 bit", "mpeg4", "pq", "full", "mp3", "ac3", "mkv", "8k"],
)
def test_what_hinders_a_file_from_playing_everywhere_is_found(
    tmp_path: Path, name: str, changes: dict[str, object], expected: str
) -> None:
    path = written(tmp_path / name, **changes)  # type: ignore[arg-type]

    found = "; ".join(obstacles(video_facts(path)))

    assert expected in found
    assert bool(found) == bool(expected)


def test_a_file_whose_index_comes_last_does_not_play_while_it_loads(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        output.mux(stream.encode(av.VideoFrame(640, 480, "yuv420p")))
        output.mux(stream.encode(None))

    assert obstacles(video_facts(tmp_path / "a.mp4")) == ["is no MP4 that plays while it loads"]


def test_shortcomings_of_a_written_file_are_sentences(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4")
    fine = ReadbackExpectation(
        pixel_format="yuv420p",
        size=(64, 48),
        tags=ColourTags(primaries=1, transfer=1, matrix=1),
        frame_count=10,
        last_s=Fraction(9, 25),
        frame_s=Fraction(1, 25),
        sound_tracks=1,
        plays_everywhere=True,
    )

    assert shortcomings(path, fine) == []
    for changed, expected in (
        (replace(fine, frame_count=12), "has 10 of 12 frames"),
        (replace(fine, sound_tracks=2), "has 1 of 2 sound tracks"),
        (replace(fine, size=(66, 48)), "has the size 64x48"),
        (replace(fine, last_s=Fraction(2)), "shows its last frame at 0.36 s, not 2.00 s"),
        (replace(fine, tags=ColourTags(matrix=6)), "tagged with other colours"),
        (replace(fine, pixel_format="yuv444p"), "has pixels of the kind yuv420p, not yuv444p"),
    ):
        assert expected in shortcomings(path, changed)[0]
    path.write_bytes(path.read_bytes()[:400])
    assert "cannot be read back" in shortcomings(path, fine)[0]


@pytest.mark.parametrize("codec", ["h264", "lossless", "prores"])
def test_nothing_is_said_of_files_that_are_as_wanted(tmp_path: Path, codec: str) -> None:
    source = write_sounding(tmp_path / "a.mov", Track(codec="pcm_s16le"))

    assert rewritten(source, tmp_path / "b.mov", codec=codec) == ()
    facts = video_facts(tmp_path / "b.mov")
    assert facts.frame_count == 50


@pytest.mark.parametrize("holes", [(5,), (48,), (3, 20, 40)], ids=["early", "late", "several"])
@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
def test_nothing_is_said_of_clips_that_stand_still_for_long(
    tmp_path: Path, container: str, holes: tuple[int, ...]
) -> None:
    clip = Clip.open(write_sounding(tmp_path / "a.mp4"))
    hole = round(60 / clip.info.time_base)
    times = tuple(
        time + hole * sum(place <= index for place in holes)
        for index, time in enumerate(clip.info.times)
    )
    rate = Fraction(49) / ((times[-1] - times[0]) * clip.info.time_base)
    info = replace(clip.info, times=times, is_variable_rate=True, frame_rate=rate)
    target = Target(tmp_path / "out", container, "h264")  # type: ignore[arg-type]
    encoder = Encoder(info, target, 0, 50)

    for frame in clip.frames():
        encoder.write(frame)
    encoder.finish()

    assert encoder.warnings == ()


def test_prores_has_ten_bits_and_its_profile(tmp_path: Path) -> None:
    source = write_sounding(tmp_path / "a.mp4", Track(codec="aac"))

    rewritten(source, tmp_path / "b.mov", codec="prores", delivery=Delivery(sound="pcm"))

    facts = video_facts(tmp_path / "b.mov")
    assert (facts.codec, facts.profile, facts.pixel_format) == ("prores", "HQ", "yuv422p10le")
    assert facts.sound == ("pcm_s16le",)


@pytest.mark.parametrize("quality", ["high", "standard", "small"])
def test_the_size_that_is_told_is_about_right(tmp_path: Path, quality: Quality) -> None:
    pictures = scene(75, size=(320, 192))
    info = ClipProperties(
        path=tmp_path / "none.mp4",
        width=320,
        height=192,
        frame_rate=Fraction(25),
        time_base=Fraction(1, 25),
        times=tuple(range(75)),
        is_sequence=True,
    )
    delivery = Delivery(plays_everywhere=True, quality=quality)
    runs = [[pictures[index] for index in places] for places in sample_places(0, 75)]

    told = expected_bytes(runs, info, "h264", delivery, 75)

    path = tmp_path / "out.mp4"
    encoder = Encoder(info, Target(path, "mp4", "h264", delivery), 0, 75)
    for index, picture in enumerate(pictures):
        encoder.write(Frame(index, Fraction(index, 25), picture))
    encoder.finish()
    assert 0.5 < told / path.stat().st_size < 2
