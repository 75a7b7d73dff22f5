"""Every picture of a file is a frame, in order, whatever its stamps are."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from fresco_media.clip import Clip
from fresco_media.video.order import TrialDecode
from fresco_media.video.packets import (
    Scan,
    ScannedPacket,
    order_of_stamps,
    without_second_fields,
)
from fresco_media.video.probe import probe

from tests.media.odd_files import Film, Muxing, join, mux, number_in

MS = Fraction(1, 1000)
MPEG = Fraction(1, 90000)
SIMPLE = Film(b_frames=0)
WRAP = 2**33

Make = Callable[[Path], Path]


def joined(folder: Path, counts: tuple[int, ...], *, sound: bool = False) -> Path:
    parts: list[Path] = []
    first = 0
    for number, count in enumerate(counts):
        film = Film(count=count, first=first)
        seconds = count / 25
        parts.append(
            mux(
                folder / f"part{number}.ts",
                film,
                Muxing(sound_s=(0.0, seconds) if sound else None),
            )
        )
        first += count
    return join(folder / "joined.ts", parts)


def repeated(index: int) -> int:
    return 40 * (index - (index % 7 == 3))


def stepping_back(index: int) -> int:
    return 40 * index - (100 if index % 9 == 5 else 0)


def jittering(index: int) -> int:
    return round(index * 3003 + (index * 7919) % 401)


def with_holes(index: int) -> int:
    return 40 * index + (2000 if index >= 12 else 0) + (333 if index >= 20 else 0)


def wrapping(index: int) -> int:
    return WRAP - 45000 + 3600 * index


FILES: dict[str, tuple[Make, int]] = {
    "ts-joined-thrice": (lambda folder: joined(folder, (30, 12, 25)), 67),
    "ts-joined-with-sound": (lambda folder: joined(folder, (25, 30), sound=True), 55),
    "ts-silent-then-sounding": (
        lambda folder: join(
            folder / "joined.ts",
            [
                mux(folder / "silent.ts", Film(count=20)),
                mux(folder / "loud.ts", Film(count=20, first=20), Muxing(sound_s=(0.0, 0.8))),
            ],
        ),
        40,
    ),
    "ts-joined-short-parts": (lambda folder: joined(folder, (3, 2, 30)), 35),
    "ts-cut-in-mid-scene": (lambda folder: cut_at_packet(folder, 4), 20),
    "ts-wrapping": (
        lambda folder: mux(
            folder / "wrap.ts",
            Film(),
            Muxing(MPEG, wrapping, options={"mpegts_copyts": "1", "avoid_negative_ts": "disabled"}),
        ),
        30,
    ),
    "mkv-repeated": (lambda folder: mux(folder / "r.mkv", SIMPLE, Muxing(MS, repeated)), 30),
    "mkv-repeated-reordered": (
        lambda folder: mux(folder / "r.mkv", Film(), Muxing(MS, repeated, lambda i: 40 * i)),
        30,
    ),
    "mkv-stepping-back": (
        lambda folder: mux(
            folder / "b.mkv", SIMPLE, Muxing(MS, stepping_back, lambda i: 40 * i - 100)
        ),
        30,
    ),
    "webm-holes": (
        lambda folder: mux(
            folder / "h.webm", Film(codec="libvpx", b_frames=0), Muxing(MS, with_holes)
        ),
        30,
    ),
    "mp4-jitter": (
        lambda folder: mux(folder / "j.mp4", SIMPLE, Muxing(MPEG, jittering)),
        30,
    ),
    "avi-h264-reordered": (lambda folder: mux(folder / "h.avi", Film()), 30),
    "avi-mpeg4": (lambda folder: mux(folder / "m.avi", Film(codec="mpeg4")), 30),
    "avi-mjpeg": (lambda folder: mux(folder / "m.avi", Film(codec="mjpeg", b_frames=0)), 30),
    "mpeg-program-stream": (
        lambda folder: mux(folder / "m.mpg", Film(codec="mpeg2video"), Muxing(container="vob")),
        30,
    ),
    "mxf": (lambda folder: mux(folder / "m.mxf", Film(codec="mpeg2video")), 30),
    "flv": (lambda folder: mux(folder / "f.flv", Film()), 30),
    "raw-h264": (lambda folder: mux(folder / "r.h264", Film()), 30),
    "raw-mpeg2": (
        lambda folder: mux(
            folder / "r.m2v", Film(codec="mpeg2video"), Muxing(container="mpeg2video")
        ),
        30,
    ),
    "ts-without-some-stamps": (
        lambda folder: without_some_stamps(folder, Film(), 3),
        30,
    ),
    "ts-without-most-stamps": (
        lambda folder: without_some_stamps(folder, SIMPLE, 2),
        30,
    ),
    "ts-without-first-stamps": (
        lambda folder: without_some_stamps(folder, Film(codec="mpeg2video"), 100, 0),
        30,
    ),
    "mp4-slide-show": (
        lambda folder: mux(folder / "s.mp4", SIMPLE, Muxing(MS, lambda i: 15_000 * i)),
        30,
    ),
    "mkv-open-groups": (
        lambda folder: mux(folder / "o.mkv", Film(options={"x264-params": "open-gop=1"})),
        30,
    ),
    "mov-negative": (
        lambda folder: mux(folder / "n.mkv", Film(), Muxing(MS, lambda i: 40 * i - 200)),
        30,
    ),
}


def without_some_stamps(folder: Path, film: Film, every: int, first: int = 1) -> Path:
    """A transport stream of which some packets carry no time, as the standard allows."""
    content = bytearray(mux(folder / "whole.ts", film).read_bytes())
    number = 0
    for start in range(0, len(content), 188):
        header = content.find(b"\x00\x00\x01\xe0", start, start + 188)
        if header < 0:
            continue
        if number >= first and number % every == first % every:
            # The flags say that there are stamps; their bytes become stuffing.
            content[header + 7] &= 0x3F
            length = content[header + 8]
            content[header + 9 : header + 9 + length] = b"\xff" * length
        number += 1
    path = folder / "bare.ts"
    path.write_bytes(content)
    return path


def cut_at_packet(folder: Path, number: int) -> Path:
    """A transport stream from its video packet `number` on, as a receiver switched on late."""
    whole = mux(folder / "whole.ts", Film(gop=10))
    with av.open(str(whole)) as container:
        places = [packet.pos or 0 for packet in container.demux(video=0) if packet.size]
    cut = folder / "cut.ts"
    content = whole.read_bytes()
    # The tables at the beginning say what streams there are.
    cut.write_bytes(content[: 188 * 3] + content[places[number] :])
    return cut


@pytest.mark.parametrize("name", FILES)
def test_every_picture_is_a_frame_in_order(tmp_path: Path, name: str) -> None:
    make, count = FILES[name]

    clip = Clip.open(make(tmp_path))
    numbers = [number_in(frame.image) for frame in clip.frames()]

    first = numbers[0] if "cut" in name else 0
    assert numbers == list(range(first, first + count))
    assert clip.info.frame_count == count
    assert all(early < late for early, late in pairwise(clip.info.times))


@pytest.mark.parametrize("name", FILES)
def test_any_frame_can_be_had_at_once_and_is_the_same(tmp_path: Path, name: str) -> None:
    make, count = FILES[name]
    clip = Clip.open(make(tmp_path))
    everything = [frame.image.tobytes() for frame in clip.frames()]
    probed = probe(clip.info.path)
    assert probed is not None
    cursor = probed.open_cursor()

    order = [(index * 11 + 5) % count for index in range(count)]
    shown = [cursor.at(index)[0] for index in order]
    cursor.close()
    single = [next(clip.frames(index, index + 1)).image.tobytes() for index in order[:8]]

    assert shown == order
    assert single == [everything[index] for index in order[:8]]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ts-joined-thrice", "the time stamps start over 2 times"),
        ("mkv-repeated", "the time stamps of 4 frames repeat"),
        ("ts-cut-in-mid-scene", "the recording begins in mid-scene: 6 frames at its start"),
        ("raw-h264", "the file holds no times; 25 frames a second are assumed"),
    ],
)
def test_what_is_not_as_the_file_says_is_told(tmp_path: Path, name: str, words: str) -> None:
    make, _ = FILES[name]

    warnings = Clip.open(make(tmp_path)).warnings

    assert [warning for warning in warnings if warning.startswith(words)]


def test_what_is_as_it_should_be_needs_no_words(tmp_path: Path) -> None:
    for name in ("mp4-jitter", "webm-holes", "ts-wrapping", "avi-mpeg4", "flv", "mxf"):
        folder = tmp_path / name
        folder.mkdir()

        assert Clip.open(FILES[name][0](folder)).warnings == (), name


def test_a_slide_show_keeps_its_long_pictures(tmp_path: Path) -> None:
    make, count = FILES["mp4-slide-show"]

    info = Clip.open(make(tmp_path)).info

    assert (info.times[-1] - info.times[0]) * info.time_base == 15 * (count - 1)


def test_fields_that_are_stored_apart_are_one_frame() -> None:
    packets = [
        ScannedPacket(
            stamp=None if number % 2 else number // 2 * 3600,
            seek=number * 1800,
            position=number * 188,
            size=100,
            is_key=number == 0,
            is_shown=True,
            is_corrupt=False,
        )
        for number in range(40)
    ]
    scan = Scan(MPEG, packets=packets)

    mended = without_second_fields(scan, range(0, 30, 2))
    untouched = without_second_fields(scan, range(30))

    assert order_of_stamps(mended) == list(range(0, 40, 2))
    assert untouched is scan


def test_pictures_of_two_packets_each_are_noticed() -> None:
    picture = av.VideoFrame(16, 16, "yuv420p")

    assert not TrialDecode(picture, tuple(range(0, 20, 2))).is_as_expected(range(20))
    assert not TrialDecode(picture, tuple(range(0, 20, 2))).is_one_each()
    assert TrialDecode(picture, (0, 2, 1, 4, 3)).is_as_expected([0, 2, 1, 4, 3])
    assert not TrialDecode(picture, (0, 2, 1, 4, 3)).is_as_expected([0, 1, 2, 3, 4])


def test_streams_that_are_renumbered_in_mid_recording_go_on(tmp_path: Path) -> None:
    first = mux(tmp_path / "a.ts", Film(count=20))
    renumbered = Muxing(options={"mpegts_start_pid": "0x200"})
    second = mux(tmp_path / "b.ts", Film(count=20, first=20), renumbered)

    clip = Clip.open(join(tmp_path / "joined.ts", [first, second]))
    numbers = [number_in(frame.image) for frame in clip.frames()]

    # FFmpeg drops the packet that the change of numbers cuts off.
    assert len(numbers) >= 38
    assert all(early < late for early, late in pairwise(numbers))
    assert numbers[-20:] == list(range(20, 40))
    last = next(clip.frames(clip.info.frame_count - 1))
    assert number_in(last.image) == 39


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "msmpeg4", "wmv2"])
@pytest.mark.parametrize("gap", [40, 67, 250])
def test_asf_has_every_frame_at_its_time_also_the_last(
    tmp_path: Path, codec: str, gap: int
) -> None:
    def uneven(index: int) -> int:
        return 33 * index + (gap if index >= 7 else 0) + (gap if index == 9 else 0)

    film = Film(count=10, codec=codec, b_frames=0)
    path = mux(tmp_path / "clip.wmv", film, Muxing(MS, uneven, container="asf"))

    info = Clip.open(path).info

    times = [(time - info.times[0]) * info.time_base for time in info.times]
    assert times == [Fraction(uneven(index), 1000) for index in range(10)]
