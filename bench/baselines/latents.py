"""Changing what each denoising step takes the clean latents to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.sampler import executed_steps
from fresco_engine.diffusion.schedule import make_scheduler, output_that_predicts, predicted_x0
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

    Where it returns None they stay as they are, bit for bit.
    """
    assert settings.steps is not None
    scheduler = make_scheduler(model, settings.steps)
    count, done = executed_steps(settings), 0

    def hook(_: Any, args: tuple[Any, ...], __: dict[str, Any], output: Any) -> Any:
        nonlocal done
        place = StepPlace(done, count)
        done += 1
        halves, noisy, t = output[0].float().chunk(_halves(settings)), args[0].float(), args[1]
        noisy = noisy[: len(halves[-1])]
        predicted = _guided(halves, settings.guidance_scale or 1.0)
        clean = adapt(predicted_x0(scheduler, predicted, noisy, t), place)
        if clean is None:
            return output
        # Halves that are alike come out of guidance as they went in.
        changed = output_that_predicts(scheduler, clean, noisy, t).to(output[0].dtype)
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
