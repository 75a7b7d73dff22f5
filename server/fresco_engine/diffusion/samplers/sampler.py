"""What every sampler can do; none of them draws noise of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fresco_engine.diffusion.schedule import Level

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The steps of a batch, and what its model says of them.

    `timesteps` (n,) are on the model's device, `times` the same numbers on the processor.
    `levels` are those of the latents that enter each step. `skipped` steps of the whole schedule,
    which need not be a whole number, lie before the first: SDEdit leaves them out.
    `prediction` is what the network predicts: epsilon, v_prediction or sample.
    """

    timesteps: Tensor
    times: tuple[float, ...]
    levels: tuple[Level, ...]
    skipped: float
    trained: int
    prediction: str

    def __len__(self) -> int:
        return len(self.times)

    def position(self, k: int) -> float:
        """Share of the whole schedule at which step k lies, in [0, 1)."""
        return (self.skipped + k) / (self.skipped + len(self))

    def noise_share(self, k: int) -> float:
        """The timestep of step k as a share of the training schedule; 1 is pure noise."""
        return int(self.times[k]) / self.trained


class Sampler(ABC):
    """Leads the latents of a batch from step to step; made anew for every batch.

    Latents are (f, c, h, w) float32. Steps are counted from 0 over those that are executed, and
    must be taken in order, each once: some samplers remember those before.
    """

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def start(self, clean: Tensor, noise: Tensor) -> Tensor:
        """The latents entering the first step: `clean` with noise (SDEdit, arXiv:2108.01073).

        Where no step is skipped they are noise alone.
        """
        if self.steps.skipped == 0:
            return noise
        return self.noised(clean, noise, 0)

    def noised(self, clean: Tensor, noise: Tensor, k: int) -> Tensor:
        """`clean` with as much noise as there is in the latents that enter step k."""
        return self.steps.levels[k].noised(clean, noise)

    def model_input(self, x: Tensor, k: int) -> Tensor:
        """`x` as the networks know it: of unit variance."""
        del k
        return x

    def draws_noise(self, k: int) -> bool:
        """Whether step k adds noise."""
        del k
        return False

    def predicted_x0(self, output: Tensor, x: Tensor, k: int) -> Tensor:
        """The clean latents that the networks' `output` in step k implies for the noisy `x`.

        Valid for networks that predict the noise, the velocity (v) or the sample itself.
        """
        level = self.steps.levels[k]
        if self.steps.prediction == "sample":
            return output
        if self.steps.prediction == "v_prediction":
            return level.signal * x - level.noise * output
        return (x - level.noise * output) / level.signal

    def output_that_predicts(self, x0: Tensor, x: Tensor, k: int) -> Tensor:
        """The output that implies the clean latents `x0`: the inverse of `predicted_x0`."""
        level = self.steps.levels[k]
        if self.steps.prediction == "sample":
            return x0
        if self.steps.prediction == "v_prediction":
            return (level.signal * x - x0) / level.noise
        return (x - level.signal * x0) / level.noise

    def predicted_noise(self, output: Tensor, x: Tensor, k: int) -> Tensor:
        """The noise that `output` says is in `x`, of unit variance."""
        level = self.steps.levels[k]
        if self.steps.prediction == "sample":
            return (x - level.signal * output) / level.noise
        if self.steps.prediction == "v_prediction":
            return level.signal * output + level.noise * x
        return output

    @abstractmethod
    def step(self, output: Tensor, x: Tensor, k: int, noise: Tensor | None) -> Tensor:
        """The latents after step k.

        `noise` is of unit variance and shaped like `x`; None where `draws_noise` says no.
        """
