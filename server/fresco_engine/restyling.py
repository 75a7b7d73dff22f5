"""A clip restyled by a model: analyse, translate keyframes in batches, fill in the rest.

A clip goes in, events come out; closing the iterator cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from fresco_media.clip import Clip
from fresco_media.painted.known import KnownKeys
from fresco_media.stills.images import working_size

from fresco_engine.checkpoint import Checkpoint, NoCheckpoint
from fresco_engine.correspondence.flow import DisFlow, FlowEstimator, FlowPreset
from fresco_engine.diffusion.memory import release_device_memory
from fresco_engine.errors import OutOfDeviceMemory
from fresco_engine.flow_models import load_estimator
from fresco_engine.interpolation.choice import make_interpolator, shared_cores
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.lazy_model import LazyModel, ModelSource
from fresco_engine.memory_fallback import MemoryFallback
from fresco_engine.pipeline import run_pipeline
from fresco_engine.planning import keep_plan, planned
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.reference_models import ReferencePicture
from fresco_engine.remote_parts import RemoteParts
from fresco_engine.run import Run
from fresco_engine.settings import RestyleSettings
from fresco_engine.translation import TranslatedKeyframes
from fresco_engine.translation_run import TranslationRun, mask_of, named_subject
from fresco_engine.types import ClipAnalysed, Event, RunRestarted


def restyle(
    clip: Clip,
    settings: RestyleSettings,
    model: ModelSource,
    *,
    estimator: FlowEstimator | None = None,
    interpolator: Interpolator | None = None,
    tracker: ProgressTracker | None = None,
    checkpoint: Checkpoint | None = None,
    remote: RemoteParts | None = None,
) -> Generator[Event, None, None]:
    """Restyle a clip; yields events, every frame of the range exactly once and in order.

    Settings that are `None` take the model's recommendation. `model` may be what loads it; that
    is called only when a model is needed. `estimator` and `interpolator` must bear being called by
    several threads; the estimator is that which the settings name unless given. `tracker` collects
    seconds per stage. What `checkpoint` holds is announced but not computed again, and everything
    else is stored in it before it is announced; the result is the same, bit for bit. Where the
    device's memory is too small, batches are made smaller, after that the working size: then comes
    `RunRestarted`, and everything begins anew. With `remote` all parts are made elsewhere and found
    in the checkpoint, and neither a model nor an interpolator is needed here.

    Raises:
        RangeOutsideClip: the settings name frames the clip does not have.
        InvalidSettings: the prompt is longer than the text encoder takes.
        ClipError, MaskUnusable: the subject's mask, or the reference, cannot be read or is unfit.
        FileChanged: a painted keyframe, or the reference, is another one than when the run began.
        ModelError: what finds flow or the named subject, or reads the reference, is not there.
        CheckpointMismatch: the checkpoint belongs to another clip, model or to other settings.
        DiskFull: the checkpoint cannot be stored.
        OutOfDeviceMemory: the device cannot hold a batch, however small it was made.
    """
    lazy_model = model if isinstance(model, LazyModel) else LazyModel(model)
    if remote is not None:
        estimator = estimator or DisFlow()  # It finds nothing here.
    run = translation_run(clip, settings, lazy_model, checkpoint, estimator, tracker)
    yield from _restyled(replace(run, remote=remote), interpolator)


def translation_run(
    clip: Clip,
    settings: RestyleSettings,
    lazy_model: LazyModel,
    checkpoint: Checkpoint | None = None,
    estimator: FlowEstimator | None = None,
    tracker: ProgressTracker | None = None,
) -> TranslationRun:
    """What a run that has yet to be planned begins with; raises as `restyle`."""
    checkpoint = checkpoint or NoCheckpoint()
    return TranslationRun(
        clip=clip,
        settings=settings,
        size=working_size(clip.info.width, clip.info.height, settings.size),
        model=lazy_model,
        estimator=estimator or load_estimator(settings.flow, lambda: lazy_model.device),
        checkpoint=checkpoint,
        fallback=MemoryFallback(settings, checkpoint),
        tracker=tracker or ProgressTracker(),
        mask=mask_of(clip, settings),
        named=named_subject(settings, lazy_model),
        painted=_painted(clip, settings),
        reference=ReferencePicture.of(settings, lazy_model),
    )


def _painted(clip: Clip, settings: RestyleSettings) -> KnownKeys:
    files = {index: Path(path) for index, path in settings.keyframe_pictures.items()}
    return KnownKeys.of(clip, files, "keyframe_pictures")


def _restyled(run: TranslationRun, interpolator: Interpolator | None) -> Iterator[Event]:
    analysed = yield from planned(run)
    while True:
        settings = analysed.settings
        assert isinstance(settings, RestyleSettings)
        run = resolved_run(run, settings, analysed.ahead)
        yield analysed
        reason = yield from _tried(run, analysed, interpolator)
        if reason is None:
            return
        yield RunRestarted(reason)
        analysed = _smaller(run, analysed)


def resolved_run(
    run: TranslationRun, settings: RestyleSettings, ahead: Iterable[int]
) -> TranslationRun:
    """The run with the settings of its plan, and the keyframes that go ahead of others."""
    size = working_size(run.clip.info.width, run.clip.info.height, settings.size)
    run = replace(run, settings=settings, size=size, ahead=frozenset(ahead))
    return run.in_its_region()


def _smaller(run: TranslationRun, analysed: ClipAnalysed) -> ClipAnalysed:
    """The same plan at the next smaller size; what was stored is removed."""
    # Only whoever has the model could say again what there is to say about it.
    known = None if run.remote is None else run.checkpoint.plan()
    run.fallback.lower_size()
    settings = run.fallback.adjusted(run.settings)
    size = working_size(run.clip.info.width, run.clip.info.height, settings.size)
    analysed = replace(analysed, settings=settings, working_size=size.padded)
    keep_plan(run, analysed, known)
    return analysed


def _tried(
    run: TranslationRun, analysed: ClipAnalysed, interpolator: Interpolator | None
) -> Generator[Event, None, str | None]:
    """All of the work; returns why it has to begin anew at a smaller size, if it has to."""
    try:
        yield from run_pipeline(pipeline_run(run, analysed, interpolator))
    except OutOfDeviceMemory:
        reason = run.fallback.restart_reason
        if reason is None:
            raise
    else:
        return None
    # Only here, where nothing holds the exception, can the tensors that hang on it be freed.
    release_device_memory()
    return reason


def pipeline_run(
    run: TranslationRun,
    analysed: ClipAnalysed,
    interpolator: Interpolator | None = None,
    cores: tuple[int, int] | None = None,
) -> Run:
    """What the frames between keyframes are made by.

    `cores` is how many segments to work on at once and with how many cores each, unless the device
    decides.
    """
    device = run.model.device
    # What is made elsewhere comes in order.
    at_once, workers = (1, 1) if run.remote is not None else cores or shared_cores(device)
    return Run(
        clip=run.clip,
        plan=analysed,
        size=run.size,
        keyframes=TranslatedKeyframes(run),
        interpolator=interpolator
        or make_interpolator(
            run.settings.interpolation,
            device=device,
            workers=workers,
            make_flow=_flow_maker(run.estimator),
        ),
        at_once=at_once,
        checkpoint=run.checkpoint,
        tracker=run.tracker,
        remote=run.remote,
    )


def _flow_maker(estimator: FlowEstimator) -> Callable[[FlowPreset], FlowEstimator]:
    return DisFlow if type(estimator) is DisFlow else lambda preset: estimator
