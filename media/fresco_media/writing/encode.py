"""Encoding frames into a video file at their own times, beside the source's sound."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from pathlib import Path

import av
import av.container
import av.error
from fresco_settings.timecode import frame_of, timecode_of

from fresco_media.errors import ClipError
from fresco_media.sound import DISK_FAULTS, SoundPassthrough, SoundRange, SoundTarget
from fresco_media.types import ClipProperties, Frame, Matte
from fresco_media.video.containers import open_input
from fresco_media.video.packet_durations import PacketDurations
from fresco_media.video.quicktime import state_languages
from fresco_media.video.rescue import PictureJournal
from fresco_media.video.streams import choose_video
from fresco_media.video.timecode_count import counted_frames
from fresco_media.writing.container_facts import copy_facts, copy_names, left_out, timecode_in
from fresco_media.writing.delivery import Codec, Delivery
from fresco_media.writing.matroska_aspect import state_aspect
from fresco_media.writing.picture_codecs import picture_codec
from fresco_media.writing.readback import ReadbackExpectation, shortcomings
from fresco_media.writing.track_clock import track_clock

logger = logging.getLogger(__name__)

# Containers round the times of sound to this, so that less before 0 is not early.
_ROUNDING_S = Fraction(1, 1000)
# A clock that begins at this time or later was running before, whatever the container.
_ANYWHERE_S = Fraction(1)


@dataclass(frozen=True)
class Target:
    """A video file to be written: its path, FFmpeg's name of the container, codec and wishes."""

    path: Path
    container: str
    codec: Codec
    delivery: Delivery = field(default_factory=Delivery)


