"""The packet table of a video stream: every frame's time, without decoding anything.

Frames are identified by the packets they come from, numbered in the order of the file: stamps may
repeat, be missing or start over.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import av
import av.container
from av.format import Flags as ContainerFlags

from fresco_media.types import Join
from fresco_media.video.continuity import Track, find_joins
from fresco_media.video.demux import demuxed
from fresco_media.video.dirac import holds_picture
from fresco_media.video.losses import (
    Loss,
    PacketCoverage,
    announced_frames,
    ends_early,
    has_index,
)
from fresco_media.video.mpeg4 import PictureClock, filled_stamps
from fresco_media.video.streams import sounds_beside
from fresco_media.video.timing import ascending

# Codecs reorder by 16 frames at most.
_DEEPEST_REORDERING = 16
# So many pictures tell fields that are stored apart from stamps that are missing.
_ENOUGH = 6


class ScannedPacket(NamedTuple):
    """One packet of the video stream; `stamp` is its time, `seek` what to seek to for it.

    `duration` is in ticks, 0 where the file does not state it.
    """

    stamp: int | None
    seek: int | None
    position: int | None
    size: int
    is_key: bool
    is_shown: bool
    is_corrupt: bool
    duration: int = 0

    @staticmethod
    def shown_at(stamp: int) -> ScannedPacket:
        """A picture that needs no other one."""
        return ScannedPacket(stamp, None, None, 0, True, True, False)


@dataclass
class Scan:
    """What one pass over a file tells.

    `time_base` is the tick of the pictures' stamps, `step` the usual duration of one in ticks.
    `end` is when the file says that its last picture ends, in ticks, None where it does not.
    `sound_start_s` is when its first sound is heard, None without any.
    `has_decoding_times_only` says that the container stores no times of showing,
    `has_made_up_times` that it stores none at all for frames, so that FFmpeg counts them.
    `is_rearranged` says that an edit list shows parts of the pictures in an order of its own.
    """

    time_base: Fraction
    step: int = 1
    packets: list[ScannedPacket] = field(default_factory=list[ScannedPacket])
    joins: tuple[Join, ...] = ()
    is_cut_short: bool = False
    end: int | None = None
    sound_start_s: Fraction | None = None
    has_decoding_times_only: bool = False
    has_made_up_times: bool = False
    is_rearranged: bool = False
    bookkeeping: PacketCoverage = field(default_factory=lambda: PacketCoverage(""))

    @property
    def is_timed(self) -> bool:
        """Whether there are any time stamps; raw streams have none."""
        return any(packet.stamp is not None for packet in self.packets)


class Key(NamedTuple):
    """A keyframe: its index as a frame, its number as a packet, and how to seek to it."""

    frame: int
    number: int
    seek: int
    position: int | None


@dataclass(frozen=True)
class PacketTable:
    """The frames of one video stream in order of presentation.

    `stamps` are times in ticks of the stream on one clock, ascending. `frame_of` holds, for each
    packet in file order, the index of the frame it becomes, -1 for none; it is empty where that
    is not known and frames count as they are decoded. `sizes` are those of the same packets, in
    bytes, 0 for one that is not to be decoded. `keys` are the keyframes by index, `marked` the
    same ones by the stamps of their packets; both are empty where the file cannot be sought in.
    `is_timed` is False for raw streams without any time stamps; their `stamps` just count.
    `is_cut_short` says that the file ends before its announced end, `is_rearranged` that it shows
    parts of its pictures in an order of its own, `left_out` how many frames at
    its start need others that it does not hold, `mended` how many have no time stamp of their own
    that could be kept, `loss` what is missing in the middle. `durations` are those that the file
    states for the last frames, at most two, in ticks, 0 where it does not.
    """

    stamps: tuple[int, ...]
    frame_of: Sequence[int]
    sizes: Sequence[int]
    keys: tuple[Key, ...]
    marked: dict[int, tuple[Key, ...]]
    joins: tuple[Join, ...]
    is_timed: bool
    is_cut_short: bool
    is_rearranged: bool = False
    sound_start_s: Fraction | None = None
    left_out: int = 0
    mended: int = 0
    durations: tuple[int, ...] = ()
    loss: Loss | None = None


def scan_packets(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    is_stopped: Callable[[], bool] = lambda: False,
    *,
    index_bytes: int = 0,
) -> Scan | None:
    """Read the whole file once and list the packets of `stream`; None once `is_stopped`.

    `index_bytes` at the end of the file hold no packets, see `losses.index_bytes`.
    A last frame that the end of the file cuts through is left out.
    """
    tracks = {one.index: Track(one.time_base or Fraction(1, 90000)) for one in container.streams}
    pictures = tracks[stream.index]
    may_jump = bool(container.format.flags & int(ContainerFlags.ts_discont.value))
    scan = Scan(
        pictures.time_base,
        has_decoding_times_only=container.format.name == "asf",
        has_made_up_times=container.format.name == "avi",
    )
    announced = announced_frames(container, stream)
    scan.bookkeeping = PacketCoverage(container.format.name, announced, index_bytes)
    clock = _clock_of(container, stream)
    own_times_s: list[Fraction | None] = []
    for packet in demuxed(container):
        if is_stopped():
            return None
        track = tracks.get(packet.stream_index)
        if track is None or not packet.size:
            continue
        scan.bookkeeping.add(packet, len(scan.packets))
        is_stray = may_jump and track.is_stray(packet)
        track.add(packet, is_stray=is_stray)
        if track is pictures:
            scan.packets.append(_scanned(packet, stream, is_stray=is_stray))
            if clock is not None:
                own_times_s.append(clock.time_s(bytes(packet)))
    if own_times_s:
        _fill_stamps(scan, own_times_s)
    latest_s = max(track.end * track.time_base for track in tracks.values())
    scan.is_cut_short = ends_early(container, stream, latest_s, scan.bookkeeping)
    scan.end = None if scan.is_cut_short else _stated_end(container, stream)
    _leave_out_cut_frame(scan)
    scan.step = pictures.duration or 1
    sounds = {sound.index: tracks[sound.index] for sound in sounds_beside(container, stream)}
    scan.sound_start_s = _earliest_s(sounds.values())
    if has_index(container, stream):
        scan.is_rearranged = any(late < early for early, late in pairwise(pictures.decoding))
    elif scan.is_timed:
        tracks = {stream.index: pictures, **sounds}
        scan.joins = find_joins(tracks, stream.index, may_jump=may_jump)
    return scan


def _earliest_s(tracks: Iterable[Track]) -> Fraction | None:
    begins = (track.begin * track.time_base for track in tracks if track.begin is not None)
    return min(begins, default=None)


def _leave_out_cut_frame(scan: Scan) -> None:
    if len(scan.packets) > 1 and scan.packets[-1].is_corrupt:
        scan.is_cut_short = True
        stamps = [packet.stamp or 0 for packet in scan.packets]
        # One that others are shown after keeps its place, so that there is no hole.
        if stamps[-1] >= max(stamps):
            scan.packets.pop()


def _clock_of(
    container: av.container.InputContainer, stream: av.VideoStream
) -> PictureClock | None:
    """What reads times that the container may leave out."""
    if container.format.name != "mpeg" or stream.codec_context.name != "mpeg4":
        return None
    return PictureClock(stream.codec_context.extradata or b"")


def _fill_stamps(scan: Scan, own_times_s: Sequence[Fraction | None]) -> None:
    stamps = filled_stamps([packet.stamp for packet in scan.packets], own_times_s, scan.time_base)
    scan.packets = [
        # FFmpeg finds nothing by stamps that it does not know.
        packet._replace(stamp=stamp, seek=packet.seek if packet.stamp == stamp else None)
        for packet, stamp in zip(scan.packets, stamps, strict=True)
    ]


def _scanned(packet: av.Packet, stream: av.VideoStream, *, is_stray: bool) -> ScannedPacket:
    # Decoding times find the very keyframe in MP4, and an earlier one at worst elsewhere.
    seek = packet.pts if packet.dts is None else packet.dts
    return ScannedPacket(
        packet.pts,
        seek,
        packet.pos,
        0 if is_stray else packet.size,
        packet.is_keyframe,
        not is_stray and _is_shown(packet, stream),
        packet.is_corrupt,
        packet.duration or 0,
    )


def _is_shown(packet: av.Packet, stream: av.VideoStream) -> bool:
    if packet.is_discard:
        return False
    if stream.codec_context.name == "dirac":
        return holds_picture(bytes(packet))
    # VP8 stores reference frames that are never shown as packets of their own (RFC 6386, 9.1).
    return stream.codec_context.name != "vp8" or bool(memoryview(packet)[0] & 0x10)


def without_times(scan: Scan) -> Scan:
    """The scan of a file that holds no times, without those that FFmpeg makes up for it."""
    packets = [packet._replace(stamp=None, seek=None) for packet in scan.packets]
    return replace(scan, packets=packets, joins=())


def without_pictures_from(scan: Scan, position: int) -> Scan:
    """The scan without the pictures behind the byte `position`, and those that are cut there."""
    packets = scan.packets
    stop = next((n for n, one in enumerate(packets) if (one.position or 0) >= position), None)
    if stop is None:
        return scan
    while stop and (packets[stop - 1].position is None or packets[stop - 1].is_corrupt):
        stop -= 1
    gone = [one._replace(size=0, is_key=False, is_shown=False) for one in packets[stop:]]
    return replace(scan, packets=[*packets[:stop], *gone])


def without_keys(scan: Scan) -> Scan:
    """The scan of a file whose marks of keyframes are wrong; the first packet is one anyway."""
    first, *others = scan.packets
    return replace(scan, packets=[first, *(packet._replace(is_key=False) for packet in others)])


def is_in_doubt(scan: Scan, *, has_reordering: bool) -> bool:
    """Whether stamps alone do not tell which frame is which, so that decoding has to.

    `has_reordering` says whether the codec is known to show frames in another order.
    """
    shown = [number for number, packet in enumerate(scan.packets) if packet.is_shown]
    for part in _parts(scan, shown):
        stamps = [scan.packets[number].stamp for number in part]
        known = [stamp for stamp in stamps if stamp is not None]
        if len(set(known)) < len(stamps):
            return True
        order = sorted(range(len(known)), key=known.__getitem__)
        farthest = max((abs(place - rank) for rank, place in enumerate(order)), default=0)
        if farthest > (_DEEPEST_REORDERING if has_reordering else 0):
            return True
    return False


def has_reordered_stamps(scan: Scan) -> bool:
    """Whether stamps say that frames are shown in another order than they are stored in."""
    stamps = [packet.stamp for packet in scan.packets if packet.stamp is not None]
    return any(later < earlier for earlier, later in pairwise(stamps))


def has_all_stamps(scan: Scan) -> bool:
    """Whether every packet carries a time of showing."""
    return all(packet.stamp is not None for packet in scan.packets)


def without_second_fields(scan: Scan, numbers: Sequence[int]) -> Scan:
    """The scan where packets without stamps are no frames, if they are second fields.

    Those `numbers` are of the packets that the first pictures are made of: a field that is stored
    apart has no stamp, and makes no picture of its own.
    """
    bare = {number for number in range(max(numbers)) if scan.packets[number].stamp is None}
    if len(numbers) < _ENOUGH or len(bare) < len(numbers) // 2 or bare & set(numbers):
        return scan
    packets = [
        packet._replace(is_shown=packet.is_shown and packet.stamp is not None)
        for packet in scan.packets
    ]
    return replace(scan, packets=packets)


def order_of_stamps(scan: Scan) -> list[int]:
    """The numbers of the packets that become frames, in the order of their stamps."""
    shown = [number for number, packet in enumerate(scan.packets) if packet.is_shown]
    order: list[int] = []
    for part in _parts(scan, shown):
        order += sorted(part, key=lambda number: scan.packets[number].stamp or 0)
    return order


def order_of_storage(scan: Scan) -> list[int]:
    """The numbers of the packets that become frames, in the order of the file."""
    return [number for number, packet in enumerate(scan.packets) if packet.is_shown]


def undecodable_start(scan: Scan, order: Sequence[int], first: int) -> int:
    """How many frames at the start are remnants of what the file does not hold.

    A recording that was cut begins with frames that need earlier ones: they come before the
    first keyframe, and before the packet numbered `first` that the first picture is made of.
    """
    for index, number in enumerate(order):
        if number == first or scan.packets[number].is_key:
            return index
    return 0


def table_in_order(
    scan: Scan, order: Sequence[int], *, left_out: int = 0, is_known: bool = True
) -> PacketTable:
    """The frames that come from the packets numbered in `order`, one each.

    Unless it `is_known` which is which, only their count is taken from it.
    """
    frame_of = array("i", [-1]) * len(scan.packets)
    for index, number in enumerate(order):
        frame_of[number] = index
    keys, marked = _keys(scan, frame_of)
    own = _own_stamps(scan, order) if scan.is_timed else list(range(len(order)))
    stamps = ascending(own, scan.step)
    return PacketTable(
        stamps=stamps,
        frame_of=frame_of if is_known else (),
        sizes=array("i", [packet.size for packet in scan.packets]),
        keys=keys,
        marked=marked,
        joins=scan.joins,
        is_timed=scan.is_timed,
        is_cut_short=scan.is_cut_short,
        is_rearranged=scan.is_rearranged,
        sound_start_s=scan.sound_start_s,
        left_out=left_out,
        mended=sum(before != after for before, after in zip(own, stamps, strict=True)),
        durations=_last_durations(scan, order, stamps),
        loss=_loss(scan, own, order),
    )


def _loss(scan: Scan, own: Sequence[int | None], order: Sequence[int]) -> Loss | None:
    if scan.has_made_up_times:
        # What was dropped while recording leaves its hole in the order of storage.
        order = sorted(order)
        own = [scan.packets[number].seek for number in order]
    return scan.bookkeeping.loss(own, order, packets=0 if scan.is_cut_short else len(scan.packets))


def _last_durations(scan: Scan, order: Sequence[int], stamps: Sequence[int]) -> tuple[int, ...]:
    durations = [scan.packets[number].duration for number in order[-2:]]
    # Where frames are reordered, MP4 states how long each takes to be decoded, not how long to see.
    if durations and scan.end is not None and not scan.joins:
        durations[-1] = max(0, scan.end - stamps[-1])
    return tuple(durations)


def _keys(
    scan: Scan, frame_of: Sequence[int]
) -> tuple[tuple[Key, ...], dict[int, tuple[Key, ...]]]:
    """The keyframes in order, and by the stamp that their packet carries."""
    keys: list[Key] = []
    marked: dict[int, tuple[Key, ...]] = {}
    for number, packet in enumerate(scan.packets):
        if packet.is_key and frame_of[number] >= 0 and packet.seek is not None:
            key = Key(frame_of[number], number, packet.seek, packet.position)
            mark = packet.seek if packet.stamp is None else packet.stamp
            marked[mark] = (*marked.get(mark, ()), key)
            keys.append(key)
    return tuple(sorted(keys, key=lambda key: key.frame)), marked


def _parts(scan: Scan, numbers: Iterable[int]) -> list[list[int]]:
    """`numbers` of packets, divided where the joins are."""
    parts: list[list[int]] = [[]]
    starts = [join.number for join in scan.joins]
    for number in numbers:
        while starts and number >= starts[0]:
            starts.pop(0)
            parts.append([])
        parts[-1].append(number)
    return parts


def _own_stamps(scan: Scan, order: Sequence[int]) -> Sequence[int | None]:
    """The stamps that frames have in the file, on one clock."""
    packets = [scan.packets[number] for number in order]
    # Where a container has no times of showing (AVI), FFmpeg makes them up in storage order: the
    # first picture comes out when as many went in as the codec reorders, and sound is beside that.
    # Which picture is which it only guesses, wrongly where a packet holds two of them (XviD).
    is_guessed = scan.has_made_up_times or not has_reordered_stamps(scan)
    if is_guessed and list(order) != sorted(order):
        made_up = [packet.stamp for packet in packets if packet.stamp is not None]
        if len(made_up) == len(packets):
            return sorted(made_up)
    if scan.has_decoding_times_only and _are_borrowed(packets):
        shift = (packets[0].stamp or 0) - (packets[0].seek or 0)
        return [None if packet.seek is None else packet.seek + shift for packet in packets]
    starts = [join.number for join in scan.joins]
    ticks = [0, *(round(join.offset_s / scan.time_base) for join in scan.joins)]
    return [
        None if packet.stamp is None else packet.stamp + ticks[bisect_right(starts, number)]
        for packet, number in zip(packets, order, strict=True)
    ]


def _are_borrowed(packets: Sequence[ScannedPacket]) -> bool:
    """Whether each frame has the decoding time of the next one as its stamp.

    FFmpeg gives it that where a container stores no other times, and guesses that of the last.
    """
    return len(packets) > 2 and all(
        packet.stamp == following.seek and packet.stamp != packet.seek
        for packet, following in pairwise(packets)
    )


def _stated_end(container: av.container.InputContainer, stream: av.VideoStream) -> int | None:
    # Elsewhere FFmpeg works it out from rates and sizes.
    if "mp4" not in container.format.name or not stream.duration:
        return None
    return (stream.start_time or 0) + stream.duration
