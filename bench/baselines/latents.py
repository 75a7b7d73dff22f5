"""Changing what each denoising step takes the clean latents to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.samplers import make_sampler
from fresco_engine.settings import RestyleSettings
from torch import Tensor


@dataclass(frozen=True)
class StepPlace:
    """One of the `count` denoising steps that are carried out."""

    index: int
    count: int

    def is_within(self, start: float, stop: float) -> bool:
        """Whether it lies in a part of all steps; the part has one step at least."""
        first = min(round(start * self.count), self.count - 1)
        return first <= self.index < max(first + 1, round(stop * self.count))


Adapt = Callable[[Tensor, StepPlace], Tensor | None]


@contextmanager
def clean_latents_through(model: Model, settings: RestyleSettings, adapt: Adapt) -> Iterator[None]:
    """Inside one translation, predicted clean latents (f, c, h, w) go through `adapt`.

    Where it returns None they stay as they are, bit for bit. The sampler must be one that shows
    the networks its latents as they are, which all but Euler's do.
    """
    sampler, done = make_sampler(model, settings), 0

    def hook(_: Any, args: tuple[Any, ...], __: dict[str, Any], output: Any) -> Any:
        nonlocal done
        place = StepPlace(done, len(sampler.steps))
        done += 1
        halves = output[0].float().chunk(_halves(settings))
        noisy = args[0].float()[: len(halves[-1])]
        predicted = _guided(halves, settings.guidance_scale or 1.0)
        clean = adapt(sampler.predicted_x0(predicted, noisy, place.index), place)
        if clean is None:
            return output
        # Halves that are alike come out of guidance as they went in.
        changed = sampler.output_that_predicts(clean, noisy, place.index).to(output[0].dtype)
        return (torch.cat([changed] * len(halves)),)

    handle = model.unet.register_forward_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _halves(settings: RestyleSettings) -> int:
    return 2 if (settings.guidance_scale or 0) > 1 else 1


def _guided(halves: tuple[Tensor, ...], scale: float) -> Tensor:
    if len(halves) == 1:
        return halves[0]
    return halves[0] + scale * (halves[1] - halves[0])
