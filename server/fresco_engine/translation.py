"""The keyframes of a shot, translated batch by batch; what is stored is not translated again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from fresco_media.stills.images import fit, unfit
from fresco_media.stills.mask_picture import white_of, white_on_black
from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader
from fresco_settings import marked
from numpy.typing import NDArray

from fresco_engine.checkpoint import Checkpoint, StoredBatch
from fresco_engine.colours import colourise, keep_colours
from fresco_engine.compositing.regions import BoolMap, CarriedRegion
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import Flow, TrackingEstimator, track
from fresco_engine.correspondence.origins import Origins
from fresco_engine.diffusion.batch_run import AnchorLatents, KeyframeBatch, StepDone, Translation
from fresco_engine.diffusion.control import ShotControls
from fresco_engine.diffusion.memory import device_memory, release_device_memory
from fresco_engine.diffusion.prompting.encoding import MixedPrompt
from fresco_engine.diffusion.prompting.wording import plain_words
from fresco_engine.diffusion.sampler import translate
from fresco_engine.diffusion.samplers import batch_steps
from fresco_engine.errors import OutOfDeviceMemory
from fresco_engine.keyframes import Batch, plan_batches
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.run import Keyframe, MadeFrame
from fresco_engine.settings import RestyleSettings
from fresco_engine.translation_run import TranslationRun
from fresco_engine.types import Progress, RunWarned, Stage

Track = tuple[Flow, Flow]
Latents = NDArray[np.float32]


Item = Progress | RunWarned | Keyframe
_SAMPLES = 5
"""Keyframes of a shot that tell the range of what is found in it."""
_LEAST_SHARE = 1e-6


@dataclass(kw_only=True)
class _Shot:
    """A shot while it is worked on; pictures are at the padded working size.

    `done` keyframes are translated. `sources` holds only keyframes that are still needed, `first`
    the latents of the shot's first keyframe, `before` the record of the batch before.
    """

    keyframes: tuple[int, ...]
    frames: SpanReader
    controls: ShotControls
    sources: dict[int, Image] = field(default_factory=dict[int, Image])
    done: int = 0
    first: Latents | None = None
    before: StoredBatch | None = None


@dataclass(frozen=True)
class _Work:
    """A batch, its record if it has one, and those of its new keyframes that are there.

    `regions` are those of keyframes that were translated just now.
    """

    batch: Batch
    record: StoredBatch | None
    pictures: dict[int, Image]
    regions: dict[int, BoolMap] = field(default_factory=dict[int, BoolMap])

    @property
    def missing(self) -> tuple[int, ...]:
        """Keyframes that have to be translated."""
        return tuple(index for index in self.batch.new if index not in self.pictures)


@dataclass(frozen=True)
class TranslatedKeyframes:
    """Keyframes that the model makes of the source's, and some that were painted already."""

    run: TranslationRun

    def of_shot(
        self, keyframes: tuple[int, ...], frames: SpanReader
    ) -> Generator[Item, None, None]:
        """As `translate_shot`."""
        return translate_shot(self.run, keyframes, frames)

    def at_source_size(self, keyframe: Keyframe) -> Image:
        """The keyframe at the size of the clip, which shows its own pixels outside the region."""
        composer = self.run.composer
        return self._finished(keyframe.index, keyframe.image, composer and composer.keyframe)

    def frame_at_source_size(self, frame: MadeFrame) -> Image:
        """A frame, likewise."""
        composer, region = self.run.composer, self.run.region
        finished = self._finished(frame.index, frame.image, composer and composer.frame)
        if region is not None:
            region.leave(frame.index)
        return finished

    def _finished(
        self, index: int, image: Image, compose: Callable[[int, Image], Image] | None
    ) -> Image:
        """At the clip's size; what was composed is stored, and not composed again."""
        made = unfit(image, self.run.size)
        if compose is None:
            return made
        stored = self.run.checkpoint.load("composites", index)
        if stored is None:
            stored = compose(index, made)
            self.run.checkpoint.save("composites", index, stored)
        return stored

    def steps_left(self, shots: Sequence[tuple[int, ...]], done: int = 0) -> int:
        """Denoising steps of `shots` after the first `done` keyframes of the first of them."""
        counts = (count_batches(self.run, keys, 0 if i else done) for i, keys in enumerate(shots))
        return sum(counts) * batch_steps(self.run.settings)


