"""A video file being written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Interpolation
from fresco_media.picture import EXACT
from PyQt6.QtGui import QImage

from fresco_gui.export.options import ExportKind, ExportOptions
from fresco_gui.export.sound import SoundTrack
from fresco_gui.media.pictures import read_pixels_of
from fresco_gui.media.source import FrameInfo

_BT709 = 1
# Ticks of clips of variable rate: those of MPEG, which all common rates divide.
_TICKS = 90_000


class VideoFile:
    """Encodes frames at their own times, beside the source's sound."""

    def __init__(
        self, temporary: Path, options: ExportOptions, times: FrameInfo, info: FrameInfo
    ) -> None:
        """`times` are those of the source, `info` has size and colours of the result."""
        self._options, self._times, self._info = options, times, info
        self._base = Fraction(1, _TICKS) if times.times else 1 / times.frame_rate
        is_mp4 = options.kind is ExportKind.H264
        self._output = av.open(
            str(temporary),
            "w",
            format="mp4" if is_mp4 else "mov",
            options={"movflags": "+faststart"},
        )
        self._sound: SoundTrack | None = None
        try:
            self._stream = self._add_stream()
            if options.has_sound and times.has_sound and times.path is not None:
                start_s = times.start_s + times.time_s(options.start)
                stop_s = times.start_s + times.time_s(options.stop)
                self._sound = SoundTrack(times.path, self._output, start_s, stop_s)
        except BaseException:
            self.close()
            raise

    def write(self, index: int, image: QImage) -> None:
        """Encode one frame, and the sound up to its time."""
        frame = self._frame(image)
        frame.pts, frame.time_base = self._tick(index), self._base
        frame.duration = self._tick(index + 1) - self._tick(index)
        self._output.mux(self._stream.encode(frame))
        if self._sound is not None:
            self._sound.write_until(float(self._tick(index) * self._base))

    def finish(self) -> None:
        """Write what encoders still hold, and the file's index."""
        self._output.mux(self._stream.encode(None))
        if self._sound is not None:
            self._sound.finish()
        self.close()

    def close(self) -> None:
        """Close all files; the output is whole only after `finish`."""
        if self._sound is not None:
            self._sound.close()
            self._sound = None
        self._output.close()

    def _tick(self, index: int) -> int:
        place = index - self._options.start
        if not self._times.times:
            return place
        start_s = self._times.time_s(self._options.start)
        return round((self._times.time_s(index) - start_s) * _TICKS)

    def _add_stream(self) -> av.VideoStream:
        info = self._info
        is_even = info.width % 2 == 0 and info.height % 2 == 0
        if self._options.kind is ExportKind.H264:
            stream = self._output.add_stream(
                "libx264", rate=self._times.frame_rate, options={"preset": "medium", "crf": "16"}
            )
            # H.264 can hold odd sizes only with a colour for every pixel.
            stream.pix_fmt = "yuv420p" if is_even else "yuv444p"
        else:
            stream = self._output.add_stream(
                "prores_ks",
                rate=self._times.frame_rate,
                options={"profile": "hq", "vendor": "apl0"},
            )
            stream.pix_fmt = "yuv422p10le"
        stream.width, stream.height = info.width, info.height
        stream.time_base = self._base
        stream.sample_aspect_ratio = info.pixel_aspect
        context = stream.codec_context
        context.time_base = self._base
        context.color_primaries, context.color_trc = info.primaries, info.transfer
        context.colorspace, context.color_range = _BT709, ColorRange.MPEG
        return stream

    def _frame(self, image: QImage) -> av.VideoFrame:
        rgb = cv2.cvtColor(read_pixels_of(image), cv2.COLOR_BGRA2RGB)
        frame = av.VideoFrame.from_ndarray(rgb.astype(np.uint8, copy=False), format="rgb24")
        made = frame.reformat(
            format=self._stream.pix_fmt,
            dst_colorspace=_BT709,
            dst_color_range=ColorRange.MPEG,
            interpolation=int(Interpolation.BICUBIC) | EXACT,
        )
        made.color_primaries, made.color_trc = self._info.primaries, self._info.transfer
        made.colorspace, made.color_range = _BT709, ColorRange.MPEG
        return made
