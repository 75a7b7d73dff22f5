"""How large a result is told to become: its sound counted as it will be."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.writing import estimate
from fresco_media.writing.delivery import Codec, Delivery, SoundWish
from fresco_media.writing.estimate import expected_bytes

from tests.media.hearing import Track, rewritten, write_sounding


def told_bytes(source: Path, codec: Codec, wish: SoundWish) -> int:
    clip = Clip.open(source)
    run = [frame.image for frame in clip.frames(0, 8)]
    return expected_bytes([run], clip.info, codec, Delivery(sound=wish), clip.info.frame_count)


def sound_bytes(path: Path) -> int:
    with av.open(str(path)) as container:
        sounds = {stream.index for stream in container.streams.audio}
        return sum(packet.size for packet in container.demux() if packet.stream_index in sounds)


@pytest.mark.parametrize(
    ("result", "codec", "wish"),
    [("b.mp4", "h264", "aac"), ("b.mp4", "h264", "kept"), ("b.mov", "prores", "pcm")],
)
@pytest.mark.parametrize(
    "tracks",
    [
        (Track(codec="pcm_s16le", layout="mono", rate=16_000),),
        (Track(codec="pcm_s16le", layout="mono"),),
        (Track(codec="aac"),),
        (Track(codec="pcm_s16le", layout="5.1"),),
        tuple(Track(codec="pcm_s24le", seed=number) for number in range(3)),
    ],
    ids=["speech", "mono", "stereo", "surround", "three"],
)
def test_sound_is_counted_by_its_channels_rate_and_tracks(
    tmp_path: Path, tracks: tuple[Track, ...], result: str, codec: Codec, wish: SoundWish
) -> None:
    source = write_sounding(tmp_path / "a.mkv", *tracks)

    rewritten(source, tmp_path / result, codec=codec, delivery=Delivery(sound=wish))

    told = told_bytes(source, codec, wish) - told_bytes(source, codec, "none")
    assert told == pytest.approx(sound_bytes(tmp_path / result), rel=0.5)


@pytest.mark.parametrize(("count", "keyframes"), [(1, 1), (250, 1), (251, 2)])
def test_every_250_frames_a_keyframe_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, keyframes: int
) -> None:
    info = Clip.open(write_sounding(tmp_path / "a.mkv")).info
    sizes = [1000, 10, 10]
    monkeypatch.setattr(estimate, "_encoded_sizes", lambda *_: sizes)
    run = [np.zeros((64, 64, 3), np.uint8)] * 3

    told = estimate.expected_bytes([run], info, "h264", Delivery(sound="none"), count)

    assert told == 1000 * keyframes + 10 * (count - keyframes)


def test_a_silent_clip_has_no_bytes_of_sound(tmp_path: Path) -> None:
    source = write_sounding(tmp_path / "a.mkv")

    assert told_bytes(source, "h264", "aac") == told_bytes(source, "h264", "none")
