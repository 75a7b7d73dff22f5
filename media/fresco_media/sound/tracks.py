"""One sound track on its way into a file: its packets as they are, or encoded anew."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import av
import av.container
from av.format import Flags as ContainerFlags

from fresco_media.sound.choices import COPY, TrackEncoding
from fresco_media.sound.codec_delay import stating_delay
from fresco_media.sound.part import SoundRange
from fresco_media.sound.samples import BlockMerger, BlockReader, SampleFormat, Samples, Timeline
from fresco_media.sound.streams import describe

Output = av.container.OutputContainer

# AVI counts whole packets, of up to 32 ms.
_COARSE_S, _FINE_S = Fraction(1, 1000), Fraction(1, 1_000_000)


def add_track(
    source: av.AudioStream,
    output: Output,
    choice: TrackEncoding,
    part: SoundRange,
    delay_s: Fraction = Fraction(0),
) -> CopiedTrack | EncodedTrack:
    """A stream of `output` for `source`, with its title, language and flags.

    What a copy holds of the first `delay_s` seconds is stated not to be meant to be heard.

    Raises:
        FFmpegError, ValueError: the container or the encoder has no place for it.
    """
    if choice.codec == COPY:
        return CopiedTrack(source, output, part, delay_s)
    return EncodedTrack(source, output, choice, part)


def _refine(packet: av.Packet) -> None:
    """State the times of a packet by a clock that a part of the file can begin anywhere on."""
    times = math.ceil(packet.time_base / _FINE_S)
    packet.pts = None if packet.pts is None else packet.pts * times
    packet.dts = None if packet.dts is None else packet.dts * times
    packet.duration = (packet.duration or 0) * times
    packet.time_base = packet.time_base / times


class CopiedTrack:
    """A stream whose packets go through bit for bit, holes and all."""

    def __init__(
        self, source: av.AudioStream, output: Output, part: SoundRange, delay_s: Fraction
    ) -> None:
        self._output = output
        with stating_delay(source, delay_s) as described:
            self._stream = output.add_stream_from_template(described)
        self._offset_s = part.offset_s
        # Coarse stamps give one to several short packets, as Matroska's do to those of TrueHD.
        self._takes_equal = bool(output.format.flags & int(ContainerFlags.ts_nonstrict.value))
        self._latest: int | None = None
        self._written = b""
        describe(self._stream, source)

    def write(self, packet: av.Packet) -> None:
        """Add a packet of the source; one that repeats what is there already is left out."""
        if packet.time_base > _COARSE_S:
            _refine(packet)
        offset = round(self._offset_s / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - offset
        packet.dts = packet.pts if packet.dts is None else packet.dts - offset
        if self._is_repeated(packet):
            return
        self._latest, self._written = packet.dts, bytes(packet) if self._takes_equal else b""
        packet.stream = self._stream
        self._output.mux(packet)

    def _is_repeated(self, packet: av.Packet) -> bool:
        if self._latest is None or packet.dts is None or packet.dts > self._latest:
            return False
        is_another = packet.dts == self._latest and bytes(packet) != self._written
        return not (self._takes_equal and is_another)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written, so that most containers are without the track."""
        return self._latest is None

    @property
    def is_cut(self) -> bool:
        """A copy leaves nothing out."""
        return False

    @property
    def is_undecoded(self) -> bool:
        """A copy decodes nothing."""
        return False

    def finish(self) -> None:
        """A copy holds nothing back."""


class EncodedTrack:
    """A stream encoded anew, its samples where the source has them, its holes filled with silence.

    It begins where the result begins, to the sample.
    """

    def __init__(
        self, source: av.AudioStream, output: Output, choice: TrackEncoding, part: SoundRange
    ) -> None:
        self._output = output
        self._reader = BlockReader(source)
        self._timeline = Timeline(
            self._reader.format, part.offset_s, part.stop_s, part.pictures_end_s
        )
        self._written = self._read = self._decoded = 0
        stream = output.add_stream(choice.codec, rate=choice.rate)
        assert isinstance(stream, av.AudioStream)
        self._stream = stream
        context = self._stream.codec_context
        context.layout = choice.layout
        context.format = choice.sample_format
        context.time_base = Fraction(1, choice.rate)
        if choice.bit_rate:
            context.bit_rate = choice.bit_rate
        wanted = SampleFormat(choice.sample_format, choice.layout, choice.rate)
        self._resampler = None if wanted == self._reader.format else _resampler(choice)
        self._gathering = BlockMerger(self._reader.format.rate)
        describe(self._stream, source)

    def write(self, packet: av.Packet) -> None:
        """Add a packet of the source; what a damaged one held becomes silence."""
        if self._timeline.is_over:
            return
        self._read += 1
        for block in self._reader.read(packet):
            self._decoded += 1
            self._encode(self._timeline.add(block))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written; silence is something."""
        return not self._written

    @property
    def is_cut(self) -> bool:
        """Whether sound is left out that its times put long after the last picture."""
        return self._timeline.is_cut

    @property
    def is_undecoded(self) -> bool:
        """Whether all of it is silence, as none of the source's packets could be decoded."""
        return bool(self._read) and not self._decoded

    def finish(self) -> None:
        """Write what is still held back."""
        self._encode(self._timeline.finish())
        self._encode_samples(self._gathering.finish())
        if self._resampler is not None:
            for frame in self._resampler.resample(None):
                self._output.mux(self._stream.encode(frame))
        self._output.mux(self._stream.encode(None))

    def _encode(self, blocks: Iterable[Samples]) -> None:
        for block in blocks:
            self._encode_samples(self._gathering.add(block))

    def _encode_samples(self, pieces: Iterable[Samples]) -> None:
        for samples in pieces:
            frame = self._reader.format.frame(samples, self._written)
            self._written += len(samples)
            frames = [frame] if self._resampler is None else self._resampler.resample(frame)
            for made in frames:
                self._output.mux(self._stream.encode(made))


def _resampler(choice: TrackEncoding) -> av.AudioResampler:
    return av.AudioResampler(choice.sample_format, choice.layout, choice.rate)
