"""The pipeline, read from top to bottom: analyse, translate keyframes in batches, interpolate.

A clip goes in, events come out; closing the iterator cancels. Memory is bounded by one batch of
keyframes and one segment between two keyframes, whatever the length of the clip.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from fresco_engine.colours import colourise, keep_colours
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import DisFlow, Flow, FlowEstimator, track
from fresco_engine.diffusion.models import Model
from fresco_engine.diffusion.sampler import (
    AnchorLatents,
    KeyframeBatch,
    StepDone,
    Translation,
    executed_steps,
    translate,
)
from fresco_engine.errors import RangeOutsideClip
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.segment import Interpolator, Segment
from fresco_engine.keyframes import Analyser, Batch, find_shots, plan_batches, select_keyframes
from fresco_engine.media.clip import Clip
from fresco_engine.media.images import WorkingSize, fit, unfit, working_size
from fresco_engine.pace import Pace, drained
from fresco_engine.settings import RestyleSettings, resolve
from fresco_engine.types import (
    Analysed,
    Event,
    Frame,
    FrameReady,
    Image,
    KeyframeReady,
    Progress,
    Stage,
    Warned,
)

_ANALYSIS_SHORT_SIDE = 96
Track = tuple[Flow, Flow]


def restyle(
    clip: Clip,
    settings: RestyleSettings,
    model: Model,
    *,
    estimator: FlowEstimator | None = None,
    interpolator: Interpolator | None = None,
    pace: Pace | None = None,
) -> Iterator[Event]:
    """Restyle a clip; yields events, every frame of the range exactly once and in order.

    Settings that are `None` take the model's recommendation. `pace` collects seconds per stage.

    Raises:
        RangeOutsideClip: the settings name frames the clip does not have.
        InvalidSettings: the prompt is longer than the text encoder takes.
        OutOfDeviceMemory: the device cannot hold a batch.
    """
    estimator = estimator or DisFlow()
    run = _Run(
        clip=clip,
        settings=resolve(settings, model.defaults),
        model=model,
        estimator=estimator,
        interpolator=interpolator
        or make_interpolator(settings.interpolation, device=str(model.device)),
        pace=pace or Pace(),
    )
    yield from (Warned(text) for text in (*clip.warnings, *_doubts(run.settings)))
    analysed = yield from run.pace.timed(Stage.ANALYSING, _analyse(clip, run.settings, run.pace))
    yield analysed
    yield from _restyle_shots(run, analysed)


def _doubts(settings: RestyleSettings) -> Iterator[str]:
    """Settings that are valid but do not do what they seem to; `settings` must be resolved."""
    if settings.negative_prompt and (settings.guidance_scale or 0) <= 1:
        yield (
            f"the negative prompt has no effect at a guidance of {settings.guidance_scale}; "
            "raise --guidance above 1 to use it"
        )


def plan(clip: Clip, settings: RestyleSettings) -> Analysed:
    """What `restyle` would do: shots, keyframes and working size; no model is needed."""
    return drained(_analyse(clip, settings, Pace()))


def look(clip: Clip, index: int, settings: RestyleSettings, model: Model) -> Image:
    """One frame restyled by itself, at source size, for choosing prompt and strength."""
    settings = resolve(settings, model.defaults)
    _check_range(clip, index, index + 1)
    info = clip.info
    size = working_size(info.width, info.height, settings.size)
    frame = next(clip.frames_at([index], size=size.scaled))
    source = fit(frame.image, size)
    batch = KeyframeBatch(indices=(index,), images=(source,), prompts=(_prompt(settings, index),))
    correspondence = correspond([source], DisFlow())
    translation = drained(translate(model, batch, settings, correspondence))
    return unfit(_finish(translation.images[0], source, settings), size)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What stays the same for a whole job."""

    clip: Clip
    settings: RestyleSettings
    model: Model
    estimator: FlowEstimator
    interpolator: Interpolator
    pace: Pace


