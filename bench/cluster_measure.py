"""Seconds and bytes of the parts of a real run, each made by itself as machines of a cluster do."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

from fresco_engine.checkpoint import File, FolderCheckpoint, ScratchCheckpoint, store_file
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.samplers import batch_steps
from fresco_engine.interpolation.keyframe_span import KeyframeSpan
from fresco_engine.lazy_model import LazyModel
from fresco_engine.parts import (
    BatchPart,
    Part,
    files_for,
    make_batch,
    make_frames_of,
    make_plan,
    parts_of,
)
from fresco_engine.rendering import render
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import ClipAnalysed, FrameMade, RunFinished, RunWarned
from fresco_media.clip import Clip

from bench.cluster_model import ClusterFigures


class _AllStored:
    """Where a run's parts are made elsewhere, and all of them already were."""

    def plan(self) -> Generator[tuple[float, float], None, None]:
        """Nothing is left to do."""
        yield from ()

    def batch(self, first: int) -> Generator[int | RunWarned, None, bool]:
        """Nothing is left to do."""
        yield from ()
        return True

    def frames(self, span: KeyframeSpan, check: Callable[[], None]) -> int:
        """Nothing is left to do."""
        return 0


@dataclass
class _Sum:
    """Seconds and sizes of parts of a kind; `units` are steps of keyframes, or frames."""

    seconds: float = 0.0
    units: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, seconds: float, units: int, files: list[File]) -> None:
        """Count one part."""
        self.seconds += seconds
        self.units += units
        self.files += len(files)
        self.bytes += sum(len(data) for _, data in files)


def measure(
    clip: Clip, settings: RestyleSettings, known: ClusterFigures
) -> tuple[ClusterFigures, int]:
    """`known` with the times and sizes of a real run on this machine with the bundled model.

    Also the denoising steps of a batch.
    """
    began = time.perf_counter()
    model = load_model(None)
    load_s = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        figures = _of_parts(clip, settings, model, Path(folder), known)
        encode_s, metrics_s = _of_daemon(clip, settings, Path(folder))
        steps = batch_steps(FolderCheckpoint(Path(folder) / "job").sound_plan().settings)
    return replace(figures, load_s=load_s, encode_s=encode_s, metrics_s=metrics_s), steps


def _of_parts(
    clip: Clip, settings: RestyleSettings, model: Model, folder: Path, known: ClusterFigures
) -> ClusterFigures:
    checkpoint = FolderCheckpoint(folder / "job")
    began = time.perf_counter()
    list(make_plan(clip, settings, LazyModel(model), checkpoint))
    analysis_s = time.perf_counter() - began
    plan = checkpoint.sound_plan()
    batches, spans, pictures = _Sum(), _Sum(), _Sum()
    for place, part in enumerate(parts_of(plan, checkpoint)):
        scratch = ScratchCheckpoint(folder / str(place), files_for(part, checkpoint))
        began = time.perf_counter()
        units = _make(clip, model, scratch, part)
        seconds = time.perf_counter() - began
        stored = list(scratch.taken())
        for name, data in stored:
            store_file(checkpoint, name, data)
        records = [file for file in stored if file[0].startswith("batches/")]
        kind = batches if isinstance(part, BatchPart) else spans
        kind.add(seconds, units, records if isinstance(part, BatchPart) else stored)
        pictures.add(0, 0, [file for file in stored if file[0].startswith("keyframes/")])
        print(f"{type(part).__name__} {place}: {seconds:.2f} s", flush=True)
    frames = plan.stop - plan.start
    return replace(
        known,
        analysis_s=analysis_s / frames,
        step_s=batches.seconds / batches.units,
        frame_s=spans.seconds / max(1, spans.units),
        record_bytes=batches.bytes / batches.files,
        keyframe_bytes=pictures.bytes / pictures.files,
        frame_bytes=spans.bytes / max(1, spans.files),
        clip_bytes=sum(file.size for file in clip.files) / clip.info.frame_count,
    )


def _make(clip: Clip, model: Model, scratch: ScratchCheckpoint, part: Part) -> int:
    """Make a part; the units that it has."""
    plan, lazy = scratch.sound_plan(), LazyModel(model)
    if isinstance(part, BatchPart):
        list(make_batch(clip, plan, lazy, scratch, part))
        return part.steps * len(part.batch.frames)
    return len(list(make_frames_of(clip, plan, lazy, scratch, part, lambda: None)))


def _of_daemon(clip: Clip, settings: RestyleSettings, folder: Path) -> tuple[float, float]:
    """What the daemon itself does with parts that are there, per frame: encode, then measure."""
    events = render(
        clip,
        folder / "out.mp4",
        settings,
        _no_model,
        codec="h264",
        checkpoint=FolderCheckpoint(folder / "job"),
        remote=_AllStored(),
    )
    times: dict[type, float] = {}
    frames = 0
    for event in events:
        frames += isinstance(event, FrameMade)
        times[type(event)] = time.perf_counter()
    encoded_s = times[FrameMade] - times[ClipAnalysed]
    return encoded_s / frames, (times[RunFinished] - times[FrameMade]) / frames


def _no_model() -> Model:
    raise AssertionError("everything is stored")
