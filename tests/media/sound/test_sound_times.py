"""Sound is where its times put it, also behind the last picture and on a clock of its own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip

from tests.media.hearing import (
    RATE,
    Heard,
    Track,
    heard,
    late_ms,
    loudness,
    rewritten,
    signal,
    write_sounding,
)
from tests.media.odd_files import Film, Muxing, mux

FORMS = [
    ("mkv", "pcm_s16le", "mp4"),
    ("mkv", "wavpack", "mov"),
    ("mkv", "mp2", "mp4"),
    ("nut", "pcm_alaw", "mkv"),
    ("nut", "pcm_f32le", "mkv"),
]


def at(begin_s: float, seconds: float = 2.0) -> Heard:
    """What is heard of a track that begins at `begin_s`."""
    return np.concatenate([np.zeros(round(begin_s * RATE)), signal(seconds)])


@pytest.mark.parametrize(("source", "codec", "result"), FORMS)
def test_sound_that_begins_after_the_last_picture_begins_there_in_the_result(
    tmp_path: Path, source: str, codec: str, result: str
) -> None:
    track = Track(codec=codec, seconds=1.0, begins_s=1.2)
    path = write_sounding(tmp_path / f"a.{source}", track, seconds=0.4)

    rewritten(path, tmp_path / f"b.{result}")

    after = heard(tmp_path / f"b.{result}")
    assert abs(late_ms(after, at(1.2, 1.0), 1.25, 2.1)) <= 1
    assert loudness(after, 0.1, 1.1) < 0.01


@pytest.mark.parametrize(("source", "codec", "result"), FORMS)
def test_a_hole_that_the_last_picture_falls_into_stays_one(
    tmp_path: Path, source: str, codec: str, result: str
) -> None:
    track = Track(codec=codec, keeps=lambda time_s: not 0.4 <= time_s < 1.0)
    path = write_sounding(tmp_path / f"a.{source}", track, seconds=0.6)

    rewritten(path, tmp_path / f"b.{result}")

    after = heard(tmp_path / f"b.{result}")
    assert abs(late_ms(after, signal(2.0), 0.1, 0.35)) <= 1
    assert abs(late_ms(after, signal(2.0), 1.15, 1.9)) <= 1


def test_one_picture_with_sound_that_begins_later_keeps_it(tmp_path: Path) -> None:
    track = Track(codec="pcm_s24le", seconds=1.0, begins_s=0.5)
    path = write_sounding(tmp_path / "a.mkv", track, seconds=0.04)

    rewritten(path, tmp_path / "b.mp4")

    assert abs(late_ms(heard(tmp_path / "b.mp4"), at(0.5, 1.0), 0.55, 1.4)) <= 1


def test_sound_that_wrong_times_put_far_behind_the_pictures_is_left_out_and_told(
    tmp_path: Path,
) -> None:
    track = Track(codec="pcm_s16le", seconds=0.5, begins_s=7200.0)
    path = write_sounding(tmp_path / "a.nut", track, seconds=0.4)

    said = rewritten(path, tmp_path / "b.mp4")

    assert any("sound track 1 goes on more than a minute after the last picture" in s for s in said)
    assert (tmp_path / "b.mp4").stat().st_size < 100_000
    assert Clip.open(tmp_path / "b.mp4").info.frame_count == 10


@pytest.mark.parametrize("result", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize("drift", [-0.001, 0.0007, 0.001], ids=str)
def test_sound_whose_clock_runs_off_is_followed_to_the_millisecond(
    tmp_path: Path, drift: float, result: str
) -> None:
    plain = write_sounding(tmp_path / "plain.nut", Track(codec="pcm_alaw", seconds=4.0))
    source = _on_another_clock(plain, tmp_path / "a.nut", 1 + drift)

    rewritten(source, tmp_path / result)

    after = heard(tmp_path / result, seconds=4.0)
    written = signal(4.0)
    off_ms = [
        late_ms(after, written, begin, begin + 0.04) - 1000 * drift * (begin + 0.02)
        for begin in np.arange(0.24, 3.6, 0.04)
    ]
    assert max(map(abs, off_ms)) <= 1


def _on_another_clock(source: Path, output: Path, speed: float) -> Path:
    """`source` with the times of its sound multiplied by `speed`."""
    with av.open(str(source)) as file, av.open(str(output), "w") as made:
        streams = {one.index: made.add_stream_from_template(one) for one in file.streams}
        for packet in file.demux():
            if packet.pts is None or packet.dts is None:
                continue
            if packet.stream.type == "audio":
                packet.pts = packet.dts = round(packet.pts * speed)
            packet.stream = streams[packet.stream_index]
            made.mux(packet)
    return output


@pytest.mark.parametrize(
    ("codec", "layout", "rate"),
    [
        ("pcm_f64le", "7.1", 48_000),
        ("pcm_f64le", "5.1", 44_100),
        ("pcm_s32le", "7.1", 44_100),
        ("pcm_f32le", "7.1", 48_000),
    ],
)
def test_samples_that_a_file_holds_one_by_one_are_put_together(
    tmp_path: Path, codec: str, layout: str, rate: int
) -> None:
    track = Track(codec=codec, layout=layout, rate=rate, seconds=0.6)
    source = write_sounding(tmp_path / "a.avi", track, video="mjpeg", seconds=0.6)

    rewritten(source, tmp_path / "b.mkv")

    with av.open(str(tmp_path / "b.mkv")) as file:
        count = sum(packet.size > 0 for packet in file.demux(file.streams.audio[0]))
    assert count <= 30
    assert abs(late_ms(heard(tmp_path / "b.mkv"), signal(0.6), 0.1, 0.5)) <= 1


@pytest.mark.parametrize("result", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize("b_frames", [1, 2, 3])
def test_pictures_of_an_avi_that_reorders_are_where_ffmpeg_has_them(
    tmp_path: Path, b_frames: int, result: str
) -> None:
    film = Film(b_frames=b_frames, options={"b-adapt": "0"})
    source = mux(tmp_path / "a.avi", film, Muxing(sound_s=(0.0, 1.2), sound_codec="mp2"))

    clip = Clip.open(source)
    rewritten(source, tmp_path / result)

    assert clip.info.times[0] * clip.info.time_base == _first_picture_s(source) > 0
    was = _first_picture_s(source) - _first_sound_s(source)
    now = _first_picture_s(tmp_path / result) - _first_sound_s(tmp_path / result)
    assert abs(was - now) <= Fraction(1, 1000)


def _first_picture_s(path: Path) -> Fraction:
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frame = next(iter(file.decode(stream)))
        assert frame.pts is not None
        return frame.pts * (stream.time_base or Fraction(0))


def _first_sound_s(path: Path) -> Fraction:
    with av.open(str(path)) as file:
        frame = next(iter(file.decode(file.streams.audio[0])))
        assert frame.pts is not None
        return frame.pts * (frame.time_base or Fraction(0))
