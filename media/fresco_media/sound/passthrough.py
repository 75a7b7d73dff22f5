"""All sound of a file on its way into another, in step with the pictures."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import av.container
import av.error

from fresco_media.sound.choices import COPY
from fresco_media.sound.cut_out import CutOut
from fresco_media.sound.part import SoundRange, begin_s
from fresco_media.sound.rehearsal import REFUSALS, SoundTarget, rehearse
from fresco_media.sound.remarks import Remark
from fresco_media.sound.tracks import CopiedTrack, EncodedTrack, add_track
from fresco_media.types import Join
from fresco_media.video.containers import open_input
from fresco_media.video.continuity import demuxed_continuously
from fresco_media.video.streams import sounds_of_picture

logger = logging.getLogger(__name__)

DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}
# So many packets in a row that cannot be written are no damage any more.
_MOST_REFUSED = 50
_PREROLL_S = Fraction(1, 2)
# Where tracks do not lie side by side, so much is read ahead to see when each of them begins.
_BYTES_AHEAD = 1 << 25
# Less than a tick of most files is nothing that could be heard.
_LEAST_DELAY_S = Fraction(1, 2000)

_NOT_BESIDE = Remark("cannot be kept beside the others", "cannot be kept beside the others")
_SILENT = Remark(
    "holds no sound there, so the result is without it",
    "hold no sound there, so the result is without them",
)
_UNDECODED = Remark(
    "cannot be decoded, so it is silent in the result; convert it to WAV first to keep it",
    "cannot be decoded, so they are silent in the result; convert them to WAV first to keep them",
)
_CUT = Remark(
    "goes on more than a minute after the last picture, after silence; that is left out",
    "go on more than a minute after the last picture, after silence; that is left out",
)
_DAMAGED = Remark(
    "has a damaged part that is missing in the result",
    "have damaged parts that are missing in the result",
)


class SoundPassthrough:
    """All sound tracks of one file, copied or encoded as a rehearsal has found possible.

    What goes wrong later costs at most the track that it happens to, never the pictures.
    """

    def __init__(
        self,
        source: Path,
        output: av.container.OutputContainer,
        part: SoundRange,
        target: SoundTarget,
        joins: Sequence[Join] = (),
    ) -> None:
        """Adds the tracks to `output`, which has not begun yet.

        Raises:
            FFmpegError, OSError: the source cannot be read.
        """
        self._choices, self._remarks = rehearse(source, target)
        self._part = part
        self._joins = joins
        self._input = open_input(source)
        self._numbers: dict[int, int] = {}
        self._tracks: dict[int, CopiedTrack | EncodedTrack] = {}
        self._refused: dict[int, int] = {}
        self._cut_out: dict[int, CutOut] = {}
        # Matroska lets every track begin early, for its codec to settle, and says by how much.
        self._is_from_matroska = "matroska" in self._input.format.name
        self._undelayed: set[int] = set()
        self._packets = self._chosen()
        self._waiting: av.Packet | None = None
        delays = self._read_delays() if target.container == "matroska" else {}
        for number, stream in enumerate(sounds_of_picture(self._input), start=1):
            if stream.index in self._choices:
                self._numbers[stream.index] = number
                self._add(stream, output, delays.get(stream.index, Fraction(0)))

    def _read_delays(self) -> dict[int, Fraction]:
        """How long before the part's beginning each track begins that is copied into Matroska.

        Reads on until all are known. One that lies far behind the others gets no packet that is
        early, as nothing says by how much it would be.
        """
        start_s = self._part.start_s
        copied = {index for index, choice in self._choices.items() if choice.codec == COPY}
        if start_s is None:
            return {}
        read: list[av.Packet] = []
        delays: dict[int, Fraction] = {}
        size = 0
        while copied - delays.keys() and size < _BYTES_AHEAD:
            packet = next(self._packets, None)
            if packet is None:
                break
            read.append(packet)
            size += packet.size
            if packet.stream_index not in delays:
                early_s = start_s - begin_s(packet)
                is_stated = self._states_delay(packet) or early_s < _LEAST_DELAY_S
                delays[packet.stream_index] = Fraction(0) if is_stated else early_s
        self._undelayed = copied - delays.keys()
        self._packets = chain(read, self._packets)
        return delays

    def _states_delay(self, packet: av.Packet) -> bool:
        """Whether the source itself says by how much a track begins early, for copies as well."""
        is_stated = self._is_from_matroska or packet.stream.codec_context.name == "opus"
        return is_stated and self._part.keeps_codec_delay

    def _add(
        self, stream: av.AudioStream, output: av.container.OutputContainer, delay_s: Fraction
    ) -> None:
        choice = self._choices[stream.index]
        try:
            self._tracks[stream.index] = add_track(stream, output, choice, self._part, delay_s)
        except REFUSALS as error:
            logger.info("sound of stream %d as %s: %s", stream.index, choice, error)
            self._say(_NOT_BESIDE, stream.index)

    @property
    def warnings(self) -> list[str]:
        """What the user should know; grows."""
        return self._remarks.sentences()

    @property
    def languages(self) -> list[str]:
        """What each track is spoken in, in their order; nothing where it is not stated."""
        return [self._input.streams[index].metadata.get("language", "") for index in self._tracks]

    def copy_until(self, time_s: Fraction | None) -> None:
        """Write what sounds before `time_s` of the source; None writes all the rest."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            if time_s is not None and begin_s(packet) > time_s:
                self._waiting = packet
                return
            self._write(packet)

    def finish(self) -> None:
        """Write the rest and whatever encoders still hold."""
        self.copy_until(None)
        for index, track in self._tracks.items():
            try:
                track.finish()
            except (*REFUSALS, OSError) as error:
                self._lose(index, error)
            if track.is_empty:
                self._say(_SILENT, index)
            if track.is_undecoded:
                self._say(_UNDECODED, index)
            if track.is_cut:
                self._say(_CUT, index)

    @property
    def sounding_tracks(self) -> int:
        """How many tracks something was written of."""
        return sum(not track.is_empty for track in self._tracks.values())

    def close(self) -> None:
        """Free the source."""
        self._input.close()

    def _chosen(self) -> Iterator[av.Packet]:
        if not self._choices:
            return
        streams = [self._input.streams[index] for index in self._choices]
        ended: set[int] = set()
        for packet in demuxed_continuously(self._input, self._joins, *streams):
            if not packet.size or (packet.pts is None and packet.dts is None):
                continue
            ends_at = self._choices[packet.stream_index].ends_at
            if ends_at is not None and packet.pos is not None and packet.pos >= ends_at:
                # Those that follow in the same piece of a transport stream have no place.
                ended.add(packet.stream_index)
            if packet.stream_index in ended:
                continue
            if self._is_held(packet):
                yield packet

    def _is_held(self, packet: av.Packet) -> bool:
        if self._choices[packet.stream_index].codec == COPY:
            if self._is_cut_out(packet) or self._is_too_early(packet):
                return False
            return self._part.holds(packet, states_delay=self._states_delay(packet))
        # What is decoded is cut to the sample, and codecs need the packet before the first one.
        ends_s = begin_s(packet) + (packet.duration or 0) * packet.time_base
        is_early = self._part.start_s is not None and ends_s + _PREROLL_S < self._part.offset_s
        return not is_early and (self._part.stop_s is None or begin_s(packet) < self._part.stop_s)

    def _is_too_early(self, packet: av.Packet) -> bool:
        start_s = self._part.start_s
        if start_s is None or packet.stream_index not in self._undelayed:
            return False
        return begin_s(packet) < start_s

    def _is_cut_out(self, packet: av.Packet) -> bool:
        track = self._cut_out.setdefault(packet.stream_index, CutOut(self._part.offset_s))
        return track.has(packet)

    def _write(self, packet: av.Packet) -> None:
        index = packet.stream_index
        if index not in self._tracks or self._refused.get(index, 0) > _MOST_REFUSED:
            return
        try:
            self._tracks[index].write(packet)
        except (*REFUSALS, OSError) as error:
            self._lose(index, error)
        else:
            self._refused.pop(index, None)

    def _lose(self, index: int, error: Exception) -> None:
        """Go on without what could not be written, unless the disk is at fault."""
        if getattr(error, "errno", None) in DISK_FAULTS:
            raise error
        # Once for every packet, and told in a sentence.
        logger.info("sound of stream %d: %s", index, error)
        self._refused[index] = self._refused.get(index, 0) + 1
        self._say(_DAMAGED, index)

    def _say(self, remark: Remark, index: int) -> None:
        stream = self._input.streams[index]
        assert isinstance(stream, av.AudioStream)
        self._remarks.add(remark, stream, self._numbers[index])
