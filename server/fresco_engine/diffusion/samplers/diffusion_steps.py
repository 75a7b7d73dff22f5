"""Samplers that go back along the diffusion itself: DDPM, and DDIM with any share of its noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fresco_engine.diffusion.samplers.sampler import Sampler, Steps

if TYPE_CHECKING:
    from torch import Tensor


class Ddpm(Sampler):
    """Ancestral sampling: the posterior's mean and smallest variance (Eq. 6 and 7 of DDPM,
    arXiv:2006.11239), bit for bit what diffusers' scheduler computes.

    `kept` (n + 1,) is the share of the signal's variance (alpha bar) before each step and after
    the last.
    """

    def __init__(self, steps: Steps, kept: Tensor) -> None:
        super().__init__(steps)
        gone = 1 - kept
        alpha = kept[:-1] / kept[1:]
        beta = 1 - alpha
        variance = (gone[1:] / gone[:-1] * beta).clamp(min=1e-20)
        self._of_x0: list[float] = (kept[1:] ** 0.5 * beta / gone[:-1]).tolist()
        self._of_x: list[float] = (alpha**0.5 * gone[1:] / gone[:-1]).tolist()
        self._of_noise: list[float] = (variance**0.5).tolist()

    def draws_noise(self, k: int) -> bool:
        """All steps do but one at the schedule's very end."""
        return self.steps.times[k] > 0

    def step(self, output: Tensor, x: Tensor, k: int, noise: Tensor | None) -> Tensor:
        """See `Sampler.step`."""
        mean = self._of_x0[k] * self.predicted_x0(output, x, k) + self._of_x[k] * x
        return mean if noise is None else mean + self._of_noise[k] * noise


class Ddim(Sampler):
    """Eq. 12 of DDIM (arXiv:2010.02502); `eta` scales the noise of Eq. 16, 1 adds DDPM's.

    `kept` is as for `Ddpm`. The step leads to the next timestep of the schedule, whatever its
    spacing; diffusers' own is off by a fraction of a step where these do not lie evenly.
    """

    def __init__(self, steps: Steps, kept: Tensor, eta: float) -> None:
        super().__init__(steps)
        variance = ((1 - kept[1:]) / (1 - kept[:-1])) * (1 - kept[:-1] / kept[1:])
        deviation = eta * variance.clamp(min=0) ** 0.5
        self._eta = eta
        self._of_x0: list[float] = (kept[1:] ** 0.5).tolist()
        rest = (1 - kept[1:] - deviation**2).clamp(min=0)
        self._of_direction: list[float] = (rest**0.5).tolist()
        self._of_noise: list[float] = deviation.tolist()

    def before(self, behind: Tensor, noise: Tensor, k: int) -> Tensor:
        """The latents from which step k leads to those `behind` it, if the model says `noise`.

        Eq. 13 of DDIM, the other way round; only without eta.
        """
        x0 = (behind - self._of_direction[k] * noise) / self._of_x0[k]
        return self.steps.levels[k].noised(x0, noise)

    def draws_noise(self, k: int) -> bool:
        """Without eta nothing is random."""
        del k
        return self._eta > 0

    def step(self, output: Tensor, x: Tensor, k: int, noise: Tensor | None) -> Tensor:
        """See `Sampler.step`."""
        x0 = self.predicted_x0(output, x, k)
        direction = self._of_direction[k] * self.predicted_noise(output, x, k)
        stepped = self._of_x0[k] * x0 + direction
        return stepped if noise is None else stepped + self._of_noise[k] * noise
