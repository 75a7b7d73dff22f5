"""Euler's method with ancestral noise, on latents that are not scaled to unit variance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fresco_engine.diffusion.samplers.sampler import Sampler, Steps
from fresco_engine.diffusion.schedule import Level

if TYPE_CHECKING:
    from torch import Tensor


class EulerAncestral(Sampler):
    """Euler steps to a level below the next, and noise back up to it ("Euler a").

    Latents are x0 + sigma * epsilon, the networks get them divided by sqrt(sigma² + 1)
    (Karras et al., arXiv:2206.00364). `sigmas` (n + 1,) are the levels before each step and after
    the last; `initial` scales noise alone.
    """

    def __init__(self, steps: Steps, sigmas: Tensor, initial: float) -> None:
        super().__init__(steps)
        ahead, behind = sigmas[:-1], sigmas[1:]
        up = (behind**2 * (ahead**2 - behind**2) / ahead**2) ** 0.5
        down = (behind**2 - up**2) ** 0.5
        self._initial = initial
        self._sigma: list[float] = ahead.tolist()
        self._spread: list[float] = ((ahead**2 + 1) ** 0.5).tolist()
        self._of_v: list[float] = (-ahead / (ahead**2 + 1) ** 0.5).tolist()
        self._variance: list[float] = (ahead**2 + 1).tolist()
        self._along: list[float] = (down - ahead).tolist()
        self._up: list[float] = up.tolist()

    def start(self, clean: Tensor, noise: Tensor) -> Tensor:
        """See `Sampler.start`."""
        if self.steps.skipped == 0:
            return noise * self._initial
        return self.noised(clean, noise, 0)

    def noised(self, clean: Tensor, noise: Tensor, k: int) -> Tensor:
        """See `Sampler.noised`; latents are not scaled to unit variance."""
        return clean + noise * self._sigma[k]

    def model_input(self, x: Tensor, k: int) -> Tensor:
        """See `Sampler.model_input`."""
        return x / self._spread[k]

    def draws_noise(self, k: int) -> bool:
        """The last step ends clean."""
        return k + 1 < len(self.steps)

    def predicted_x0(self, output: Tensor, x: Tensor, k: int) -> Tensor:
        """See `Sampler.predicted_x0`; `x` is as this sampler keeps it."""
        if self.steps.prediction == "sample":
            return output
        if self.steps.prediction == "v_prediction":
            return output * self._of_v[k] + x / self._variance[k]
        return x - self._sigma[k] * output

    def output_that_predicts(self, x0: Tensor, x: Tensor, k: int) -> Tensor:
        """See `Sampler.output_that_predicts`."""
        return super().output_that_predicts(x0, self.model_input(x, k), k)

    def predicted_noise(self, output: Tensor, x: Tensor, k: int) -> Tensor:
        """See `Sampler.predicted_noise`."""
        return super().predicted_noise(output, self.model_input(x, k), k)

    def step(self, output: Tensor, x: Tensor, k: int, noise: Tensor | None) -> Tensor:
        """See `Sampler.step`."""
        slope = (x - self.predicted_x0(output, x, k)) / self._sigma[k]
        stepped = x + slope * self._along[k]
        return stepped if noise is None else stepped + noise * self._up[k]


def level_of(sigma: Tensor) -> Level:
    """The level of noise of deviation `sigma` beside a picture, scaled to unit variance."""
    signal = 1 / ((sigma**2 + 1) ** 0.5)
    return Level(float(signal), float(sigma * signal))