class Encoder:
    """One video file being written."""

    def __init__(self, info: ClipProperties, target: Target, start: int, stop: int) -> None:
        """Opens the file, and tries every sound track with its first packets."""
        self._info = info
        self._target = target
        self._codec = picture_codec(info, target.codec, target.delivery, target.container)
        self._start = start
        self._first_tick = _first_tick(info, start)
        self._clock = _clock(info, range(start, stop), self._first_tick, target.container)
        self._written = 0
        self._last_tick = -1
        # Constant rates need none.
        is_even = not info.is_variable_rate and info.last_frame_s is None
        counts_decoding = target.container != "matroska"
        self._durations = None if is_even else PacketDurations(counts_decoding=counts_decoding)
        self._is_closed = False
        self._sound: SoundPassthrough | None = None
        self._warnings: list[str] = []
        self._journal = PictureJournal()
        options = _container_options(info, self._clock, target.container)
        self._output = av.open(str(target.path), "w", format=target.container, options=options)
        try:
            self._stream = self._codec.add_stream(self._output, info, self._clock)
            part = _sound_range(info, stop, self._first_tick, target.container)
            if not info.is_sequence:
                self._take_over(part, options)
            self._output.start_encoding()
        except BaseException:
            self.close()
            raise

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the file; grows when sound cannot be written."""
        info, codec = self._info, self._codec
        warnings = [*self._warnings, *(self._sound.warnings if self._sound else ())]
        if codec.pixel_format == "yuv444p":
            warnings.append(
                f"the clip's size {info.width}x{info.height} is odd, which H.264 can "
                "only hold as 4:4:4; QuickTime, Safari and some editors do not open that, so crop "
                "the clip to even sides first if you need them"
            )
        if (codec.width, codec.height) != (info.width, info.height):
            warnings.append(
                f"the clip's size {info.width}x{info.height} is odd, which few players take; the "
                f"file has {codec.width}x{codec.height}, with the last row or column repeated"
            )
        return tuple(warnings)

    @property
    def has_alpha(self) -> bool:
        """Whether the file keeps what is transparent, so that each frame needs its matte."""
        return self._codec.has_alpha

    def write(self, frame: Frame, matte: Matte | None = None) -> None:
        """Encode `frame`, and pass on the sound up to its time."""
        picture = self._codec.frame(frame.image, matte)
        begin, end = self._shown(frame.index)
        picture.pts, picture.time_base = begin, self._clock
        picture.duration = end - begin
        if self._durations is not None:
            self._durations.note(picture)
        self._written += 1
        self._last_tick = picture.pts
        self._mux(self._stream.encode(picture))
        if self._sound is not None:
            self._sound.copy_until(frame.time_s)

    def finish(self) -> None:
        """Write what the encoder still holds, the rest of the sound and the index; look at it."""
        self._mux(self._stream.encode(None), is_end=True)
        languages: list[str] = []
        sound_tracks = 0
        if self._sound is not None:
            self._sound.finish()
            languages, sound_tracks = self._sound.languages, self._sound.sounding_tracks
        languages.insert(0, self._stream.metadata.get("language", ""))
        try:
            self.close()
        except (av.error.FFmpegError, OSError) as error:
            self._save_pictures(error)
            languages, sound_tracks = [], 0
        if self._target.container == "mov" and any(languages):
            try:
                state_languages(self._target.path, languages)
            except OSError as error:
                logger.warning("%s: no languages are stated: %s", self._target.path, error)
        if self._target.container == "matroska" and not self._codec.states_aspect:
            self._state_aspect()
        self._warnings += shortcomings(self._target.path, self._wanted(sound_tracks))

    def _state_aspect(self) -> None:
        aspect = self._info.sample_aspect
        try:
            # Where it is not stated, the file is found wanting when it is read back.
            is_stated = aspect == 1 or state_aspect(self._target.path, aspect)
            logger.info("%s: pixels of the shape %s: %s", self._target.path, aspect, is_stated)
        except OSError as error:
            logger.warning("%s: no shape of pixels is stated: %s", self._target.path, error)

    def close(self) -> None:
        """Close all files; the output is whole only after `finish`."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._sound is not None:
            self._sound.close()
        self._output.close()

    def _mux(self, packets: list[av.Packet], *, is_end: bool = False) -> None:
        if self._durations is not None:
            self._durations.state(packets, is_end=is_end)
        for packet in packets:
            if self._sound is not None:
                self._journal.note(packet)
            self._output.mux(packet)

    def _save_pictures(self, error: Exception) -> None:
        """Write the pictures alone, where the end of a file with sound cannot be written."""
        if self._sound is None or getattr(error, "errno", None) in DISK_FAULTS:
            raise error
        path, container = self._target.path, self._target.container
        saved = path.with_name(path.name[:100] + ".pictures")
        options = _container_options(self._info, self._clock, container)
        try:
            output = av.open(str(saved), "w", format=container, options=options)
            self._journal.rewrite(
                path,
                output,
                lambda output: self._codec.add_stream(output, self._info, self._clock),
            )
            saved.replace(path)
        except (av.error.FFmpegError, OSError, ValueError) as second:
            logger.warning("%s: %s", path, second)
            saved.unlink(missing_ok=True)
            raise error from second
        logger.warning("%s: %s", path, error)
        self._warnings.append(
            f"the file could not be finished with the clip's sound ({error}), so it is without; "
            "convert the sound to WAV or AAC first to keep it"
        )

    def _take_over(self, part: SoundRange, options: dict[str, str]) -> None:
        """Have what the source holds beside its pictures in the output as well."""
        info, wish = self._info, self._target.delivery.sound
        try:
            with closing(open_input(info.path)) as source:
                begin = self._timecode(source)
                if begin is not None:
                    self._stream.metadata["timecode"] = begin
                self._warnings += left_out(source, keeps_timecode=begin is not None)
                copy_facts(source, self._output, part.offset_s, part.pictures_end_s)
                picture, _ = choose_video(source, info.path)
                copy_names(picture, self._stream)
            if info.has_audio and wish != "none":
                container, is_lossless = self._target.container, self._target.codec == "lossless"
                wanted = SoundTarget(container, options, wish, is_lossless, self._first_tick > 0)
                self._sound = SoundPassthrough(info.path, self._output, part, wanted, info.joins)
        except (av.error.FFmpegError, ClipError, OSError) as error:
            logger.warning("%s: %s", info.path, error)
            self._warnings.append(
                "the clip's sound cannot be read any more, so the result is silent; check that "
                "the file is still where it was"
            )

    def _timecode(self, source: av.container.InputContainer) -> str | None:
        """The timecode of the result's first frame, where its file has a place for it."""
        info, stated = self._info, timecode_in(source)
        if stated is None or self._target.container != "mov" or info.is_variable_rate:
            return None
        is_drop_frame = ";" in stated
        first = self._frame_of(stated)
        day = frame_of("24:00:00;00" if is_drop_frame else "24:00:00:00", info.frame_rate)
        if first is None or day is None:
            return None
        frame = (first + self._start) % day
        return timecode_of(frame, info.frame_rate, is_drop_frame=is_drop_frame)

    def _frame_of(self, stated: str) -> int | None:
        """The frame that the source's timecode names, which may count every second one."""
        rate = self._info.frame_rate
        counted = counted_frames(self._info.path)
        if counted is None or counted == round(rate):
            return frame_of(stated, rate)
        found = frame_of(stated, Fraction(counted))
        return None if found is None else round(found * Fraction(max(1, round(rate)), counted))

    def _wanted(self, sound_tracks: int) -> ReadbackExpectation:
        return ReadbackExpectation(
            pixel_format=self._codec.stored_pixel_format,
            size=(self._codec.width, self._codec.height),
            tags=self._codec.tags,
            frame_count=self._written,
            last_s=self._last_tick * self._clock,
            frame_s=1 / self._info.frame_rate,
            sound_tracks=sound_tracks,
            plays_everywhere=self._target.delivery.plays_everywhere,
            sample_aspect=self._info.sample_aspect,
        )

    def _shown(self, index: int) -> tuple[int, int]:
        """When a frame begins and ends, in ticks of the file."""
        begin, end = (
            round((tick - self._first_tick) * self._info.time_base / self._clock)
            for tick in (self._info.times[index], _end_tick(self._info, index))
        )
        # Coarse ticks may round two times to one.
        begin = max(begin, self._last_tick + 1)
        return begin, max(end, begin + 1)


