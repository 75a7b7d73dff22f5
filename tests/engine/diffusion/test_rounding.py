"""Numbers of steps and levels of pixels are the nearest whole ones."""

from __future__ import annotations

import torch
from fresco_engine.diffusion import sampler
from fresco_engine.diffusion.samplers import executed_steps
from fresco_engine.settings import RestyleSettings


def test_the_share_of_steps_is_rounded() -> None:
    settings = RestyleSettings(prompt="ink", steps=20, strength=0.68)

    assert executed_steps(settings) == 14


def test_pixels_are_rounded_and_not_cut() -> None:
    level = torch.full((1, 3, 8, 8), 100.7 / 127.5 - 1)

    (image,) = sampler._as_images(level)  # pyright: ignore[reportPrivateUsage]

    assert set(image.flatten().tolist()) == {101}
