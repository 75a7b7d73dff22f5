"""Sound passed through: packets copied as they are, cut to a range and moved in time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error

from fresco_media.containers import open_input
from fresco_media.continuity import demuxed_continuously
from fresco_media.types import Join

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SoundRange:
    """The part of the sound to keep, in seconds of the source; None leaves a side open.

    `offset_s` is the time of the source that becomes 0 in the result. `keeps_partial` says
    whether a packet that begins before `start_s` may be kept; the container then has to hide
    what sounds too early. `keeps_codec_delay` says that Opus may begin early in any container:
    all of them store how much of its beginning is not meant to be heard.
    """

    start_s: Fraction | None
    stop_s: Fraction | None
    offset_s: Fraction
    keeps_partial: bool
    keeps_codec_delay: bool

    def holds(self, packet: av.Packet) -> bool:
        """Whether `packet` sounds in this part."""
        begin = _begin_s(packet)
        end = begin + (packet.duration or 0) * packet.time_base
        if self.stop_s is not None and begin >= self.stop_s:
            return False
        if self.start_s is None or begin >= self.start_s:
            return True
        is_delay = self.keeps_codec_delay and packet.stream.codec_context.name == "opus"
        return is_delay or (self.keeps_partial and end > self.start_s)


class Sound:
    """All sound of one file on its way into another, in step with the pictures."""

    def __init__(
        self,
        source: Path,
        output: av.container.OutputContainer,
        part: SoundRange,
        joins: Sequence[Join] = (),
    ) -> None:
        self.warnings: list[str] = []
        self._output = output
        self._part = part
        self._joins = joins
        self._input = open_input(source)
        self._tracks = {
            stream.index: self._track(stream)
            for stream in self._input.streams.audio
            if self._is_known(stream)
        }
        self._packets = self._chosen()
        self._waiting: av.Packet | None = None

    def _is_known(self, stream: av.AudioStream) -> bool:
        if stream.codec_context is not None:
            return True
        self.warnings.append("a sound track of an unknown kind is left out")
        return False

    def _track(self, stream: av.AudioStream) -> _CopiedTrack | _EncodedTrack:
        try:
            return _CopiedTrack(self._output.add_stream_from_template(stream))
        except (av.error.FFmpegError, ValueError):
            codec = stream.codec_context.name
            self.warnings.append(
                f"{self._output.format.name} files cannot hold {codec} sound, so it is encoded "
                "anew as AAC; give the result the file type of the source to keep it untouched"
            )
            return _EncodedTrack(stream, self._output)

    def copy_until(self, time_s: Fraction | None) -> None:
        """Write what sounds before `time_s` of the source; None writes all the rest."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            if time_s is not None and _begin_s(packet) > time_s:
                self._waiting = packet
                return
            self._write(packet)

    def finish(self) -> None:
        """Write the rest and whatever encoders still hold."""
        self.copy_until(None)
        for track in self._tracks.values():
            track.flush(self._output)

    def close(self) -> None:
        """Free the source."""
        self._input.close()

    def _chosen(self) -> Iterator[av.Packet]:
        if not self._tracks:
            return
        part = self._part
        streams = [self._input.streams[index] for index in self._tracks]
        for packet in demuxed_continuously(self._input, self._joins, *streams):
            if not packet.size or (packet.pts is None and packet.dts is None):
                continue
            if part.holds(packet):
                yield packet

    def _write(self, packet: av.Packet) -> None:
        offset = round(self._part.offset_s / packet.time_base)
        self._tracks[packet.stream_index].write(packet, offset, self._output)


def _begin_s(packet: av.Packet) -> Fraction:
    stamp = packet.dts if packet.pts is None else packet.pts
    return (stamp or 0) * packet.time_base


class _CopiedTrack:
    """A stream whose packets go through bit for bit."""

    def __init__(self, stream: av.AudioStream) -> None:
        self._stream = stream

    def write(self, packet: av.Packet, offset: int, output: av.container.OutputContainer) -> None:
        packet.pts = None if packet.pts is None else packet.pts - offset
        packet.dts = packet.pts if packet.dts is None else packet.dts - offset
        packet.stream = self._stream
        output.mux(packet)

    def flush(self, output: av.container.OutputContainer) -> None:
        """A copy holds nothing back."""


class _EncodedTrack:
    """A stream encoded anew because the container has no place for its codec."""

    def __init__(self, source: av.AudioStream, output: av.container.OutputContainer) -> None:
        context = source.codec_context
        self._stream = output.add_stream("aac", rate=context.sample_rate)
        self._stream.codec_context.layout = context.layout.name
        self._stream.codec_context.bit_rate = 128_000 * max(1, context.channels)

    def write(self, packet: av.Packet, offset: int, output: av.container.OutputContainer) -> None:
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            logger.info("a damaged sound packet is left out: %s", error)
            return
        for frame in frames:
            if frame.pts is not None:
                frame.pts -= offset
            output.mux(self._stream.encode(frame))

    def flush(self, output: av.container.OutputContainer) -> None:
        output.mux(self._stream.encode(None))
