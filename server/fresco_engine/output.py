"""What a job writes while it runs: the clip, and pictures beside it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from fresco_media.clip import Clip
from fresco_media.stills.images import displayed
from fresco_media.stills.numbered_folder import (
    check_own,
    numbered_path,
    numbered_pictures,
    write_numbered,
)
from fresco_media.types import Image
from fresco_media.writing.originals import Originals
from fresco_media.writing.writer import Codec, FrameWriter, open_writer

from fresco_engine.checkpoint import Checkpoint
from fresco_engine.interpolation.quality import error_picture
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.propagation_settings import PropagateSettings
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import (
    ClipAnalysed,
    Event,
    FrameMade,
    KeyframeMade,
    Progress,
    RunRestarted,
    Stage,
)


@dataclass(frozen=True)
class PictureFolders:
    """Folders of pictures beside the clip: keyframes, and error maps of the frames between."""

    clip: Clip
    originals: Originals
    keyframes: Path | None = None
    error_maps: Path | None = None

    def check(self) -> None:
        """Raises `OutputNotWritable` where pictures lie that no job has saved."""
        for folder in (self.keyframes, self.error_maps):
            if folder is not None:
                check_own(*numbered_pictures(folder))

    def save(self, event: Event) -> None:
        """Save the picture of an event, if there is a folder for it."""
        if isinstance(event, KeyframeMade) and self.keyframes is not None:
            self._write(self.keyframes, event.index, event.image)
        elif isinstance(event, FrameMade) and event.error is not None and self.error_maps:
            self._write(self.error_maps, event.frame.index, error_picture(event.error))

    def _write(self, folder: Path, index: int, image: Image) -> None:
        number = self.clip.first_number + index
        self.originals.check(numbered_path(folder, number))
        write_numbered(folder, number, displayed(image, self.clip.info.sample_aspect))


class NoOutput:
    """Nothing is written."""

    warnings: tuple[str, ...] = ()

    def take(self, event: Event, tracker: ProgressTracker) -> None:
        """Pass on an event."""

    def __enter__(self) -> NoOutput:
        return self

    def __exit__(self, *error: object) -> None:
        pass


@dataclass(frozen=True)
class OutputOptions:
    """What it takes to open the output."""

    clip: Clip
    path: Path | None
    settings: RestyleSettings | PropagateSettings
    codec: Codec | None
    overwrite: bool
    checkpoint: Checkpoint
    originals: Originals

    @property
    def stop(self) -> int:
        """The frame after the last one."""
        stop = self.settings.stop
        return self.clip.info.frame_count if stop is None else stop


class Output:
    """The output while it is written; a context manager like the writer it holds."""

    def __init__(self, options: OutputOptions, path: Path) -> None:
        self._options = options
        self._path = path
        self._writer = self._opened()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the output."""
        return self._writer.warnings

    def take(self, event: Event, tracker: ProgressTracker) -> Progress | None:
        """Write the frame of an event, or begin anew when everything does."""
        if isinstance(event, ClipAnalysed):
            tracker.expect(Stage.ENCODING, event.stop - event.start)
        elif isinstance(event, RunRestarted):
            self._writer.discard()
            self._writer = self._opened()
        elif isinstance(event, FrameMade):
            with tracker.measured(Stage.ENCODING):
                self._writer.write(event.frame)
            return tracker.advance(Stage.ENCODING)
        return None

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def _opened(self) -> FrameWriter:
        options = self._options
        folder = options.checkpoint.folder
        return open_writer(
            self._path,
            options.clip,
            codec=options.codec,
            overwrite=options.overwrite or self._is_ours(),
            start=options.settings.start,
            stop=options.stop,
            name=None if folder is None else _name_for(folder),
            on_complete=self._note_delivery,
            originals=options.originals,
        )

    def _note_delivery(self, temporary: Path) -> None:
        # The sound is read last.
        self._options.clip.check()
        size = temporary.stat().st_size if temporary.is_file() else None
        note = {"output": os.path.realpath(self._path), "bytes": size}
        self._options.checkpoint.save_delivery(note)

    def _is_ours(self) -> bool:
        """Whether an earlier run of this job was killed when the output had just got its name."""
        note, path = self._options.checkpoint.delivery(), self._path
        if note is None or note.get("output") != os.path.realpath(path):
            return False
        return not path.is_file() or path.stat().st_size == note.get("bytes")


def _name_for(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:8]
