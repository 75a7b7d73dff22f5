"""Schedules, the timesteps that are taken of them, and how noisy these are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import PNDMScheduler
from fresco_engine.diffusion.schedule import noise_level, scheduler_from
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import Spacing

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def test_the_models_own_betas_and_offset_are_kept() -> None:
    own = PNDMScheduler(**BETAS, steps_offset=1, skip_prk_steps=True)

    scheduler = scheduler_from(own.config, 20)

    torch.testing.assert_close(scheduler.alphas_cumprod, own.alphas_cumprod)
    assert scheduler.timesteps.tolist() == [951 - 50 * step for step in range(20)]
    assert scheduler.config["clip_sample"] is False


def test_every_number_of_steps_stays_inside_the_schedule() -> None:
    for steps in (1, 2, 7, 333, 999, 1000):
        timesteps = scheduler_from({**BETAS, "steps_offset": 1}, steps).timesteps

        assert len(timesteps) == steps
        assert timesteps.max() < 1000
        assert timesteps.diff().lt(0).all()


@pytest.mark.parametrize("steps", [0, 1001])
def test_steps_outside_the_schedule_are_refused(steps: int) -> None:
    with pytest.raises(InvalidSettings, match="outside 1 to 1000"):
        scheduler_from(BETAS, steps)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("steps", [1, 61, 103, 500])
def test_every_spacing_gives_exactly_the_steps_that_were_asked_for(
    spacing: Spacing, steps: int
) -> None:
    timesteps = scheduler_from(BETAS, steps, spacing=spacing).timesteps

    assert len(timesteps) == steps
    assert 0 <= timesteps.min() <= timesteps.max() < 1000
    assert timesteps.diff().lt(0).all()


@pytest.mark.parametrize(
    ("config", "first"),
    [
        ({}, 900),
        ({"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, 999),
        ({"rescale_betas_zero_snr": True, "prediction_type": "epsilon"}, 900),
        (
            {
                "rescale_betas_zero_snr": True,
                "prediction_type": "v_prediction",
                "timestep_spacing": "leading",
            },
            900,
        ),
    ],
    ids=["plain", "zero snr", "predicts noise", "chosen by the model's maker"],
)
def test_a_schedule_that_ends_in_pure_noise_is_entered_there(
    config: dict[str, Any], first: int
) -> None:
    assert scheduler_from({**BETAS, **config}, 10).timesteps[0] == first


def test_a_level_is_that_of_the_librarys_noising() -> None:
    scheduler: Any = scheduler_from(BETAS, 20)
    random = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(2, 4, 6, 6, generator=random) for _ in range(2))

    for t in (1, 501, 999):
        found = noise_level(BETAS, t).noised(clean, noise)

        assert torch.equal(found, scheduler.add_noise(clean, noise, torch.tensor([t])))
