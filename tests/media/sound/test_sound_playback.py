"""What is played is the main track, at its times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.stream import Disposition
from fresco_media.clip import Clip
from fresco_media.sound import SampleFormat, played_sound

from tests.media.hearing import (
    RATE,
    Heard,
    Track,
    late_ms,
    loudness,
    signal,
    write_sounding,
)

FORM = SampleFormat("s16", "stereo", RATE)


def played(path: Path, start_s: Fraction = Fraction(0)) -> Heard:
    parts = [samples[:, 0] for samples in played_sound(path, start_s, FORM)]
    joined = np.concatenate([*parts, np.zeros(RATE // 2)])
    return joined.astype(np.float64) / 2**15


def test_the_track_flagged_as_default_is_played(tmp_path: Path) -> None:
    first = Track(codec="aac", seed=1)
    second = Track(codec="aac", seed=2, flags=Disposition.default)
    source = write_sounding(tmp_path / "a.mkv", first, second)

    assert abs(late_ms(played(source), signal(2.0, seed=2), 0.2, 1.8)) <= 1


def test_without_a_flag_the_first_track_is_played(tmp_path: Path) -> None:
    tracks = [Track(codec="pcm_s16le", seed=seed) for seed in (1, 2)]
    source = write_sounding(tmp_path / "a.avi", *tracks, video="mjpeg")

    assert abs(late_ms(played(source), signal(2.0, seed=1), 0.2, 1.8)) <= 1


@pytest.mark.parametrize("start_s", [Fraction(0), Fraction(1, 4), Fraction(7, 5)], ids=str)
@pytest.mark.parametrize("codec", ["aac", "pcm_s16le", "libopus", "mp2", "flac"])
def test_holes_are_silent_wherever_playing_begins(
    tmp_path: Path, codec: str, start_s: Fraction
) -> None:
    track = Track(codec=codec, keeps=lambda time_s: not 0.6 <= time_s < 1.2)
    source = write_sounding(tmp_path / "a.mkv", track)

    heard = played(source, start_s)

    begin = float(start_s)
    expected = signal(2.0)[round(begin * RATE) :]
    assert abs(late_ms(heard, expected, max(0.1, 1.4 - begin), 1.8 - begin)) <= 1
    if begin < 0.5:
        assert loudness(heard, 0.75 - begin, 1.1 - begin) < 0.01
        assert abs(late_ms(heard, expected, 0.05, 0.5 - begin)) <= 1


@pytest.mark.parametrize("layout", ["mono", "5.1", "7.1", "hexadecagonal"])
def test_any_number_of_channels_is_played(tmp_path: Path, layout: str) -> None:
    source = write_sounding(tmp_path / "a.mkv", Track(codec="pcm_s16le", layout=layout))

    assert abs(late_ms(played(source), signal(2.0), 0.1, 1.8)) <= 1


def test_a_file_without_sound_plays_nothing(tmp_path: Path) -> None:
    source = write_sounding(tmp_path / "a.mp4")

    assert list(played_sound(source, Fraction(0), FORM)) == []


@pytest.mark.parametrize("start_s", [Fraction(0), Fraction(3, 4), Fraction(9, 4), Fraction(26, 5)])
@pytest.mark.parametrize("codec", ["aac", "mp2", "ac3"])
def test_joined_recordings_are_heard_with_the_pictures_of_each(
    tmp_path: Path, codec: str, start_s: Fraction
) -> None:
    parts = [
        write_sounding(tmp_path / f"{seed}.ts", Track(codec=codec, seed=seed)) for seed in (1, 2, 3)
    ]
    source = tmp_path / "joined.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    info = Clip.open(source).info
    assert len(info.joins) == 2

    first_s = info.times[0] * info.time_base
    made = np.concatenate(
        [samples[:, 0] for samples in played_sound(source, first_s + start_s, FORM, info.joins)]
    )
    heard = np.pad(made.astype(np.float64) / 2**15, (0, RATE))

    for number, seed in enumerate((1, 2, 3)):
        begin = float(2 * number - start_s)
        if begin < -1.3:
            continue
        # A codec's delay at the start of a part moves what follows by a packet at most.
        expected = np.zeros(7 * RATE)
        place = round(begin * RATE)
        sound = signal(2.0, seed=seed)
        expected[max(place, 0) : place + len(sound)] = sound[max(-place, 0) :]
        late = late_ms(heard, expected, max(0.1, begin + 0.3), begin + 1.7)
        assert abs(late - _late_in_part_ms(parts[number])) <= 1


def _late_in_part_ms(part: Path) -> float:
    """By how much the sound of a part lies behind its pictures, as its codec has it."""
    info = Clip.open(part).info
    alone = played(part, info.times[0] * info.time_base)
    return late_ms(alone, signal(2.0, seed=int(part.stem)), 0.3, 1.7)
