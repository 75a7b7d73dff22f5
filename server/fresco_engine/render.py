"""From a clip to a file: the pipeline's frames encoded as they come, with a report at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from fresco_engine import __version__
from fresco_engine.checkpoint import KINDS, Checkpoint, NoCheckpoint
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.errors import OutputNotWritable
from fresco_engine.interpolation.propagate import Interpolator
from fresco_engine.media.clip import Clip
from fresco_engine.media.faults import writing
from fresco_engine.media.images import working_size, write_image
from fresco_engine.media.writer import Codec, FrameWriter, open_writer
from fresco_engine.memory import peak_memory_bytes
from fresco_engine.metrics import pixel_mse
from fresco_engine.pace import Pace
from fresco_engine.restyle import restyle
from fresco_engine.run import LazyModel, ModelSource
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import (
    Analysed,
    Event,
    Finished,
    FrameReady,
    KeyframeReady,
    Progress,
    Report,
    Restarted,
    Stage,
    Warned,
)

_METRIC_SHORT_SIDE = 256


def render(
    clip: Clip,
    output: Path | None,
    settings: RestyleSettings,
    model: ModelSource,
    *,
    codec: Codec | None = None,
    overwrite: bool = False,
    save_keyframes: Path | None = None,
    interpolator: Interpolator | None = None,
    checkpoint: Checkpoint | None = None,
) -> Generator[Event, None, None]:
    """Restyle `clip` into `output`; yields the pipeline's events, `Finished` last.

    Without an output the frames are only what the events carry and the `checkpoint` keeps.

    The output is checked before any work begins and appears under its name only when it is whole.
    Closing the iterator cancels and leaves nothing half-written; keyframes already saved stay.
    With a `checkpoint`, a later run goes on where one was killed, writes the same file, and
    removes what that one left beside the output.

    Raises:
        OutputError: the output exists, cannot be written, or the disk is full.
        FrescoError: whatever `restyle` raises.
    """
    keyframe_folder = _prepared_folder(save_keyframes)
    checkpoint = checkpoint or NoCheckpoint()
    lazy_model, pace, collected = LazyModel(model), Pace(), _Collected()
    if output is None:
        written: _Output | _NoOutput = _NoOutput()
    else:
        written = _Output(_Options(clip, output, settings, codec, overwrite, checkpoint))
    events = restyle(
        clip, settings, lazy_model, interpolator=interpolator, pace=pace, checkpoint=checkpoint
    )
    with written, closing(events):
        for event in events:
            collected.add(event)
            if isinstance(event, KeyframeReady) and keyframe_folder is not None:
                write_image(keyframe_folder / f"{event.index:06d}.png", event.image)
            progress = written.take(event, pace)
            yield event
            if progress is not None:
                yield progress
    # Decoding and encoding may have met something since the clip was opened.
    for text in (*clip.warnings, *written.warnings):
        if text not in collected.warnings:
            collected.warnings.append(text)
            yield Warned(text)
    outputs = {} if output is None else {"clip": str(output)}
    if keyframe_folder is not None:
        outputs["keyframes"] = str(keyframe_folder)
    yield Finished(_report(collected, clip, lazy_model, pace, outputs))


def save_report(report: Report, path: Path) -> None:
    """Write a report as JSON.

    Raises:
        OutputNotWritable: the file cannot be written.
        DiskFull: the disk has no room for it.
    """
    text = json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n"
    temporary = path.with_name(f".{path.name}.partial")
    with writing(path):
        try:
            temporary.write_text(text, "utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _prepared_folder(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(
            folder, f"cannot be used for keyframes ({error.strerror}); choose another folder"
        ) from error
    return folder


class _NoOutput:
    """Nothing is written."""

    warnings: tuple[str, ...] = ()

    def take(self, event: Event, pace: Pace) -> None:
        """Pass on an event."""

    def __enter__(self) -> _NoOutput:
        return self

    def __exit__(self, *error: object) -> None:
        pass


@dataclass(frozen=True)
class _Options:
    """What it takes to open the output."""

    clip: Clip
    path: Path
    settings: RestyleSettings
    codec: Codec | None
    overwrite: bool
    checkpoint: Checkpoint

    @property
    def stop(self) -> int:
        """The frame after the last one."""
        stop = self.settings.stop
        return self.clip.info.frame_count if stop is None else stop


class _Output:
    """The output while it is written; a context manager like the writer it holds."""

    def __init__(self, options: _Options) -> None:
        self._options = options
        self._writer = self._opened()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the output."""
        return self._writer.warnings

    def take(self, event: Event, pace: Pace) -> Progress | None:
        """Write the frame of an event, or begin anew when everything does."""
        if isinstance(event, Analysed):
            pace.expect(Stage.ENCODING, event.stop - event.start)
        elif isinstance(event, Restarted):
            self._writer.discard()
            self._writer = self._opened()
        elif isinstance(event, FrameReady):
            with pace.measured(Stage.ENCODING):
                self._writer.write(event.frame)
            return pace.advance(Stage.ENCODING)
        return None

    def __enter__(self) -> _Output:
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
            options.path,
            options.clip,
            codec=options.codec,
            overwrite=options.overwrite or self._is_ours(),
            start=options.settings.start,
            stop=options.stop,
            name=None if folder is None else _name_for(folder),
            on_complete=self._note_delivery,
        )

    def _note_delivery(self, temporary: Path) -> None:
        size = temporary.stat().st_size if temporary.is_file() else None
        note = {"output": str(self._options.path.resolve()), "bytes": size}
        self._options.checkpoint.save_delivery(note)

    def _is_ours(self) -> bool:
        """Whether an earlier run of this job was killed when the output had just got its name."""
        note, path = self._options.checkpoint.delivery(), self._options.path
        if note is None or note.get("output") != str(path.resolve()):
            return False
        return not path.is_file() or path.stat().st_size == note.get("bytes")


