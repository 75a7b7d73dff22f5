from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_engine.errors import ClipChanged, ClipUnreadable
from fresco_media.clip import Clip
from fresco_media.types import Image

MakeClip = Callable[..., Path]
INTRA_ONLY = {"codec": "mjpeg", "pixel_format": "yuvj444p"}


def packet_places(path: Path) -> list[tuple[int, int]]:
    """Position and size in the file of each video packet, in file order."""
    with av.open(str(path)) as container:
        return [
            (packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size
        ]


def overwrite(path: Path, position: int, size: int) -> None:
    content = bytearray(path.read_bytes())
    content[position : position + size] = b"\xff" * size
    path.write_bytes(content)


def is_like(image: Image, expected: Image) -> bool:
    return float(np.abs(image.astype(int) - expected).mean()) < 4


@pytest.mark.parametrize("codec", [INTRA_ONLY, {}], ids=["intra", "h264"])
def test_a_damaged_frame_shows_the_one_before_and_times_hold(
    make_clip: MakeClip, codec: dict[str, object]
) -> None:
    # The last frame is one nothing else depends on, and never the first of a group.
    path = make_clip("hurt.mov", frame_count=12, **codec)
    sound = [frame.image for frame in Clip.open(path).frames()]
    overwrite(path, *packet_places(path)[-1])

    clip = Clip.open(path)
    frames = list(clip.frames())

    assert [frame.index for frame in frames] == list(range(12))
    damaged = [k for k in range(12) if not is_like(frames[k].image, sound[k])]
    assert len(damaged) == 1
    np.testing.assert_array_equal(frames[damaged[0]].image, frames[damaged[0] - 1].image)
    assert f"1 of the clip's frames is damaged ({damaged[0]})" in clip.warnings[-1]


def test_damage_in_the_middle_is_bridged(make_clip: MakeClip) -> None:
    path = make_clip("hurt.mov", **INTRA_ONLY)
    whole = [frame.image for frame in Clip.open(path).frames()]
    for place in packet_places(path)[5:7]:
        overwrite(path, *place)

    clip = Clip.open(path)
    frames = list(clip.frames())

    np.testing.assert_array_equal(frames[5].image, whole[4])
    np.testing.assert_array_equal(frames[6].image, whole[4])
    np.testing.assert_array_equal(frames[7].image, whole[7])
    assert "damaged (5, 6)" in clip.warnings[-1]


def test_a_damaged_frame_is_bridged_after_a_jump_too(make_clip: MakeClip) -> None:
    path = make_clip("hurt.mov", frame_count=30, **INTRA_ONLY)
    whole = [frame.image for frame in Clip.open(path).frames()]
    overwrite(path, *packet_places(path)[20])

    frames = list(Clip.open(path).frames_at([3, 20, 21]))

    np.testing.assert_array_equal(frames[1].image, whole[19])
    np.testing.assert_array_equal(frames[2].image, whole[21])


def test_damage_at_the_start_shows_the_first_good_frame(make_clip: MakeClip) -> None:
    path = make_clip("hurt.mov", **INTRA_ONLY)
    whole = [frame.image for frame in Clip.open(path).frames()]
    for place in packet_places(path)[:2]:
        overwrite(path, *place)

    frames = list(Clip.open(path).frames())

    assert len(frames) == 12
    np.testing.assert_array_equal(frames[0].image, whole[2])
    np.testing.assert_array_equal(frames[1].image, whole[2])


def test_a_clip_of_damage_only_is_refused(make_clip: MakeClip) -> None:
    path = make_clip("ruin.mov", **INTRA_ONLY)
    for place in packet_places(path):
        overwrite(path, *place)

    with pytest.raises(ClipUnreadable, match="none of its frames can be decoded"):
        Clip.open(path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_clip_without_its_tail_gives_the_frames_that_are_there(
    make_clip: MakeClip, suffix: str
) -> None:
    path = make_clip(f"cut{suffix}", frame_count=48)
    if suffix == ".mp4":
        path = with_header_first(path)
    whole = [frame.image for frame in Clip.open(path).frames()]
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])

    clip = Clip.open(path)
    frames = list(clip.frames())

    assert 12 < len(frames) < 40
    assert len(frames) == clip.info.frame_count
    assert "ends early" in clip.warnings[0]
    for frame in frames:
        assert is_like(frame.image, whole[frame.index])


def with_header_first(path: Path) -> Path:
    streamed = path.with_name("streamed.mp4")
    with (
        av.open(str(path)) as source,
        av.open(str(streamed), "w", options={"movflags": "+faststart"}) as output,
    ):
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    return streamed


def test_a_file_that_vanishes_while_in_use_is_a_clip_error(make_clip: MakeClip) -> None:
    clip = Clip.open(make_clip("clip.mp4"))
    clip.info.path.write_bytes(b"no longer a video")

    with pytest.raises(ClipChanged, match="it was replaced, overwritten"):
        next(clip.frames())


def test_a_raw_stream_without_times_counts_its_frames(make_clip: MakeClip) -> None:
    path = make_clip("raw.h264", frame_count=10)

    clip = Clip.open(path)
    frames = list(clip.frames())

    assert [frame.index for frame in frames] == list(range(10))
    assert "holds no times" in clip.warnings[0]
    different = {frame.image.tobytes() for frame in frames}
    assert len(different) == 10