def translate_shot(
    run: TranslationRun, keyframes: tuple[int, ...], frames: SpanReader
) -> Generator[Item, None, None]:
    """The keyframes of one shot in order; each is stored before it is yielded.

    Raises:
        OutOfDeviceMemory: the device cannot hold a batch, and smaller ones were tried.
        KeyframesUnusable: a painted keyframe cannot be read.
    """
    controls = ShotControls(partial(_sample, run, keyframes))
    shot = _Shot(keyframes=keyframes, frames=frames, controls=controls)
    while shot.done < len(keyframes):
        is_made = yield from _made_elsewhere(run, shot)
        work = _next_work(run, shot)
        reused = 0 if is_made else len(work.pictures)
        record = work.record
        if record is not None and not work.missing:
            if not is_made:
                yield run.tracker.skip(Stage.TRANSLATING, batch_steps(run.settings))
        else:
            record = yield from _tried(run, shot, work)
            if record is None:
                continue
        run.tracker.reused["keyframes"] += reused
        for index in work.batch.new:
            _add_region(run, index, work.regions.get(index))
            yield Keyframe(index, work.pictures[index])
        _take_in(shot, record)


def translate_batch(
    run: TranslationRun,
    keyframes: tuple[int, ...],
    frames: SpanReader,
    *,
    done: int,
    before: int | None,
) -> Generator[Progress | RunWarned, None, bool]:
    """The batch behind the first `done` keyframes of a shot alone; everything is stored.

    Where it has anchors, the records of the shot's first batch and of that before, whose first new
    keyframe is `before`, are stored. Returns whether it is made; if not, batches have to be planned
    anew as the stored adjustments say.

    Raises as `translate_shot`.
    """
    shot = _Shot(
        keyframes=keyframes,
        frames=frames,
        controls=ShotControls(partial(_sample, run, keyframes)),
        done=done,
        before=None if before is None else run.checkpoint.batch(before),
    )
    if done and (first := run.checkpoint.batch(keyframes[0])) is not None:
        shot.first = first.first
    work = _next_work(run, shot)
    if work.record is not None and not work.missing:
        return True
    return (yield from _tried(run, shot, work)) is not None


def _made_elsewhere(
    run: TranslationRun, shot: _Shot
) -> Generator[Progress | RunWarned, None, bool]:
    """Whether the next batch was made for this run by somebody else, and is stored now."""
    if run.remote is None:
        return False
    batch = run.remote.batch(shot.keyframes, shot.done)
    items = run.tracker.timed(Stage.TRANSLATING, batch)
    while True:
        try:
            item = next(items)
        except StopIteration as end:
            return end.value
        if isinstance(item, RunWarned):
            run.fallback.reload()
            yield item
        else:
            yield run.tracker.advance(Stage.TRANSLATING, item)


def _sample(run: TranslationRun, keyframes: Sequence[int]) -> Iterator[tuple[int, Image]]:
    """Some of a shot's keyframes, the first and the last among them, evenly spread."""
    most = len(keyframes) - 1
    chosen = sorted({keyframes[round(most * n / (_SAMPLES - 1))] for n in range(_SAMPLES)})
    for frame in run.clip.frames_at(chosen, size=run.size.scaled):
        yield frame.index, fit(frame.image, run.size)


def count_batches(run: TranslationRun, keyframes: tuple[int, ...], done: int = 0) -> int:
    """How many batches are left after the first `done` keyframes, stored ones among them."""
    return len(batches_of(run.checkpoint, keyframes, run.fallback.batch_size, done))


def batches_of(
    checkpoint: Checkpoint, keyframes: tuple[int, ...], batch_size: int, done: int = 0
) -> list[Batch]:
    """The batches of a shot after its first `done` keyframes: as stored, the rest as planned."""
    batches: list[Batch] = []
    while (record := _stored_batch(checkpoint, keyframes, done)) is not None:
        batches.append(Batch(record.anchors, record.new))
        done += len(record.new)
    return [*batches, *plan_batches(keyframes, batch_size, done)]


def _stored_batch(
    checkpoint: Checkpoint, keyframes: tuple[int, ...], done: int
) -> StoredBatch | None:
    if done == len(keyframes):
        return None
    record = checkpoint.batch(keyframes[done])
    if record is None or record.new != keyframes[done : done + len(record.new)]:
        return None
    return record


