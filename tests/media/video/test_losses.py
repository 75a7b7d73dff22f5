"""Frames that damage in the middle of a file has cost are told before the work."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from fresco_media.clip import Clip

from tests.media.odd_files import Film, Muxing, mux, number_in

COUNT = 100
MILLISECOND = Fraction(1, 1000)
RAW = {"qp": "1"}
FILES = {
    "damaged.mkv": (Film(count=COUNT, size=(128, 96), options=RAW), Muxing()),
    "sounding.mkv": (
        Film(count=COUNT, size=(128, 96), options=RAW),
        Muxing(sound_s=(0.0, 4.0)),
    ),
    "damaged.ts": (Film(count=COUNT, size=(128, 96), options=RAW), Muxing()),
    "damaged.flv": (Film(count=COUNT, size=(128, 96), b_frames=0), Muxing()),
    "damaged.avi": (Film(count=COUNT, size=(128, 96), codec="mpeg4", b_frames=0), Muxing()),
    "damaged.mxf": (Film(count=COUNT, size=(128, 96), codec="mpeg2video", b_frames=0), Muxing()),
}
SAID = re.compile(r"the file is damaged, and (\d+) of its frames (?:is|are) missing")


def with_noise(data: bytes, seed: int) -> bytes:
    """A twentieth of the file, somewhere in the middle, overwritten."""
    source = random.Random(seed)
    length = len(data) // 20
    start = source.randrange(len(data) // 3, 2 * len(data) // 3)
    return data[:start] + source.randbytes(length) + data[start + length :]


def without_part(data: bytes, seed: int) -> bytes:
    """A twentieth of the file, somewhere in the middle, cut out."""
    source = random.Random(seed)
    length = len(data) // 20
    start = source.randrange(len(data) // 3, 2 * len(data) // 3)
    return data[:start] + data[start + length :]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("damaged", [with_noise, without_part])
@pytest.mark.parametrize("name", FILES)
def test_frames_that_damage_has_cost_are_told_and_counted(
    tmp_path: Path, name: str, damaged: Callable[[bytes, int], bytes], seed: int
) -> None:
    path = mux(tmp_path / name, *FILES[name])
    path.write_bytes(damaged(path.read_bytes(), seed))

    clip = Clip.open(path)

    lost = COUNT - clip.info.frame_count
    said = [int(found[1]) for found in map(SAID.match, clip.warnings) if found]
    is_told_as_end = any("ends early" in sentence for sentence in clip.warnings)
    assert lost > 0
    assert said == [lost] or is_told_as_end


@pytest.mark.parametrize("name", [*FILES, "holes.mkv", "holes.flv", "holes.ts", "holes.mp4"])
def test_a_whole_file_is_not_called_damaged_even_with_holes(tmp_path: Path, name: str) -> None:
    def with_hole(index: int) -> int:
        return 40 * index + (800 if index >= 12 else 0)

    film, muxing = FILES.get(name, (Film(count=COUNT, b_frames=0), Muxing(stamp=with_hole)))
    if name.startswith("holes"):
        path = mux(tmp_path / name, film, Muxing(time_base=MILLISECOND, stamp=with_hole))
    else:
        path = mux(tmp_path / name, film, muxing)

    clip = Clip.open(path)

    assert [number_in(frame.image) for frame in clip.frames()] == list(range(COUNT))
    assert not [sentence for sentence in clip.warnings if "damaged" in sentence]


def test_frames_that_cannot_be_counted_are_told_without_a_number(tmp_path: Path) -> None:
    def irregular(index: int) -> int:
        return 100 * index + random.Random(index).randrange(80)

    film = Film(count=COUNT, b_frames=0, size=(256, 192), options={"qp": "1"})
    path = mux(tmp_path / "vfr.mkv", film, Muxing(time_base=MILLISECOND, stamp=irregular))
    path.write_bytes(with_noise(path.read_bytes(), 3))

    clip = Clip.open(path)

    assert clip.info.frame_count < COUNT
    assert "the file is damaged, and frames are missing before frame" in clip.warnings[0]


@pytest.mark.parametrize("flags", ["frag_every_frame", "frag_keyframe"])
def test_a_list_of_fragments_at_the_end_is_no_damage_but_what_is_cut_off_is(
    tmp_path: Path, flags: str
) -> None:
    film = Film(count=COUNT, b_frames=0, gop=5, size=(64, 48))
    options = {"movflags": f"{flags}+empty_moov+default_base_moof"}
    muxing = Muxing(options=options, sound_s=(0.0, COUNT / 25))
    path = mux(tmp_path / "a.mp4", film, muxing)
    data = path.read_bytes()
    half, end = data.index(b"moof", len(data) * 2 // 3) - 4, data.rindex(b"mfra") - 4

    clip = Clip.open(path)
    assert clip.warnings == ()
    whole = clip.info.frame_count
    assert whole >= COUNT - 1  # FFmpeg may write the last one as one that is not shown.

    # What is there instead of the other fragments is as long as no list; the list is there still.
    path.write_bytes(data[:half] + b"\xff" * (3000 + len(data) // 50) + data[end:])
    clip = Clip.open(path)
    assert clip.info.frame_count < whole
    assert any("ends early" in said for said in clip.warnings)


@pytest.mark.parametrize("name", ["fragmented.mp4", "damaged.flv"])
def test_a_file_that_cannot_be_read_on_is_said_to_end_early(tmp_path: Path, name: str) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"} if name.endswith("mp4") else {}
    film = Film(count=COUNT, b_frames=0, size=(128, 96))
    path = mux(tmp_path / name, film, Muxing(options=options))
    data = bytearray(path.read_bytes())
    if name.endswith("mp4"):
        half = data.index(b"moof", len(data) // 2)
        data[half - 4 : half + 200] = b"\xff" * 204
    else:
        half = len(data) // 2
        data[half : half + 4096] = b"\xff" * 4096
    path.write_bytes(data)

    clip = Clip.open(path)

    assert clip.info.frame_count < COUNT
    assert any("ends early" in said or "missing" in said for said in clip.warnings)
