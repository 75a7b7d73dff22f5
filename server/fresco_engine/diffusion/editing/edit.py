"""How an edit is bound to its input: the way back to it, for the words that are true of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from fresco_engine.correspondence.subject.found import ENOUGH
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
from fresco_engine.diffusion.editing.observed import (
    Observed,
    holding_features,
    observing_layout,
)
from fresco_engine.diffusion.editing.words import WordMaps, WordPairs, WordRegion
from fresco_engine.diffusion.prompting.encoding import MixedPrompt, token_rows
from fresco_engine.diffusion.prompting.grammar import Moment
from fresco_engine.diffusion.prompting.wording import plain_words
from fresco_engine.diffusion.samplers import make_sampler
from fresco_engine.diffusion.samplers.diffusion_steps import Ddim

Adapt = Callable[[str, Tensor], Tensor]
"""Changes a layer's weights of cross-attention, which come with its name."""


_WATCHED = 0.5
"""Share of the steps in which words are looked for: the later ones only draw what is there."""
_SURE = 0.2
"""Share of the steps after which enough was seen of words to bind the rest to the input."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What binds the frames of a batch to the input.

    `source` is the batch for the words that are true of it, without guidance. `pairs`, one per
    step, say which words both prompts share; there are none where that does not matter. `region`
    (f, 1, h, w) bool is where latents may leave the input's, None for everywhere, and `words` where
    the words differ, as far as that is known by now, if they decide it.
    """

    inversion: Inversion
    source: BatchRun
    pairs: tuple[WordPairs, ...] = ()
    region: Tensor | None = None
    words: WordRegion | None = None

    def seen(self, k: int) -> Observed | None:
        """What the input's own latents show in step k; None where nothing of it is held."""
        settings, unet = self.source.settings, self.source.model.unet
        holds_layout, reads_words = self._is_within(k, settings.hold_layout), self._reads_words(k)
        if not holds_layout and not reads_words:
            return None
        with observing_layout(unet) if holds_layout else nullcontext(Observed()) as seen:
            keep = seen.words.keep if reads_words else None
            model_output(self.source, self.inversion.path[k], k, keep)
        return seen

    @contextmanager
    def holding(self, k: int, seen: Observed | None) -> Iterator[Adapt | None]:
        """Inside, the U-Net holds on to what was seen in step k; yields what is to be done with
        cross-attention meanwhile.
        """
        if seen is None:
            yield None
            return
        own = WordMaps()
        adapt = own.keep if self._watches(k) else None
        if self._is_within(k, self.source.settings.hold_words):
            adapt = _after(seen.words.held(self.pairs[k]), adapt)
        with holding_features(self.source.model.unet, seen):
            yield adapt
        if self.words is not None and own.layers:
            self.words.add(own, self.pairs[k].added)
            self.words.add(seen.words, self.pairs[k].dropped)

    def bound(self, x: Tensor, k: int) -> Tensor:
        """The latents after step k, outside of the region those of the input."""
        region = self.region
        if self.words is not None and k >= _SURE * self._steps:
            height, width = x.shape[-2:]
            region = self.words.chances(height, width) > ENOUGH
        return x if region is None else torch.where(region, x, self.inversion.path[k + 1])

    @property
    def _steps(self) -> int:
        return len(self.inversion.path) - 1

    def _is_within(self, k: int, share: float) -> bool:
        return k < round(share * self._steps)

    def _watches(self, k: int) -> bool:
        return self.words is not None and k < max(1, round(_WATCHED * self._steps))

    def _reads_words(self, k: int) -> bool:
        return self._watches(k) or self._is_within(k, self.source.settings.hold_words)


def _after(first: Adapt, second: Adapt | None) -> Adapt:
    """Both, one after the other."""
    return first if second is None else lambda name, weights: second(name, first(name, weights))


def prepared_edit(
    run: BatchRun, batch: KeyframeBatch, inversions: KeptInversions, region: Tensor | None
) -> Generator[StepDone, None, Edit]:
    """The edit of a batch. Yields after every step of its inversion, or for all if it is kept.

    `region` (f, 1, h, w) bool is where latents may leave the input's, None for everywhere; where
    words decide that, it is not known yet.
    """
    described = _described(run, batch)
    source = _source(run, described)
    settings, size = run.settings, run.clean.shape[-2:]
    inversion = yield from _inverted(source, inversions)
    by_words = settings.is_region_of_words
    return Edit(
        inversion=inversion,
        source=source,
        pairs=_pairs(run, batch, described) if by_words or settings.hold_words else (),
        region=None if by_words else region,
        words=WordRegion((size[0], size[1])) if by_words else None,
    )


def _pairs(run: BatchRun, batch: KeyframeBatch, described: KeyframeBatch) -> tuple[WordPairs, ...]:
    """For every step; steps that read alike share theirs."""
    steps = len(run.sampler.steps)
    edited, true = ([_main_words(one) for one in x.prompts] for x in (batch, described))
    known: dict[str, WordPairs] = {}
    found: list[WordPairs] = []
    for k in range(steps):
        moment = Moment(k, steps)
        ours, theirs = (token_rows(run.model, one, moment) for one in (edited, true))
        key = repr((ours, theirs))
        if key not in known:
            known[key] = WordPairs.of(ours, theirs, run.model.device)
        found.append(known[key])
    return tuple(found)


def _main_words(prompt: str | MixedPrompt) -> str:
    """The words of a prompt; of several that are mixed those that count most."""
    if isinstance(prompt, str):
        return prompt
    return max(prompt.parts, key=lambda part: part[1])[0]


def _described(run: BatchRun, batch: KeyframeBatch) -> KeyframeBatch:
    """The batch in the words that are true of it."""
    prompts = (plain_words(run.settings.source_prompt),) * len(batch.indices)
    return replace(batch, prompts=prompts, picture=None)


def _source(run: BatchRun, described: KeyframeBatch) -> BatchRun:
    """Without guidance, so that no frame touches another."""
    settings = replace(run.settings, guidance_scale=1.0)
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
    """`edit_friendly`, but for the anchors: their latents are those of earlier batches."""
    new = source.new
    of_new = replace(source, conditions=source.conditions.part(new))
    steps = edit_friendly(
        tuple(x[new] for x in path), source.sampler, partial(model_output, of_new)
    )
    inversion = yield from steps
    before, after = (torch.zeros_like(source.clean[x]) for x in _around(new))
    return Inversion(path, tuple(torch.cat([before, x, after]) for x in inversion.corrections))


def _around(places: slice) -> tuple[slice, slice]:
    return slice(places.start), slice(places.stop, None)


def _each(
    steps: Generator[int, None, Inversion], count: int
) -> Generator[StepDone, None, Inversion]:
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            return end.value
        yield StepDone(done, count)
