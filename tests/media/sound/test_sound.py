from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import av
import pytest
from fresco_media.clip import Clip
from fresco_media.writing.writer import open_writer

MakeClip = Callable[..., Path]


class Packet(NamedTuple):
    begin_s: Fraction
    end_s: Fraction
    digest: bytes


def sound_packets(path: Path) -> list[list[Packet]]:
    """The packets of every sound track of a file."""
    tracks = []
    with av.open(str(path)) as container:
        count = len(container.streams.audio)
    for track in range(count):
        with av.open(str(path)) as container:
            tracks.append(
                [
                    Packet(
                        (packet.pts or 0) * packet.time_base,
                        ((packet.pts or 0) + (packet.duration or 0)) * packet.time_base,
                        sha256(bytes(packet)).digest(),
                    )
                    for packet in container.demux(audio=track)
                    if packet.size
                ]
            )
    return tracks


def rewrite(source: Path, output: Path, start: int = 0, stop: int | None = None) -> tuple[str, ...]:
    clip = Clip.open(source)
    with open_writer(output, clip, start=start, stop=stop) as writer:
        for frame in clip.frames(start, stop):
            writer.write(frame)
    return writer.warnings


def digests(track: list[Packet]) -> list[bytes]:
    return [packet.digest for packet in track]


@pytest.mark.parametrize(
    ("source", "codec", "output"),
    [
        ("a.mp4", "aac", "b.mp4"),
        ("a.mp4", "aac", "b.mov"),
        ("a.mp4", "aac", "b.mkv"),
        ("a.mov", "pcm_s16le", "b.mov"),
        ("a.mov", "pcm_s16le", "b.mkv"),
        ("a.mkv", "flac", "b.mkv"),
        ("a.mkv", "libopus", "b.mkv"),
        ("a.mkv", "libopus", "b.mp4"),
        ("a.mp4", "libmp3lame", "b.mp4"),
    ],
)
def test_sound_passes_through_bit_for_bit_and_in_sync(
    make_clip: MakeClip, tmp_path: Path, source: str, codec: str, output: str
) -> None:
    path = make_clip(source, frame_count=24, sound=[codec])

    warnings = rewrite(path, tmp_path / output)

    before, after = sound_packets(path)[0], sound_packets(tmp_path / output)[0]
    assert warnings == ()
    assert digests(after) == digests(before)
    assert abs(after[-1].begin_s - before[-1].begin_s) <= Fraction(1, 1000)


def test_every_track_is_kept(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("a.mkv", frame_count=12, sound=["aac", "flac", "libopus"])

    rewrite(path, tmp_path / "b.mkv")

    before, after = sound_packets(path), sound_packets(tmp_path / "b.mkv")
    assert [digests(track) for track in after][1:] == [digests(track) for track in before][1:]
    assert len(after) == 3


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_sound_of_a_part_is_cut_and_moved_with_its_pictures(
    make_clip: MakeClip, tmp_path: Path, suffix: str
) -> None:
    path = make_clip("a.mp4", frame_count=48, sound=["aac"])
    start_s, stop_s = Fraction(12, 24), Fraction(30, 24)

    rewrite(path, tmp_path / f"part{suffix}", 12, 30)

    before = {packet.digest: packet for packet in sound_packets(path)[0]}
    after = sound_packets(tmp_path / f"part{suffix}")[0]
    assert len(after) > 20
    for packet in after:
        source = before[packet.digest]
        # The codec needs the packet before the first one that is heard.
        assert source.end_s + (source.end_s - source.begin_s) > start_s
        assert source.begin_s < stop_s
        assert abs(source.begin_s - start_s - packet.begin_s) <= Fraction(1, 1000)
    info = Clip.open(tmp_path / f"part{suffix}").info
    assert info.frame_count == 18
    assert info.times[0] == 0


def test_sound_the_container_cannot_hold_is_encoded_with_a_warning(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    path = make_clip("a.mov", frame_count=24, sound=["pcm_mulaw"])

    warnings = rewrite(path, tmp_path / "b.mp4")

    after = sound_packets(tmp_path / "b.mp4")[0]
    assert "few players take pcm_mulaw" in warnings[0]
    assert after[-1].end_s >= Fraction(98, 100)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"


def test_images_say_that_they_hold_no_sound(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("a.mp4", frame_count=2, sound=["aac"])

    warnings = rewrite(path, tmp_path / "frame_%03d.png")

    assert "no sound" in warnings[0]


def test_a_transport_stream_starts_at_zero_with_its_sound(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    stamps = [Fraction(index + 48, 24) for index in range(12)]
    path = make_clip(
        "late.ts",
        stamps=[int(stamp * 90000) for stamp in stamps],
        time_base=Fraction(1, 90000),
    )

    rewrite(path, tmp_path / "b.mp4")

    info = Clip.open(tmp_path / "b.mp4").info
    assert Clip.open(path).info.times[0] > 90000
    assert info.times[0] == 0
    assert info.frame_rate == 24
