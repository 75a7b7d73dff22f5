"""Time stamps that start over: files that were joined byte by byte, and broken clocks.

A join is where the stamps of the pictures step back for good or jump ahead with everything else.
Every stream meets it at a place of its own in the file; from there on its stamps are moved, those
of all streams by the same time, so that pictures go on where they were and sound stays with them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import av.container
import av.stream

from fresco_media.types import Join
from fresco_media.video.demux import demuxed

# A clock that jumps ahead by more was set anew: nobody films nothing for so long.
JUMP_S = Fraction(10)
_SAME_S = Fraction(1, 1000)
# Sound that goes on longer than pictures do, before a join, is not cut off.
_OVERLAP_S = Fraction(1, 4)
# A stamp that is wrong alone: the next ones are back in line before so many have passed.
_GLITCH_LENGTH = 4


@dataclass
class Track:
    """The packets of one stream in file order: stamps in ticks, and places in the file."""

    time_base: Fraction
    numbers: list[int] = field(default_factory=list[int])
    decoding: list[int] = field(default_factory=list[int])
    showing: list[int] = field(default_factory=list[int])
    positions: list[int] = field(default_factory=list[int])
    duration: int = 0
    count: int = 0
    begin: int | None = None
    end: int = 0
    skipped_until: int | None = None

    def is_stray(self, packet: av.Packet) -> bool:
        """Whether a packet comes too late to be decoded.

        FFmpeg keeps one that a change of streams cut off, and hands it out at the end.
        """
        position = packet.pos
        return position is not None and bool(self.positions) and position < self.positions[-1]

    def add(self, packet: av.Packet, *, is_stray: bool = False) -> None:
        """Take note of a packet; a stray one, or one without a decoding stamp, is only counted."""
        self.count += 1
        if is_stray:
            return
        decoding, shown = packet.dts, packet.pts
        if shown is None:
            shown = decoding
        if shown is None:
            return
        self.duration = packet.duration or self.duration
        self.end = max(self.end, shown + self.duration)
        self._note_begin(packet, shown)
        # Times of showing step back all the time where frames are reordered.
        if decoding is not None:
            position = packet.pos
            self.numbers.append(self.count - 1)
            self.decoding.append(decoding)
            self.showing.append(shown)
            self.positions.append((self.positions or [0])[-1] if position is None else position)

    def _note_begin(self, packet: av.Packet, shown: int) -> None:
        """`begin` is when something is heard or seen first: a codec's delay is neither."""
        if self.skipped_until is None:
            self.skipped_until = shown + skipped_ticks(packet)
        if packet.is_discard:
            return
        begin = max(shown, self.skipped_until)
        self.begin = begin if self.begin is None else min(self.begin, begin)


def demuxed_continuously(
    container: av.container.InputContainer, joins: Sequence[Join], *streams: av.stream.Stream
) -> Iterator[av.Packet]:
    """The packets of `streams` on one clock, as `ClipProperties.joins` of their file tells.

    Packets that overlap with the end of the part before are left out.
    """
    latest: dict[int, int] = {}
    positions: dict[int, int] = {}
    for packet in demuxed(container, *streams):
        if joins and packet.size:
            # Of several that lie in one piece of a transport stream only the first has a place.
            if packet.pos is not None:
                positions[packet.stream_index] = packet.pos
            offset_s = _offset_at(joins, packet.stream_index, positions)
            ticks = round(offset_s / packet.time_base) if packet.time_base else 0
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
            stamp = packet.pts if packet.dts is None else packet.dts
            if stamp is not None and stamp <= latest.get(packet.stream_index, stamp - 1):
                continue
            if stamp is not None:
                latest[packet.stream_index] = stamp
        yield packet


def _offset_at(joins: Sequence[Join], index: int, positions: Mapping[int, int]) -> Fraction:
    """Seconds to add to the stamps of the stream `index`, which is at these `positions`."""
    offset_s, position = Fraction(0), positions.get(index)
    for join in joins:
        start = join.starts.get(index)
        if start is None or position is None or position < start:
            break
        offset_s = join.offset_s
    return offset_s


