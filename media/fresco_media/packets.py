"""The packet table of a video stream: every frame's time, without decoding anything."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.container
import av.error
import av.stream

logger = logging.getLogger(__name__)

# How much earlier than announced a stream may end before the file counts as cut short.
END_TOLERANCE_S = Fraction(1, 4)


@dataclass(frozen=True)
class PacketTable:
    """The frames of one video stream in order of presentation, as their packets tell.

    `stamps` are times in ticks of the stream. `keys` holds, for each keyframe, its index and the
    time stamp to seek to; it is empty where the file cannot be sought in. `is_timed` is False for
    raw streams without any time stamps; their `stamps` just count. `is_cut_short` says that the
    file ends before its announced end.
    """

    stamps: tuple[int, ...]
    keys: tuple[tuple[int, int], ...]
    is_timed: bool
    is_cut_short: bool


def demuxed(
    container: av.container.InputContainer, *streams: av.stream.Stream
) -> Iterator[av.Packet]:
    """The packets of `streams` (all if none is named), up to the end or to damage at the end."""
    packets = container.demux(*streams)
    while True:
        try:
            yield next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError as error:
            logger.info("reading %s stopped: %s", container.name, error)
            return


def scan_packets(container: av.container.InputContainer, stream: av.VideoStream) -> PacketTable:
    """Read the whole file once and list the frames of `stream`.

    Frames that an edit list hides are left out, and so is a last packet that the end of the file
    cuts through.
    """
    packets: list[_Shown] = []
    latest_s = Fraction(0)
    for packet in demuxed(container):
        latest_s = max(latest_s, _end_s(packet))
        if packet.stream_index == stream.index and _is_shown(packet, stream):
            packets.append(_Shown.of(packet))
    is_cut_short = _ends_early(container, stream, latest_s)
    if len(packets) > 1 and packets[-1].is_corrupt:
        packets.pop()
        is_cut_short = True
    stamps = [packet.stamp for packet in packets if packet.stamp is not None]
    if len(stamps) < len(packets):
        return PacketTable(tuple(range(len(packets))), (), False, is_cut_short)
    # Two packets with one time stamp make one frame (fields that are stored apart).
    shown = tuple(sorted(set(stamps)))
    index_of = {stamp: index for index, stamp in enumerate(shown)}
    keys = sorted(
        (index_of[packet.stamp], packet.seek)
        for packet in packets
        if packet.is_key and packet.stamp is not None and packet.seek is not None
    )
    return PacketTable(shown, tuple(keys), True, is_cut_short)


@dataclass(frozen=True)
class _Shown:
    stamp: int | None
    seek: int | None
    is_key: bool
    is_corrupt: bool

    @staticmethod
    def of(packet: av.Packet) -> _Shown:
        stamp = packet.dts if packet.pts is None else packet.pts
        # Decoding times find the very keyframe in MP4, and an earlier one at worst elsewhere.
        seek = stamp if packet.dts is None else packet.dts
        return _Shown(stamp, seek, packet.is_keyframe, packet.is_corrupt)


def _is_shown(packet: av.Packet, stream: av.VideoStream) -> bool:
    if not packet.size or packet.is_discard:
        return False
    # VP8 stores reference frames that are never shown as packets of their own (RFC 6386, 9.1).
    return stream.codec_context.name != "vp8" or bool(memoryview(packet)[0] & 0x10)


def _end_s(packet: av.Packet) -> Fraction:
    stamp = packet.dts if packet.pts is None else packet.pts
    if stamp is None or packet.time_base is None:
        return Fraction(0)
    return (stamp + (packet.duration or 0)) * packet.time_base


def _ends_early(
    container: av.container.InputContainer, stream: av.VideoStream, latest_s: Fraction
) -> bool:
    """Whether the packets stop before the end that the file's header announces."""
    if container.format.name.startswith("matroska") and container.duration:
        return latest_s < Fraction(container.duration, av.time_base) - END_TOLERANCE_S
    if not stream.duration or not stream.time_base:
        return False
    announced_s = ((stream.start_time or 0) + stream.duration) * stream.time_base
    return latest_s < announced_s - END_TOLERANCE_S
