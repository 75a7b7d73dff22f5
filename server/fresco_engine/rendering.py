"""From a clip to a file: the pipeline's frames encoded as they come, with a report at the end."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fresco_media.clip import Clip
from fresco_media.files.output_folders import alone_with
from fresco_media.writing.destination import originals_of
from fresco_media.writing.originals import NO_ORIGINALS, Originals
from fresco_media.writing.writer import Codec

from fresco_engine.checkpoint import KINDS, Checkpoint, NoCheckpoint
from fresco_engine.evaluation.means import mean_of
from fresco_engine.evaluation.written import written_steadiness
from fresco_engine.interpolation.quality import details, summary
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.lazy_model import LazyModel, ModelSource
from fresco_engine.mattes import KeptMattes
from fresco_engine.memory import peak_memory_bytes
from fresco_engine.output import NoOutput, Output, OutputOptions, PictureFolders
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.propagation import propagate
from fresco_engine.propagation_settings import PropagateSettings
from fresco_engine.remote_parts import RemoteParts
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import (
    ClipAnalysed,
    Event,
    FrameMade,
    FrameQuality,
    Progress,
    Report,
    RunFinished,
    RunRestarted,
    RunWarned,
    Stage,
)
from fresco_engine.version import __version__

_METRIC_SHORT_SIDE = 256
_METRIC_BREATH = 8
"""Frames that are measured in one go."""


@dataclass(frozen=True, kw_only=True)
class PropagationFiles:
    """Where the results go besides the clip: a folder of error maps as PNG, and a folder where
    finished segments are kept, so that interrupted work goes on with what it has.
    """

    error_maps: Path | None = None
    resume: Path | None = None


def render(
    clip: Clip,
    output: Path | str | None,
    settings: RestyleSettings,
    model: ModelSource,
    *,
    codec: Codec | None = None,
    overwrite: bool = False,
    save_keyframes: Path | None = None,
    interpolator: Interpolator | None = None,
    checkpoint: Checkpoint | None = None,
    originals: Originals = NO_ORIGINALS,
    remote: RemoteParts | None = None,
) -> Generator[Event, None, None]:
    """Restyle `clip` into `output`; yields the pipeline's events, `RunFinished` last.

    The output is checked before any work begins and appears under its name only when it is whole;
    without one, frames are only announced and kept. Closing the iterator cancels and leaves
    nothing half-written; keyframes already saved stay. With a `checkpoint`, a later run goes on
    where one was killed, writes the same file, and removes what that one left beside it. Neither
    the clip nor one of `originals` is ever replaced, whatever happens to names meanwhile. With
    `remote` all parts are made elsewhere and found in the `checkpoint`.

    Raises:
        OutputError: the output exists, cannot be written, or the disk is full.
        FrescoError: whatever `restyle` raises.
    """
    output = None if output is None else Path(output)
    originals = originals_of(clip.info) | originals
    pictures = PictureFolders(clip, originals, keyframes=save_keyframes)
    checkpoint = checkpoint or NoCheckpoint()
    lazy_model, tracker = LazyModel(model), ProgressTracker()
    options = OutputOptions(clip, output, settings, codec, overwrite, checkpoint, originals)
    with alone_with(save_keyframes):
        pictures.check()
        written = _Writing(options, pictures, tracker)
        yield from written.of(
            restyle(
                clip,
                settings,
                lazy_model,
                interpolator=interpolator,
                tracker=tracker,
                checkpoint=checkpoint,
                remote=remote,
            )
        )
    metrics = yield from _metrics(clip, output, written.plan, tracker)
    report = written.report(lazy_model.name, lazy_model.device)
    reused = {kind: tracker.reused[kind] for kind in KINDS}
    yield RunFinished(replace(report, metrics={**metrics, **report.metrics}, reused=reused))


def render_propagation(
    clip: Clip,
    key_folder: Path | str,
    output: Path | str,
    settings: PropagateSettings,
    *,
    codec: Codec | None = None,
    overwrite: bool = False,
    device: str = "cpu",
    files: PropagationFiles | None = None,
    interpolator: Interpolator | None = None,
    originals: Originals = NO_ORIGINALS,
) -> Generator[Event, None, None]:
    """Carry painted keys over `clip` into `output`; yields events, `RunFinished` last.

    Closing the iterator cancels and leaves nothing half-written. Neither the clip nor one of
    `originals` is ever replaced.

    Raises:
        OutputError: the output exists, cannot be written, or the disk is full.
        FrescoError: whatever `propagate` raises.
    """
    files, tracker = files or PropagationFiles(), ProgressTracker()
    originals = originals_of(clip.info) | originals
    pictures = PictureFolders(clip, originals, error_maps=files.error_maps)
    options = OutputOptions(
        clip, Path(output), settings, codec, overwrite, NoCheckpoint(), originals
    )
    with alone_with(files.error_maps, files.resume):
        pictures.check()
        written = _Writing(options, pictures, tracker)
        yield from written.of(
            propagate(
                clip,
                Path(key_folder),
                settings,
                interpolator=interpolator,
                device=device,
                tracker=tracker,
                resume=files.resume,
                keeps_errors=files.error_maps is not None,
            )
        )
    yield RunFinished(written.report("none", device))


class _Writing:
    """Passes events on, each when what it carries has been written, and sums them up."""

    def __init__(
        self, options: OutputOptions, pictures: PictureFolders, tracker: ProgressTracker
    ) -> None:
        self._clip, self._path = options.clip, options.path
        self._pictures = pictures
        self._mattes = KeptMattes(options.clip, options.checkpoint)
        self._pace = tracker
        self._output = NoOutput() if self._path is None else Output(options, self._path)
        self._plan: ClipAnalysed | None = None
        self._warnings: list[str] = []
        self._frames: dict[int, FrameQuality] = {}

    @property
    def plan(self) -> ClipAnalysed:
        """The plan that was carried out."""
        assert self._plan is not None
        return self._plan

    def of(self, events: Generator[Event, None, None]) -> Iterator[Event]:
        """`events`, with what writing has to tell."""
        with self._output, closing(events):
            # What becomes of the sound is known now, and better told before hours of work.
            yield from self._new_warnings(self._output.warnings)
            for event in events:
                self._collect(event)
                self._pictures.save(event)
                self._mattes.keep(event)
                progress = self._output.take(event, self._pace)
                yield event
                if progress is not None:
                    yield progress
        yield from self._new_warnings((*self._clip.warnings, *self._output.warnings))

    def report(self, model: str, device: str) -> Report:
        """The report, without what has to be measured in the result."""
        plan = self.plan
        outputs = {
            "clip": self._path,
            "keyframes": self._pictures.keyframes,
            "error_maps": self._pictures.error_maps,
        }
        return Report(
            version=__version__,
            settings=plan.settings.as_dict(),
            model=model,
            device=device,
            clip=_clip_facts(self._clip),
            keyframes=plan.keyframes,
            shots=plan.shots,
            working_size=plan.working_size,
            seconds=self._pace.report(),
            peak_memory_bytes=peak_memory_bytes(device),
            metrics=summary(self._frames),
            interpolation=details(self._frames, plan.keyframes, plan.shots),
            warnings=tuple(self._warnings),
            outputs={kind: str(path) for kind, path in outputs.items() if path is not None},
        )

    def _collect(self, event: Event) -> None:
        """Remember what the report will say."""
        if isinstance(event, ClipAnalysed):
            self._plan = event
        elif isinstance(event, RunWarned):
            self._warnings.append(event.message)
        elif isinstance(event, RunRestarted):
            self._warnings.append(event.reason)
            self._frames.clear()
        elif isinstance(event, FrameMade) and event.quality is not None:
            self._frames[event.frame.index] = event.quality

    def _new_warnings(self, texts: Iterable[str]) -> Iterator[RunWarned]:
        """What decoding and encoding have to tell and have not told yet."""
        for text in texts:
            if text not in self._warnings:
                self._warnings.append(text)
                yield RunWarned(text)


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


def _metrics(
    clip: Clip, output: Path | None, plan: ClipAnalysed, tracker: ProgressTracker
) -> Generator[Progress, None, dict[str, float]]:
    """Temporal consistency of the written result beside that of the source itself.

    Now and then the last progress is said again, so that the consumer can stop here as well.
    """
    if output is None:
        return {}
    steps = written_steadiness(clip, output, plan.start, plan.stop, plan.settings.size)
    errors: list[tuple[float, float]] = []
    with closing(steps):
        for error in steps:
            errors.append(error)
            if len(errors) % _METRIC_BREATH == 0:
                yield tracker.advance(Stage.ENCODING, 0)
    of_result, of_source = (mean_of(error[n] for error in errors) for n in (0, 1))
    return {"pixel_mse": of_result, "pixel_mse_of_source": of_source}
