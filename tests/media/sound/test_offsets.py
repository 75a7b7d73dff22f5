"""Sound and pictures keep the times they had to each other."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.writing.writer import open_writer

from tests.media import hearing
from tests.media.hearing import RATE, Track, heard, late_ms, loudness, write_sounding
from tests.media.odd_files import Film, Muxing, join, mux, number_in

MS = Fraction(1, 1000)
MPEG = Fraction(1, 90000)


def rewritten(source: Path, name: str, start: int = 0) -> Path:
    clip = Clip.open(source)
    output = source.with_name(name)
    with open_writer(output, clip, start=start) as writer:
        for frame in clip.frames(start):
            writer.write(frame)
    return output


def times_s(path: Path) -> dict[str, list[Fraction]]:
    """When each picture and each packet of sound begins."""
    found: dict[str, list[Fraction]] = {"video": [], "audio": []}
    with av.open(str(path)) as container:
        streams = [container.streams.video[0], *container.streams.audio[:1]]
        for packet in container.demux(*streams):
            if packet.size and packet.pts is not None and not packet.is_discard:
                found[packet.stream.type].append(packet.pts * packet.time_base)
    return {kind: sorted(times) for kind, times in found.items()}


def late(ticks: int) -> Muxing:
    """Pictures that begin 2 s after the sound, which begins after `ticks` of 1/90000 s."""
    begin_s = ticks / 90000
    return Muxing(
        MPEG,
        lambda index: ticks + 180_000 + 3600 * index,
        sound_s=(begin_s, 3.2),
        options={"avoid_negative_ts": "disabled"},
    )


@pytest.mark.parametrize("output", ["o.mp4", "o.mov", "o.mkv"])
@pytest.mark.parametrize(
    ("name", "muxing"),
    [
        ("late.mp4", late(0)),
        ("late.mkv", late(0)),
        ("late.ts", late(0)),
        ("much-later.ts", late(90_000 * 3600)),
        ("late.flv", late(9000)),
    ],
    ids=["mp4", "mkv", "ts", "ts-after-an-hour", "flv"],
)
def test_pictures_that_begin_after_the_sound_stay_as_late(
    tmp_path: Path, name: str, muxing: Muxing, output: str
) -> None:
    source = mux(tmp_path / name, Film(), muxing)

    before, after = times_s(source), times_s(rewritten(source, output))

    assert before["video"][0] - before["audio"][0] > Fraction(18, 10)
    # The first packets of a codec may be hidden as its delay; the last one is always heard.
    was = before["video"][0] - before["audio"][-1]
    now = after["video"][0] - after["audio"][-1]
    assert abs(was - now) <= MS
    assert len(after["audio"]) >= len(before["audio"]) - 1
    # A codec that settles before 0 is not heard: the file says how long that takes.
    assert -Fraction(1, 20) < min(after["video"][0], after["audio"][0]) < Fraction(1, 10)


@pytest.mark.parametrize("output", ["o.mp4", "o.mkv"])
@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.ts"])
def test_sound_that_begins_after_the_pictures_stays_as_late(
    tmp_path: Path, name: str, output: str
) -> None:
    muxing = Muxing(MPEG, lambda index: 7200 + 3600 * index, sound_s=(0.7, 0.5))
    source = mux(tmp_path / name, Film(), muxing)

    before, after = times_s(source), times_s(rewritten(source, output))

    was = before["audio"][0] - before["video"][0]
    now = after["audio"][0] - after["video"][0]
    assert was > Fraction(1, 2)
    assert abs(was - now) <= MS


@pytest.mark.parametrize("output", ["o.mp4", "o.mkv"])
@pytest.mark.parametrize("begins_s", [Fraction(1, 2), Fraction(8, 10), Fraction(5)])
@pytest.mark.parametrize("container", ["mpeg", "vob", "mpegts"])
def test_a_clock_of_broadcasts_that_runs_already_is_no_late_beginning(
    tmp_path: Path, container: str, begins_s: Fraction, output: str
) -> None:
    source = tmp_path / "cut.mpg"
    with av.open(str(source), "w", format=container) as file:
        pictures = file.add_stream("mpeg2video", Fraction(25))
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = file.add_stream("mp2", 48000)
        for index in range(10):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * index, np.uint8))
            picture.pts, picture.time_base = int(begins_s * 25) + index, Fraction(1, 25)
            file.mux(pictures.encode(picture))
        for index in range(16):
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), layout="mono")
            heard.sample_rate, heard.time_base = 48000, Fraction(1, 48000)
            heard.pts = int(begins_s * 48000) + 1152 * index
            file.mux(sound.encode(heard))
        file.mux(pictures.encode(None))
        file.mux(sound.encode(None))

    before, after = times_s(source), times_s(rewritten(source, output))

    assert before["video"][0] > Fraction(2, 5)
    assert 0 <= after["video"][0] < Fraction(1, 20)
    if output == "o.mkv":  # The sound's packets are the same.
        was = before["video"][0] - before["audio"][-1]
        assert abs(was - (after["video"][0] - after["audio"][-1])) <= MS


@pytest.mark.parametrize("output", ["o.mp4", "o.mov", "o.mkv"])
def test_sound_from_before_the_clock_begins_is_kept_whole(tmp_path: Path, output: str) -> None:
    muxing = Muxing(
        *(MS, lambda index: 40 * index),
        sound_s=(-0.2, 1.0),
        options={"avoid_negative_ts": "disabled"},
    )
    source = mux(tmp_path / "early.mkv", Film(), muxing)

    before, after = times_s(source), times_s(rewritten(source, output))

    assert before["audio"][0] <= Fraction(-2, 10)
    was = before["video"][0] - before["audio"][-1]
    assert abs(was - (after["video"][0] - after["audio"][-1])) <= MS
    # One packet at most is the codec's delay.
    assert len(after["audio"]) >= len(before["audio"]) - 1


def test_what_a_codec_needs_to_settle_is_not_early(tmp_path: Path) -> None:
    muxing = Muxing(MPEG, lambda index: 3600 * index, sound_s=(0, 1))
    source = mux(tmp_path / "settling.mp4", Film(), muxing)

    assert times_s(source)["audio"]
    assert Clip.open(source).info.sound_start_s == 0


def test_a_hole_in_the_pictures_stays_one(tmp_path: Path) -> None:
    muxing = Muxing(
        MPEG, lambda i: 7200 + 3600 * i + (180_000 if i >= 15 else 0), sound_s=(0.0, 3.2)
    )
    source = mux(tmp_path / "hole.ts", Film(), muxing)

    before, after = times_s(source), times_s(rewritten(source, "o.mp4"))

    assert len(after["video"]) == 30
    was = [time - before["video"][0] for time in before["video"]]
    now = [time - after["video"][0] for time in after["video"]]
    assert max(abs(a - b) for a, b in zip(was, now, strict=True)) <= MS
    assert len(after["audio"]) == len(before["audio"])


@pytest.mark.parametrize("output", ["o.mp4", "o.mkv"])
def test_sound_of_joined_recordings_stays_with_its_pictures(tmp_path: Path, output: str) -> None:
    parts = [
        mux(
            tmp_path / f"{number}.ts",
            Film(count=25, first=25 * number),
            Muxing(MPEG, lambda i: 7200 + 3600 * i, sound_s=(0.0, 1.0)),
        )
        for number in range(3)
    ]
    source = join(tmp_path / "joined.ts", parts)

    result = rewritten(source, output)
    after = times_s(result)

    numbers = [number_in(frame.image) for frame in Clip.open(result).frames()]
    steps = [b - a for a, b in zip(after["audio"], after["audio"][1:], strict=False)]
    assert numbers == list(range(75))
    # At a join a packet may be missing, but none is out of place.
    assert max(steps) < Fraction(8, 100)
    assert min(steps) > 0
    assert abs(after["audio"][-1] - after["video"][-1]) < Fraction(1, 10)


def test_a_clock_that_was_set_anew_leaves_no_hole_of_hours(tmp_path: Path) -> None:
    parts = [
        mux(
            tmp_path / f"{number}.ts",
            Film(count=25, first=25 * number),
            Muxing(
                MPEG,
                lambda i, number=number: 7200 + 3600 * i + number * 90_000 * 7200,
                sound_s=(number * 7200.0, 1.0),
            ),
        )
        for number in range(2)
    ]

    clip = Clip.open(join(tmp_path / "joined.ts", parts))

    assert [number_in(frame.image) for frame in clip.frames()] == list(range(50))
    assert clip.info.duration_s == 2


def test_a_mean_rate_of_more_than_32_bits_is_written(tmp_path: Path) -> None:
    count = 60
    base = Fraction(1, 3_000_000)
    muxing = Muxing(base, lambda i: max(i, 0) * 100_000 + (i * 7919) % 3601)
    source = mux(tmp_path / "long.mp4", Film(count=count, b_frames=0), muxing)

    before, after = times_s(source), times_s(rewritten(source, "o.mp4"))

    assert len(after["video"]) == count
    differences = [abs(a - b) for a, b in zip(before["video"], after["video"], strict=True)]
    assert max(differences) <= MS


@pytest.mark.parametrize("source", ["mkv", "mp4"])
@pytest.mark.parametrize("result", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("codec", ["libmp3lame", "libopus", "aac", "ac3"])
def test_a_part_sounds_from_its_first_picture_on(
    tmp_path: Path, codec: str, result: str, source: str
) -> None:
    path = write_sounding(tmp_path / f"a.{source}", Track(codec=codec))
    expected = heard(path)[11 * RATE // 25 :]

    said = hearing.rewritten(path, tmp_path / f"b.{result}", start=11)

    after = heard(tmp_path / f"b.{result}")
    assert abs(late_ms(after, expected, 0.2, 1.4)) <= 1
    for begin_s in (0.0, 0.01, 0.02, 0.04, 0.06, 0.1):
        is_as_loud = loudness(expected, begin_s, begin_s + 0.02)
        assert loudness(after, begin_s, begin_s + 0.02) > 0.7 * is_as_loud
    assert not any("late" in sentence for sentence in said)


@pytest.mark.parametrize("start", [0, 11])
@pytest.mark.parametrize("result", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(
    ("source", "codec"),
    [
        *(("mp4", "aac"), ("mov", "aac"), ("mkv", "aac"), ("mp4", "ac3"), ("mp4", "libmp3lame")),
        *(("mkv", "libmp3lame"), ("mp4", "alac"), ("mkv", "alac"), ("mkv", "ac3")),
    ],
)
def test_the_first_samples_of_copied_sound_are_those_of_the_source(
    tmp_path: Path, source: str, codec: str, result: str, start: int
) -> None:
    path = write_sounding(tmp_path / f"a.{source}", Track(codec=codec))
    expected = heard(path)[start * RATE // 25 :]

    hearing.rewritten(path, tmp_path / f"b.{result}", start=start)

    after = heard(tmp_path / f"b.{result}")
    late = round(late_ms(after, expected, 0.2, 1.4) * RATE / 1000)
    # Matroska counts milliseconds, in which a first sample may get lost.
    assert abs(late) <= RATE // 1000
    begin, end = RATE // 500, RATE // 5
    differences = after[begin + late : end + late] - expected[begin:end]
    assert np.abs(differences).max() < 0.02


def test_a_track_that_lies_far_behind_the_others_is_in_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_sounding(tmp_path / "a.mp4", Track(codec="aac"), Track(codec="aac", seed=2))
    expected = heard(path, track=1)
    monkeypatch.setattr("fresco_media.sound.passthrough._BYTES_AHEAD", 1)

    hearing.rewritten(path, tmp_path / "b.mkv")

    assert abs(late_ms(heard(tmp_path / "b.mkv", track=1), expected, 0.2, 1.4)) <= 1


@pytest.mark.parametrize("output", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize("clocks_s", [(0, 0), (0, 500), (1000, 0)], ids=["again", "on", "back"])
@pytest.mark.parametrize("codec", ["aac", "ac3"])
def test_sound_that_lies_closely_packed_stays_whole_in_joined_recordings(
    tmp_path: Path, codec: str, clocks_s: tuple[int, int], output: str
) -> None:
    parts: list[Path] = []
    for number, begins_s in enumerate(clocks_s, start=1):
        # Several packets of sound lie in one piece, and only the first has a place in the file.
        made = write_sounding(tmp_path / f"{number}.mp4", Track(codec=codec, seed=number))
        parts.append(tmp_path / f"{number}.ts")
        _remux(made, parts[-1], begins_s)
    joined = join(tmp_path / "joined.ts", parts)
    alone = [heard_alone(part, tmp_path) for part in parts]

    hearing.rewritten(joined, tmp_path / output)

    after = heard(tmp_path / output, seconds=4.5)
    second = after[2 * RATE :]
    assert abs(late_ms(after, alone[0], 0.2, 1.8)) <= 1
    assert abs(late_ms(second, alone[1], 0.2, 1.8)) <= 1
    for begin_s in np.arange(0.2, 1.8, 0.05):
        assert loudness(second, begin_s, begin_s + 0.02) > 0.02


def heard_alone(part: Path, folder: Path) -> hearing.Heard:
    """What is heard of a part by itself."""
    hearing.rewritten(part, folder / "alone.mkv")
    return heard(folder / "alone.mkv")


def _remux(source: Path, target: Path, begins_s: int) -> None:
    # As FFmpeg's own program does: sound is gathered for as long.
    gathered = {"max_delay": "700000"}
    with (
        av.open(str(source)) as file,
        av.open(str(target), "w", format="mpegts", options=gathered) as output,
    ):
        streams = {one.index: output.add_stream_from_template(one) for one in file.streams}
        for packet in file.demux():
            if packet.dts is None or packet.pts is None:
                continue
            ticks = round(begins_s / packet.time_base)
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream_index]
            output.mux(packet)


@pytest.mark.parametrize("output", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize("rates", [(48_000, 44_100), (44_100, 48_000), (48_000, 22_050)])
def test_sound_whose_rate_changes_on_the_way_stays_in_step(
    tmp_path: Path, rates: tuple[int, int], output: str
) -> None:
    parts: list[Path] = []
    for number, rate in enumerate(rates, start=1):
        track = Track(codec="aac", rate=rate, seed=number)
        parts.append(tmp_path / f"{number}.ts")
        _remux(write_sounding(tmp_path / f"{number}.mp4", track), parts[-1], 0)
    alone = [from_picture(part, 0, tmp_path / f"alone-{part.stem}.mkv") for part in parts]
    joined = join(tmp_path / "joined.ts", parts)

    for place, expected in ((0, alone[0]), (50, alone[1])):
        after = from_picture(joined, place, tmp_path / output)
        assert abs(late_ms(after, expected, 0.3, 1.6)) <= 1


def from_picture(source: Path, index: int, output: Path) -> hearing.Heard:
    """What is heard of the result of a clip from one of its pictures on."""
    hearing.rewritten(source, output)
    info = Clip.open(output).info
    begin_s = float(info.times[index] * info.time_base)
    return heard(output, seconds=4.5)[round(begin_s * RATE) :]
