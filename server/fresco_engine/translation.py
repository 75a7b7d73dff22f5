"""The keyframes of a shot, translated batch by batch; what is stored is not translated again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import torch
from fresco_media.stills.images import fit, unfit
from fresco_media.stills.mask_picture import white_of, white_on_black
from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader
from fresco_settings import marked
from numpy.typing import NDArray

from fresco_engine.batches import Batch, BatchOrder, Chain, in_order
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
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.run import Keyframe, MadeFrame
from fresco_engine.settings import RestyleSettings
from fresco_engine.translation_run import TranslationRun
from fresco_engine.types import Progress, RunWarned, Stage

Track = tuple[Flow, Flow]

Item = Progress | RunWarned | Keyframe
_SAMPLES = 5
"""Keyframes of a shot that tell the range of what is found in it."""
_LEAST_SHARE = 1e-6


@dataclass(kw_only=True)
class _Shot:
    """A shot while it is worked on; pictures are at the padded working size.

    `sources` holds only keyframes that are still needed, `records` those of keyframes that batches
    to come begin with, by the frame that they are of; `first` is that of the shot's first batch.
    """

    keyframes: tuple[int, ...]
    frames: SpanReader
    controls: ShotControls
    sources: dict[int, Image] = field(default_factory=dict[int, Image])
    records: dict[int, StoredBatch] = field(default_factory=dict[int, StoredBatch])
    first: StoredBatch | None = None

    @cached_property
    def steps(self) -> frozenset[tuple[int, int]]:
        """Each keyframe with the next one."""
        return frozenset(pairwise(self.keyframes))

    def before(self, batch: Batch) -> StoredBatch:
        """The record of the keyframe that a batch follows, or of one that was there and is gone."""
        known = self.records.get(batch.anchors[1])
        return known or self.records[max(key for key in self.records if key < batch.new[0])]

    def know(self, record: StoredBatch) -> None:
        """Let batches begin with a frame that is translated."""
        self.records[record.frame] = record
        if self.keyframes[0] in record.new:
            self.first = record


@dataclass(frozen=True)
class _Work:
    """A batch, its records if it has them, and those of its new keyframes that are there.

    `regions` are those of keyframes that were translated just now.
    """

    batch: Batch
    records: tuple[StoredBatch, ...]
    pictures: dict[int, Image]
    regions: dict[int, BoolMap] = field(default_factory=dict[int, BoolMap])

    @property
    def missing(self) -> tuple[int, ...]:
        """Keyframes that have to be translated."""
        return tuple(index for index in self.batch.new if index not in self.pictures)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to translate."""
        return bool(self.records) and not self.missing


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
    shot, order = _shot(run, keyframes, frames), BatchOrder(keyframes, run.ahead)
    waiting: dict[int, Callable[[], Keyframe]] = {}
    left = deque(keyframes)
    while (place := order.next) is not None:
        part, done = place
        is_made = yield from _made_elsewhere(run, part.keyframes[done])
        batch, record = _next_batch(run.checkpoint, part, done, run.fallback.batch_size)
        work = _work(run, batch, record)
        reused = 0 if is_made else len(work.pictures)
        records = work.records
        if not work.is_done:
            records = yield from _tried(run, shot, work)
            if not records:
                continue
        elif not is_made:
            yield run.tracker.skip(Stage.TRANSLATING, batch_steps(run.settings))
        run.tracker.reused["keyframes"] += reused
        waiting |= {index: partial(_finished, run, work, index) for index in batch.new}
        while left and left[0] in waiting:
            yield waiting.pop(left.popleft())()
        order.advance(batch)
        _take_in(shot, batch, records, left)


def _shot(run: TranslationRun, keyframes: tuple[int, ...], frames: SpanReader) -> _Shot:
    controls = ShotControls(partial(_sample, run, keyframes))
    return _Shot(keyframes=keyframes, frames=frames, controls=controls)


def _finished(run: TranslationRun, work: _Work, index: int) -> Keyframe:
    """A keyframe whose turn it is to be told of."""
    _add_region(run, index, work.regions.get(index))
    return Keyframe(index, work.pictures[index])


