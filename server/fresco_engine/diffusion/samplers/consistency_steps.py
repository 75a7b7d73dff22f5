"""Samplers for distilled models that predict the clean latents in one go: LCM and TCD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fresco_engine.diffusion.samplers.sampler import Sampler, Steps

if TYPE_CHECKING:
    from torch import Tensor

_DISTILLED_STEPS = 50
"""Timesteps of the schedule that such models are distilled on."""
_DATA_DEVIATION = 0.5
_TIMESTEP_SCALING = 10.0
"""Sigma data, and the inverse of the 0.1 by which timesteps are divided, of LCM's Eq. for c."""


def few_steps(steps: int, strength: float) -> int:
    """How many steps are executed: all that are chosen, as far as the distilled schedule goes."""
    return max(1, min(steps, int(max(_DISTILLED_STEPS, steps) * strength)))


def few_timesteps(steps: int, strength: float, trained: int) -> list[int]:
    """Timesteps spread over the share `strength` of the distilled schedule, descending.

    Few steps leave none to be skipped, so that SDEdit begins lower instead: as diffusers'
    LatentConsistencyModelImg2ImgPipeline does.
    """
    distilled = min(trained, max(_DISTILLED_STEPS, steps))
    count = max(1, int(distilled * strength))
    executed = few_steps(steps, strength)
    return [(count - k * count // executed) * trained // distilled - 1 for k in range(executed)]


class Lcm(Sampler):
    """Multistep latent consistency sampling (algorithm 3 of LCM, arXiv:2310.04378).

    `kept` (n,) is the share of the signal's variance (alpha bar) before each step.
    """

    def __init__(self, steps: Steps, kept: Tensor) -> None:
        super().__init__(steps)
        scaled = torch.tensor(steps.times) * _TIMESTEP_SCALING
        data = _DATA_DEVIATION**2
        self._of_x: list[float] = (data / (scaled**2 + data)).tolist()
        self._of_x0: list[float] = (scaled / (scaled**2 + data) ** 0.5).tolist()
        self._signal: list[float] = kept.sqrt().tolist()
        self._noise: list[float] = (1 - kept).sqrt().tolist()

    def draws_noise(self, k: int) -> bool:
        """The last step ends clean."""
        return k + 1 < len(self.steps)

    def step(self, output: Tensor, x: Tensor, k: int, noise: Tensor | None) -> Tensor:
        """See `Sampler.step`."""
        clean = self._of_x0[k] * self.predicted_x0(output, x, k) + self._of_x[k] * x
        if noise is None:
            return clean
        return self._signal[k + 1] * clean + self._noise[k + 1] * noise


class Tcd(Sampler):
    """Strategic stochastic sampling (algorithm 4 of TCD, arXiv:2402.19159).

    Each step leads to a timestep below the next, the lower the larger `eta` (the paper's gamma),
    and from there noise leads up to the next. `alphas` are the schedule's alpha bar.
    """

    def __init__(self, steps: Steps, alphas: Tensor, eta: float) -> None:
        super().__init__(steps)
        self._eta = eta
        following = torch.tensor([int(t) for t in steps.times[1:]] + [0])
        below = torch.floor((1 - eta) * following).long()
        kept, kept_below = alphas[following], alphas[below]
        self._of_x0: list[float] = kept_below.sqrt().tolist()
        self._of_predicted_noise: list[float] = (1 - kept_below).sqrt().tolist()
        share = kept / kept_below
        self._up: list[float] = share.sqrt().tolist()
        self._of_noise: list[float] = (1 - share).sqrt().tolist()

    def draws_noise(self, k: int) -> bool:
        """Without eta nothing is random, and the last step ends clean."""
        return self._eta > 0 and k + 1 < len(self.steps)

    def step(self, output: Tensor, x: Tensor, k: int, noise: Tensor | None) -> Tensor:
        """See `Sampler.step`."""
        x0, predicted = self.predicted_x0(output, x, k), self.predicted_noise(output, x, k)
        below = self._of_x0[k] * x0 + self._of_predicted_noise[k] * predicted
        return below if noise is None else self._up[k] * below + self._of_noise[k] * noise