@dataclass(kw_only=True)
class _Shot:
    """A shot while it is worked on; pictures are at the padded working size.

    `sources` and `translated` hold only keyframes that are still needed, `tracks` the flows from
    one keyframe to the next and back, by both indices; `left_source` and `left_image` are those
    of the last keyframe whose frames have been emitted.
    """

    keyframes: tuple[int, ...]
    size: WorkingSize
    sources: dict[int, Image] = field(default_factory=dict[int, Image])
    translated: dict[int, Image] = field(default_factory=dict[int, Image])
    tracks: dict[tuple[int, int], Track] = field(default_factory=dict[tuple[int, int], Track])
    anchors: AnchorLatents | None = None
    next_frame: int = 0
    left_source: Image | None = None
    left_image: Image | None = None


def _analyse(
    clip: Clip, settings: RestyleSettings, pace: Pace
) -> Generator[Progress, None, Analysed]:
    start = settings.start
    stop = clip.info.frame_count if settings.stop is None else settings.stop
    _check_range(clip, start, stop)
    pace.expect(Stage.ANALYSING, stop - start)
    small = working_size(clip.info.width, clip.info.height, _ANALYSIS_SHORT_SIDE).scaled
    analyser = Analyser()
    for frame in clip.frames(start, stop, size=small):
        analyser.add(frame)
        yield pace.advance(Stage.ANALYSING)
    analysis = analyser.finish()
    shots = find_shots(analysis)
    keyframes = select_keyframes(analysis, shots, settings.keyframe_min, settings.keyframe_max)
    size = working_size(clip.info.width, clip.info.height, settings.size)
    return Analysed(
        info=clip.info,
        settings=settings,
        start=start,
        stop=stop,
        shots=shots,
        keyframes=keyframes,
        working_size=size.padded,
    )


def _check_range(clip: Clip, start: int, stop: int) -> None:
    count = clip.info.frame_count
    if not 0 <= start < stop <= count:
        raise RangeOutsideClip(clip.info.path, start, stop, count)


def _restyle_shots(run: _Run, analysed: Analysed) -> Iterator[Event]:
    size = working_size(run.clip.info.width, run.clip.info.height, run.settings.size)
    ahead = run.clip.frames(analysed.start, analysed.stop, size=size.scaled)
    frames = run.clip.frames(analysed.start, analysed.stop, size=size.scaled)
    shots = [
        tuple(key for key in analysed.keyframes if first <= key < last)
        for first, last in analysed.shots
    ]
    _expect(run, analysed, shots)
    for keyframes in shots:
        shot = _Shot(keyframes=keyframes, size=size, next_frame=keyframes[0])
        for batch in plan_batches(keyframes, run.settings.batch_size):
            yield from _translate_batch(run, shot, batch, ahead)
            yield from run.pace.timed(Stage.INTERPOLATING, _emit_segments(run, shot, frames))


def _expect(run: _Run, analysed: Analysed, shots: Sequence[tuple[int, ...]]) -> None:
    batches = sum(len(plan_batches(keys, run.settings.batch_size)) for keys in shots)
    run.pace.expect(Stage.TRANSLATING, batches * executed_steps(run.settings))
    run.pace.expect(Stage.INTERPOLATING, analysed.stop - analysed.start)


def _translate_batch(
    run: _Run, shot: _Shot, batch: Batch, ahead: Iterator[Frame]
) -> Iterator[Event]:
    translation = yield from run.pace.timed(
        Stage.TRANSLATING, _translation(run, shot, batch, ahead)
    )
    shot.anchors = translation.anchors
    for index, image in zip(batch.frames, translation.images, strict=True):
        if index in batch.new:
            finished = _finish(image, shot.sources[index], run.settings)
            shot.translated[index] = finished
            yield KeyframeReady(index, unfit(finished, shot.size))
    # The next batch's anchor frames.
    kept = {shot.keyframes[0], batch.frames[-1]}
    shot.sources = {index: shot.sources[index] for index in kept}
    shot.tracks.clear()