def translate_batch(
    run: TranslationRun,
    keyframes: tuple[int, ...],
    frames: SpanReader,
    batch: Batch,
    records: Iterable[int],
) -> Generator[Progress | RunWarned, None, bool]:
    """A batch of a shot alone; everything is stored.

    `records` are the keys of the stored ones that hold the latents of its anchors. Returns whether
    it is made; if not, batches have to be planned anew as the stored adjustments say.

    Raises as `translate_shot`.
    """
    shot = _shot(run, keyframes, frames)
    for key in records:
        if (record := run.checkpoint.batch(key)) is not None:
            shot.know(record)
    work = _work(run, batch)
    return work.is_done or bool((yield from _tried(run, shot, work)))


def _made_elsewhere(run: TranslationRun, first: int) -> Generator[Progress | RunWarned, None, bool]:
    """Whether the batch that begins with `first` was made for this run by somebody else."""
    if run.remote is None:
        return False
    batch = run.remote.batch(first)
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
    batches = batches_of(run.checkpoint, keyframes, run.ahead, run.fallback.batch_size)
    left = frozenset(keyframes[done:])
    return sum(not left.isdisjoint(batch.new) for batch in batches)


def batches_of(
    checkpoint: Checkpoint, keyframes: tuple[int, ...], ahead: Set[int], batch_size: int
) -> list[Batch]:
    """The batches of a shot in their order: as stored, the rest as planned."""

    def batch_of(part: Chain, done: int) -> Batch:
        return _next_batch(checkpoint, part, done, batch_size)[0]

    return list(in_order(keyframes, ahead, batch_of))


def record_keys(batches: Sequence[Batch]) -> dict[int, int]:
    """By frames that other batches begin with: the key of the record that has their latents.

    Of a batch whose last keyframe is none any more the latents are still that one's.
    """
    keys: dict[int, int] = {}
    for batch, before in zip(batches, [None, *batches], strict=False):
        if before is None:
            keys[batch.new[0]] = batch.new[0]
        elif batch.anchors:
            keys.setdefault(batch.anchors[1], before.new[0])
        keys |= {key: key for key in batch.new} if batch.is_ahead else {batch.new[-1]: batch.new[0]}
    return keys


def _next_batch(
    checkpoint: Checkpoint, part: Chain, done: int, batch_size: int
) -> tuple[Batch, StoredBatch | None]:
    """The batch behind the first `done` keyframes of a chain: as stored with its first record, or
    as planned.
    """
    record = checkpoint.batch(part.keyframes[done])
    if record is not None and record.new == part.keyframes[done : done + len(record.new)]:
        return Batch(record.anchors, record.new, part.is_ahead), record
    return part.batches(batch_size, done)[0], None


def stored_records(
    checkpoint: Checkpoint, batch: Batch, first: StoredBatch | None = None
) -> tuple[StoredBatch, ...]:
    """The records of a batch, of which the `first` may be at hand; none if not all are there."""
    keys = batch.new if batch.is_ahead else batch.new[:1]
    found = [first or checkpoint.batch(keys[0]), *map(checkpoint.batch, keys[1:])]
    records = tuple(one for one in found if one is not None and one.new == batch.new)
    return records if len(records) == len(keys) else ()


def _work(run: TranslationRun, batch: Batch, first: StoredBatch | None = None) -> _Work:
    stored = ((index, _stored_or_painted(run, index)) for index in batch.new)
    pictures = {index: image for index, image in stored if image is not None}
    return _Work(batch, stored_records(run.checkpoint, batch, first), pictures)


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


def _take_in(
    shot: _Shot, batch: Batch, records: Iterable[StoredBatch], left: Sequence[int]
) -> None:
    """Go on behind a batch, with `left` still to be told of."""
    for record in records:
        shot.know(record)
    latest = max((key for key in shot.records if not left or key < left[0]), default=0)
    shot.records = {key: record for key, record in shot.records.items() if key >= latest}
    kept = {shot.keyframes[0], batch.new[-1]} & shot.sources.keys()
    shot.sources = {index: shot.sources[index] for index in kept}


def _tried(
    run: TranslationRun, shot: _Shot, work: _Work
) -> Generator[Progress | RunWarned, None, tuple[StoredBatch, ...]]:
    """Translates what is missing; none if batches have to be planned anew for it first."""
    model, (width, height) = run.model(), run.size.padded
    if notes := run.fallback.plan(model, run.settings, height, width):
        yield from map(RunWarned, notes)
        return ()
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
    return ()


