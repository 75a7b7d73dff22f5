"""Encoding frames into a video file at their own times, beside the source's sound."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import av
import av.container

from fresco_media.colour import FULL_RANGE, LIMITED_RANGE, RGB, encoded_tags, shown_tags, to_yuv
from fresco_media.destination import Destination
from fresco_media.sound import Sound, SoundRange
from fresco_media.types import ClipInfo, ColourTags, Frame

# Codecs of sound begin so much early at most; containers say that it is not to be heard.
_CODEC_DELAY_S = Fraction(1, 4)
# A clock that begins at this time or later was running before.
_ANYWHERE_S = Fraction(1)


class Encoder:
    """One video file being written."""

    def __init__(self, info: ClipInfo, destination: Destination, start: int, stop: int) -> None:
        self._info = info
        self._stop = stop
        self._is_lossless = destination.codec == "lossless"
        self._is_subsampled = not (info.width % 2 or info.height % 2)
        self._tags = _output_tags(info, self._is_lossless)
        self._first_tick = _first_tick(info, start)
        self._is_closed = False
        self._sound: Sound | None = None
        container = destination.container
        self._output = av.open(
            str(destination.temporary),
            "w",
            format=container,
            # Matroska files get a random number otherwise: the same frames, other bytes.
            options={"fflags": "+bitexact"} if container == "matroska" else _mp4_options(info),
        )
        try:
            self._stream = self._video_stream()
            if info.has_audio:
                part = _sound_range(info, stop, self._first_tick, container)
                self._sound = Sound(info.path, self._output, part, info.joins)
            self._output.start_encoding()
        except BaseException:
            self.close()
            raise

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the file."""
        warnings = list(self._sound.warnings) if self._sound else []
        if not self._is_subsampled and not self._is_lossless:
            warnings.append(
                f"the clip's size {self._info.width}x{self._info.height} is odd, which H.264 can "
                "only hold as 4:4:4; QuickTime, Safari and some editors do not open that, so crop "
                "the clip to even sides first if you need them"
            )
        return tuple(warnings)

    def write(self, frame: Frame) -> None:
        """Encode `frame`, and copy the sound up to its time."""
        picture = self._picture(frame)
        times = self._info.times
        picture.pts = times[frame.index] - self._first_tick
        picture.time_base = self._info.time_base
        picture.duration = self._duration(frame.index)
        self._output.mux(self._stream.encode(picture))
        if self._sound is not None:
            self._sound.copy_until(frame.time_s)

    def finish(self) -> None:
        """Write what the encoder still holds, the rest of the sound and the index."""
        self._output.mux(self._stream.encode(None))
        if self._sound is not None:
            self._sound.finish()
        self.close()

    def close(self) -> None:
        """Close all files; the output is whole only after `finish`."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._sound is not None:
            self._sound.close()
        self._output.close()

    def _video_stream(self) -> av.VideoStream:
        info = self._info
        name = "libx264rgb" if self._is_lossless else "libx264"
        options = {"preset": "medium", "crf": "0" if self._is_lossless else "15"}
        if not self._is_lossless:
            # Paintings are colourful: 5 % more bytes halve the error of their chroma (measured).
            # x264's macroblock tree gives the same frames other bytes in most runs (measured), and
            # a job that goes on is to write the same file; crf 15 without it has the size and
            # quality of 16 with it.
            options["x264-params"] = "chroma-qp-offset=-4:mbtree=0"
        stream = self._output.add_stream(name, rate=info.frame_rate, options=options)
        context = stream.codec_context
        context.width, context.height = info.width, info.height
        if self._is_lossless:
            context.pix_fmt = "rgb24"
        else:
            context.pix_fmt = "yuv420p" if self._is_subsampled else "yuv444p"
        context.time_base = stream.time_base = info.time_base
        context.sample_aspect_ratio = info.sample_aspect
        context.color_primaries = self._tags.primaries
        context.color_trc = self._tags.transfer
        context.colorspace = self._tags.matrix
        context.color_range = FULL_RANGE if self._tags.is_full_range else LIMITED_RANGE
        return stream

    def _picture(self, frame: Frame) -> av.VideoFrame:
        if self._is_lossless:
            picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
        else:
            picture = to_yuv(frame.image, self._tags, is_subsampled=self._is_subsampled)
        picture.color_primaries = self._tags.primaries
        picture.color_trc = self._tags.transfer
        picture.colorspace = self._tags.matrix
        picture.color_range = FULL_RANGE if self._tags.is_full_range else LIMITED_RANGE
        return picture

    def _duration(self, index: int) -> int:
        times = self._info.times
        if index + 1 < len(times):
            return times[index + 1] - times[index]
        return max(1, round(1 / (self._info.frame_rate * self._info.time_base)))


def _mp4_options(info: ClipInfo) -> dict[str, str]:
    ticks = info.time_base.denominator
    return {
        # The index comes first in the file, so that it can be played while it is being loaded.
        "movflags": "+faststart",
        # A late start is stored in these ticks; FFmpeg's default would round it to milliseconds.
        "movie_timescale": str(ticks * max(1, -(-1000 // ticks))),
        "strict": "experimental",
    }


def _output_tags(info: ClipInfo, is_lossless: bool) -> ColourTags:
    if not is_lossless:
        stored_height = info.width if info.rotation % 180 else info.height
        return encoded_tags(info.colour, stored_height, info.height)
    return ColourTags(
        primaries=shown_tags(info.colour).primaries,
        transfer=shown_tags(info.colour).transfer,
        matrix=RGB,
        is_full_range=True,
    )


def _first_tick(info: ClipInfo, start: int) -> int:
    """The tick of the source that becomes 0: that of the first frame of a part.

    A whole clip keeps its times, so that pictures that begin late stay late. Only transport
    streams, whose clocks start anywhere, and times before 0, which players hide, are moved: then
    the first picture or the first sound becomes 0, whichever is earlier.
    """
    if start:
        return info.times[start]
    first_s = info.times[0] * info.time_base
    sound_s = info.sound_start_s if info.has_audio else None
    earliest_s = first_s if sound_s is None else min(first_s, sound_s)
    if first_s >= 0 and -_CODEC_DELAY_S <= earliest_s < _ANYWHERE_S:
        return 0
    return floor(earliest_s / info.time_base)


def _sound_range(info: ClipInfo, stop: int, first_tick: int, container: str) -> SoundRange:
    times, base = info.times, info.time_base
    is_matroska = container == "matroska"
    offset_s = first_tick * base
    return SoundRange(
        start_s=offset_s if first_tick or is_matroska else None,
        stop_s=times[stop] * base if stop < len(times) else None,
        offset_s=offset_s,
        # MP4 and MOV hide what comes before 0 by an edit list; Matroska would move the pictures.
        keeps_partial=not is_matroska,
        keeps_codec_delay=not first_tick,
    )
