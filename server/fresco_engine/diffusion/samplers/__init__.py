"""How a batch gets from noise to pictures: one class for each way, one protocol for all."""

from __future__ import annotations

from fresco_engine.diffusion.samplers.choice import batch_steps, executed_steps, make_sampler
from fresco_engine.diffusion.samplers.sampler import Sampler, Steps

__all__ = ["Sampler", "Steps", "batch_steps", "executed_steps", "make_sampler"]