def _translate_missing(
    run: TranslationRun, shot: _Shot, work: _Work
) -> Generator[Progress | RunWarned, None, tuple[StoredBatch, ...]]:
    """Stored keyframes and records are kept as they are; the others are stored as they come."""
    records = work.records
    while not records or work.missing:
        part = _part(run, work) if records else work.batch
        translation = yield from run.tracker.timed(Stage.TRANSLATING, _translation(run, shot, part))
        if not records:
            records = tuple(_records(part, translation))
            # The first says that there is one of each.
            for record in reversed(records):
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
    return records


def _part(run: TranslationRun, work: _Work) -> Batch:
    """The whole batch, for the sake of its missing keyframes, or those alone if it is too big."""
    limit = run.fallback.batch_size
    if len(work.batch.frames) <= limit:
        return work.batch
    anchors = work.batch.opening if limit > 2 else ()
    return Batch(anchors, work.missing[: limit - len(anchors)])


def _records(batch: Batch, translation: Translation) -> Iterator[StoredBatch]:
    """What is kept of the latents: those of the frames that other batches may begin with."""
    for key in batch.new if batch.is_ahead else batch.new[-1:]:
        place = batch.frames.index(key)
        origins = translation.origins[place]
        yield StoredBatch(
            anchors=batch.anchors,
            new=batch.new,
            first=torch.stack([x[0] for x in translation.latents]).numpy(),
            last=torch.stack([x[place] for x in translation.latents]).numpy(),
            origin_frame=origins.frame.to(torch.int32).numpy(),
            origin_place=origins.place.numpy(),
            ahead=key if batch.is_ahead else None,
        )


def _translation(
    run: TranslationRun, shot: _Shot, batch: Batch
) -> Generator[Progress | RunWarned, None, Translation]:
    tracks = _tracks(run, shot, batch)
    images = tuple(_source(shot, index) for index in batch.frames)
    inputs = KeyframeBatch(
        indices=batch.frames,
        images=images,
        prompts=tuple(prompt_of(run.settings, index) for index in batch.frames),
        anchors=_anchors(shot, batch),
        passed_on=len(batch.new) if batch.is_ahead else 1,
        shot_controls=shot.controls,
        picture=run.reference and run.reference.prompt,
    )
    model = run.fallback.adapted(run.model())
    with device_memory("comparing keyframes"):
        correspondence = correspond(
            images,
            run.estimator,
            tracks=tracks,
            linked=[pair != batch.opening for pair in pairwise(batch.frames)],
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


def _anchors(shot: _Shot, batch: Batch) -> AnchorLatents | None:
    if not batch.anchors:
        return None
    assert shot.first is not None
    before = shot.before(batch)
    after = next(map(shot.records.get, batch.anchors[2:]), None)
    frame = torch.from_numpy(before.origin_frame.astype(np.int64))
    place = torch.from_numpy(before.origin_place.copy())
    return AnchorLatents(
        _latents(shot.first.first),
        _latents(before.last),
        Origins(frame, place),
        None if after is None else _latents(after.last),
    )


def _latents(stored: NDArray[np.float32]) -> tuple[torch.Tensor, ...]:
    # Copied, as what is read from a file may not be written to.
    return tuple(torch.from_numpy(latent.copy())[None] for latent in stored)


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
    tracks: list[Track] = []
    for left, right in pairwise(batch.frames):
        is_step = batch.is_ahead or (left, right) in shot.steps
        path = _followed if is_step and (left, right) != batch.opening else _jump
        tracks.append(track(path(shot, left, right), run.estimator))
    return tracks


def _jump(shot: _Shot, left: int, right: int) -> Iterator[Image]:
    yield _source(shot, left)
    yield _source(shot, right)


def _followed(shot: _Shot, left: int, right: int) -> Iterator[Image]:
    """From one keyframe to another through all frames between; that one is at hand then."""
    yield _source(shot, left)
    for index, image in enumerate(shot.frames.read(left + 1, right + 1), left + 1):
        if index == right:
            shot.sources[right] = image
        yield image


def _as_progress(
    steps: Generator[StepDone, None, Translation], tracker: ProgressTracker
) -> Generator[Progress, None, Translation]:
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        done = tracker.skip if step.is_reused else tracker.advance
        yield done(Stage.TRANSLATING, 0 if step.is_again else 1)


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
