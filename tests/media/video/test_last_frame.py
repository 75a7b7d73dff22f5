"""The last frame is shown as long as the file says, else as long as the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.container
import numpy as np
import pytest
from fresco_media.clip import Clip
from PIL import Image as Pictures

from tests.media.hearing import rewritten

MILLISECOND = Fraction(1, 1000)
UNEVEN_MS = (0, 40, 100, 140, 300, 340, 400, 480, 500)
EVEN_MS = tuple(range(0, 400, 40))


def write_film(path: Path, times_ms: tuple[int, ...], last_ms: int) -> Path:
    """A film of pictures at these times; `last_ms` is how long the last one is shown."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = MILLISECOND
        ends_ms = (*times_ms[1:], times_ms[-1] + last_ms)
        shown_ms = {begin: end - begin for begin, end in zip(times_ms, ends_ms, strict=True)}
        for begin_ms in times_ms:
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 + begin_ms % 180, np.uint8))
            frame.pts, frame.time_base = begin_ms, MILLISECOND
            _mux(output, stream.encode(frame), shown_ms)
        _mux(output, stream.encode(None), shown_ms)
    return path


def _mux(
    output: av.container.OutputContainer, packets: Sequence[av.Packet], shown_ms: dict[int, int]
) -> None:
    for packet in packets:
        assert packet.pts is not None
        shown = shown_ms[round(packet.pts * packet.time_base / MILLISECOND)]
        packet.duration = round(shown * MILLISECOND / packet.time_base)
        output.mux(packet)


def write_animation(path: Path, durations_ms: list[int]) -> Path:
    """An animated picture, of which each frame is shown for so long."""
    first, *others = [
        Pictures.fromarray(np.full((48, 64, 3), 20 + 30 * index, np.uint8))
        for index in range(len(durations_ms))
    ]
    first.save(path, save_all=True, append_images=others, duration=durations_ms, loop=0)
    return path


def length_s(path: Path) -> float:
    with av.open(str(path)) as container:
        assert container.duration is not None
        return container.duration / av.time_base


@pytest.mark.parametrize("result", ["b.mp4", "b.mov", "b.mkv"])
@pytest.mark.parametrize("last_ms", [700, 20])
@pytest.mark.parametrize("source", ["a.mp4", "a.mov", "a.mkv"])
def test_the_last_frame_at_a_variable_rate_lasts_what_the_file_says(
    tmp_path: Path, source: str, last_ms: int, result: str
) -> None:
    film = write_film(tmp_path / source, UNEVEN_MS, last_ms)

    rewritten(film, tmp_path / result)

    assert Clip.open(film).info.duration_s == (500 + last_ms) * MILLISECOND
    assert length_s(tmp_path / result) == pytest.approx((500 + last_ms) / 1000, abs=0.001)


@pytest.mark.parametrize("result", ["b.mp4", "b.mov", "b.mkv"])
@pytest.mark.parametrize("last_ms", [700, 40, 20])
@pytest.mark.parametrize("first_ms", [100, 1000])
def test_the_last_frame_lasts_what_the_file_says_also_after_a_slow_beginning(
    tmp_path: Path, first_ms: int, last_ms: int, result: str
) -> None:
    times_ms = (*range(0, 6 * first_ms, first_ms), *range(6 * first_ms, 6 * first_ms + 800, 40))
    film = write_film(tmp_path / "a.mp4", times_ms, last_ms)

    rewritten(film, tmp_path / result)

    end_s = (times_ms[-1] + last_ms) / 1000
    assert length_s(tmp_path / result) == pytest.approx(end_s, abs=0.001)


@pytest.mark.parametrize("source", ["a.ts", "a.flv"])
def test_the_last_frame_lasts_as_the_one_before_where_the_file_does_not_say(
    tmp_path: Path, source: str
) -> None:
    film = write_film(tmp_path / source, (0, 40, 100, 140, 300, 340, 420), 40)

    rewritten(film, tmp_path / "b.mp4")

    assert Clip.open(film).info.duration_s == 500 * MILLISECOND
    assert length_s(tmp_path / "b.mp4") == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
@pytest.mark.parametrize(
    "durations_ms", [[100, 100, 100, 900], [100, 300, 100, 900]], ids=["held", "uneven"]
)
def test_an_animation_is_held_at_its_end(
    tmp_path: Path, name: str, durations_ms: list[int]
) -> None:
    film = write_animation(tmp_path / name, durations_ms)

    rewritten(film, tmp_path / "b.mp4")

    total_ms = sum(durations_ms)
    assert Clip.open(film).info.duration_s == total_ms * MILLISECOND
    assert length_s(tmp_path / "b.mp4") == pytest.approx(total_ms / 1000, abs=0.001)


@pytest.mark.parametrize("source", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("last_ms", [40, 20, 2000])
def test_at_a_constant_rate_only_a_frame_that_is_held_lasts_longer(
    tmp_path: Path, source: str, last_ms: int
) -> None:
    film = write_film(tmp_path / source, EVEN_MS, last_ms)

    rewritten(film, tmp_path / "b.mp4")

    expected_s = 2.36 if last_ms == 2000 else 0.4
    assert float(Clip.open(film).info.duration_s) == expected_s
    assert length_s(tmp_path / "b.mp4") == pytest.approx(expected_s, abs=0.001)


def test_a_part_before_the_end_is_as_long_as_its_frames(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", UNEVEN_MS, 700)

    rewritten(film, tmp_path / "b.mp4", 1, 4)

    assert length_s(tmp_path / "b.mp4") == pytest.approx(0.26, abs=0.001)
