"""Transport streams in which something else follows, or runs beside the picture."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av
import pytest
from fresco_media.clip import Clip
from fresco_media.video.containers import open_input
from fresco_media.video.streams import sounds_of_picture
from fresco_media.video.transport import find_codec_change
from fresco_media.writing.encode import Encoder, Target

from tests.media.hearing import rewritten
from tests.media.odd_files import Film, Muxing, join, mux, number_in

OLD = Film(count=30, codec="mpeg2video", b_frames=0)
NEW = Film(count=30, first=30)
NEWER = Film(count=30, first=30, codec="libx265", options={"x265-params": "log-level=none"})


def joined(folder: Path, *films: Film, container: str = "mpegts", options: Any = None) -> Path:
    muxing = Muxing(sound_s=(0.0, 1.2), container=container, options=options or {})
    parts = [mux(folder / f"part{place}.ts", film, muxing) for place, film in enumerate(films)]
    return join(folder / "joined.ts", parts)


@pytest.mark.parametrize(
    ("films", "said"),
    [
        ((OLD, NEW), "from MPEG-2 to H.264"),
        ((NEW, OLD), "from H.264 to MPEG-2"),
        ((NEW, NEWER), "from H.264 to HEVC"),
        ((OLD, replace(OLD, first=30), replace(NEW, first=60)), "from MPEG-2 to H.264"),
    ],
    ids=["newer", "older", "newest", "after a join"],
)
def test_a_change_of_codec_is_told_before_the_work_and_ends_the_clip(
    tmp_path: Path, films: tuple[Film, ...], said: str
) -> None:
    path = joined(tmp_path, *films)

    clip = Clip.open(path)

    wanted = [film.first + place for film in films[:-1] for place in range(film.count)]
    numbers = [number_in(frame.image) for frame in clip.frames()]
    # The parser of the first codec swallows what stands where the other begins.
    assert len(wanted) - 3 <= len(numbers) <= len(wanted)
    assert numbers == sorted(set(numbers) & set(wanted))
    assert any(f"the video changes {said} in mid-file" in sentence for sentence in clip.warnings)
    assert not any("damaged" in sentence for sentence in clip.warnings)


def test_sound_ends_where_the_pictures_of_the_first_codec_do(tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"

    rewritten(joined(tmp_path, OLD, NEW), target)

    with av.open(str(target)) as written:
        ends = [
            float((packet.pts or 0) * packet.time_base)
            for packet in written.demux(audio=0)
            if packet.size
        ]
    assert max(ends) < 1.3


@pytest.mark.parametrize("options", [{}, {"mpegts_m2ts_mode": "1"}], ids=["ts", "m2ts"])
def test_the_place_of_the_change_is_found_behind_damage(
    tmp_path: Path, options: dict[str, str]
) -> None:
    path = joined(tmp_path, OLD, NEW, options=options)
    begin = (tmp_path / "part0.ts").stat().st_size
    data = path.read_bytes()
    path.write_bytes(data[:9400] + data[9477:])

    found = find_codec_change(path, pictures_of(path))

    assert found is not None
    assert begin - 77 <= found.position < begin + 2000


@pytest.mark.parametrize("films", [(OLD,), (OLD, OLD), (NEW,)], ids=["one", "joined", "h264"])
def test_no_change_is_found_where_the_codec_stays(tmp_path: Path, films: tuple[Film, ...]) -> None:
    path = joined(tmp_path, *films)

    assert find_codec_change(path, pictures_of(path)) is None


@pytest.mark.parametrize("data", [b"", b"G" * 5000, b"\x47" + bytes(187), b"nothing like it" * 99])
def test_other_bytes_hold_no_change(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bytes.ts"
    path.write_bytes(data)

    assert find_codec_change(path, 0x100) is None


@pytest.mark.parametrize(("sizes", "chosen"), [((64, 128), 1), ((128, 64), 0)])
def test_the_sound_kept_is_that_of_the_programme_of_the_picture(
    tmp_path: Path, sizes: tuple[int, int], chosen: int
) -> None:
    path = two_programmes(tmp_path, sizes)
    target = tmp_path / "out.mkv"

    rewritten(path, target)

    with open_input(path) as container:
        kept = [stream.id for stream in sounds_of_picture(container)]
        assert len(container.streams.audio) == 2
    with av.open(str(target)) as written:
        assert len(written.streams.audio) == 1
    assert kept == [0x101 + 0x100 * chosen]
    assert any("the file holds several programmes" in said for said in Clip.open(path).warnings)


def two_programmes(folder: Path, sizes: tuple[int, int]) -> Path:
    """Two transport streams on one carrier, with pictures of these widths."""
    packets: list[list[bytes]] = []
    for place, width in enumerate(sizes):
        options = {
            "mpegts_service_id": str(place + 1),
            "mpegts_pmt_start_pid": str(0x1000 + place),
            "mpegts_start_pid": str(0x100 + 0x100 * place),
        }
        muxing = Muxing(sound_s=(0.0, 1.2), options=options)
        path = mux(folder / f"{place}.ts", Film(size=(width, 48)), muxing)
        data = path.read_bytes()
        found = [data[start : start + 188] for start in range(0, len(data), 188)]
        packets.append([one for one in found if (one[1] & 0x1F, one[2]) not in {(0, 0), (0, 17)}])
    mixed = [one for pair in zip_longest(*packets, fillvalue=b"") for one in pair]
    carrier = folder / "carrier.ts"
    carrier.write_bytes(association_table() + b"".join(mixed))
    return carrier


def association_table() -> bytes:
    """A packet that says where the maps of the programmes 1 and 2 are."""
    section = bytes.fromhex("00b01100 01c10000 0001f000 0002f001".replace(" ", ""))
    check = 0xFFFFFFFF
    for byte in section:
        check ^= byte << 24
        for _ in range(8):
            check = (check << 1 ^ (0x04C11DB7 if check >> 31 else 0)) & 0xFFFFFFFF
    packet = bytes.fromhex("4740001000") + section + check.to_bytes(4, "big")
    return packet.ljust(188, b"\xff")


def pictures_of(path: Path) -> int:
    with open_input(path) as container:
        return container.streams.video[0].id


def sounds_joined(folder: Path, *codecs: str) -> Path:
    """One stream of sound that is coded in another way from the second part on."""
    parts: list[Path] = []
    for place, codec in enumerate(codecs):
        parts.append(folder / f"part{place}.ts")
        muxing = Muxing(sound_s=(0.0, 1.2), sound_codec=codec, container="mpegts")
        mux(parts[-1], Film(count=30, first=30 * place, b_frames=0), muxing)
    return join(folder / "joined.ts", parts)


@pytest.mark.parametrize("result", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("codecs", "said"),
    [(("aac", "ac3"), "AAC to AC-3"), (("ac3", "aac"), "AC-3 to AAC"), (("mp2", "aac"), "MPEG")],
)
def test_sound_that_changes_its_codec_is_told_before_the_work_and_kept_up_to_there(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    codecs: tuple[str, ...],
    said: str,
    result: str,
) -> None:
    path, target = sounds_joined(tmp_path, *codecs), tmp_path / f"out.{result}"
    info = Clip.open(path).info
    container = {"mp4": "mp4", "mkv": "matroska"}[result]
    encoder = Encoder(info, Target(target, container, "h264"), 0, 60)

    before = encoder.warnings
    for frame in Clip.open(path).frames():
        encoder.write(frame)
    encoder.finish()

    (told,) = [text for text in before if "on the way, and only what comes before is kept" in text]
    assert said in told
    assert encoder.warnings == before
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
    with av.open(str(target)) as written:
        packets = [one for one in written.demux(audio=0) if one.size]
        ends_s = float((packets[-1].pts or 0) * packets[-1].time_base)
    assert 1.0 < ends_s < 1.4


def test_sound_that_stays_as_it_is_is_whole(tmp_path: Path) -> None:
    path = sounds_joined(tmp_path, "ac3", "ac3")

    assert not [text for text in rewritten(path, tmp_path / "out.mp4") if "sound" in text]
