"""Decoded sound on a timeline: every sample where its time says, silence where there is none."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from fresco_media.sound.choices import is_stated, stated_layout
from fresco_media.video.channels import can_be_decoded, usual_order

logger = logging.getLogger(__name__)

Samples = NDArray[Any]
"""Sound: (samples, channels), in the numbers of its sample format."""

# Times that are this much off are no hole, unless block after block says the same: some programs
# stamp short blocks up to 5 ms early or late, each in its own way.
_JITTER_S = Fraction(8, 1000)
# What rounding leaves of two times that mean the same.
_ROUNDING_S = Fraction(15, 10_000)
# A hole for certain: no container rounds so badly.
_CERTAIN_S = Fraction(30, 1000)
# More than rounding to milliseconds makes of block after block: another clock, or a slip of it.
_DRIFT_S = Fraction(7, 10_000)
_DRIFTING_BLOCKS = 8
# Silence for longer after the last picture is no hole but times that are wrong.
_LONGEST_SILENCE_S = Fraction(60)
# Further back than this, the times begin anew, as in transport streams that were joined.
_RESTART_S = Fraction(1)
_SILENCE_AT_ONCE_S = 1
# Files hold sound in blocks of any size, down to single samples. Those shorter than the first are
# put together to such as the second, which at all usual rates is a whole number of milliseconds:
# Matroska can say nothing finer.
_SHORT_S = Fraction(1, 100)
_PIECE_S = Fraction(1, 25)
_KINDS: dict[str, type[np.generic]] = {
    "u8": np.uint8,
    "s16": np.int16,
    "s32": np.int32,
    "flt": np.float32,
    "dbl": np.float64,
}


@dataclass(frozen=True)
class SampleFormat:
    """What all blocks of a timeline have in common; `name` is one of FFmpeg's packed formats."""

    name: str
    layout: str
    rate: int

    @property
    def channels(self) -> int:
        """How many there are."""
        return av.AudioLayout(self.layout).nb_channels

    def frame(self, samples: Samples, at: int) -> av.AudioFrame:
        """`samples` as a frame that begins at sample `at`."""
        flat = np.ascontiguousarray(samples).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(flat, format=self.name, layout=self.layout)
        frame.sample_rate = self.rate
        frame.time_base = Fraction(1, self.rate)
        frame.pts = at
        return frame


@dataclass(frozen=True)
class Block:
    """Samples that belong together; `time_s` is None where they follow what came before.

    `is_anew` says that another recording begins with them, whose times owe nothing to what came
    before.
    """

    time_s: Fraction | None
    samples: Samples
    is_anew: bool = False


class BlockReader:
    """Decodes packets of one track into blocks of one format, also where the track changes it.

    Raises:
        ValueError: it cannot be decoded safely, see `channels`.
    """

    def __init__(self, stream: av.AudioStream) -> None:
        if not can_be_decoded(stream):
            raise ValueError("its decoder gives channels in an order of its own")
        self._order = usual_order(stream)
        context = stream.codec_context
        name = context.format.packed.name
        self.format = SampleFormat(
            # NumPy and libswresample have no place for the rest.
            name if name in {"u8", "s16", "s32", "flt", "dbl"} else "s32",
            _layout_of_blocks(context.layout),
            context.sample_rate,
        )
        self._resampler: av.AudioResampler | None = None
        self._setup: tuple[str, str, int] | None = None
        self._is_unsettled = False

    def read(self, packet: av.Packet) -> Iterator[Block]:
        """What `packet` holds; nothing if it is damaged."""
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            logger.info("a damaged sound packet is left out: %s", error)
            return
        for frame in frames:
            if isinstance(frame, av.AudioFrame) and frame.samples:
                yield from self._blocks(frame, is_placed=packet.pos is not None)

    def _blocks(self, frame: av.AudioFrame, *, is_placed: bool) -> Iterator[Block]:
        time_s = None if frame.pts is None else frame.pts * (frame.time_base or Fraction(0))
        named = _with_layout(frame, self._order)
        setup = (named.format.name, named.layout.name, named.sample_rate)
        is_first, is_other = self._setup is None, self._setup != setup
        self._setup = setup
        wanted = self.format
        names = {wanted.name, f"{wanted.name}p"}
        if setup[2] != wanted.rate and not is_placed and not is_other:
            # Of packets that lie in one piece of a transport stream only the first has a stamp;
            # FFmpeg counts on from it at the rate that the track began with.
            time_s = None
        self._is_unsettled |= is_other and not is_first
        is_anew = self._is_unsettled and (is_other or is_placed)
        self._is_unsettled &= not is_placed
        if setup[1:] == (wanted.layout, wanted.rate) and setup[0] in names:
            yield Block(time_s, _samples(named), is_anew)
            return
        if is_other:
            self._resampler = av.AudioResampler(wanted.name, wanted.layout, wanted.rate)
        assert self._resampler is not None
        for part in self._resampler.resample(named):
            # What the resampler still holds of the frame before comes first, at its own time.
            at, base = (None if time_s is None else part.pts), part.time_base
            begin_s = None if at is None or base is None else at * base
            yield Block(begin_s, _samples(part), is_anew)
            is_anew = False


