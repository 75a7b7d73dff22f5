"""Frames that damage has cost a file: those that nothing is left of, in its middle or at its end.

Readers of containers jump over what they do not understand. What tells it afterwards is bytes that
belong to no packet, and next to them a hole in the stamps, or fewer frames than are announced.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import av
import av.container

from fresco_media.files.opening import open_file

# What stands between packets of a container is always about as long.
_FEW_BYTES, _USUAL_BYTES, _MANY_BYTES = 8, 32, 1024
_CHUNK_BYTES = 9
# Codecs store frames at most so far from where they are shown.
_NEAR = 16
_CONSTANT = 0.8
# How much earlier than announced a stream may end before the file counts as cut short.
_END_TOLERANCE_S = Fraction(1, 4)
_MOST_PLACES = 5
# Containers that say how many frames there are, each packet being one.
_COUNTED = {"avi", "mxf"}
# Those that list their packets in an index, so that what lies between them means nothing.
_INDEXED = "mov,mp4,m4a,3gp,3g2,mj2"
_LIST_END = struct.Struct(">I4sII")
_LIST_END_BYTES = _LIST_END.size


@dataclass(frozen=True)
class Loss:
    """`frames` are missing, 0 if their number is unknown, before the frames at `places`."""

    frames: int
    places: tuple[int, ...]


@dataclass
class PacketCoverage:
    """Which bytes of a file belong to packets; `announced` is how many frames it says it holds.

    The last `index_bytes` are a list of what comes before them.
    """

    container: str
    announced: int = 0
    index_bytes: int = 0
    _end: int | None = None
    _is_corrupt: bool = False
    _gaps: array[int] = field(default_factory=lambda: array("q"))
    _numbers: array[int] = field(default_factory=lambda: array("l"))
    _corrupt: list[int] = field(default_factory=list[int])

    def add(self, packet: av.Packet, number: int) -> None:
        """Take note of a packet of any stream; `number` counts those of the pictures before it."""
        self._is_corrupt = packet.is_corrupt
        if self._is_corrupt:
            self._corrupt.append(number)
        if packet.pos is None:
            return
        if self._end is not None:
            self._gaps.append(packet.pos - self._end)
            self._numbers.append(number)
        self._end = packet.pos + packet.size

    def ends_in_damage(self, size: int) -> bool:
        """Whether a file of `size` bytes goes on behind the last packet that can be read."""
        unread = 0 if self._end is None else size - self.index_bytes - self._end
        return self._is_corrupt or unread > max(_MANY_BYTES, size // 50)

    def suspects(self, *, least: int) -> list[int]:
        """The numbers of pictures' packets, ascending, before which something is damaged."""
        # Those of transport and program streams are divided and interleaved.
        if self.container in ("mpegts", "mpegtsraw", _INDEXED) or not self._gaps:
            return self._corrupt
        usual = median(self._gaps)
        limit = least + (0 if self.container == "flv" else abs(usual))
        found = {
            number
            for gap, number in zip(self._gaps, self._numbers, strict=True)
            if abs(gap - usual) > limit
        }
        return sorted({*found, *self._corrupt})

    def loss(
        self, stamps: Sequence[int | None], order: Sequence[int], *, packets: int
    ) -> Loss | None:
        """What is missing among the frames with `stamps` that come from packets `order`.

        `packets` is how many packets there are of the pictures, 0 if the file ends early.
        """
        steps = _steps(stamps)
        usual = median(step for _, step in steps) if steps else 0
        if usual <= 0:
            return None
        is_constant = _is_constant([step for _, step in steps], usual)
        holes = [(place, step) for place, step in steps if step > 1.5 * usual]
        if self.container in _COUNTED and self.announced and packets:
            return self._unread(order, holes, usual, packets)
        suspects = self.suspects(least=self._least() if is_constant else _MANY_BYTES)
        holes = [one for one in holes if _is_near(suspects, order, one[0])]
        places = tuple(place for place, _ in holes)
        return Loss(_frames_in(holes, usual) if is_constant else 0, places) if holes else None

    def _least(self) -> int:
        # FLV has the same number of bytes between all packets of a kind.
        return _FEW_BYTES if self.container == "flv" else _USUAL_BYTES

    def _unread(
        self, order: Sequence[int], holes: Sequence[tuple[int, int]], usual: float, packets: int
    ) -> Loss | None:
        """What is announced and not there, where one frame alone may be announced wrongly."""
        missing = self.announced - packets
        # A frame that was dropped when an AVI was recorded is an empty chunk and leaves a hole.
        suspects = self.suspects(least=_USUAL_BYTES + _CHUNK_BYTES * max(missing, 0))
        if self.container == "avi":
            holes = [one for one in holes if not _is_near(suspects, order, one[0])]
            dropped = _frames_in(holes, usual)
            missing -= dropped if dropped <= missing else 0
        if missing < 1 or (missing == 1 and not suspects):
            return None
        return Loss(missing, tuple(sum(n < suspect for n in order) for suspect in suspects[:1]))


