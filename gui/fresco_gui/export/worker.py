"""Exports on a thread of its own; an export is whole or not there."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av.error
from fresco_media.colour.scaling import displayed, square_told
from fresco_media.errors import ClipChanged, FrescoError, OutputError
from fresco_media.files.disk import (
    check_replaceable,
    give_name,
    output_fault,
    partial_name,
    write_whole,
)
from fresco_media.stills.images import encode_image
from fresco_media.writing.readback import obstacles, sound_tracks, video_facts
from PyQt6.QtCore import QObject, QThread, pyqtSignal

from fresco_gui.export.frames import ExportFrames
from fresco_gui.export.options import ExportKind, ExportOptions
from fresco_gui.export.picture import originals_of
from fresco_gui.export.video import VideoFile
from fresco_gui.media.clip_frames import ClipFrames
from fresco_gui.media.errors import ExportFailed, MediaError
from fresco_gui.media.fetched_frames import FetchedFrames
from fresco_gui.media.pictures import to_rgb
from fresco_gui.media.source import FrameSource

logger = logging.getLogger(__name__)

_REPORT_EVERY_S = 0.05


class _Cancelled(Exception):
    pass


class Export(QThread):
    """Writes frames of a result; frames that it does not cover are the source's.

    `start()` begins, `finished` comes last in any case.

    Signals:
        progressed(int, int): frames written, and how many there are.
        warned(str): what should be known of it; a sentence for the user.
        finished_to(str): it is whole, at this path.
        failed(str): it is not there; a sentence for the user. Not emitted when cancelled.
    """

    progressed = pyqtSignal(int, int)
    warned = pyqtSignal(str)
    finished_to = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(
        self,
        source: FrameSource,
        result: FrameSource,
        options: ExportOptions,
        unencoded: FetchedFrames | None = None,
        parent: QObject | None = None,
    ) -> None:
        """All must be open, and stay so until `finished`.

        `unencoded` are the result's frames as they were before its file was encoded.
        """
        super().__init__(parent)
        self._result = result
        self._frames = ExportFrames(source, unencoded or result)
        self._options = options
        self._originals = originals_of(source, result)
        # Whoever chose a name was asked about what had it then, and about nothing else.
        self._is_new = options.replaced() is None
        self._reported = 0.0

    def cancel(self) -> None:
        """Stop soon, and leave nothing behind."""
        self.requestInterruption()

    def run(self) -> None:
        """What the thread does."""
        try:
            with _writing(self._options.path):
                written = self._export()
        except _Cancelled:
            return
        except (MediaError, FrescoError) as error:
            self.failed.emit(str(error))
        except Exception as error:
            logger.exception("the export failed")
            self.failed.emit(f"{self._options.path.name} could not be written: {error}")
        else:
            self.finished_to.emit(str(written))
        finally:
            self._frames.close()

    def _export(self) -> Path:
        options = self._options
        if options.stop <= options.start:
            raise ExportFailed(options.path, "there are no frames between in and out point")
        if options.kind is ExportKind.PNG:
            return self._write_pictures()
        self._originals.check(options.path)
        check_replaceable(options.path)
        self._check_source()
        options.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = partial_name(options.path.absolute())
        try:
            if self._is_copy():
                self._copy(temporary)
            else:
                self._encode(temporary)
            # Files may have been moved and linked meanwhile.
            self._originals.check(options.path)
            if self._is_new:
                give_name(temporary, options.path)
            else:
                temporary.replace(options.path)
        finally:
            temporary.unlink(missing_ok=True)
        return options.path

    def _check_source(self) -> None:
        """Insist on the clip being the one that was opened, where something of it is needed.

        Raises:
            ExportFailed: it was replaced, or is gone, and the result's file does not do.
        """
        times, options = self._frames.times, self._options
        fault = self._fault_of_source()
        if fault is None or self._is_copy():
            return
        info = self._frames.info
        name = times.path.name if times.path else ""
        if not (info.first_index <= options.start and options.stop <= info.stop):
            reason = f"frames that the result does not cover are those of {name}, which {fault}"
            raise ExportFailed(options.path, f"{reason}; export those of the result only")
        if options.has_sound and times.has_sound:
            reason = f"its sound is that of {name}, which {fault}"
            raise ExportFailed(options.path, f"{reason}; put it back, or export without sound")

    def _fault_of_source(self) -> str | None:
        """What has become of the clip since it was opened."""
        file = self._frames.times.file
        try:
            if file is not None:
                file.check()
        except ClipChanged:
            return "was written anew since it was opened"
        except OSError as error:
            logger.info("the clip: %s", error)
            return "is gone or cannot be read"
        return None

    def _is_copy(self) -> bool:
        """Whether the result's file is already what is wanted: encoding it again would harm it."""
        options, info = self._options, self._result.info
        if info is None:
            return False
        is_whole = (options.start, options.stop) == (info.first_index, info.stop)
        # Results are made in high quality.
        is_whole &= options.quality == "high"
        wants_sound = options.has_sound and self._frames.times.has_sound
        if options.kind is not ExportKind.H264 or not is_whole or wants_sound != info.has_sound:
            return False
        if not isinstance(self._result, ClipFrames) or not self._result.path.is_file():
            return False
        return self._is_as_wanted(self._result.path)

    def _is_as_wanted(self, path: Path) -> bool:
        """Whether the file at `path` is what encoding would make; its codec alone is no proof."""
        times, options = self._frames.times, self._options
        try:
            facts = video_facts(path)
            has_sound = options.has_sound and times.has_sound and times.path is not None
            is_there = self._fault_of_source() is None
            tracks = sound_tracks(times.path) if has_sound and times.path and is_there else 0
            if has_sound and not is_there:
                # The result has the sound of the clip that it was made from.
                tracks = len(facts.sound)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            logger.info("%s is not copied: %s", path, error)
            return False
        last_s = times.time_s(options.stop - 1) - times.time_s(options.start)
        begins_s = times.start_s if 0 <= times.start_s < 1 else 0.0
        return (
            not obstacles(facts)
            and facts.size == (self._frames.info.width, self._frames.info.height)
            and facts.frame_count == options.stop - options.start
            and abs(float(facts.last_s) - last_s - begins_s) < float(1 / times.frame_rate)
            and len(facts.sound) == tracks
        )

    def _copy(self, temporary: Path) -> None:
        if isinstance(self._result, ClipFrames):
            shutil.copyfile(self._result.path, temporary)
            count = self._options.stop - self._options.start
            self.progressed.emit(count, count)

    def _encode(self, temporary: Path) -> None:
        video = VideoFile(temporary, self._options, self._frames.times, self._frames.info)
        try:
            for index in self._indices():
                video.write(index, self._frames.image(index))
            video.finish()
            for sentence in video.warnings:
                self.warned.emit(sentence)
        finally:
            video.close()

    def _write_pictures(self) -> Path:
        written: list[Path] = []
        info, aspect = self._frames.info, self._frames.times.pixel_aspect
        for sentence in square_told(info.width, info.height, aspect):
            self.warned.emit(sentence)
        start, stop = self._options.start, self._options.stop
        paths = [self._options.picture_path(index) for index in range(start, stop)]
        self._originals.check(*paths)
        for path in paths:
            check_replaceable(path)
        try:
            for index in self._indices():
                path = self._options.picture_path(index)
                path.parent.mkdir(parents=True, exist_ok=True)
                shown = displayed(to_rgb(self._frames.image(index)), aspect)
                encoded = encode_image(shown, ".png")
                is_added = not os.path.lexists(path)
                if self._is_new and not is_added:
                    raise ExportFailed(path, "this name was taken during the work; choose another")
                write_whole(path, encoded, is_new=self._is_new)
                if is_added:
                    written.append(path)
        except BaseException:
            for path in written:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        return self._options.picture_path(self._options.start).parent

    def _indices(self) -> Iterator[int]:
        """All frames; says how far it is, and ends with `_Cancelled` when asked to."""
        start, stop = self._options.start, self._options.stop
        for index in range(start, stop):
            if self.isInterruptionRequested():
                raise _Cancelled
            yield index
            now = time.monotonic()
            if now - self._reported >= _REPORT_EVERY_S or index + 1 == stop:
                self._reported = now
                self.progressed.emit(index + 1 - start, stop - start)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Report whatever goes wrong inside as a fault of the output at `path`."""
    try:
        yield
    except OutputError as error:
        raise ExportFailed(path, error.reason) from error
    except (av.error.FFmpegError, OSError) as error:
        raise ExportFailed(path, output_fault(path, error).reason) from error