def _layout_of_blocks(layout: av.AudioLayout) -> str:
    name = stated_layout(layout)
    # Channels that nobody placed cannot be mixed by libswresample, see `_with_layout`.
    return name if is_stated(av.AudioLayout(name)) else "stereo"


def _with_layout(frame: av.AudioFrame, order: list[int] | None) -> av.AudioFrame:
    """`frame` with a stated layout and its channels in `order`; many without one become two."""
    if is_stated(frame.layout) and order is None:
        return frame
    samples, name = _samples(frame), stated_layout(frame.layout)
    if not is_stated(av.AudioLayout(name)):
        name, samples = "stereo", _mixed(samples)
    elif order is not None and len(order) == samples.shape[1]:
        samples = samples[:, order]
    form = SampleFormat(frame.format.packed.name, name, frame.sample_rate)
    made = form.frame(samples, 0)
    made.pts, made.time_base = frame.pts, frame.time_base
    return made


def _mixed(samples: Samples) -> Samples:
    """Recorders give every microphone a channel: the first goes left, the second right, ..."""
    sides = [samples[:, 0::2].mean(axis=1), samples[:, 1::2].mean(axis=1)]
    return np.stack(sides, axis=1).astype(samples.dtype)


def _samples(frame: av.AudioFrame) -> Samples:
    kind, count = _KINDS[frame.format.packed.name], frame.layout.nb_channels
    if not frame.format.is_planar:
        return frame.to_ndarray().reshape(-1, count)
    # `to_ndarray` of PyAV 17 and 18 reads beyond the last plane of frames with eight or more.
    planes = [
        np.frombuffer(memoryview(plane), kind, frame.samples) for plane in frame.planes[:count]
    ]
    return np.stack(planes, axis=1)