def announced_frames(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """How many frames the file says it holds; 0 if it does not say."""
    is_counted_in_frames = stream.time_base and stream.time_base * (stream.base_rate or 0) == 1
    counted = stream.duration if container.format.name == "mxf" and is_counted_in_frames else 0
    return max(stream.frames, counted or 0)


def has_index(container: av.container.InputContainer, stream: av.VideoStream) -> bool:
    """Whether one list gives every picture of `stream` its time, as in MP4 without fragments.

    There stamps step back only where an edit list shows parts in an order of its own.
    """
    return container.format.name == _INDEXED and stream.frames > 0


def index_bytes(path: Path) -> int:
    """How long the list of fragments is with which a fragmented MP4 may end; 0 without one.

    It has an entry for each, however short they are, and its own length at its very end
    (ISO 14496-12, 8.8.11).

    Raises:
        OSError: the file cannot be read.
    """
    with open_file(path) as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LIST_END_BYTES))
        length, kind, _, listed = _LIST_END.unpack(file.read().rjust(_LIST_END_BYTES, b"\0"))
        if (length, kind) != (_LIST_END_BYTES, b"mfro") or not _LIST_END_BYTES < listed <= size:
            return 0
        file.seek(size - listed)
        return listed if file.read(8) == struct.pack(">I4s", listed, b"mfra") else 0


def ends_early(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    latest_s: Fraction,
    bookkeeping: PacketCoverage,
) -> bool:
    """Whether the packets stop before the end that the file's header announces.

    Where it announces none, as in FLV and in fragmented MP4, bytes that cannot be read tell it.
    """
    is_fragmented = container.format.name == _INDEXED and not has_index(container, stream)
    if is_fragmented or container.format.name == "flv":
        return bookkeeping.ends_in_damage(container.size)
    if container.format.name.startswith("matroska") and container.duration:
        return latest_s < Fraction(container.duration, av.time_base) - _END_TOLERANCE_S
    if not stream.duration or not stream.time_base:
        return False
    announced_s = ((stream.start_time or 0) + stream.duration) * stream.time_base
    return latest_s < announced_s - _END_TOLERANCE_S


def sentence(loss: Loss) -> str:
    """What the user should know of frames that are missing."""
    where = ""
    if loss.places:
        shown = ", ".join(str(place) for place in loss.places[:_MOST_PLACES])
        more = ", ..." if len(loss.places) > _MOST_PLACES else ""
        where = f" before frame {shown}{more}"
    count = f"{loss.frames} of its frames" if loss.frames else "frames"
    is_one = loss.frames == 1
    return (
        f"the file is damaged, and {count} {'is' if is_one else 'are'} missing{where}; what is "
        "there is used, so copy or export the file again if you can"
    )


def _steps(stamps: Sequence[int | None]) -> list[tuple[int, int]]:
    """The index of each frame but the first, and the ticks from the frame before."""
    return [
        (place, later - earlier)
        for place, (earlier, later) in enumerate(pairwise(stamps), start=1)
        if earlier is not None and later is not None
    ]


def _is_constant(steps: Sequence[int], usual: float) -> bool:
    tolerance = max(1.0, usual / 10)
    return sum(abs(step - usual) <= tolerance for step in steps) >= _CONSTANT * len(steps)


def _is_near(suspects: Sequence[int], order: Sequence[int], place: int) -> bool:
    """Whether damage lies close to the packets of the frame at `place` and of the one before."""
    first, last = sorted((order[place - 1], order[place]))
    found = bisect_left(suspects, first - _NEAR)
    return found < len(suspects) and suspects[found] <= last + _NEAR


def _frames_in(holes: Sequence[tuple[int, int]], usual: float) -> int:
    """How many frames of the `usual` duration fit into holes."""
    return sum(round(step / usual) - 1 for _, step in holes)
