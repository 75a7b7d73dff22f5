"""Schedules, and what a prediction says about the clean latents."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import PNDMScheduler
from fresco_engine.diffusion.schedule import output_that_predicts, predicted_x0, scheduler_from
from fresco_engine.errors import InvalidSettings
from torch import Tensor

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
KINDS = ("epsilon", "v_prediction", "sample")


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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("t", [1, 501, 951])
def test_the_true_output_predicts_the_true_latents(kind: str, t: int) -> None:
    scheduler: Any = scheduler_from({**BETAS, "prediction_type": kind}, 20)
    clean, noise, noisy = noised(scheduler, t)
    truths = {
        "epsilon": noise,
        "sample": clean,
        "v_prediction": scheduler.get_velocity(clean, noise, torch.tensor([t])),
    }

    found = predicted_x0(scheduler, truths[kind], noisy, torch.tensor(t))

    torch.testing.assert_close(found, clean, atol=1e-3, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_it_agrees_with_the_schedulers_own_step(kind: str) -> None:
    scheduler = scheduler_from({**BETAS, "prediction_type": kind}, 20)
    _, output, noisy = noised(scheduler, 500)

    found = predicted_x0(scheduler, output, noisy, 500)

    own = scheduler.step(output, 500, noisy, return_dict=False)[1]
    torch.testing.assert_close(found, own)


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_can_be_found_for_wanted_latents(kind: str) -> None:
    scheduler = scheduler_from({**BETAS, "prediction_type": kind}, 20)
    clean, _, noisy = noised(scheduler, 500)

    output = output_that_predicts(scheduler, clean, noisy, 500)

    torch.testing.assert_close(predicted_x0(scheduler, output, noisy, 500), clean)


def noised(scheduler: Any, t: int) -> tuple[Tensor, Tensor, Tensor]:
    """Clean latents, noise, and their mixture at timestep t."""
    random = torch.Generator().manual_seed(t)
    clean, noise = (torch.randn(2, 4, 6, 6, generator=random) for _ in range(2))
    return clean, noise, scheduler.add_noise(clean, noise, torch.tensor([t]))
