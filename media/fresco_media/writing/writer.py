"""Writing results: video with the source's times, colour tags and sound, or numbered images.

Codecs: "h264" is what every player opens (8 bit 4:2:0, crf 15). "lossless" keeps every RGB value
(H.264 in RGB at crf 0, for editors and FFmpeg-based players); of a transparent clip, as .mkv, also
its alpha (FFV1). "prores" is ProRes 422 HQ in a .mov file, for editors. "images" is a PNG sequence.
"""

from __future__ import annotations

import os
import shutil
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import av.error

from fresco_media.clip import Clip
from fresco_media.colour.scaling import square_told
from fresco_media.errors import OutputNotWritable, RangeOutsideClip
from fresco_media.files.faults import writing
from fresco_media.files.text import counted
from fresco_media.files.unfinished import begin_unfinished
from fresco_media.stills.images import displayed
from fresco_media.stills.numbered_folder import encoded_own, is_as_saved
from fresco_media.types import Frame
from fresco_media.writing.delivery import Codec
from fresco_media.writing.destination import Destination, check_destination
from fresco_media.writing.encode import Encoder, Target
from fresco_media.writing.originals import NO_ORIGINALS, Originals

OnComplete = Callable[[Path], None]


class FrameWriter(ABC):
    """Receives the frames of a result in order, once; a context manager.

    Everything goes to a temporary name beside the output. A normal exit makes it the output, an
    exception (Ctrl-C too) removes it, and so does dropping the writer.
    """

    def __init__(
        self,
        clip: Clip,
        destination: Destination,
        start: int,
        stop: int,
        on_complete: OnComplete | None = None,
    ) -> None:
        self._clip = clip
        self._destination = destination
        self._next = start
        self._stop = stop
        self._has_frames = False
        self._on_complete = on_complete
        temporary = destination.temporary
        _remove(temporary)  # Left over where a named writer was killed.
        with writing(destination.path):
            held = begin_unfinished(temporary, is_folder=destination.codec == "images")
        self._discard = weakref.finalize(self, _discard, temporary, held)

    @property
    def path(self) -> Path:
        """Where the result will be."""
        return self._destination.path

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the result, such as sound that had to be encoded."""
        return ()

    def write(self, frame: Frame) -> None:
        """Add the next frame; its image has the clip's size.

        Raises:
            DiskFull, OutputNotWritable: it cannot be stored.
            ValueError: the frame is out of order or of another size.
        """
        info = self._clip.info
        if not self._next <= frame.index < self._stop:
            raise ValueError(f"frame {frame.index} came where {self._next} was expected")
        if frame.image.shape != (info.height, info.width, 3):
            raise ValueError(f"frame {frame.index} has shape {frame.image.shape}")
        with writing(self.path):
            self._store(frame)
            # What is removed while it is open is written on into nothing, to the end of the work.
            if not os.path.lexists(self._destination.temporary):
                raise OutputNotWritable(
                    self.path,
                    "its folder, or what was written so far, was removed during the work; see to "
                    "it that there is a folder, and begin again",
                )
        self._next = frame.index + 1
        self._has_frames = True

    def discard(self) -> None:
        """Throw away what was written; nothing more may be."""
        self._release()
        self._discard()

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._release()
            self._discard()

    def _finish(self) -> None:
        if not self._has_frames:
            raise OutputNotWritable(self.path, "no frame was made, so there is nothing to write")
        with writing(self.path):
            self._complete()
            if self._on_complete is not None:
                self._on_complete(self._destination.temporary)
            # Files may have been moved and linked while the work was done.
            self._destination.check_replaced()
            try:
                self._move_into_place()
            except (FileExistsError, PermissionError) as error:
                # What somebody else has under this name stays theirs, and the result is kept.
                self._release()
                is_protected = isinstance(error, PermissionError)
                raise self._destination.kept_elsewhere(is_protected=is_protected) from None

    @abstractmethod
    def _store(self, frame: Frame) -> None:
        """Put one frame into the temporary output."""

    @abstractmethod
    def _complete(self) -> None:
        """Write what comes after the last frame."""

    @abstractmethod
    def _move_into_place(self) -> None:
        """Give the temporary output its final name.

        Raises:
            FileExistsError, PermissionError: something has it that may not be replaced; nothing
                has been moved.
        """

    @abstractmethod
    def _release(self) -> None:
        """Close files, whatever happened before."""


def open_writer(
    path: Path | str,
    clip: Clip,
    *,
    codec: Codec | None = None,
    overwrite: bool = False,
    start: int = 0,
    stop: int | None = None,
    name: str | None = None,
    on_complete: OnComplete | None = None,
    originals: Originals = NO_ORIGINALS,
) -> FrameWriter:
    """A writer for the restyled frames [start, stop) of `clip`.

    `path` is an .mp4, .m4v, .mov or .mkv file, a `name_%04d.png` pattern, or with `codec`
    "images" a folder. Without `codec`, a video is "h264". Images are numbered like the source.
    Writers of one `name` share their temporary output, so that a later one removes what an
    earlier one left when it was killed. `on_complete` is called with the temporary output when
    that is whole, just before it gets its name.

    Raises:
        OutputExists, OutputNotWritable, DiskFull: at once, as far as it can be known.
        RangeOutsideClip: the clip has not all of these frames.
        InvalidSettings: the codec is unknown.
    """
    path, info = Path(path), clip.info
    stop = info.frame_count if stop is None else stop
    if not 0 <= start < stop <= info.frame_count:
        raise RangeOutsideClip(info.path, start, stop, info.frame_count)
    destination = check_destination(
        path, clip, range(start, stop), codec, overwrite, name, originals
    )
    kind = _ImageWriter if destination.codec == "images" else _VideoWriter
    return kind(clip, destination, start, stop, on_complete)


class _VideoWriter(FrameWriter):
    def __init__(
        self,
        clip: Clip,
        destination: Destination,
        start: int,
        stop: int,
        on_complete: OnComplete | None = None,
    ) -> None:
        super().__init__(clip, destination, start, stop, on_complete)
        try:
            with writing(destination.path):
                target = Target(destination.temporary, destination.container, destination.codec)
                self._encoder = Encoder(clip.info, target, start, stop)
            # A frame may be left out, but none comes twice.
            mattes = clip.mattes(start, stop) if self._encoder.has_alpha else iter(())
            self._mattes = zip(range(start, stop), mattes, strict=False)
        except BaseException:
            self._discard()
            raise

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the result, such as sound that had to be encoded."""
        return self._encoder.warnings

    def _store(self, frame: Frame) -> None:
        matte = next((matte for index, matte in self._mattes if index == frame.index), None)
        self._encoder.write(frame, matte)

    def _complete(self) -> None:
        self._encoder.finish()

    def _move_into_place(self) -> None:
        self._encoder.close()
        self._destination.rename(self._destination.temporary, self.path)

    def _release(self) -> None:
        # After a failure the file is thrown away, so a second failure while closing says nothing.
        with suppress(av.error.FFmpegError, OSError):
            self._encoder.close()


