"""The pipeline, read from top to bottom: analyse, translate keyframes in batches, interpolate.

A clip goes in, events come out; closing the iterator cancels. Memory is bounded by one batch of
keyframes and one segment between two keyframes, whatever the length of the clip. Keyframes are
translated on the consumer's thread, the frames between them are made on a second one meanwhile.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from fresco_media.clip import Clip
from fresco_media.images import fit, unfit, working_size
from fresco_media.stretches import Stretches
from fresco_media.types import Frame, Image

from fresco_engine.checkpoint import Checkpoint, NoCheckpoint
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import DisFlow, FlowEstimator
from fresco_engine.diffusion.memory import release_device_memory
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.sampler import KeyframeBatch, StepDone, executed_steps, translate
from fresco_engine.errors import OutOfDeviceMemory
from fresco_engine.fallback import Ladder
from fresco_engine.frames import make_frames
from fresco_engine.interpolation.choice import shared_cores
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.lane import Lane, Timed
from fresco_engine.pace import Pace, drained
from fresco_engine.planning import analyse, check_range, keep_plan, planned
from fresco_engine.run import Keyframe, LazyModel, MadeFrame, ModelSource, Run
from fresco_engine.settings import RestyleSettings
from fresco_engine.translation import count_batches, prompt_of, translate_shot, with_colours
from fresco_engine.types import Analysed, Event, FrameReady, KeyframeReady, Restarted, Stage, Warned

_WAITING_BYTES = 64 << 20
_WAITING = (4, 32)
"""Pictures that wait to go from one lane to the other: bytes, and the least and most number."""


def restyle(
    clip: Clip,
    settings: RestyleSettings,
    model: ModelSource,
    *,
    estimator: FlowEstimator | None = None,
    interpolator: Interpolator | None = None,
    pace: Pace | None = None,
    checkpoint: Checkpoint | None = None,
) -> Generator[Event, None, None]:
    """Restyle a clip; yields events, every frame of the range exactly once and in order.

    Settings that are `None` take the model's recommendation. `model` may be what loads it; that
    is called only when a model is needed. `estimator` and `interpolator` must bear being called by
    several threads. `pace` collects seconds per stage. What `checkpoint` holds is announced again
    but not computed again, and everything else is stored in it before it is announced; the result
    is the same, bit for bit. Where the device's memory is too small, batches are made smaller,
    after that the working size: then comes `Restarted`, and everything begins anew.

    Raises:
        RangeOutsideClip: the settings name frames the clip does not have.
        InvalidSettings: the prompt is longer than the text encoder takes.
        CheckpointMismatch: the checkpoint belongs to another clip, model or to other settings.
        DiskFull: the checkpoint cannot be stored.
        OutOfDeviceMemory: the device cannot hold a batch, however small it was made.
    """
    checkpoint = checkpoint or NoCheckpoint()
    run = Run(
        clip=clip,
        settings=settings,
        size=working_size(clip.info.width, clip.info.height, settings.size),
        model=model if isinstance(model, LazyModel) else LazyModel(model),
        estimator=estimator or DisFlow(),
        interpolator=interpolator,
        checkpoint=checkpoint,
        ladder=Ladder(settings, checkpoint),
        pace=pace or Pace(),
    )
    yield from _restyled(run)


def _restyled(run: Run) -> Iterator[Event]:
    analysed = yield from planned(run)
    while True:
        run = _planned_run(run, analysed)
        yield analysed
        reason = yield from _tried(run, analysed)
        if reason is None:
            return
        yield Restarted(reason)
        analysed = _smaller(run, analysed)


def plan(clip: Clip, settings: RestyleSettings) -> Analysed:
    """What `restyle` would do: shots, keyframes and working size; no model is needed."""
    return drained(analyse(clip, settings, Pace()))


def look(clip: Clip, index: int, settings: RestyleSettings, model: Model) -> Image:
    """One frame restyled by itself, at source size, for choosing prompt and strength."""
    return drained(look_steps(clip, index, settings, model))


def look_steps(
    clip: Clip, index: int, settings: RestyleSettings, model: Model
) -> Generator[StepDone, None, Image]:
    """`look` as a generator: yields after every denoising step and returns the picture."""
    settings = model.resolved(settings)
    check_range(clip, index, index + 1)
    info = clip.info
    size = working_size(info.width, info.height, settings.size)
    frame = next(clip.frames_at([index], size=size.scaled))
    source = fit(frame.image, size)
    batch = KeyframeBatch(indices=(index,), images=(source,), prompts=(prompt_of(settings, index),))
    correspondence = correspond([source], DisFlow())
    translation = yield from translate(model, batch, settings, correspondence)
    return unfit(with_colours(translation.images[0], source, settings), size)


def _planned_run(run: Run, analysed: Analysed) -> Run:
    info = run.clip.info
    size = working_size(info.width, info.height, analysed.settings.size)
    return replace(run, settings=analysed.settings, size=size)


def _smaller(run: Run, analysed: Analysed) -> Analysed:
    """The same plan at the next smaller size; what was stored is removed."""
    run.ladder.lower_size()
    settings = run.ladder.adjusted(run.settings)
    size = working_size(run.clip.info.width, run.clip.info.height, settings.size)
    analysed = replace(analysed, settings=settings, working_size=size.padded)
    keep_plan(run, analysed)
    return analysed


def _tried(run: Run, analysed: Analysed) -> Generator[Event, None, str | None]:
    """All of the work; returns why it has to begin anew at a smaller size, if it has to."""
    try:
        yield from _restyle_shots(run, analysed)
    except OutOfDeviceMemory:
        reason = run.ladder.restart_reason
        if reason is None:
            raise
    else:
        return None
    # Only here, where nothing holds the exception, can the tensors that hang on it be freed.
    release_device_memory()
    return reason


def _restyle_shots(run: Run, analysed: Analysed) -> Iterator[Event]:
    shots = [
        tuple(key for key in analysed.keyframes if first <= key < last)
        for first, last in analysed.shots
    ]
    at_once, _ = shared_cores(run.model.device)
    run.pace.expect(Stage.INTERPOLATING, analysed.stop - analysed.start, at_once=at_once)
    run.pace.expect(Stage.TRANSLATING, _steps_left(run, shots))
    frames = Stretches(run.clip, analysed.stop, run.size)
    room = _room(run)
    work = partial(make_frames, run, analysed.stop)
    with Lane(work, inbox=room, outbox=room) as lane:
        for place, keyframes in enumerate(shots):
            done = 0
            with closing(translate_shot(run, keyframes, frames)) as items:
                for item in items:
                    if isinstance(item, Keyframe):
                        done += 1
                        yield KeyframeReady(item.index, unfit(item.image, run.size))
                        yield from _announced(run, lane.submit(item))
                    else:
                        yield item
                    if isinstance(item, Warned):  # Batches are smaller from here on.
                        run.pace.revise(Stage.TRANSLATING, _steps_left(run, shots[place:], done))
                    yield from _announced(run, lane.ready())
        yield from _announced(run, lane.finish())


def _steps_left(run: Run, shots: Sequence[tuple[int, ...]], done: int = 0) -> int:
    """Denoising steps of `shots` after the first `done` keyframes of the first of them."""
    counts = (count_batches(run, keys, 0 if i else done) for i, keys in enumerate(shots))
    return sum(counts) * executed_steps(run.settings)


def _room(run: Run) -> int:
    """How many pictures may wait between the lanes: enough for a slow step, but not for a clip."""
    width, height = run.size.padded
    least, most = _WAITING
    return max(least, min(most, _WAITING_BYTES // (3 * width * height)))


def _announced(run: Run, finished: Iterator[Timed[MadeFrame]]) -> Iterator[Event]:
    info = run.clip.info
    for made in finished:
        frame = made.item
        run.pace.spend(Stage.INTERPOLATING, made.seconds)
        with run.pace.measured(Stage.INTERPOLATING):
            image = unfit(frame.image, run.size)
        time_s = info.times[frame.index] * info.time_base
        made_frame = Frame(frame.index, time_s, image)
        yield FrameReady(made_frame, frame.is_keyframe, frame.quality)
        if frame.is_reused:
            run.pace.reused["frames"] += 1
            yield run.pace.skip(Stage.INTERPOLATING)
        elif frame.is_keyframe:  # It was there: its time would promise too much for the others.
            yield run.pace.skip(Stage.INTERPOLATING)
        else:
            yield run.pace.advance(Stage.INTERPOLATING)
