"""Streams of coded pictures without a container: every picture once, in order, and alone too."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fresco_media.clip import Clip

from tests.media.odd_files import Film, Muxing, mux, number_in

_CIF = (352, 288)
_BARE = {
    "m1v": (Film(codec="mpeg1video"), "mpeg1video"),
    "m1v-without-b-frames": (Film(codec="mpeg1video", b_frames=0), "mpeg1video"),
    "m1v-of-keyframes": (Film(codec="mpeg1video", b_frames=0, gop=1), "mpeg1video"),
    "m2v": (Film(codec="mpeg2video"), "mpeg2video"),
    "m4v": (Film(codec="mpeg4"), "m4v"),
    "h264": (Film(), "h264"),
    "h261": (Film(codec="h261", b_frames=0, size=_CIF), "h261"),
    "h263": (Film(codec="h263", b_frames=0, size=_CIF), "h263"),
    "mjpeg": (Film(codec="mjpeg", b_frames=0, options={"qmin": "2", "qmax": "3"}), "mjpeg"),
    "vc2": (Film(codec="vc2", b_frames=0), "dirac"),
}


@pytest.mark.parametrize("kind", _BARE)
def test_a_bare_stream_shows_every_picture_once_and_in_order(tmp_path: Path, kind: str) -> None:
    film, muxer = _BARE[kind]
    path = mux(tmp_path / "clip", film, Muxing(container=muxer))

    frames = list(Clip.open(path).frames())

    assert [number_in(frame.image) for frame in frames] == list(range(film.count))


@pytest.mark.parametrize("kind", _BARE)
def test_a_frame_of_a_bare_stream_is_the_same_alone(tmp_path: Path, kind: str) -> None:
    film, muxer = _BARE[kind]
    clip = Clip.open(mux(tmp_path / "clip", film, Muxing(container=muxer)))
    frames = list(clip.frames())

    for index in (film.count - 1, 0, 12, 5, 11, 10):
        (alone,) = clip.frames(index, index + 1)
        assert np.array_equal(alone.image, frames[index].image), index


@pytest.mark.parametrize("suffix", ["drc", "ts", "mkv", "mov", "avi", "nut"])
@pytest.mark.parametrize("count", [1, 7])
def test_the_end_of_a_vc2_stream_is_no_picture(tmp_path: Path, suffix: str, count: int) -> None:
    muxing = Muxing(container={"drc": "dirac", "ts": "mpegts", "mkv": "matroska"}.get(suffix))
    path = mux(tmp_path / f"clip.{suffix}", Film(count=count, codec="vc2", b_frames=0), muxing)

    clip = Clip.open(path)

    assert clip.info.frame_count == count
    assert [number_in(frame.image) for frame in clip.frames()] == list(range(count))


@pytest.mark.parametrize("rate", [Fraction(12000, 1001), Fraction(60000, 1001), Fraction(25)])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_mpeg4_in_a_program_stream_has_the_times_of_its_pictures(
    tmp_path: Path, rate: Fraction, b_frames: int
) -> None:
    film = Film(codec="mpeg4", rate=rate, b_frames=b_frames)
    path = mux(tmp_path / "clip.mpg", film, Muxing(container="mpeg"))

    clip = Clip.open(path)

    times = [time * clip.info.time_base for time in clip.info.times]
    assert [number_in(frame.image) for frame in clip.frames()] == list(range(film.count))
    assert all(
        abs(time - times[0] - index / rate) < Fraction(1, 10000) for index, time in enumerate(times)
    )
    assert abs(clip.info.frame_rate / rate - 1) < Fraction(1, 1000)
