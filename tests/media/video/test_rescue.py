"""What goes wrong at the very end of a file costs its sound at most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.writing.encode import Encoder, Target

from tests.media.hearing import Track, write_sounding


class _Unfinished:
    """An output whose end cannot be written; all else is the real one's."""

    def __init__(self, output: Any, spoil: Callable[[], None]) -> None:
        self._output = output
        self._spoil = spoil

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def close(self) -> None:
        self._output.close()
        self._spoil()
        raise av.error.InvalidDataError(1094995529, "invalid data", "a.mp4")


def written(
    source: Path, target: Target, monkeypatch: pytest.MonkeyPatch, *, is_kept: bool = True
) -> Encoder:
    """`source` written into a file that loses its index when it is closed."""
    opened = av.open

    def spoil() -> None:
        content = bytearray(target.path.read_bytes())
        place = content.find(b"moov")
        if place >= 0:
            content[place : place + 4] = b"free"
        target.path.write_bytes(content if is_kept else b"\0" * 100)

    def opening(path: Any, *arguments: Any, **options: Any) -> Any:
        output = opened(path, *arguments, **options)
        return _Unfinished(output, spoil) if str(path) == str(target.path) else output

    clip = Clip.open(source)
    frames = list(clip.frames())
    with monkeypatch.context() as patch:
        patch.setattr("fresco_media.writing.encode.av.open", opening)
        encoder = Encoder(clip.info, target, 0, clip.info.frame_count)
    for frame in frames:
        encoder.write(frame)
    encoder.finish()
    return encoder


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("b.mp4", "mp4", "h264"),
        ("b.mov", "mov", "h264"),
        ("b.mkv", "matroska", "h264"),
        ("b.mov", "mov", "prores"),
        ("b.mkv", "matroska", "lossless"),
        ("b.mp4", "mp4", "lossless"),
    ],
)
def test_a_file_whose_end_cannot_be_written_keeps_all_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, container: str, codec: Any
) -> None:
    monkeypatch.setattr("fresco_media.video.rescue._RECENT_BYTES", 300)
    source = write_sounding(tmp_path / "a.mkv", Track(codec="aac"), Track(codec="flac", seed=2))
    whole = tmp_path / f"whole{name}"
    plain = Encoder(Clip.open(source).info, Target(whole, container, codec), 0, 50)
    for frame in Clip.open(source).frames():
        plain.write(frame)
    plain.finish()

    encoder = written(source, Target(tmp_path / name, container, codec), monkeypatch)

    result, expected = Clip.open(tmp_path / name), Clip.open(whole)
    assert result.info.times == expected.info.times
    for got, wanted in zip(result.frames(), expected.frames(), strict=True):
        assert np.array_equal(got.image, wanted.image)
    assert not result.info.has_audio
    told = [said for said in encoder.warnings if "could not be finished" in said]
    assert len(told) == 1
    assert "convert the sound to WAV or AAC" in told[0]
    assert not any("read back" in said for said in encoder.warnings)
    assert not list(tmp_path.glob("*.pictures"))


def test_pictures_that_waited_for_sound_in_the_muxer_are_kept_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_sounding(tmp_path / "a.mkv", Track(codec="aac"))

    written(source, Target(tmp_path / "b.mp4", "mp4", "h264"), monkeypatch, is_kept=False)

    assert Clip.open(tmp_path / "b.mp4").info.frame_count == 50


def test_what_cannot_be_saved_either_fails_with_the_first_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fresco_media.video.rescue._RECENT_BYTES", 300)
    source = write_sounding(tmp_path / "a.mkv", Track(codec="aac"))
    target = Target(tmp_path / "b.mp4", "mp4", "h264")

    with pytest.raises(av.error.InvalidDataError):
        written(source, target, monkeypatch, is_kept=False)

    assert not list(tmp_path.glob("*.pictures"))