class Timeline:
    """Puts blocks where their times say, counted in samples from `start_s`.

    What comes out is without a gap from `start_s` on: silence stands in for what is missing.
    Nothing from `stop_s` on comes out, nor what follows a hole that reaches a minute beyond
    `filled_to_s`, where the pictures end; `is_cut` says that there was such sound.
    """

    def __init__(
        self,
        form: SampleFormat,
        start_s: Fraction,
        stop_s: Fraction | None = None,
        filled_to_s: Fraction | None = None,
    ) -> None:
        self._form = form
        self._start_s = start_s
        self._stop = self._place_of(stop_s)
        self._filled_to = self._place_of(filled_to_s)
        self._at: int | None = None
        self._waiting: Block | None = None
        self._recent: deque[int] = deque(maxlen=_DRIFTING_BLOCKS)
        self.is_over = False
        self.is_cut = False

    def add(self, block: Block) -> Iterator[Samples]:
        """What is certain now; a block waits for the next one's time."""
        waiting, self._waiting = self._waiting, block
        if waiting is not None:
            yield from self._place(waiting, block)

    def finish(self) -> Iterator[Samples]:
        """What still waits; a part without any sound is silent, so that the track stays."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            yield from self._place(waiting, None)
        if self._at is None:
            self._at = 0
            yield from self._silence(self._stop or self._filled_to or 0)

    def _place(self, block: Block, following: Block | None) -> Iterator[Samples]:
        if self.is_over:
            return
        samples = block.samples
        if self._at is None:
            begin = self._position(block)
            self._at = min(0, begin or 0)
            shift = (begin or 0) - self._at
        else:
            shift = self._shift(block, following)
        if shift > 0 and self._is_too_far(self._at + shift):
            self.is_over = self.is_cut = True
            if self._at <= 0:
                self._at = None
            return
        if shift > 0:
            yield from self._silence(shift)
        else:
            samples = samples[-shift:]
        yield from self._cut(samples)

    def _shift(self, block: Block, following: Block | None) -> int:
        """By how many samples `block` lies behind the end of what came before it."""
        assert self._at is not None
        rate, begin = self._form.rate, self._position(block)
        if begin is None:
            return 0
        shift = begin - self._at
        if shift < -_RESTART_S * rate:
            self._start_s += Fraction(shift, rate)
            return 0
        if block.is_anew or abs(shift) > _CERTAIN_S * rate:
            self._recent.clear()
            return shift
        if abs(shift) <= _JITTER_S * rate:
            return self._drift(shift)
        self._recent.clear()
        if following is None:
            return 0
        after = self._position(following)
        if after is None:
            return shift
        lasts = abs(after - (begin + len(block.samples))) <= _ROUNDING_S * rate
        return shift if lasts else 0

    def _drift(self, shift: int) -> int:
        """`shift`, once so many blocks in a row agree on it that it is no jitter."""
        self._recent.append(shift)
        low, high, rate = min(self._recent), max(self._recent), self._form.rate
        is_off = low > _DRIFT_S * rate or high < -_DRIFT_S * rate
        is_all = len(self._recent) == _DRIFTING_BLOCKS
        if is_all and is_off and high - low <= _ROUNDING_S * rate:
            self._recent.clear()
            return shift
        return 0

    def _is_too_far(self, place: int) -> bool:
        if self._filled_to is None:
            return False
        return place > self._filled_to + _LONGEST_SILENCE_S * self._form.rate

    def _position(self, block: Block) -> int | None:
        return self._place_of(block.time_s)

    def _place_of(self, time_s: Fraction | None) -> int | None:
        return None if time_s is None else round((time_s - self._start_s) * self._form.rate)

    def _silence(self, count: int) -> Iterator[Samples]:
        value = 128 if self._form.name == "u8" else 0
        kind = _KINDS[self._form.name]
        at_once = _SILENCE_AT_ONCE_S * self._form.rate
        for begin in range(0, count, at_once):
            size = (min(at_once, count - begin), self._form.channels)
            yield from self._cut(np.full(size, value, kind))

    def _cut(self, samples: Samples) -> Iterator[Samples]:
        assert self._at is not None
        begin, end = max(0, -self._at), len(samples)
        if self._stop is not None:
            end = min(end, self._stop - self._at)
            self.is_over = self._at + len(samples) >= self._stop
        self._at += len(samples)
        if begin < end:
            yield samples[begin:end]


class BlockMerger:
    """Puts short blocks together, for packets that are worth their headers."""

    def __init__(self, rate: int) -> None:
        self._short = int(rate * _SHORT_S)
        self._piece = max(1, int(rate * _PIECE_S))
        self._held: list[Samples] = []
        self._count = 0

    def add(self, samples: Samples) -> Iterator[Samples]:
        """What is long enough by now."""
        if not self._held and len(samples) >= self._short:
            yield samples
            return
        self._held.append(samples)
        self._count += len(samples)
        if self._count < self._piece:
            return
        joined = np.concatenate(self._held)
        whole = len(joined) // self._piece * self._piece
        for begin in range(0, whole, self._piece):
            yield joined[begin : begin + self._piece]
        self._held = [joined[whole:]] if whole < len(joined) else []
        self._count = len(joined) - whole

    def finish(self) -> Iterator[Samples]:
        """The rest."""
        if self._held:
            yield np.concatenate(self._held)
        self._held, self._count = [], 0