def _next_work(run: TranslationRun, shot: _Shot) -> _Work:
    record = _stored_batch(run.checkpoint, shot.keyframes, shot.done)
    if record is not None:
        batch = Batch(record.anchors, record.new)
    else:
        batch = plan_batches(shot.keyframes, run.fallback.batch_size, shot.done)[0]
    stored = ((index, _stored_or_painted(run, index)) for index in batch.new)
    return _Work(batch, record, {index: image for index, image in stored if image is not None})


def _stored_or_painted(run: TranslationRun, index: int) -> Image | None:
    """A keyframe that needs no translation."""
    is_painted = index in run.painted.files
    image = run.checkpoint.load("keyframes", index)
    if not is_painted and not _has_region(run, index):
        return None
    if image is None and is_painted:
        image = fit(run.painted.read(index), run.size)
        run.checkpoint.save("keyframes", index, image)
    return image


def _has_region(run: TranslationRun, index: int) -> bool:
    """Whether it is known where a keyframe may be changed."""
    if not isinstance(run.region, CarriedRegion):
        return True
    return run.checkpoint.load("regions", index) is not None


def _add_region(run: TranslationRun, index: int, found: BoolMap | None) -> None:
    """Let the frames about a keyframe know where it may be changed: a painted one everywhere."""
    if not isinstance(run.region, CarriedRegion):
        return
    if found is None:
        stored = run.checkpoint.load("regions", index)
        width, height = run.size.padded
        found = np.ones((height, width), np.bool_) if stored is None else white_of(stored)
    run.region.add(index, found, run.size)


def _take_in(shot: _Shot, record: StoredBatch) -> None:
    """Go on behind a batch; its last frame and the shot's first are the next one's anchors."""
    shot.done += len(record.new)
    shot.first = record.first if shot.first is None else shot.first
    shot.before = record
    kept = {shot.keyframes[0], record.new[-1]} & shot.sources.keys()
    shot.sources = {index: shot.sources[index] for index in kept}


def _tried(
    run: TranslationRun, shot: _Shot, work: _Work
) -> Generator[Progress | RunWarned, None, StoredBatch | None]:
    """Translates what is missing; None if batches have to be planned anew for it first."""
    model, (width, height) = run.model(), run.size.padded
    if notes := run.fallback.plan(model, run.settings, height, width):
        yield from map(RunWarned, notes)
        return None
    try:
        return (yield from _translate_missing(run, shot, work))
    except OutOfDeviceMemory as error:
        note = run.fallback.tile(model, height, width) if error.is_of_autoencoder else None
        note = note or run.fallback.lower_batch(len(work.batch.frames))
        if note is None:
            raise
    # Only here, where nothing holds the exception, can the tensors that hang on it be freed.
    release_device_memory()
    yield RunWarned(note)
    return None


def _translate_missing(
    run: TranslationRun, shot: _Shot, work: _Work
) -> Generator[Progress | RunWarned, None, StoredBatch]:
    """Stored keyframes and records are kept as they are; the others are stored as they come."""
    record = work.record
    while record is None or work.missing:
        part = work.batch if record is None else _part(run, work)
        translation = yield from run.tracker.timed(Stage.TRANSLATING, _translation(run, shot, part))
        if record is None:
            record = _record(part, translation.anchors)
            run.checkpoint.save_batch(record)
        for place, index in enumerate(part.frames):
            if index in work.missing:
                if translation.regions is not None:
                    work.regions[index] = translation.regions[place]
                    run.checkpoint.save("regions", index, white_on_black(work.regions[index]))
                image = translation.images[place]
                finished = with_colours(image, _source(shot, index), run.settings)
                run.checkpoint.save("keyframes", index, finished)
                work.pictures[index] = finished
    return record


def _part(run: TranslationRun, work: _Work) -> Batch:
    """The whole batch, for the sake of its missing keyframes, or those alone if it is too big."""
    limit = run.fallback.batch_size
    if len(work.batch.frames) <= limit:
        return work.batch
    anchors = work.batch.anchors if limit > 2 else ()
    return Batch(anchors, work.missing[: limit - len(anchors)])


def _record(batch: Batch, anchors: AnchorLatents) -> StoredBatch:
    first, last = (torch.cat(latents).numpy() for latents in (anchors.first, anchors.last))
    frame, place = anchors.origins.frame.to(torch.int32).numpy(), anchors.origins.place.numpy()
    return StoredBatch(batch.anchors, batch.new, first, last, frame, place)


