"""Deterministic samplers that remember the steps before: DPM++ 2M and UniPC, of diffusers'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fresco_engine.diffusion.samplers.sampler import Sampler, Steps

if TYPE_CHECKING:
    from torch import Tensor


class Multistep(Sampler):
    """Steps of a scheduler whose timesteps are set and that has not stepped yet.

    DPM++ 2M is arXiv:2211.01095, UniPC arXiv:2302.04867. What such a scheduler remembers are the
    clean latents that were predicted, frame by frame: frames do not touch each other in it, and
    those that are put back after a step, the anchors, have no use for it. It is told where it
    begins, as rounded Karras timesteps may occur twice.
    """

    def __init__(self, steps: Steps, scheduler: Any, begin: int) -> None:
        super().__init__(steps)
        self._scheduler = scheduler
        scheduler.set_begin_index(begin)

    def step(self, output: Tensor, x: Tensor, k: int, noise: Tensor | None) -> Tensor:
        """See `Sampler.step`."""
        del noise
        return self._scheduler.step(output, self.steps.timesteps[k], x, return_dict=False)[0]
