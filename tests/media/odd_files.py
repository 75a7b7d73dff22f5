"""Video files with stamps as recorders, cutters and broken muxers leave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import numpy as np
from fresco_media.types import Image

SIZE = (64, 48)
SOUND_RATE = 48000
_CELLS = 8


def numbered(index: int, size: tuple[int, int] = SIZE) -> Image:
    """A picture that holds its own number, in bars of black and white that any codec keeps."""
    width, height = size
    bits = [(index >> bit) & 1 for bit in range(_CELLS)]
    row = np.repeat(np.array(bits, np.uint8) * 180 + 40, width // _CELLS)
    return np.repeat(np.tile(row, (height, 1))[..., None], 3, axis=2)


def number_in(image: Image) -> int:
    """The number that `numbered` drew."""
    width = image.shape[1] // _CELLS
    middles = [image[:, width * cell + 2 : width * (cell + 1) - 2].mean() for cell in range(_CELLS)]
    return sum(int(middle > 128) << bit for bit, middle in enumerate(middles))


@dataclass(frozen=True)
class Film:
    """How to encode pictures of consecutive numbers, `gop` of them from keyframe to keyframe."""

    count: int = 30
    first: int = 0
    codec: str = "libx264"
    rate: Fraction = Fraction(25)
    gop: int = 10
    b_frames: int = 2
    options: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] = SIZE


Stamp = Callable[[int], int]
"""The stamp of a frame, in ticks, from its number in order of showing."""


@dataclass(frozen=True)
class Muxing:
    """Where packets go: `stamp` gives times of showing, in ticks of `time_base`.

    `sound_s` is when a second sound of that many seconds begins and how long it lasts.
    """

    time_base: Fraction | None = None
    stamp: Stamp | None = None
    decoding: Stamp | None = None
    sound_s: tuple[float, float] | None = None
    sound_codec: str = "aac"
    options: dict[str, str] = field(default_factory=dict)
    container: str | None = None
    delay: int = 2


def mux(path: Path, film: Film, muxing: Muxing | None = None) -> Path:
    """Write a film with the stamps that `muxing` gives."""
    muxing = muxing or Muxing()
    with av.open(str(path), "w", format=muxing.container, options=muxing.options) as output:
        stream: Any = output.add_stream(film.codec, rate=film.rate)
        _shape(stream, film)
        sound = _sound_stream(output, muxing)
        packets = [*_stamped(stream, film, muxing)]
        for packet in packets:
            packet.stream = stream
            output.mux(packet)
        if sound is not None and muxing.sound_s is not None:
            for packet in sounding(sound, *muxing.sound_s):
                output.mux(packet)
    return path


def _shape(stream: Any, film: Film) -> None:
    context = stream.codec_context
    context.width, context.height = film.size
    context.pix_fmt = "yuvj420p" if film.codec == "mjpeg" else "yuv420p"
    context.gop_size, context.max_b_frames = film.gop, film.b_frames
    if film.codec == "libx264":
        context.options = {
            "preset": "ultrafast",
            "sc_threshold": "0",
            "bf": str(film.b_frames),
            **film.options,
        }
    else:
        context.options = dict(film.options)
    context.bit_rate = 2_000_000


def _stamped(stream: Any, film: Film, muxing: Muxing) -> Iterator[av.Packet]:
    packets: list[av.Packet] = []
    for place in range(film.count):
        rgb = av.VideoFrame.from_ndarray(numbered(film.first + place, film.size), format="rgb24")
        frame = rgb.reformat(format=stream.codec_context.pix_fmt)
        frame.pts, frame.time_base = place, 1 / film.rate
        packets += stream.encode(frame)
    packets += stream.encode(None)
    base = muxing.time_base or 1 / film.rate
    for number, packet in enumerate(packets):
        assert packet.pts is not None
        assert packet.time_base is not None
        shown = round(packet.pts * packet.time_base * film.rate)
        if muxing.stamp is not None:
            packet.pts = muxing.stamp(shown)
            late = number - (muxing.delay if film.b_frames else 0)
            decoding = muxing.decoding or muxing.stamp
            packet.dts = min(decoding(late), packet.pts)
            packet.time_base = base
            packet.duration = 0
        yield packet


def _sound_stream(output: av.container.OutputContainer, muxing: Muxing) -> av.AudioStream | None:
    if muxing.sound_s is None:
        return None
    stream = output.add_stream(muxing.sound_codec, rate=SOUND_RATE, layout="mono")
    assert isinstance(stream, av.AudioStream)
    return stream


def sounding(stream: av.AudioStream, begin_s: float, seconds: float) -> Iterator[av.Packet]:
    """A steady tone."""
    count = 1024
    for place in range(int(seconds * SOUND_RATE) // count):
        wave = np.sin(np.arange(count) * 0.1).astype(np.float32).reshape(1, -1) * 0.3
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = SOUND_RATE, Fraction(1, SOUND_RATE)
        frame.pts = round(begin_s * SOUND_RATE) + place * count
        yield from stream.encode(frame)
    yield from stream.encode(None)


def join(path: Path, parts: Sequence[Path]) -> Path:
    """Files one after the other, byte by byte."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path