def _name_for(folder: Path) -> str:
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]


class _Collected:
    """What the report needs, gathered from the events as they pass."""

    def __init__(self) -> None:
        self.plan: Analysed | None = None
        self.warnings: list[str] = []

    def add(self, event: Event) -> None:
        """Remember what the report will say."""
        if isinstance(event, Analysed):
            self.plan = event
        elif isinstance(event, Warned):
            self.warnings.append(event.message)
        elif isinstance(event, Restarted):
            self.warnings.append(event.reason)


def _report(
    collected: _Collected, clip: Clip, model: LazyModel, pace: Pace, outputs: dict[str, str]
) -> Report:
    plan = collected.plan
    assert plan is not None
    path = outputs.get("clip")
    result = None if path is None else Clip.open(path, frame_rate=clip.info.frame_rate)
    return Report(
        version=__version__,
        settings=plan.settings.as_dict(),
        model=model.name,
        device=model.device,
        clip=_clip_facts(clip),
        keyframes=plan.keyframes,
        shots=plan.shots,
        working_size=plan.working_size,
        seconds=pace.report(),
        peak_memory_bytes=peak_memory_bytes(model.device),
        metrics={} if result is None else _metrics(clip, result, plan),
        warnings=tuple(collected.warnings),
        outputs=outputs,
        reused={kind: pace.reused[kind] for kind in KINDS},
    )


def _clip_facts(clip: Clip) -> dict[str, Any]:
    info = clip.info
    return {
        "path": str(info.path),
        "width": info.width,
        "height": info.height,
        "frame_rate": str(info.frame_rate),
        "frames": info.frame_count,
        "has_audio": info.has_audio,
    }


def _metrics(clip: Clip, result: Clip, plan: Analysed) -> dict[str, float]:
    """Temporal consistency of the written result beside that of the source itself."""
    info = clip.info
    size = working_size(info.width, info.height, min(_METRIC_SHORT_SIDE, plan.settings.size)).scaled

    def pixel_mse_of(other: Clip, start: int, stop: int) -> float:
        sources = clip.frames(plan.start, plan.stop, size=size)
        pairs = zip(sources, other.frames(start, stop, size=size), strict=False)
        return pixel_mse(((a.image, b.image) for a, b in pairs), DisFlow())

    return {
        "pixel_mse": pixel_mse_of(result, 0, plan.stop - plan.start),
        "pixel_mse_of_source": pixel_mse_of(clip, plan.start, plan.stop),
    }
