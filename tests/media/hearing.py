"""Clips with known sound, and what is heard of a file at which time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import numpy as np
from av.stream import Disposition
from fresco_media.clip import Clip
from fresco_media.writing.delivery import Delivery
from fresco_media.writing.encode import Encoder, Target
from numpy.typing import NDArray

Heard = NDArray[np.float64]
"""Sound as players place it: mono, at `RATE`, from the file's time 0 on."""

RATE = 48_000
FPS = 25
NO_FLAGS = Disposition(0)


@dataclass(frozen=True, kw_only=True)
class Track:
    """A sound track to be made; `keeps` says which of its frames get into the file."""

    codec: str
    rate: int = RATE
    layout: str = "stereo"
    seconds: float = 2.0
    begins_s: float = 0.0
    seed: int = 1
    keeps: Callable[[float], bool] = lambda _: True
    damages: Callable[[float], bool] = lambda _: False
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    flags: Disposition = NO_FLAGS


def signal(seconds: float, rate: int = RATE, seed: int = 1) -> Heard:
    """Noise that every codec and every rate keeps: nothing above 2.5 kHz, from -0.6 to 0.6."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, count))
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(frequencies > 2500) | (frequencies < 100)] = 0
    smooth = np.fft.irfft(spectrum, count)
    smooth *= 0.6 / np.abs(smooth).max()
    places = np.arange(round(seconds * rate)) * RATE / rate
    return np.interp(places, np.arange(count), smooth)


def write_sounding(
    path: Path,
    *tracks: Track,
    seconds: float = 2.0,
    video: str = "libx264",
    size: tuple[int, int] = (64, 48),
    first_tick: int = 0,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A clip of 25 frames a second with these sound tracks; pictures begin at `first_tick`."""
    with av.open(str(path), "w") as output:
        output.metadata.update(metadata or {})
        stream = output.add_stream(video, rate=FPS)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if video == "mjpeg" else "yuv420p"
        if video == "libx264":
            stream.options = {"preset": "ultrafast"}
        sounds = [_add_sound(output, track) for track in tracks]
        for index in range(round(seconds * FPS)):
            shade = np.full((size[1], size[0], 3), 40 + index * 3 % 180, np.uint8)
            frame = av.VideoFrame.from_ndarray(shade, format="rgb24")
            frame.pts, frame.time_base = first_tick + index, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        for track, sound in zip(tracks, sounds, strict=True):
            _write_sound(output, sound, track)
        output.mux(stream.encode(None))
    return path


def _add_sound(output: av.container.OutputContainer, track: Track) -> av.AudioStream:
    stream = output.add_stream(track.codec, rate=track.rate)
    assert isinstance(stream, av.AudioStream)
    stream.codec_context.layout = track.layout
    stream.codec_context.time_base = Fraction(1, track.rate)
    if track.codec.startswith("wma"):
        stream.codec_context.bit_rate = 128_000
    stream.metadata.update(track.metadata)
    stream.disposition = track.flags
    return stream


def _write_sound(
    output: av.container.OutputContainer, stream: av.AudioStream, track: Track
) -> None:
    mono = signal(track.seconds, track.rate, track.seed)
    channels = stream.codec_context.layout.nb_channels
    woven = np.repeat(mono.astype(np.float32), channels)[None]
    step = max(1, track.rate // FPS)
    for begin in range(0, len(mono), step):
        chunk = np.ascontiguousarray(woven[:, begin * channels : (begin + step) * channels])
        frame = av.AudioFrame.from_ndarray(chunk, format="flt", layout=track.layout)
        frame.sample_rate = track.rate
        frame.time_base = Fraction(1, track.rate)
        frame.pts = begin + round(track.begins_s * track.rate)
        _mux(output, stream.encode(frame), track)
    _mux(output, stream.encode(None), track)


def _mux(output: av.container.OutputContainer, packets: Sequence[Any], track: Track) -> None:
    for packet in packets:
        time_s = float((packet.pts or 0) * packet.time_base)
        if not track.keeps(time_s):
            continue
        if track.damages(time_s):
            broken = av.Packet(b"\xff" * packet.size)
            broken.pts, broken.dts, broken.duration = packet.pts, packet.dts, packet.duration
            broken.time_base, broken.stream = packet.time_base, packet.stream
            output.mux(broken)
            continue
        output.mux(packet)


def rewritten(
    source: Path,
    output: Path,
    start: int = 0,
    stop: int | None = None,
    codec: Any = "h264",
    delivery: Delivery | None = None,
) -> tuple[str, ...]:
    """`source` written again from its own frames; what is said about that."""
    clip = Clip.open(source)
    stop = clip.info.frame_count if stop is None else stop
    container = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}[output.suffix]
    target = Target(output, container, codec, delivery or Delivery())
    encoder = Encoder(clip.info, target, start, stop)
    for frame in clip.frames(start, stop):
        encoder.write(frame)
    encoder.finish()
    return encoder.warnings


def heard(path: Path, track: int = 0, seconds: float = 2.5) -> Heard:
    """What is heard of a sound track: frames at their times, unless only rounding moves them."""
    parts: list[tuple[int, Heard]] = []
    rate, latest = RATE, -1
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.audio[track]):
            for frame in _decoded(packet):
                rate = frame.sample_rate
                begin = latest if frame.time is None else round(frame.time * rate)
                if parts and abs(begin - latest) <= rate // 500:
                    begin = latest
                latest = begin + frame.samples
                parts.append((begin, _mono(frame)))
    made = np.zeros(round(seconds * rate))
    for begin, samples in parts:
        skipped = max(0, -begin)
        kept = samples[skipped : max(0, len(made) - begin)]
        made[begin + skipped : begin + skipped + len(kept)] = kept
    places = np.arange(round(seconds * RATE)) * rate / RATE
    return np.interp(places, np.arange(len(made)), made)


def _decoded(packet: Any) -> list[Any]:
    try:
        return packet.decode()
    except av.error.FFmpegError:
        return []


def _mono(frame: av.AudioFrame) -> Heard:
    name, count = frame.format.packed.name, frame.layout.nb_channels
    kind = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}[name]
    step = 1 if frame.format.is_planar else count
    first = np.frombuffer(memoryview(frame.planes[0]), kind, frame.samples * step)[::step]
    scale = {"u8": 128, "s16": 2**15, "s32": 2**31}.get(name, 1)
    return (first.astype(np.float64) - (128 if name == "u8" else 0)) / scale


def late_ms(one: Heard, expected: Heard, begin_s: float, end_s: float) -> float:
    """By how much `one` lags behind `expected` between two times, within 100 ms.

    Raises:
        AssertionError: it is another sound.
    """
    begin, end, reach = round(begin_s * RATE), round(end_s * RATE), RATE // 10
    window = expected[begin:end]
    part = np.pad(one, reach)[begin : end + 2 * reach]
    products = np.correlate(part, window, "valid")
    squares = np.cumsum(np.concatenate([[0.0], part**2]))
    norms = np.sqrt(squares[len(window) :] - squares[: -len(window)]) * np.linalg.norm(window)
    scores = products / np.maximum(norms, 1e-9)
    place = int(np.argmax(scores))
    assert scores[place] > 0.8, f"another sound from {begin_s} s to {end_s} s: {scores[place]:.2f}"
    return (place - reach) * 1000 / RATE


def loudness(one: Heard, begin_s: float, end_s: float) -> float:
    """The root mean square between two times."""
    part = one[round(begin_s * RATE) : round(end_s * RATE)]
    return float(np.sqrt(np.mean(part**2))) if len(part) else 0.0