class _ImageWriter(FrameWriter):
    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the result."""
        info, warnings = self._clip.info, list[str]()
        stale = self._destination.stale
        if stale:
            first, last = stale[0].name, stale[-1].name
            which = first if len(stale) == 1 else f"{first} to {last}"
            warnings.append(
                f"{counted(len(stale), 'picture')} of an earlier result, which this one has "
                f"no frames for, will be removed ({which}); name the result otherwise to keep them"
            )
        if info.has_audio:
            warnings.append("an image sequence holds no sound; take it from the source clip")
        return (*warnings, *square_told(info.width, info.height, info.sample_aspect))

    def _store(self, frame: Frame) -> None:
        names = self._destination.names
        assert names is not None
        name = names.name(self._clip.first_number + frame.index)
        # No file of its own has to be whole here: the folder is temporary until all are.
        shown = displayed(frame.image, self._clip.info.sample_aspect)
        (self._destination.temporary / name).write_bytes(encoded_own(shown))

    def _complete(self) -> None:
        """Every image is whole already."""

    def _move_into_place(self) -> None:
        folder = self._destination.folder
        if self._destination.is_taken and not self._destination.overwrite:
            raise FileExistsError
        folder.mkdir(exist_ok=True)
        for stale in filter(is_as_saved, self._destination.stale):
            stale.unlink()
        moved: list[Path] = []
        try:
            for image in sorted(self._destination.temporary.iterdir()):
                self._destination.rename(image, folder / image.name)
                moved.append(image)
        except OSError:
            for image in moved:
                (folder / image.name).replace(image)
            raise

    def _release(self) -> None:
        """No file stays open."""


def _discard(temporary: Path, held: int | None) -> None:
    _remove(temporary)
    if held is not None:
        os.close(held)


def _remove(temporary: Path) -> None:
    if temporary.is_dir():
        shutil.rmtree(temporary, ignore_errors=True)
    else:
        temporary.unlink(missing_ok=True)
