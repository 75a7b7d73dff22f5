"""Exports, read back frame by frame without the app."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fresco_gui.export import Export, ExportKind, ExportOptions
from fresco_gui.media import ClipFrames, FetchedFrames, FrameInfo, StoredFrames
from fresco_media.stills.images import read_image
from fresco_media.writing.delivery import Delivery, Quality
from fresco_media.writing.readback import obstacles, video_facts
from pytestqt.qtbot import QtBot

from tests.gui.counting import (
    SOUND_RATE,
    number_of,
    numbers_in,
    picture,
    sound_in,
    tone,
    write_clip,
    write_pictures,
)
from tests.media.colour.test_orientation import set_display_matrix
from tests.media.hearing import RATE, Track, heard, late_ms, rewritten, write_sounding

PATIENCE_MS = 180_000
COUNT = 30
Open = Callable[..., ClipFrames]


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Open]:
    clips: list[ClipFrames] = []

    def open_(path: Path, **settings: object) -> ClipFrames:
        clip = ClipFrames(path, **settings)  # type: ignore[arg-type]
        clips.append(clip)
        qtbot.waitUntil(lambda: clip.info is not None, timeout=PATIENCE_MS)
        return clip

    yield open_
    for clip in clips:
        clip.close()


@pytest.fixture
def source(opened: Open, tmp_path: Path) -> ClipFrames:
    return opened(write_clip(tmp_path / "source.mov", COUNT, has_sound=True))


@pytest.fixture
def result(opened: Open, tmp_path: Path) -> ClipFrames:
    return opened(write_clip(tmp_path / "result.mp4", COUNT, inverted=True))


def options(path: Path, kind: ExportKind, **more: object) -> ExportOptions:
    return replace(ExportOptions(path=path, kind=kind, start=0, stop=COUNT), **more)  # type: ignore[arg-type]


class Run:
    """What an export told."""

    def __init__(self, export: Export, bot: QtBot) -> None:
        self.progress: list[tuple[int, int]] = []
        self.finished: list[str] = []
        self.failed: list[str] = []
        self.warned: list[str] = []
        export.warned.connect(self.warned.append)
        export.progressed.connect(lambda done, total: self.progress.append((done, total)))
        export.finished_to.connect(self.finished.append)
        export.failed.connect(self.failed.append)
        self.export, self.bot = export, bot

    def to_end(self) -> Run:
        with self.bot.waitSignal(self.export.finished, timeout=PATIENCE_MS):
            self.export.start()
        assert self.export.wait(10_000)
        return self


@pytest.mark.parametrize("kind", [ExportKind.H264, ExportKind.PRORES], ids=lambda kind: kind.value)
def test_a_range_is_exported_frame_by_frame_with_its_own_sound(
    qtbot: QtBot, tmp_path: Path, source: ClipFrames, result: ClipFrames, kind: ExportKind
) -> None:
    ending = "mp4" if kind is ExportKind.H264 else "mov"
    path = tmp_path / f"out.{ending}"
    chosen = options(path, kind, start=7, stop=24)

    run = Run(Export(source, result, chosen), qtbot).to_end()

    assert run.failed == []
    assert run.finished == [str(path)]
    assert run.progress[-1] == (17, 17)
    assert numbers_in(path, inverted=True) == list(range(7, 24))
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert video.average_rate == 25
        assert video.frames == 17
        name = video.codec_context.name
        assert name == ("h264" if kind is ExportKind.H264 else "prores")
        assert video.codec_context.pix_fmt == (
            "yuv420p" if kind is ExportKind.H264 else "yuv422p10le"
        )
    heard = sound_in(path)
    begin, end = 7 * SOUND_RATE // 25, 24 * SOUND_RATE // 25
    expected = tone(end - begin, begin)
    if kind is ExportKind.PRORES:
        assert np.array_equal(heard, expected)
    else:
        assert abs(len(heard) - len(expected)) <= 2 * 1024
    assert list(tmp_path.glob(".*")) == []


def test_pictures_are_the_very_pixels_and_carry_the_sources_numbers(
    qtbot: QtBot, tmp_path: Path, source: ClipFrames, opened: Open
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    rng = np.random.default_rng(3)
    drawn = {index: rng.integers(0, 256, (96, 192, 3), np.uint8) for index in range(4, 9)}
    for index, pixels in drawn.items():
        cv2.imwrite(str(folder / f"f_{index:04d}.png"), pixels)
    result = opened(folder / "f_%04d.png", frame_rate=Fraction(25), first_index=4)
    chosen = options(tmp_path / "out" / "shot_%05d.png", ExportKind.PNG, start=4, stop=9)

    run = Run(Export(source, result, chosen), qtbot).to_end()

    assert run.failed == []
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"shot_{index:05d}.png" for index in range(4, 9)]
    for index, pixels in drawn.items():
        written = cv2.imread(str(tmp_path / "out" / f"shot_{index:05d}.png"))
        assert written is not None
        assert np.array_equal(written, pixels)


def test_pictures_of_wide_pixels_are_written_as_they_are_shown_and_that_is_told(
    qtbot: QtBot, tmp_path: Path, opened: Open
) -> None:
    path = write_sounding(tmp_path / "a.mp4", seconds=0.4)
    set_display_matrix(path, (2, 0, 0, 1))
    source = opened(path)
    chosen = options(tmp_path / "out" / "a_%04d.png", ExportKind.PNG, stop=3)

    run = Run(Export(source, source, chosen), qtbot).to_end()

    assert run.failed == []
    assert "written as they are shown, at 128x48" in run.warned[0]
    assert {read_image(one).shape for one in (tmp_path / "out").iterdir()} == {(48, 128, 3)}


def test_frames_beyond_the_result_are_those_of_the_source(
    qtbot: QtBot, tmp_path: Path, source: ClipFrames, opened: Open
) -> None:
    part = opened(write_clip(tmp_path / "part.mp4", 5, first=10, inverted=True), first_index=10)
    chosen = options(tmp_path / "out.mp4", ExportKind.H264, start=8, stop=17, has_sound=False)

    Run(Export(source, part, chosen), qtbot).to_end()

    with av.open(str(chosen.path)) as container:
        assert not container.streams.audio
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    made = [index for index in range(8, 17) if 10 <= index < 15]
    shown = [
        number_of(frame, inverted=index in made)
        for index, frame in zip(range(8, 17), frames, strict=True)
    ]
    assert shown == list(range(8, 17))


def test_a_whole_h264_result_is_not_encoded_again(
    qtbot: QtBot, tmp_path: Path, opened: Open
) -> None:
    source = opened(write_clip(tmp_path / "source.mp4", COUNT))
    result = opened(write_clip(tmp_path / "result.mp4", COUNT, inverted=True))
    chosen = options(tmp_path / "out.mp4", ExportKind.H264)

    run = Run(Export(source, result, chosen), qtbot).to_end()

    assert run.failed == []
    assert chosen.path.read_bytes() == result.path.read_bytes()


@pytest.mark.parametrize(
    ("codec", "pixel_format", "name", "is_first"),
    [
        ("libx264rgb", "rgb24", "result.mp4", True),
        ("libx264", "yuv444p", "result.mp4", True),
        ("libx264", "yuv420p10le", "result.mp4", True),
        ("libx264", "yuvj420p", "result.mp4", True),
        ("mpeg4", "yuv420p", "result.mp4", True),
        ("libx264", "yuv420p", "result.mp4", False),
        ("libx264", "yuv420p", "result.mov", True),
    ],
    ids=["lossless", "4:4:4", "10 bit", "full range", "mpeg4", "index last", "mov"],
)
def test_a_result_that_does_not_play_everywhere_is_encoded_not_copied(
    qtbot: QtBot,
    tmp_path: Path,
    opened: Open,
    codec: str,
    pixel_format: str,
    name: str,
    is_first: bool,
) -> None:
    source = opened(write_clip(tmp_path / "source.mp4", COUNT))
    made = write_clip(
        tmp_path / name,
        COUNT,
        inverted=True,
        codec=codec,
        pixel_format=pixel_format,
        is_index_first=is_first,
    )
    chosen = options(tmp_path / "out.mp4", ExportKind.H264)

    run = Run(Export(source, opened(made), chosen), qtbot).to_end()

    assert run.failed == run.warned == []
    assert obstacles(video_facts(chosen.path)) == []
    assert chosen.path.read_bytes() != made.read_bytes()
    assert numbers_in(chosen.path, inverted=True) == list(range(COUNT))


@pytest.mark.parametrize("quality", ["standard", "small"])
def test_another_quality_than_the_results_is_encoded_and_smaller(
    qtbot: QtBot, tmp_path: Path, opened: Open, quality: Quality
) -> None:
    noise = np.random.default_rng(1).normal(0, 12, (COUNT, 96, 192, 3))
    drawn = [np.clip(picture(n) + noise[n], 0, 255).astype(np.uint8) for n in range(COUNT)]
    source = opened(write_pictures(tmp_path / "source.mp4", drawn))
    chosen = options(tmp_path / "out.mp4", ExportKind.H264, quality=quality)

    Run(Export(source, source, chosen), qtbot).to_end()

    assert chosen.path.stat().st_size < source.path.stat().st_size
    assert numbers_in(chosen.path) == list(range(COUNT))


@pytest.mark.parametrize("has_all", [True, False])
def test_a_result_without_all_the_clips_sound_is_encoded_anew(
    qtbot: QtBot, tmp_path: Path, opened: Open, has_all: bool
) -> None:
    track = Track(codec="aac", seconds=1.2)
    path = write_sounding(tmp_path / "a.mp4", track, track, seconds=1.2)
    rewritten(path, tmp_path / "both.mp4", delivery=Delivery(sound="aac"))
    one = write_sounding(tmp_path / "b.mp4", track, seconds=1.2)
    rewritten(one, tmp_path / "one.mp4", delivery=Delivery(sound="aac"))
    made = tmp_path / ("both.mp4" if has_all else "one.mp4")
    chosen = options(tmp_path / "out.mp4", ExportKind.H264)

    Run(Export(opened(path), opened(made), chosen), qtbot).to_end()

    assert (chosen.path.read_bytes() == made.read_bytes()) == has_all
    assert video_facts(chosen.path).sound == ("aac", "aac")


def _take_away(path: Path) -> None:
    path.unlink()


def _write_anew(path: Path) -> None:
    write_sounding(path, Track(codec="aac", seconds=1.2, seed=9), seconds=1.2)


@pytest.mark.parametrize(
    ("change", "said"),
    [(_take_away, "is gone"), (_write_anew, "was written anew")],
    ids=["gone", "replaced"],
)
def test_no_result_gets_the_sound_of_another_clip_or_loses_its_own(
    qtbot: QtBot, tmp_path: Path, opened: Open, change: Callable[[Path], None], said: str
) -> None:
    track = Track(codec="aac", seconds=1.2)
    path = write_sounding(tmp_path / "a.mp4", track, seconds=1.2)
    rewritten(path, tmp_path / "made.mp4")
    source, result = opened(path), opened(tmp_path / "made.mp4")
    whole = options(tmp_path / "whole.mp4", ExportKind.H264)
    part = options(tmp_path / "part.mp4", ExportKind.H264, start=3)
    silent = replace(part, path=tmp_path / "silent.mp4", has_sound=False)
    change(path)

    runs = [Run(Export(source, result, one), qtbot).to_end() for one in (whole, part, silent)]

    assert [len(run.failed) for run in runs] == [0, 1, 0]
    assert whole.path.read_bytes() == result.path.read_bytes()
    assert said in runs[1].failed[0]
    assert "export without sound" in runs[1].failed[0]
    assert not part.path.exists()
    assert video_facts(silent.path).sound == ()


def test_frames_beyond_the_result_are_never_those_of_another_clip(
    qtbot: QtBot, tmp_path: Path, opened: Open
) -> None:
    path = write_clip(tmp_path / "a.mp4", COUNT)
    source = opened(path)
    result = opened(write_clip(tmp_path / "made.mp4", 10, inverted=True), first_index=5)
    chosen = options(tmp_path / "out.mp4", ExportKind.H264, has_sound=False)
    write_clip(path, COUNT, inverted=True)

    run = Run(Export(source, result, chosen), qtbot).to_end()

    assert "export those of the result only" in run.failed[0]
    inside = replace(chosen, start=5, stop=15)
    assert Run(Export(source, result, inside), qtbot).to_end().failed == []


@pytest.mark.parametrize("kind", [ExportKind.H264, ExportKind.PRORES], ids=lambda kind: kind.value)
@pytest.mark.parametrize("codec", ["pcm_s16le", "libopus", "mp2"])
def test_every_sound_track_is_exported_in_its_place_in_time(
    qtbot: QtBot, tmp_path: Path, opened: Open, codec: str, kind: ExportKind
) -> None:
    tracks = [
        Track(codec=codec, seed=1, seconds=1.2, metadata={"title": "Game", "language": "eng"}),
        Track(codec=codec, seed=2, seconds=0.7, begins_s=0.5, metadata={"language": "deu"}),
    ]
    path = write_sounding(tmp_path / "obs.mkv", *tracks, seconds=1.2)
    chosen = options(tmp_path / ("o.mp4" if kind is ExportKind.H264 else "o.mov"), kind, start=5)
    source = opened(path)

    run = Run(Export(source, source, chosen), qtbot).to_end()

    assert run.failed == run.warned == []
    first, second = (heard(path, track)[RATE // 5 :] for track in (0, 1))
    assert abs(late_ms(heard(chosen.path, 0), first, 0.1, 0.9)) <= 1
    assert abs(late_ms(heard(chosen.path, 1), second, 0.4, 0.9)) <= 1
    with av.open(str(chosen.path)) as container:
        languages = [stream.metadata.get("language") for stream in container.streams.audio]
        assert languages == ["eng", "deu"]
        assert container.streams.audio[0].metadata.get("name") == "Game"


def test_a_variable_rate_keeps_its_times(qtbot: QtBot, tmp_path: Path, opened: Open) -> None:
    ticks = [0, 40, 80, 400, 440, 1000, 1040]
    source = opened(write_clip(tmp_path / "source.mkv", 7, ticks=ticks))
    result = opened(write_clip(tmp_path / "result.mkv", 7, ticks=ticks, inverted=True))
    chosen = options(tmp_path / "out.mp4", ExportKind.H264, start=1, stop=6, has_sound=False)

    Run(Export(source, result, chosen), qtbot).to_end()

    with av.open(str(chosen.path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([(tick - 40) / 1000 for tick in ticks[1:6]], abs=1e-4)
    assert numbers_in(chosen.path, inverted=True) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(60000, 1001)], ids=str)
def test_exact_rates_are_kept(qtbot: QtBot, tmp_path: Path, opened: Open, rate: Fraction) -> None:
    source = opened(write_clip(tmp_path / "source.mp4", 20, rate=rate))
    result = opened(write_clip(tmp_path / "result.mp4", 20, rate=rate, inverted=True))
    chosen = options(tmp_path / "out.mov", ExportKind.PRORES, start=3, stop=20)

    Run(Export(source, result, chosen), qtbot).to_end()

    with av.open(str(chosen.path)) as container:
        assert container.streams.video[0].average_rate == rate
    assert numbers_in(chosen.path, inverted=True) == list(range(3, 20))


@pytest.mark.parametrize("kind", [ExportKind.H264, ExportKind.PRORES], ids=lambda kind: kind.value)
def test_odd_sizes_can_be_exported(
    qtbot: QtBot, tmp_path: Path, opened: Open, kind: ExportKind
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"f{number:03d}.png"), picture(number, 193, 97)[..., ::-1])
    clip = opened(folder)
    chosen = options(tmp_path / "out.mov", kind, stop=3)

    run = Run(Export(clip, clip, chosen), qtbot).to_end()

    assert run.failed == []
    assert numbers_in(chosen.path) == [0, 1, 2]
    with av.open(str(chosen.path)) as container:
        video = container.streams.video[0]
        # Few players take odd sides of H.264.
        is_even = kind is ExportKind.H264
        assert (video.width, video.height) == ((194, 98) if is_even else (193, 97))
    assert any("193x97 is odd" in sentence for sentence in run.warned) == is_even


def test_cancelling_leaves_nothing_behind(qtbot: QtBot, tmp_path: Path, opened: Open) -> None:
    source = opened(write_clip(tmp_path / "source.mp4", 200, size=(384, 192)))
    chosen = options(tmp_path / "out" / "frame_%04d.png", ExportKind.PNG, stop=200)
    run = Run(Export(source, source, chosen), qtbot)
    run.export.progressed.connect(lambda *_: run.export.cancel())

    run.to_end()

    assert run.finished == run.failed == []
    assert list((tmp_path / "out").iterdir()) == []


def test_an_older_export_survives_one_that_fails(
    qtbot: QtBot, tmp_path: Path, source: ClipFrames
) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    info = FrameInfo(path=None, frame_count=COUNT, frame_rate=Fraction(25), width=192, height=96)
    unfinished = StoredFrames(info)

    run = Run(Export(source, unfinished, options(path, ExportKind.H264)), qtbot).to_end()
    unfinished.close()

    assert path.read_bytes() == b"older"
    assert "not there yet" in run.failed[0]
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("name", ["out.mp4", "out_%04d.png"])
def test_a_pipe_is_not_replaced(
    qtbot: QtBot, tmp_path: Path, source: ClipFrames, result: ClipFrames, name: str
) -> None:
    kind = ExportKind.PNG if name.endswith("png") else ExportKind.H264
    pipe = tmp_path / name.replace("%04d", "0002")
    os.mkfifo(pipe)

    run = Run(Export(source, result, options(tmp_path / name, kind, stop=4)), qtbot).to_end()

    assert "a device, a pipe" in run.failed[0]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["out.mp4", "out_%04d.png"])
def test_a_file_that_gets_the_name_meanwhile_is_kept(
    qtbot: QtBot, tmp_path: Path, source: ClipFrames, result: ClipFrames, name: str
) -> None:
    kind = ExportKind.PNG if name.endswith("png") else ExportKind.H264
    export = Export(source, result, options(tmp_path / name, kind, stop=4))
    foreign = tmp_path / name.replace("%04d", "0002")
    foreign.write_bytes(b"precious")

    run = Run(export, qtbot).to_end()

    assert "this name was taken during the work" in run.failed[0]
    assert foreign.read_bytes() == b"precious"
    if kind is ExportKind.H264:
        assert numbers_in(tmp_path / "out (2).mp4", inverted=True) == [0, 1, 2, 3]
    else:
        assert [path.name for path in tmp_path.glob("*.png")] == [foreign.name]


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(
    qtbot: QtBot, tmp_path: Path, source: ClipFrames, result: ClipFrames
) -> None:
    (tmp_path / "file").write_text("in the way")
    chosen = options(tmp_path / "file" / "out.mov", ExportKind.PRORES)

    run = Run(Export(source, result, chosen), qtbot).to_end()

    assert run.finished == []
    assert "out.mov cannot be written" in run.failed[0]
    assert "Errno" not in run.failed[0]


def test_a_full_disk_is_named(
    qtbot: QtBot,
    tmp_path: Path,
    source: ClipFrames,
    result: ClipFrames,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = os.fdopen

    def full(descriptor: int, mode: str) -> object:
        if mode != "wb":
            return opened(descriptor, mode)
        os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    chosen = options(tmp_path / "out", ExportKind.PNG)

    run = Run(Export(source, result, chosen), qtbot).to_end()

    assert "the disk is full" in run.failed[0]


def test_frames_of_a_daemon_are_exported_as_they_are(
    qtbot: QtBot, tmp_path: Path, source: ClipFrames
) -> None:
    info = FrameInfo(path=None, frame_count=3, frame_rate=Fraction(25), width=192, height=96)
    drawn = np.random.default_rng(5).integers(0, 256, (3, 96, 192, 3), np.uint8)
    fetched = FetchedFrames(info, lambda index: cv2.imencode(".png", drawn[index])[1].tobytes())
    chosen = options(tmp_path / "out", ExportKind.PNG, stop=3)

    Run(Export(source, fetched, chosen), qtbot).to_end()
    fetched.close()

    for index in range(3):
        written = cv2.imread(str(tmp_path / "out" / f"frame_{index:04d}.png"))
        assert written is not None
        assert np.array_equal(written, drawn[index])


@pytest.mark.parametrize("other_name", ["link.mp4", "hard.mp4", "below/../source.mov"])
def test_the_clip_is_never_replaced_whatever_name_the_export_is_given(
    source: ClipFrames, result: ClipFrames, tmp_path: Path, qtbot: QtBot, other_name: str
) -> None:
    clip, place = tmp_path / "source.mov", tmp_path / other_name
    (tmp_path / "below").mkdir()
    (tmp_path / "link.mp4").symlink_to(clip)
    (tmp_path / "hard.mp4").hardlink_to(clip)
    before = clip.read_bytes()

    run = Run(Export(source, result, options(place, ExportKind.H264)), qtbot).to_end()

    (sentence,) = run.failed
    assert "this is where the clip itself is" in sentence
    assert clip.read_bytes() == before
    assert place.samefile(clip)


def test_an_export_over_the_kept_result_is_refused(
    source: ClipFrames, result: ClipFrames, tmp_path: Path, qtbot: QtBot
) -> None:
    chosen = options(tmp_path / "result.mp4", ExportKind.H264)

    run = Run(Export(source, result, chosen), qtbot).to_end()

    assert "this is where the result is kept" in run.failed[0]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("100%_%04d.png", "100%_0000.png"),
        ("50%d_%02d.png", "50%d_00.png"),
        ("%%d %d.png", "%%d 0.png"),
        ("x" * 246 + "%04d.png", "x" * 246 + "0000.png"),
    ],
)
def test_pictures_have_the_name_their_pattern_says(
    source: ClipFrames, result: ClipFrames, tmp_path: Path, qtbot: QtBot, name: str, written: str
) -> None:
    chosen = options(tmp_path / name, ExportKind.PNG, stop=1)

    Run(Export(source, result, chosen), qtbot).to_end()

    assert (tmp_path / written).is_file()


@pytest.mark.parametrize("place", ["shot_%04d.png", "shot.png"])
def test_pictures_of_a_sequence_are_numbered_as_its_files_are(
    source: ClipFrames, result: ClipFrames, tmp_path: Path, qtbot: QtBot, place: str
) -> None:
    chosen = options(tmp_path / place, ExportKind.PNG, start=2, stop=4, first_number=1001)

    Run(Export(source, result, chosen), qtbot).to_end()

    assert sorted(path.name for path in tmp_path.glob("shot*")) == [
        "shot_1003.png",
        "shot_1004.png",
    ]


def test_a_name_of_all_the_bytes_there_are_is_written(
    source: ClipFrames, result: ClipFrames, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / ("y" * 251 + ".mp4")

    run = Run(Export(source, result, options(path, ExportKind.H264, stop=2)), qtbot).to_end()

    assert run.finished == [str(path)]
