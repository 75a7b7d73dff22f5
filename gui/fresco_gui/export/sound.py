"""The source's sound in an export, cut to the sample."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import numpy as np
from fresco_media.containers import open_input

from fresco_gui.media.errors import reading

_AAC_RATE = 256_000


class SoundTrack:
    """Encodes the first sound track of a clip from `start_s` to `stop_s` of the file's clock.

    Rate and channels are kept. MP4 gets AAC, MOV 16 or 24 bit PCM.
    """

    def __init__(
        self, path: Path, output: av.container.OutputContainer, start_s: float, stop_s: float
    ) -> None:
        self._output = output
        self._input = open_input(path)
        source = self._input.streams.audio[0]
        is_mov = output.format.name == "mov"
        self._rate = source.rate or 48_000
        is_deep = source.format.bytes > 2 and not source.format.name.startswith("flt")
        codec = ("pcm_s24le" if is_deep else "pcm_s16le") if is_mov else "aac"
        self._stream = output.add_stream(codec, rate=self._rate, layout=source.layout.name)
        if not is_mov:
            self._stream.bit_rate = _AAC_RATE
        self._format = "fltp" if not is_mov else ("s32" if is_deep else "s16")
        self._path = path
        self._frames = self._cut(source.layout.name, start_s, stop_s)
        self._written_s = 0.0

    def write_until(self, time_s: float) -> None:
        """Encode what is heard up to `time_s` after the start."""
        while self._written_s <= time_s:
            frame = next(self._frames, None)
            if frame is None:
                return
            self._output.mux(self._stream.encode(frame))
            self._written_s = float((frame.pts + frame.samples) / self._rate) if frame.pts else 0.0

    def finish(self) -> None:
        """Encode the rest."""
        self.write_until(float("inf"))
        self._output.mux(self._stream.encode(None))

    def close(self) -> None:
        """Close the source."""
        self._input.close()

    def _cut(self, layout: str, start_s: float, stop_s: float) -> Iterator[av.AudioFrame]:
        """Frames of the stretch, their times counted from its start; silence before the track."""
        first, stop = round(start_s * self._rate), round(stop_s * self._rate)
        resampler = av.AudioResampler(format=self._format, layout=layout, rate=self._rate)
        at: int | None = None
        for frame in self._decoded(start_s):
            if at is None:
                at = round((frame.time or 0.0) * self._rate)
                if at > first:
                    yield self._silence(layout, at - first)
            for part in resampler.resample(frame):
                begin, end = max(first - at, 0), min(stop - at, part.samples)
                if begin < end:
                    yield self._part(part, layout, begin, end, at + begin - first)
                at += part.samples
            if at >= stop:
                return

    def _decoded(self, start_s: float) -> Iterator[av.AudioFrame]:
        with reading(self._path):
            # A little earlier: codecs such as AAC need a packet before the first good one.
            self._input.seek(max(0, int((start_s - 0.2) * av.time_base)), backward=True)
            for packet in self._input.demux(self._input.streams.audio[0]):
                try:
                    decoded = packet.decode()
                except av.error.FFmpegError:
                    continue
                yield from decoded

    def _part(
        self, frame: av.AudioFrame, layout: str, begin: int, end: int, pts: int
    ) -> av.AudioFrame:
        samples = frame.to_ndarray()
        channels = 1 if frame.format.is_planar else len(frame.layout.channels)
        kept = np.ascontiguousarray(samples[:, begin * channels : end * channels])
        return self._frame(kept, layout, pts)

    def _silence(self, layout: str, samples: int) -> av.AudioFrame:
        channels = av.AudioLayout(layout).nb_channels
        if self._format == "fltp":
            return self._frame(np.zeros((channels, samples), np.float32), layout, 0)
        kind = np.int32 if self._format == "s32" else np.int16
        return self._frame(np.zeros((1, samples * channels), kind), layout, 0)

    def _frame(self, samples: np.ndarray, layout: str, pts: int) -> av.AudioFrame:
        made = av.AudioFrame.from_ndarray(samples, format=self._format, layout=layout)
        made.sample_rate = self._rate
        made.time_base = Fraction(1, self._rate)
        made.pts = pts
        return made