def _translation(
    run: _Run, shot: _Shot, batch: Batch, ahead: Iterator[Frame]
) -> Generator[Progress, None, Translation]:
    for index in batch.new:
        _read_keyframe(run, shot, index, ahead)
    images = tuple(shot.sources[index] for index in batch.frames)
    inputs = KeyframeBatch(
        indices=batch.frames,
        images=images,
        prompts=tuple(_prompt(run.settings, index) for index in batch.frames),
        anchors=shot.anchors if batch.anchors else None,
    )
    correspondence = correspond(
        images, run.estimator, tracks=_tracks(run, shot, batch.frames), device=run.model.device
    )
    steps = translate(run.model, inputs, run.settings, correspondence)
    return (yield from _as_progress(steps, run.pace))


def _read_keyframe(run: _Run, shot: _Shot, index: int, ahead: Iterator[Frame]) -> None:
    """Read on up to the keyframe `index`, following motion from the keyframe before it."""
    position = shot.keyframes.index(index)
    if position == 0:
        shot.sources[index] = fit(next(ahead).image, shot.size)
        return
    left = shot.keyframes[position - 1]
    pictures = [fit(frame.image, shot.size) for frame in islice(ahead, index - left)]
    shot.tracks[left, index] = track([shot.sources[left], *pictures], run.estimator)
    shot.sources[index] = pictures[-1]


def _tracks(run: _Run, shot: _Shot, indices: Sequence[int]) -> list[Track]:
    """Flows between the neighbours of a batch; those of its two anchors lie too far apart."""
    return [
        shot.tracks.get((left, right))
        or track([shot.sources[left], shot.sources[right]], run.estimator)
        for left, right in pairwise(indices)
    ]


def _as_progress(
    steps: Generator[StepDone, None, Translation], pace: Pace
) -> Generator[Progress, None, Translation]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        yield pace.advance(Stage.TRANSLATING)


def _emit_segments(run: _Run, shot: _Shot, frames: Iterator[Frame]) -> Generator[Event, None, None]:
    """Every frame up to the last translated keyframe that has not been emitted yet."""
    for key in sorted(shot.translated):
        yield from _emit_up_to(run, shot, key, list(islice(frames, key + 1 - shot.next_frame)))
        shot.next_frame = key + 1


def _emit_up_to(
    run: _Run, shot: _Shot, key: int, frames: list[Frame]
) -> Generator[Event, None, None]:
    """The frames after the last emitted keyframe, up to and with the keyframe `key`."""
    sources = [fit(frame.image, shot.size) for frame in frames]
    key_image = shot.translated.pop(key)
    if len(frames) > 1:
        assert shot.left_source is not None
        segment = Segment(
            sources=[shot.left_source, *sources],
            first_key=shot.left_image,
            last_key=key_image,
        )
        for made in run.interpolator(segment):
            yield from _emit(run, shot, frames[made.offset - 1], made.image, is_keyframe=False)
    yield from _emit(run, shot, frames[-1], key_image, is_keyframe=True)
    shot.left_source, shot.left_image = sources[-1], key_image


def _emit(
    run: _Run, shot: _Shot, source: Frame, image: Image, *, is_keyframe: bool
) -> Generator[Event, None, None]:
    yield FrameReady(Frame(source.index, source.time_s, unfit(image, shot.size)), is_keyframe)
    yield run.pace.advance(Stage.INTERPOLATING)


def _prompt(settings: RestyleSettings, index: int) -> str:
    """The prompt of one source frame: the job's, and what was added for this frame."""
    extra = settings.keyframe_prompts.get(index, "").strip()
    return f"{settings.prompt.strip()}, {extra}" if extra else settings.prompt.strip()


def _finish(image: Image, source: Image, settings: RestyleSettings) -> Image:
    """The colour options, applied to a translated keyframe."""
    if settings.colourise:
        image = colourise(image, source)
    return keep_colours(image, source, settings.keep_colours)