def find_joins(tracks: Mapping[int, Track], pictures: int, *, may_jump: bool) -> tuple[Join, ...]:
    """The joins of a file with these streams; `pictures` is the index of the video stream.

    `may_jump` says whether the container's clock can be set anew; elsewhere a jump is a hole.
    """
    breaks = _breaks(tracks[pictures])
    # Where most pictures are far apart, that is how they are to be shown.
    may_jump = may_jump and 2 * len(breaks) < len(tracks[pictures].decoding)
    own = [place for place in breaks if may_jump or _step(tracks[pictures], place) < 0]
    if not own:
        return ()
    others = {index: _breaks(track) for index, track in tracks.items() if index != pictures}
    own = [place for place in own if _is_met_by_all(tracks[pictures], place, others.values())]
    joins: list[Join] = []
    parts = [dict.fromkeys(tracks, 0)]
    for place in own:
        starts = {pictures: place}
        for index, found in others.items():
            starts[index] = _nearest(tracks[index], found, tracks[pictures].positions[place])
        parts.append(starts)
    parts.append({index: len(track.decoding) for index, track in tracks.items()})
    for before, starts, after in zip(parts, parts[1:], parts[2:], strict=False):
        before_s = joins[-1].offset_s if joins else Fraction(0)
        offset_s = _offset_s(tracks, pictures, (before, starts, after), before_s)
        if abs(offset_s - before_s) < _SAME_S:
            continue  # The picture before is shown for just so long, as in a slide show.
        positions = {
            index: tracks[index].positions[start]
            for index, start in starts.items()
            if start < len(tracks[index].positions)
        }
        number = tracks[pictures].numbers[starts[pictures]]
        joins.append(Join(positions, offset_s, number))
    return tuple(joins)


_Part = Mapping[int, int]
"""The first packet of a part, for each stream."""
_ThreeParts = tuple[_Part, _Part, _Part]


def _offset_s(
    tracks: Mapping[int, Track],
    pictures: int,
    parts: tuple[_Part, _Part, _Part],
    before_s: Fraction,
) -> Fraction:
    """What to add in the second of three parts, where `before_s` was added in the first."""
    track = tracks[pictures]
    first, second, third = (part[pictures] for part in parts)
    end = max(track.showing[first:second]) + track.duration
    offset_s = before_s + (end - min(track.showing[second:third])) * track.time_base
    for index, other in tracks.items():
        start = parts[1][index]
        if index == pictures or not 0 < start < len(other.decoding):
            continue
        overlap = other.decoding[start - 1] - other.decoding[start]
        over_s = overlap * other.time_base + before_s - offset_s
        offset_s += over_s if over_s > _OVERLAP_S else 0
    return offset_s


def _breaks(track: Track) -> list[int]:
    """Where the stamps of a stream begin to run on another clock."""
    stamps = track.decoding
    longest = int(JUMP_S / track.time_base)
    found: list[int] = []
    for place in range(1, len(stamps)):
        step = _step(track, place)
        if (step < 0 or step > longest) and not _is_glitch(stamps, place, step):
            found.append(place)
    return found


def _step(track: Track, place: int) -> int:
    return track.decoding[place] - track.decoding[place - 1]


def _is_glitch(stamps: Sequence[int], place: int, step: int) -> bool:
    """Whether the stamps come back from this step at once, or did it to come back."""
    near = range(max(1, place - _GLITCH_LENGTH), min(len(stamps), place + _GLITCH_LENGTH + 1))
    back = (stamps[other] - stamps[other - 1] for other in near if other != place)
    return any(other * step < 0 and 2 * abs(other + step) <= abs(step) for other in back)


def _is_met_by_all(track: Track, place: int, others: Iterable[Sequence[int]]) -> bool:
    """Whether a jump ahead is one of the clock: where sound goes on meanwhile, it is a hole."""
    return _step(track, place) < 0 or all(others)


def _nearest(track: Track, breaks: Sequence[int], position: int) -> int:
    """The packet of a stream where it meets the join that the pictures meet at `position`."""
    if breaks:
        return min(breaks, key=lambda place: abs(track.positions[place] - position))
    return bisect_left(track.positions, position)


def skipped_ticks(packet: av.Packet) -> int:
    """How much of a packet of sound its container wants left out at its beginning, in ticks."""
    if not isinstance(packet.stream, av.AudioStream) or not packet.has_sidedata("skip_samples"):
        return 0
    rate = packet.stream.codec_context.sample_rate if packet.stream.codec_context else 0
    # The count of samples is the first of the fields of AV_PKT_DATA_SKIP_SAMPLES.
    count = int.from_bytes(bytes(packet.get_sidedata("skip_samples"))[:4], "little")
    return round(Fraction(count, rate) / packet.time_base) if rate and packet.time_base else 0
