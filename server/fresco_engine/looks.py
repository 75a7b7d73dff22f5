"""One frame of a clip restyled by itself, and what of it binds."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from fresco_media.clip import Clip
from fresco_media.stills.images import WorkingSize, fit, unfit, working_size
from fresco_media.types import Image

from fresco_engine.compositing.composer import Composer
from fresco_engine.compositing.regions import BoolMap, CarriedRegion
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.correspondence.subject.estimator import (
    MovingSubject,
    SubjectEstimator,
    SubjectFrames,
)
from fresco_engine.diffusion.batch_run import KeyframeBatch, StepDone
from fresco_engine.diffusion.control import ShotControls, control_pictures
from fresco_engine.diffusion.memory import device_memory
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.sampler import translate
from fresco_engine.errors import InvalidSettings
from fresco_engine.keyframes import analyse, find_shots, select_keyframes, small_frames
from fresco_engine.lazy_model import LazyModel
from fresco_engine.mattes import matte_of
from fresco_engine.planning import check_range
from fresco_engine.progress_tracker import drained
from fresco_engine.reference_models import ReferencePicture
from fresco_engine.settings import RestyleSettings
from fresco_engine.translation import prompt_of, with_colours
from fresco_engine.translation_run import mask_of, named_subject, subject_of
from fresco_engine.types import LookedFrame

_MOST_WATCHED = 24
"""Frames on either side that a look waits for, however far keyframes may lie from each other."""


def look(clip: Clip, index: int, settings: RestyleSettings, model: Model) -> Image:
    """One frame restyled by itself, at source size, for choosing prompt and strength."""
    return look_frame(clip, index, settings, model).image


def look_frame(clip: Clip, index: int, settings: RestyleSettings, model: Model) -> LookedFrame:
    """As `look`, with where the frame is changed."""
    return drained(look_steps(clip, index, settings, model))


def look_steps(
    clip: Clip, index: int, settings: RestyleSettings, model: Model
) -> Generator[StepDone, None, LookedFrame]:
    """`look` as a generator: yields after every denoising step and returns the frame."""
    settings = model.resolved(settings)
    source, size = _look_source(clip, index, settings)
    reference = ReferencePicture.of(settings, lambda: model)
    batch = KeyframeBatch(
        indices=(index,),
        images=(source,),
        prompts=(prompt_of(settings, index),),
        picture=reference and reference.prompt,
    )
    subject = _subject(clip, index, source, settings, size, model)
    correspondence = correspond([source], DisFlow(), subject=subject, indices=[index])
    translation = yield from translate(model, batch, settings, correspondence)
    made = unfit(with_colours(translation.images[0], source, settings), size)
    matte = matte_of(clip, index)
    if translation.regions is None:
        return LookedFrame(made, matte=matte)
    region = CarriedRegion(clip, index + 1)
    region.add(index, translation.regions[0], size)
    composed = Composer(clip, index + 1, region).keyframe(index, made)
    return LookedFrame(composed, region.at(index), matte)


def look_controls(clip: Clip, index: int, settings: RestyleSettings, model: Model) -> Image:
    """What of one frame's structure binds, at source size: its control pictures side by side.

    They come in the order of the controls. Depth is scaled to this frame, as its shot is not known.

    Raises:
        InvalidSettings: nothing binds, so there is nothing to show.
        RangeOutsideClip: the clip has no such frame.
        OutOfDeviceMemory: the device cannot hold a detector's work.
    """
    settings = model.resolved(settings)
    if not model.controls:
        raise InvalidSettings(
            "control", "none binds nothing, so there is nothing to show; choose what is to bind"
        )
    source, size = _look_source(clip, index, settings)
    shot = ShotControls()
    with device_memory("finding structure"):
        shown = [
            control_pictures(control, [index], [source], settings, shot)[0]
            for control in model.controls
        ]
    return np.concatenate([unfit(one, size) for one in shown], axis=1)


def _look_source(clip: Clip, index: int, settings: RestyleSettings) -> tuple[Image, WorkingSize]:
    check_range(clip, index, index + 1)
    size = working_size(clip.info.width, clip.info.height, settings.size)
    frame = next(clip.frames_at([index], size=size.scaled))
    return fit(frame.image, size), size


def _subject(
    clip: Clip,
    index: int,
    source: Image,
    settings: RestyleSettings,
    size: WorkingSize,
    model: Model,
) -> SubjectEstimator:
    """What tells the subject as a job would: what moves shows in the frames about this one only."""
    mask = mask_of(clip, settings)
    named = named_subject(settings, LazyModel(model))
    if mask is None and named is None and settings.region in ("subject", "background"):
        return _Known(_moving(clip, index, source, settings, size))
    return subject_of(mask, named, size)


@dataclass(frozen=True)
class _Known:
    """The subject (h, w) of a frame, found before."""

    mask: BoolMap

    def masks(self, frames: SubjectFrames) -> BoolMap:
        assert len(frames.images) == 1
        return self.mask[None]


def _moving(
    clip: Clip, index: int, source: Image, settings: RestyleSettings, size: WorkingSize
) -> BoolMap:
    """(h, w), what moves at a frame, from the keyframes about it that a job might choose.

    Two frames are held at a time, and those of the keys.
    """
    keys = _keys_about(clip, index, settings)
    shown: dict[int, Image] = {index: source}

    def between(left: int, right: int) -> Iterator[Image]:
        for frame in clip.frames(left, right + 1, size=size.scaled):
            image = fit(frame.image, size)
            if frame.index in keys:
                shown[frame.index] = image
            yield image

    tracks = [DisFlow().track(between(left, right)) for left, right in pairwise(keys)]
    watched = SubjectFrames(
        indices=keys,
        images=[shown[key] for key in keys],
        forward=[there for there, _ in tracks],
        backward=[back for _, back in tracks],
    )
    return MovingSubject().masks(watched)[keys.index(index)]


def _keys_about(clip: Clip, index: int, settings: RestyleSettings) -> list[int]:
    """A frame, and the keyframe before and that after it, of its shot and not far from it."""
    reach = min(settings.keyframe_max, _MOST_WATCHED)
    first, stop = max(0, index - reach), min(clip.info.frame_count, index + reach + 1)
    analysis = analyse(small_frames(clip, first, stop))
    shots = find_shots(analysis)
    begin, end = next(shot for shot in shots if shot[0] <= index < shot[1])
    keys = select_keyframes(analysis, shots, settings.keyframe_min, settings.keyframe_max)
    before = [key for key in keys if begin <= key < index][-1:]
    after = [key for key in keys if index < key < end][:1]
    return [*before, index, *after]
