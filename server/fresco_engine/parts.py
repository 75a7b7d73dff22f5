"""The parts of a run, each by itself: what one machine of several does for a run of another's.

A run falls into its plan, the batches of each shot, and the spans between keyframes. A batch needs
those of its shot that have its anchors, a span its keyframes; everything else is independent. Each
part reads what it needs from a checkpoint and stores what it makes there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from fresco_media.clip import Clip
from fresco_media.video.span_reader import SpanReader

from fresco_engine.batches import Batch
from fresco_engine.checkpoint import Checkpoint, CheckpointReader, File, StoredPlan
from fresco_engine.checkpoint.scratch import files_of_batch, files_of_span
from fresco_engine.diffusion.memory import release_device_memory
from fresco_engine.diffusion.samplers import batch_steps
from fresco_engine.errors import OutOfDeviceMemory
from fresco_engine.frames import make_span
from fresco_engine.interpolation.keyframe_span import KeyframeSpan, keys_within, plan_spans
from fresco_engine.lazy_model import LazyModel
from fresco_engine.planning import planned
from fresco_engine.restyling import pipeline_run, resolved_run, translation_run
from fresco_engine.settings import RestyleSettings
from fresco_engine.translation import (
    batches_of,
    record_keys,
    stored_records,
    translate_batch,
)
from fresco_engine.types import Progress, RunWarned


@dataclass(frozen=True, kw_only=True)
class BatchPart:
    """A batch of keyframes.

    `keyframes` are those of its shot, `records` the keys of the records that hold the latents of
    its anchors. It takes `steps` denoising steps.
    """

    keyframes: tuple[int, ...]
    batch: Batch
    records: tuple[int, ...]
    steps: int


@dataclass(frozen=True, kw_only=True)
class SpanPart:
    """The frames of a span that are no keyframes."""

    span: KeyframeSpan

    @property
    def keyframes(self) -> tuple[int, ...]:
        """Those at its ends."""
        span = self.span
        first = (span.start,) if span.has_first else ()
        return (*first, span.stop - 1) if span.has_last else first


Part = BatchPart | SpanPart


def parts_of(plan: StoredPlan, checkpoint: Checkpoint) -> list[Part]:
    """The parts that a planned run has, stored ones among them, in the order of the clip."""
    batch_size = checkpoint.adjustments().batch_size or plan.settings.batch_size
    parts: list[Part] = []
    for first, stop in plan.shots:
        keyframes = keys_within(plan.keyframes, first, stop)
        batches = batches_of(checkpoint, keyframes, frozenset(plan.ahead), batch_size)
        parts += batch_parts(keyframes, batches, batch_steps(plan.settings))
    spans = (SpanPart(span=span) for span in plan_spans(plan.keyframes, plan.shots))
    return [*parts, *(part for part in spans if part.span.frames)]


def batch_parts(
    keyframes: tuple[int, ...], batches: Sequence[Batch], steps: int
) -> Iterator[BatchPart]:
    """The batches of a shot, which come in their order, as parts."""
    records = record_keys(batches)
    for batch in batches:
        needed = tuple(dict.fromkeys(records[key] for key in batch.anchors))
        yield BatchPart(keyframes=keyframes, batch=batch, records=needed, steps=steps)


def files_for(part: Part, checkpoint: CheckpointReader) -> list[File]:
    """What a part needs of a run's checkpoint, beside the clip and the model."""
    if isinstance(part, SpanPart):
        return list(files_of_span(checkpoint, part.keyframes))
    new = part.batch.new
    own = new if part.batch.is_ahead else new[:1]
    return list(files_of_batch(checkpoint, (*part.records, *own), new))


def is_stored(part: Part, checkpoint: Checkpoint) -> bool:
    """Whether nothing of a part is left to do."""
    if isinstance(part, SpanPart):
        return all(checkpoint.has("frames", index) for index in part.span.frames)
    are_there = all(checkpoint.has("keyframes", index) for index in part.batch.new)
    return are_there and bool(stored_records(checkpoint, part.batch))


def make_plan(
    clip: Clip, settings: RestyleSettings, model: LazyModel, checkpoint: Checkpoint
) -> Generator[Progress | RunWarned, None, None]:
    """The plan, stored in `checkpoint`; raises as `planned`."""
    yield from planned(translation_run(clip, settings, model, checkpoint))


def make_batch(
    clip: Clip, plan: StoredPlan, model: LazyModel, checkpoint: Checkpoint, part: BatchPart
) -> Generator[Progress | RunWarned, None, bool]:
    """A batch, as `translate_batch`; the settings of `plan` name files that are here.

    Where the device has no room, what has to change is stored among the adjustments.
    """
    run = translation_run(clip, plan.settings, model, checkpoint)
    run = resolved_run(run, plan.settings, plan.ahead)
    frames = SpanReader(clip, plan.stop, run.size)
    return (yield from translate_batch(run, part.keyframes, frames, part.batch, part.records))


def make_frames_of(
    clip: Clip,
    plan: StoredPlan,
    model: LazyModel,
    checkpoint: Checkpoint,
    part: SpanPart,
    check: Callable[[], None],
) -> Iterator[int]:
    """The frames of a span, by their numbers; `check` is called often and may raise."""
    run = translation_run(clip, plan.settings, model, checkpoint)
    run = replace(resolved_run(run, plan.settings, plan.ahead), region=None, composer=None)
    analysed = plan.analysed(clip.info, plan.settings)
    pipeline = pipeline_run(run, analysed, cores=(1, os.cpu_count() or 1))
    try:
        for frame in make_span(pipeline, part.span, check):
            yield frame.index
    except OutOfDeviceMemory:
        release_device_memory()
        raise
