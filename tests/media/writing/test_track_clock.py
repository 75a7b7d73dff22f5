"""Clips on a fine clock: their results play in programs that know small offsets only."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from fresco_media.clip import Clip
from fresco_media.writing.track_clock import track_clock

from tests.media.hearing import rewritten
from tests.media.odd_files import numbered

_LIMIT = 1 << 28
NANOSECONDS, HUNDREDS = Fraction(1, 10**9), Fraction(1, 10**7)


def offsets_in(path: Path) -> list[int]:
    """Composition offsets as the file has them."""
    data = path.read_bytes()
    at = data.index(b"ctts") + 4
    (count,) = struct.unpack_from(">I", data, at + 4)
    return [struct.unpack_from(">Ii", data, at + 8 + 8 * place)[1] for place in range(count)]


def durations_in(path: Path) -> list[int]:
    """How many ticks each picture takes until the next one is decoded."""
    data = path.read_bytes()
    at = data.index(b"stts") + 4
    (count,) = struct.unpack_from(">I", data, at + 4)
    return [struct.unpack_from(">2I", data, at + 8 + 8 * place)[1] for place in range(count)]


def on_clock(path: Path, base: Fraction, ticks: Sequence[int]) -> Path:
    """A video whose pictures begin at `ticks` of `base`; NUT holds any clock."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.max_b_frames = 0
        packets: list[av.Packet] = []
        for place in range(len(ticks)):
            frame = av.VideoFrame.from_ndarray(numbered(place), format="rgb24")
            frame.pts, frame.time_base = place, Fraction(1, 25)
            packets += stream.encode(frame.reformat(format="yuv420p"))
        stream.time_base = base
        for packet, tick in zip((*packets, *stream.encode(None)), ticks, strict=True):
            packet.pts = packet.dts = tick
            packet.time_base, packet.duration, packet.stream = base, 0, stream
            output.mux(packet)
    return path


def evenly(base: Fraction, picture_s: Fraction) -> list[int]:
    """Ticks of twenty pictures that are shown for so long each."""
    return [index * int(picture_s / base) for index in range(20)]


def seconds_of(path: Path) -> list[Fraction]:
    info = Clip.open(path).info
    return [(time - info.times[0]) * info.time_base for time in info.times]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize(
    ("base", "picture_s"),
    [
        (NANOSECONDS, Fraction(1, 5)),
        (NANOSECONDS, Fraction(1, 25)),
        (NANOSECONDS, Fraction(3)),
        (HUNDREDS, Fraction(40)),
        (Fraction(1, 705_600_000), Fraction(1, 4)),
        (Fraction(1, 90_000), Fraction(3600)),
    ],
)
def test_no_picture_is_shown_later_than_old_readers_know(
    tmp_path: Path, suffix: str, base: Fraction, picture_s: Fraction
) -> None:
    source = on_clock(tmp_path / "a.nut", base, evenly(base, picture_s))
    info = Clip.open(source).info
    assert info.time_base <= base

    said = rewritten(source, tmp_path / f"b{suffix}")

    result = tmp_path / f"b{suffix}"
    assert said == ()
    assert max(map(abs, offsets_in(result))) < _LIMIT
    assert max(durations_in(result)) < _LIMIT
    assert seconds_of(result) == seconds_of(source) == [index * picture_s for index in range(20)]


def test_times_that_no_coarse_clock_holds_are_rounded_and_stay_in_order(tmp_path: Path) -> None:
    primes = [0, 7, 11_000_000_003, 11_000_000_004, 23_000_000_011, 47_000_000_017, 97_000_000_019]
    times = [*primes, *(97_000_000_019 + 100_000_007 * place for place in range(1, 14))]
    source = on_clock(tmp_path / "a.nut", NANOSECONDS, times)

    rewritten(source, tmp_path / "b.mp4")

    shown, wanted = seconds_of(tmp_path / "b.mp4"), seconds_of(source)
    assert max(map(abs, offsets_in(tmp_path / "b.mp4"))) < _LIMIT
    assert all(sooner < later for sooner, later in pairwise(shown))
    assert max(abs(one - other) for one, other in zip(shown, wanted, strict=True)) < Fraction(
        1, 500
    )


@pytest.mark.parametrize("part", [(0, 20), (5, 17)])
def test_a_clock_that_is_coarse_enough_is_kept(tmp_path: Path, part: tuple[int, int]) -> None:
    base = Fraction(1, 90_000)
    source = on_clock(tmp_path / "a.nut", base, evenly(base, Fraction(1, 25)))

    rewritten(source, tmp_path / "b.mp4", *part)

    with av.open(str(tmp_path / "b.mp4")) as file:
        assert file.streams.video[0].time_base == base


def test_a_clock_is_no_coarser_than_it_must_be() -> None:
    assert track_clock([0, 1, 2], NANOSECONDS) == NANOSECONDS
    assert track_clock([0, 10**9, 2 * 10**9], NANOSECONDS) == Fraction(8, 10**9)
    assert track_clock([0, 1, 2 * 10**9 + 1], NANOSECONDS) == Fraction(1, 10**8)
