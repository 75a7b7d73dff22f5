"""QuickTime edit lists: parts of a track in an order of their own, as simple editors save them."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import pytest
from fresco_media.clip import Clip
from fresco_media.video.probe import probe

from tests.media.odd_files import Film, Muxing, mux, number_in

RATE = 25
Part = tuple[int, int]
"""The first frame of a part, and how many it has."""


def edited(path: Path, film: Film, parts: list[Part], *, sound: bool = False) -> Path:
    """An MOV that shows only `parts` of its pictures; its sound goes on beside them."""
    muxing = Muxing(sound_s=(0.0, film.count / RATE) if sound else None, sound_codec="pcm_s16le")
    content = bytearray(mux(path, film, muxing).read_bytes())
    moov = content.index(b"moov")
    media_rate = struct.unpack_from(">I", content, content.index(b"mdhd", moov) + 16)[0]
    film_rate = struct.unpack_from(">I", content, content.index(b"mvhd", moov) + 16)[0]
    at = content.index(b"elst", moov)
    delay = struct.unpack_from(">i", content, at + 16)[0]
    entries = b"".join(
        struct.pack(
            ">Iihh", round(count * film_rate / RATE), delay + first * media_rate // RATE, 1, 0
        )
        for first, count in parts
    )
    added = len(entries) - 12
    content[at + 8 : at + 24] = struct.pack(">I", len(parts)) + entries
    for kind in (b"elst", b"edts", b"trak", b"moov"):
        place = content.index(kind, moov) - 4
        size = struct.unpack_from(">I", content, place)[0]
        struct.pack_into(">I", content, place, size + added)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("sound", [False, True], ids=["silent", "sounding"])
@pytest.mark.parametrize(
    "parts",
    [[(0, 10), (20, 10)], [(0, 10), (0, 10)], [(5, 5), (25, 5), (10, 5)]],
    ids=["middle-cut-out", "shown-twice", "three-parts"],
)
def test_parts_of_an_edit_list_follow_each_other(
    tmp_path: Path, parts: list[Part], sound: bool
) -> None:
    clip = Clip.open(edited(tmp_path / "a.mov", Film(b_frames=0, gop=12), parts, sound=sound))

    numbers = [number_in(frame.image) for frame in clip.frames()]
    steps = {late - early for early, late in pairwise(clip.info.times)}
    assert numbers == [first + place for first, count in parts for place in range(count)]
    assert {float(step * clip.info.time_base) for step in steps} == {1 / RATE}
    assert clip.warnings == ()
    assert clip.info.joins == ()


def test_any_frame_of_an_edit_list_can_be_had_at_once(tmp_path: Path) -> None:
    path = edited(tmp_path / "a.mov", Film(), [(10, 10), (0, 10)])
    expected = [number_in(frame.image) for frame in Clip.open(path).frames()]
    probed = probe(path)
    assert probed is not None
    cursor = probed.open_cursor()

    order = [(index * 7 + 3) % 20 for index in range(20)]
    shown = [cursor.at(index)[0] for index in order]
    cursor.close()
    alone = [number_in(next(Clip.open(path).frames(n, n + 1)).image) for n in range(20)]

    assert shown == order
    assert alone == expected == [*range(10, 20), *range(10)]


def test_times_that_ffmpeg_reads_inexactly_from_an_edit_list_are_told(tmp_path: Path) -> None:
    clip = Clip.open(edited(tmp_path / "a.mov", Film(), [(0, 10), (15, 10)]))

    (said,) = [text for text in clip.warnings if "edit list" in text]
    assert "times may be some frames off" in said
