"""What an edit list cuts out of the sound stays cut out, wherever the track begins."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.media.hearing import (
    RATE,
    Track,
    heard,
    late_ms,
    loudness,
    rewritten,
    write_sounding,
)

Edit = tuple[float, float | None]
"""Seconds that are shown, and where in the track they begin; None for silence."""
_LATE: tuple[Edit, ...] = ((0.5, None), (1.2, 0.3))
CODECS = ("aac", "ac3", "libmp3lame", "flac", "alac", "libopus")


def edited(path: Path, *edits: Edit, codec: str = "aac") -> Path:
    """A clip whose sound has this edit list, as phones and simple editors save a trim."""
    write_sounding(path, Track(codec=codec))
    content = bytearray(path.read_bytes())
    moov = content.index(b"moov")
    film_rate = struct.unpack_from(">I", content, content.index(b"mvhd", moov) + 16)[0]
    track = content.rindex(b"trak")
    rate = struct.unpack_from(">I", content, content.index(b"mdhd", track) + 16)[0]
    entries = b"".join(
        struct.pack(">Iihh", round(s * film_rate), -1 if at is None else round(at * rate), 1, 0)
        for s, at in edits
    )
    body = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
    body = struct.pack(">I4s", 8 + len(body), b"edts") + body
    before = content.find(b"edts", track)
    begin = before - 4 if before >= 0 else content.index(b"mdia", track) - 4
    size = struct.unpack_from(">I", content, begin)[0] if before >= 0 else 0
    content[begin : begin + size] = body
    for place in (track - 4, moov - 4):
        struct.pack_into(
            ">I", content, place, struct.unpack_from(">I", content, place)[0] + len(body) - size
        )
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("result", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("codec", CODECS)
def test_a_late_track_that_is_trimmed_begins_where_it_is_heard(
    tmp_path: Path, codec: str, result: str
) -> None:
    path = edited(tmp_path / "a.mp4", *_LATE, codec=codec)

    rewritten(path, tmp_path / f"b.{result}")

    after = heard(tmp_path / f"b.{result}")
    assert loudness(after, 0.0, 0.499) < 0.01
    assert abs(late_ms(after, heard(path), 0.65, 1.6)) <= 1
    assert loudness(after, 0.6, 0.65) > 0.05


@pytest.mark.parametrize("result", ["mp4", "mkv"])
@pytest.mark.parametrize(
    "edits",
    [
        ((0.1, None), (1.2, 0.3)),
        ((1.2, 0.3),),
        ((0.4, 0.0), (0.8, 0.9)),
    ],
    ids=["hardly-late", "trimmed", "cut-out-in-the-middle"],
)
def test_nothing_that_was_cut_out_is_heard(
    tmp_path: Path, edits: tuple[Edit, ...], result: str
) -> None:
    path = edited(tmp_path / "a.mp4", *edits)
    expected = heard(path)

    rewritten(path, tmp_path / f"b.{result}")

    after = heard(tmp_path / f"b.{result}")
    pieces = [(0.0, 0.0)]
    for seconds, at in edits:
        begin = pieces[-1][1]
        pieces.append((begin, begin + seconds))
        if at is None:
            assert loudness(after, begin + 0.045, begin + seconds - 0.001) < 0.01
        else:
            assert abs(late_ms(after, expected, begin + 0.1, begin + seconds - 0.05)) <= 25


@pytest.mark.parametrize("start", [7, 20])
def test_a_part_of_a_late_track_is_as_it_is_heard(tmp_path: Path, start: int) -> None:
    path = edited(tmp_path / "a.mp4", *_LATE)

    rewritten(path, tmp_path / "b.mp4", start=start)

    after, begin_s = heard(tmp_path / "b.mp4"), start / 25
    assert loudness(after, 0.0, max(0.0, 0.499 - begin_s)) < 0.01
    expected = heard(path)[round(begin_s * RATE) :]
    assert abs(late_ms(after, expected, max(0.05, 0.65 - begin_s), 1.6 - begin_s)) <= 1
