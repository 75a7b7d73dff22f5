"""How an edit is bound to its input: the way back to it, for the words that are true of it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from fresco_engine.diffusion.batch_run import (
    BatchRun,
    KeyframeBatch,
    StepDone,
    make_conditions,
    model_output,
)
from fresco_engine.diffusion.editing.inversion import (
    Inversion,
    deterministic,
    edit_friendly,
    noised_path,
)
from fresco_engine.diffusion.editing.kept_inversions import (
    KeptInversions,
    key_of,
    packed,
    unpacked,
)
from fresco_engine.diffusion.prompting.wording import plain_words
from fresco_engine.diffusion.samplers import make_sampler
from fresco_engine.diffusion.samplers.diffusion_steps import Ddim

_ANCHORS = 2


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What binds the frames of a batch to the input.

    `source` is the batch for the words that are true of it, without guidance.
    """

    inversion: Inversion
    source: BatchRun


def prepared_edit(
    run: BatchRun, batch: KeyframeBatch, inversions: KeptInversions
) -> Generator[StepDone, None, Edit]:
    """The edit of a batch. Yields after every step of its inversion, or for all if it is kept."""
    source = _source(run, batch)
    inversion = yield from _inverted(source, inversions)
    return Edit(inversion=inversion, source=source)


def _source(run: BatchRun, batch: KeyframeBatch) -> BatchRun:
    """Without guidance, so that no frame touches another."""
    settings = replace(run.settings, guidance_scale=1.0)
    prompts = (plain_words(settings.source_prompt),) * len(batch.indices)
    described = replace(batch, prompts=prompts, picture=None)
    sampler = make_sampler(run.model, settings)
    conditions = make_conditions(run.model, described, settings, len(sampler.steps))
    return replace(run, settings=settings, sampler=sampler, conditions=conditions)


def _inverted(source: BatchRun, inversions: KeptInversions) -> Generator[StepDone, None, Inversion]:
    sampler, count = source.sampler, len(source.sampler.steps)
    is_followed = isinstance(sampler, Ddim) and source.settings.inversion == "ddim"
    path = () if is_followed else noised_path(source.clean, source.noise.start, sampler)
    key = key_of(source, path)
    kept = unpacked(inversions.inversion(key) or {}, path, source.clean)
    if kept is not None:
        yield from (StepDone(k + 1, 2 * count, is_reused=True) for k in range(count))
        return kept
    if isinstance(sampler, Ddim) and is_followed:
        steps = deterministic(source.clean, sampler, partial(model_output, source))
    else:
        steps = _of_new_frames(source, path)
    inversion = yield from _each(steps, 2 * count)
    start = source.finite(inversion.start, "inverting frames")
    inversion = replace(inversion, path=(start, *inversion.path[1:]))
    source.finite.settle()
    inversions.save_inversion(key, packed(inversion))
    return inversion


def _of_new_frames(source: BatchRun, path: tuple[Tensor, ...]) -> Generator[int, None, Inversion]:
    """`edit_friendly`, but for the anchors: their latents are those of the batch before."""
    known = 0 if source.anchors is None else _ANCHORS
    conditions = source.conditions.of_last(len(source.clean) - known)
    new = replace(source, conditions=conditions)
    steps = edit_friendly(
        tuple(x[known:] for x in path), source.sampler, partial(model_output, new)
    )
    inversion = yield from steps
    none = torch.zeros_like(source.clean[:known])
    return Inversion(path, tuple(torch.cat([none, x]) for x in inversion.corrections))


def _each(
    steps: Generator[int, None, Inversion], count: int
) -> Generator[StepDone, None, Inversion]:
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            return end.value
        yield StepDone(done, count)