def _end_tick(info: ClipProperties, index: int) -> int:
    if index + 1 < len(info.times):
        return info.times[index + 1]
    last_s = info.last_frame_s or 1 / info.frame_rate
    return info.times[index] + max(1, round(last_s / info.time_base))


def _clock(info: ClipProperties, span: range, first_tick: int, container: str) -> Fraction:
    """Seconds of a tick of the file for the frames of `span`."""
    if container == "matroska":
        return info.time_base
    ticks = [*(info.times[index] for index in span), _end_tick(info, span[-1])]
    return track_clock([tick - first_tick for tick in ticks], info.time_base)


def _container_options(info: ClipProperties, clock: Fraction, container: str) -> dict[str, str]:
    if container == "matroska":
        # Matroska files get a random number otherwise: the same frames, other bytes.
        return {"fflags": "+bitexact"}
    ticks = clock.denominator
    options = {
        # The index comes first in the file, so that it can be played while it is being loaded.
        "movflags": "+faststart",
        # A late start is stored in these ticks; FFmpeg's default would round it to milliseconds.
        "movie_timescale": str(ticks * max(1, -(-1000 // ticks))),
    }
    if clock != info.time_base:
        # FFmpeg would make a coarse clock finer.
        options["video_track_timescale"] = str(ticks)
    return options


def _first_tick(info: ClipProperties, start: int) -> int:
    """The tick of the source that becomes 0: that of the first frame of a part.

    A whole clip keeps its times, so that pictures that begin late stay late. Only transport and
    program streams, whose clocks start anywhere, and times before 0, which players hide, are moved:
    then the first picture or the first sound becomes 0, whichever is earlier.
    """
    if start:
        return info.times[start]
    first_s = info.times[0] * info.time_base
    sound_s = info.sound_start_s if info.has_audio else None
    earliest_s = first_s if sound_s is None else min(first_s, sound_s)
    latest_s = _ROUNDING_S if info.starts_anywhere else _ANYWHERE_S
    if first_s >= 0 and -_ROUNDING_S <= earliest_s < latest_s:
        return 0
    return floor(earliest_s / info.time_base)


def _sound_range(info: ClipProperties, stop: int, first_tick: int, container: str) -> SoundRange:
    times, base = info.times, info.time_base
    is_matroska = container == "matroska"
    offset_s = first_tick * base
    end_s = times[-1] * base + 1 / info.frame_rate if info.is_followed else None
    stop_s = times[stop] * base if stop < len(times) else end_s
    return SoundRange(
        start_s=offset_s if first_tick or is_matroska else None,
        stop_s=stop_s,
        offset_s=offset_s,
        pictures_end_s=stop_s or info.end_s,
        keeps_codec_delay=not first_tick,
    )