def _translation(
    run: TranslationRun, shot: _Shot, batch: Batch
) -> Generator[Progress | RunWarned, None, Translation]:
    tracks = _tracks(run, shot, batch)
    images = tuple(_source(shot, index) for index in batch.frames)
    inputs = KeyframeBatch(
        indices=batch.frames,
        images=images,
        prompts=tuple(prompt_of(run.settings, index) for index in batch.frames),
        anchors=_anchors(shot) if batch.anchors else None,
        shot_controls=shot.controls,
        picture=run.reference and run.reference.prompt,
    )
    model = run.fallback.adapted(run.model())
    with device_memory("comparing keyframes"):
        correspondence = correspond(
            images,
            run.estimator,
            tracks=tracks,
            linked=[pair != batch.anchors for pair in pairwise(batch.frames)],
            subject=run.subject,
            indices=batch.frames,
            device=model.device,
        )
    if run.named is not None and bool(correspondence.foreground.all()):
        yield RunWarned(
            f"“{run.named.words}” was not found in keyframes {batch.frames[0]} to "
            f"{batch.frames[-1]}, or fills them: nothing there counts as background; other words "
            f"for {marked('subject')} may find it"
        )
    steps = translate(model, inputs, run.settings, correspondence, run.checkpoint)
    return (yield from _as_progress(steps, run.tracker))


def _anchors(shot: _Shot) -> AnchorLatents:
    assert shot.first is not None
    assert shot.before is not None
    # Copied, as what is read from a file may not be written to.
    first, last = (
        tuple(torch.from_numpy(latent.copy())[None] for latent in latents)
        for latents in (shot.first, shot.before.last)
    )
    frame = torch.from_numpy(shot.before.origin_frame.astype(np.int64))
    place = torch.from_numpy(shot.before.origin_place.copy())
    return AnchorLatents(first, last, Origins(frame, place))


def _source(shot: _Shot, index: int) -> Image:
    if index not in shot.sources:
        shot.sources[index] = shot.frames.at(index)
    return shot.sources[index]


def _tracks(run: TranslationRun, shot: _Shot, batch: Batch) -> list[Track] | None:
    """Flows between the neighbours of a batch; those of its two anchors lie too far apart.

    Motion from one keyframe to the next is followed through the frames between. None where the
    estimator has no use for these: then it is asked for the whole ring at once.
    """
    if not isinstance(run.estimator, TrackingEstimator):
        return None
    begin = max(0, shot.done - 1)
    followed = set(pairwise(shot.keyframes[begin : shot.done + len(batch.new)]))
    followed.discard(batch.anchors)
    tracks: list[Track] = []
    for left, right in pairwise(batch.frames):
        first = _source(shot, left)
        if (left, right) in followed:
            between = list(shot.frames.read(left + 1, right + 1))
            shot.sources[right] = between[-1]
        else:
            between = [_source(shot, right)]
        tracks.append(track([first, *between], run.estimator))
    return tracks


def _as_progress(
    steps: Generator[StepDone, None, Translation], tracker: ProgressTracker
) -> Generator[Progress, None, Translation]:
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        done = tracker.skip if step.is_reused else tracker.advance
        yield done(Stage.TRANSLATING)


def prompt_of(settings: RestyleSettings, index: int) -> str | MixedPrompt:
    """The prompt of one source frame: the job's, the style's, and what was added for the frame.

    What shares of styles leave of 1, or have more than it, is the prompt without a style.
    """

    def said(style: str) -> str:
        given = (settings.prompt, style, settings.keyframe_prompts.get(index, ""))
        texts = (plain_words(text.strip()) for text in given)
        return ", ".join(text for text in texts if text)

    if settings.style_prompt is None or isinstance(settings.style_prompt, str):
        return said(settings.style_prompt or "")
    parts = tuple((said(words), share) for words, share in settings.style_prompt.items())
    rest = 1.0 - sum(share for _, share in parts)
    return MixedPrompt(parts if abs(rest) < _LEAST_SHARE else (*parts, (said(""), rest)))


def with_colours(image: Image, source: Image, settings: RestyleSettings) -> Image:
    """The colour options, applied to a translated keyframe."""
    if settings.colourise:
        image = colourise(image, source)
    return keep_colours(image, source, settings.keep_colours)
