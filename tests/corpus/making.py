"""Writing the clip of an item with PyAV, as its name says."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import numpy as np

from tests.corpus import kinds, pictures, sounds
from tests.corpus.items import SILENCE, Item

FRAME_COUNT = 12
_WRAP_S = Fraction(2**33, 90000) - Fraction(1, 4)
_OFFSETS_S = {"later": Fraction(3, 2), "wrapping": _WRAP_S}
BEFORE_ZERO = 3
"""How many frames come before zero in a clip that begins there."""
LATE_PICTURE_S = Fraction(1, 4)
_TURNS_MATRIX = {"mirrored": (-1, 0, 0, 1), "mirrored 90": (0, -1, -1, 0)}
_DEGREES = {"90": -90, "180": 180, "270": 90}


class CannotWrite(Exception):
    """FFmpeg does not write this combination."""


@dataclass(frozen=True)
class Made:
    """A clip of the corpus: where it lies, and when its frames are shown (seconds as written)."""

    path: Path
    times_s: tuple[Fraction, ...]


def make(item: Item, folder: Path) -> Made:
    """Write the clip of `item` into `folder`.

    Raises:
        CannotWrite: FFmpeg refuses to.
    """
    path = _path(item, folder)
    try:
        times = _write(item, path)
    except (av.error.FFmpegError, ValueError, OSError, RuntimeError) as error:
        raise CannotWrite(f"{type(error).__name__}: {error}") from error
    if item.turn in _TURNS_MATRIX:
        _set_display_matrix(path, _TURNS_MATRIX[item.turn])
    if item.sound == "g726":
        _count_sound_in_bytes(path)
    return Made(path.parent if item.container.startswith("pictures") else path, times)


def stamps(item: Item) -> tuple[tuple[int, ...], Fraction]:
    """The ticks of every frame, and a tick in seconds."""
    rate = kinds.RATES[item.rate]
    count = 1 if item.rate == "1 frame" else FRAME_COUNT
    ticks = kinds.VARIABLE_MS if item.rate == "variable" else range(count)
    # A whole number of frames, so that the clip's rate is not disturbed.
    first = round((_offset_s(item) + _picture_delay_s(item)) * rate)
    return tuple(first + tick for tick in ticks), 1 / rate


def _offset_s(item: Item) -> Fraction:
    if item.start == "negative":
        return -kinds.period_s(item.rate) * BEFORE_ZERO
    return _OFFSETS_S.get(item.start, Fraction(0))


def _picture_delay_s(item: Item) -> Fraction:
    return LATE_PICTURE_S if item.start == "late picture" else Fraction(0)


def _path(item: Item, folder: Path) -> Path:
    if item.container.startswith("pictures"):
        return folder / f"shot_%04d{Path(item.container).suffix}"
    return folder / f"clip.{kinds.SUFFIXES.get(item.container, item.container)}"


def _write(item: Item, path: Path) -> tuple[Fraction, ...]:
    is_pictures = item.container.startswith("pictures")
    muxer = "image2" if is_pictures else kinds.MUXERS[item.container]
    with av.open(str(path), "w", format=muxer, options=_muxer_options(item)) as output:
        video = _video_stream(item, output)
        tracks = [_Track.of(item, output, number) for number in range(_track_count(item))]
        ticks, base = stamps(item)
        sound = [track.packets() for track in tracks]
        packets = [_pictures(item, video, ticks, base), *sound]
        for packet in _interleaved(packets):
            output.mux(packet)
    return tuple(tick * base for tick in ticks)


def _muxer_options(item: Item) -> dict[str, str]:
    if item.container == "m2ts":
        return {"mpegts_m2ts_mode": "1"}
    if item.container == "apng":
        return {"plays": "0"}
    return {}


def _video_stream(item: Item, output: av.container.OutputContainer) -> av.VideoStream:
    codec = kinds.VIDEO[item.codec]
    rate = 1 / kinds.period_s(item.rate)
    stream = output.add_stream(codec.encoder, rate=rate, options=_encoder_options(item))
    assert isinstance(stream, av.VideoStream)
    context = stream.codec_context
    context.width, context.height = codec.size
    context.pix_fmt = item.pixels
    context.time_base = 1 / kinds.RATES[item.rate]
    if item.aspect != "1:1":
        context.sample_aspect_ratio = kinds.ASPECTS[item.aspect]
    context.color_primaries, context.color_trc = kinds.COLOURS[item.colour][:2]
    context.colorspace, context.color_range = kinds.COLOURS[item.colour][2:]
    if codec.bit_rate:
        context.bit_rate = codec.bit_rate
    if item.turn in _DEGREES:
        stream.set_display_rotation(_DEGREES[item.turn])
    return stream


def _encoder_options(item: Item) -> dict[str, str]:
    codec = kinds.VIDEO[item.codec]
    options = {**codec.options, "strict": "experimental", "threads": "1"}
    if "q" in options:
        # A fixed quantiser: FFmpeg's older encoders otherwise blur such pictures at the start.
        options |= {"qmin": "1", "qmax": "2", "flags": "+qscale", "global_quality": "236"}
        del options["q"]
    group = {
        "intra": {"g": "1"},
        "ipp": {"g": "6", "bf": "0"},
        "b-frames": {"g": "6", "bf": "2"},
        "open-gop": {"g": "6", "bf": "2"},
        "interlaced": {"g": "6", "bf": "0"},
    }[item.group]
    if len(codec.groups) > 1:
        options |= group
    if item.group == "interlaced":
        options["flags"] = "+ildct+ilme" + ("+qscale" if "global_quality" in options else "")
    if item.group == "open-gop":
        key = "x264-params" if item.codec == "h264" else "x265-params"
        options[key] = ":".join(filter(None, [options.get(key), "open-gop=1"]))
    return options


def _pictures(
    item: Item, stream: av.VideoStream, ticks: tuple[int, ...], base: Fraction
) -> Iterator[av.Packet]:
    size = kinds.VIDEO[item.codec].size
    for index, tick in enumerate(ticks):
        frame = pictures.frame(index, size, item.pixels, kinds.COLOURS[item.colour])
        frame.pts, frame.time_base = tick, base
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _track_count(item: Item) -> int:
    if item.sound == SILENCE:
        return 0
    return 2 if item.shape == "two tracks" else 1


@dataclass(frozen=True)
class _Track:
    """One sound track being written."""

    stream: av.AudioStream
    number: int
    shape: str
    layout: str
    offset_s: Fraction

    @staticmethod
    def of(item: Item, output: av.container.OutputContainer, number: int) -> _Track:
        codec = kinds.SOUND[item.sound]
        layout = kinds.LAYOUTS[item.channels]
        stream = output.add_stream(codec.encoder, rate=codec.rate, options={"strict": "-2"})
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = layout
        if codec.bit_rate:
            stream.codec_context.bit_rate = codec.bit_rate
        return _Track(stream, number, item.shape, layout, _offset_s(item))

    def packets(self) -> Iterator[av.Packet]:
        """The encoded track, in order."""
        context = self.stream.codec_context
        context.open(strict=False)
        rate = context.sample_rate
        late = sounds.LATE_START_S if self.shape == "late start" else 0
        first = round((self.offset_s + Fraction(late)) * rate)
        samples = sounds.chirps(rate, track=self.number)
        size = context.frame_size or 1024
        for start in range(0, len(samples), size):
            if self._is_stored(start / rate, (start + size) / rate):
                frame = self._frame(samples[start : start + size])
                frame.pts, frame.time_base = first + start, Fraction(1, rate)
                yield from self.stream.encode(frame)
        yield from self.stream.encode(None)

    def _is_stored(self, start_s: float, end_s: float) -> bool:
        if self.shape == "early end":
            return start_s < sounds.EARLY_END_S
        begin, stop = sounds.HOLE_S
        return self.shape != "hole" or not begin <= start_s < end_s <= stop

    def _frame(self, samples: sounds.Samples) -> av.AudioFrame:
        context = self.stream.codec_context
        # PyAV takes no more than seven channels apart from each other, so they are interleaved.
        channels = np.repeat(samples, context.channels)[None]
        plain = av.AudioFrame.from_ndarray(channels, format="flt", layout=self.layout)
        plain.sample_rate = context.sample_rate
        return plain


def _interleaved(sources: list[Iterator[av.Packet]]) -> Iterator[av.Packet]:
    """Packets of all sources in the order of their decoding times."""
    heads = [next(source, None) for source in sources]
    while any(head is not None for head in heads):
        waiting = [(k, head) for k, head in enumerate(heads) if head is not None]
        place, packet = min(waiting, key=lambda pair: _decoding_time_s(pair[1]))
        heads[place] = next(sources[place], None)
        yield packet


def _decoding_time_s(packet: av.Packet) -> Fraction:
    stamp = packet.pts if packet.dts is None else packet.dts
    return Fraction(stamp or 0) * (packet.time_base or Fraction(1))


def _count_sound_in_bytes(path: Path) -> None:
    """Give the sound of an AVI file a clock that ticks with every byte, as recorders do.

    FFmpeg writes one that ticks with every block there, and then reads a tick for every byte.
    """
    content = bytearray(path.read_bytes())
    place = content.find(b"strh")
    while place >= 0:
        header = place + 8
        if content[header : header + 4] == b"auds":
            # Bit rate / 8, which the wave format behind this header holds after 8 bytes.
            (rate,) = struct.unpack_from("<I", content, content.index(b"strf", header) + 16)
            struct.pack_into("<II", content, header + 20, 1, rate)
            struct.pack_into("<I", content, header + 44, 1)
        place = content.find(b"strh", header)
    path.write_bytes(content)


def _set_display_matrix(path: Path, values: tuple[int, int, int, int]) -> None:
    """Write the four turning entries of the first track's matrix, as cameras do."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44
    a, b, c, d = (value * 0x10000 for value in values)
    content[matrix : matrix + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
