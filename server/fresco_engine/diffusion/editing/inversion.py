"""Inversion: latents from which the sampler leads back to the input, so that words can change it.

Edit-friendly inversion (arXiv:2304.06140) noises the input to the level of every step, each time
anew, and keeps what the model misses on the way from one to the next. It holds for every sampler,
and is exact by construction: with the same words and without guidance, the input comes back.
DDIM's (arXiv:2010.02502) follows the model itself upwards, which is exact as far as a step's
output hardly changes within the step; iterated to its fixed point, it nearly is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from fresco_engine.diffusion.memory import sent
from fresco_engine.diffusion.noise import Noise
from fresco_engine.diffusion.samplers import Sampler
from fresco_engine.diffusion.samplers.diffusion_steps import Ddim

Predict = Callable[[Tensor, int], Tensor]
"""The model's output for latents (f, c, h, w) that enter step k, for the words of the input."""
_REFINEMENTS = 3
"""Rounds after which DDIM's fixed point moves by less than half precision shows."""


@dataclass(frozen=True)
class Inversion:
    """The way back to the input, and what is added to each step's result to stay on it.

    All are (f, c, h, w) float32. `path` holds the latents that enter every step, and those of the
    input last; `corrections` take the place of the steps' noise, and there are none where the
    steps are taken as they are.
    """

    path: tuple[Tensor, ...]
    corrections: tuple[Tensor, ...] = ()

    @property
    def start(self) -> Tensor:
        """Where an edit begins."""
        return self.path[0]


def noised_path(clean: Tensor, noise: Noise, sampler: Sampler) -> tuple[Tensor, ...]:
    """The clean latents of the input (f, c, h, w), noised independently for every step."""
    steps = range(len(sampler.steps))
    return (*(sampler.noised(clean, sent(noise.draw(), clean), k) for k in steps), clean)


def edit_friendly(
    path: tuple[Tensor, ...], sampler: Sampler, predict: Predict
) -> Generator[int, None, Inversion]:
    """Along a `noised_path`, which nearly is the path of the `Inversion`.

    Yields how many steps are done. `sampler` has not stepped yet, and has been used up afterwards.
    """
    corrections: list[Tensor] = []
    x = path[0]
    for k, wanted in enumerate(path[1:]):
        reached = without_noise(sampler, predict(x, k), x, k)
        corrections.append(wanted - reached)
        # What the edit will come to: rounding is not left to grow from step to step.
        x = reached + corrections[-1]
        yield k + 1
    return Inversion(path, tuple(corrections))


def deterministic(
    clean: Tensor, sampler: Ddim, predict: Predict
) -> Generator[int, None, Inversion]:
    """Of the clean latents of the input (f, c, h, w), back along the steps of DDIM without noise.

    Yields how many steps are done. Each is one fixed-point problem: the latents from which a step
    leads to those behind it depend on what the model says of them.
    """
    x = clean
    path = [clean]
    for k in reversed(range(len(sampler.steps))):
        behind = x
        for _ in range(1 + _REFINEMENTS):
            x = sampler.before(behind, sampler.predicted_noise(predict(x, k), x, k), k)
        path.append(x)
        yield len(sampler.steps) - k
    return Inversion(tuple(reversed(path)))


def without_noise(sampler: Sampler, output: Tensor, x: Tensor, k: int) -> Tensor:
    """Where step k leads if the noise that it may draw is none."""
    return sampler.step(output, x, k, torch.zeros_like(x) if sampler.draws_noise(k) else None)
