"""The sampler that settings choose, over the schedule of their model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.samplers.consistency_steps import Lcm, Tcd, few_steps, few_timesteps
from fresco_engine.diffusion.samplers.diffusion_steps import Ddim, Ddpm
from fresco_engine.diffusion.samplers.euler import EulerAncestral, level_of
from fresco_engine.diffusion.samplers.multistep import Multistep
from fresco_engine.diffusion.samplers.sampler import Sampler, Steps
from fresco_engine.diffusion.schedule import (
    Level,
    own_config,
    scheduler_from,
    set_timesteps,
    trained_steps,
)
from fresco_engine.settings import FEW_STEP_SAMPLERS, RestyleSettings

if TYPE_CHECKING:
    from torch import Tensor

    from fresco_engine.diffusion.model import Model


def executed_steps(settings: RestyleSettings) -> int:
    """Denoising steps a batch takes; `settings` must be resolved."""
    assert settings.steps is not None
    assert settings.strength is not None
    if settings.sampler in FEW_STEP_SAMPLERS:
        return few_steps(settings.steps, settings.strength)
    return max(1, round(settings.steps * settings.strength))


def batch_steps(settings: RestyleSettings) -> int:
    """Steps that a batch is waited for: in an edit those back to the clip are among them."""
    return executed_steps(settings) * (2 if settings.is_edit else 1)


def make_sampler(model: Model, settings: RestyleSettings) -> Sampler:
    """A sampler that has not stepped yet; `settings` must be resolved.

    SDEdit: it begins where the share `strength` of the schedule remains.

    Raises:
        InvalidSettings: there are more steps than the model was trained with.
    """
    if settings.sampler in FEW_STEP_SAMPLERS:
        return _few_step_sampler(model, settings)
    if settings.sampler == "euler-a":
        return _euler_ancestral(model, settings)
    if settings.sampler in ("dpm++2m", "unipc"):
        return _multistep(model, settings)
    return _diffusion_sampler(model, settings)


def _diffusion_sampler(model: Model, settings: RestyleSettings) -> Sampler:
    assert settings.steps is not None
    scheduler = scheduler_from(model.scheduler_config, settings.steps, spacing=settings.spacing)
    skipped = _skipped(settings)
    times = scheduler.timesteps[skipped:].tolist()
    kept = scheduler.alphas_cumprod[times]
    steps = _steps(model, times, [Level.of(one) for one in kept], skipped)
    one = torch.ones(1)
    if settings.sampler != "ddim":
        return Ddpm(steps, torch.cat([kept, one]))
    is_one = model.scheduler_config.get("set_alpha_to_one", True)
    return Ddim(
        steps,
        torch.cat([kept, one if is_one else scheduler.alphas_cumprod[:1]]),
        settings.eta or 0.0,
    )


def _few_step_sampler(model: Model, settings: RestyleSettings) -> Sampler:
    assert settings.steps is not None
    assert settings.strength is not None
    config = model.scheduler_config
    own_config(config, settings.steps, None)  # Insists on as many steps as there can be.
    alphas = scheduler_from(config, 1).alphas_cumprod
    times = few_timesteps(settings.steps, settings.strength, trained_steps(config))
    kept = alphas[times]
    # What the steps that are taken are of the whole schedule, were it gone through as finely.
    skipped = len(times) * (1 / settings.strength - 1)
    steps = _steps(model, times, [Level.of(one) for one in kept], skipped)
    if settings.sampler == "lcm":
        return Lcm(steps, kept)
    return Tcd(steps, alphas, settings.eta or 0.0)


def _euler_ancestral(model: Model, settings: RestyleSettings) -> Sampler:
    from diffusers import EulerAncestralDiscreteScheduler

    assert settings.steps is not None
    own = own_config(model.scheduler_config, settings.steps, settings.spacing)
    with quiet_libraries():
        scheduler: Any = EulerAncestralDiscreteScheduler(**own)
        set_timesteps(scheduler, settings.steps, "cpu")
    skipped = _skipped(settings)
    sigmas: Tensor = scheduler.sigmas[skipped:]
    times = scheduler.timesteps[skipped:].tolist()
    steps = _steps(model, times, [level_of(sigma) for sigma in sigmas[:-1]], skipped)
    return EulerAncestral(steps, sigmas, float(scheduler.init_noise_sigma))


def _multistep(model: Model, settings: RestyleSettings) -> Sampler:
    from diffusers import DPMSolverMultistepScheduler, UniPCMultistepScheduler

    assert settings.steps is not None
    kind: Any = UniPCMultistepScheduler
    if settings.sampler == "dpm++2m":
        kind = DPMSolverMultistepScheduler
    own = own_config(model.scheduler_config, settings.steps, settings.spacing, spare=1)
    with quiet_libraries():
        scheduler = kind(**own, use_karras_sigmas=settings.spacing == "karras")
        set_timesteps(scheduler, settings.steps, "cpu")
    skipped = _skipped(settings)
    times = scheduler.timesteps[skipped:].tolist()
    levels = [level_of(sigma) for sigma in scheduler.sigmas[skipped:-1]]
    return Multistep(_steps(model, times, levels, skipped), scheduler, skipped)


def _skipped(settings: RestyleSettings) -> int:
    assert settings.steps is not None
    return settings.steps - executed_steps(settings)


def _steps(model: Model, times: list[Any], levels: list[Level], skipped: float) -> Steps:
    return Steps(
        timesteps=torch.tensor(times, device=model.device),
        times=tuple(times),
        levels=tuple(levels),
        skipped=skipped,
        trained=trained_steps(model.scheduler_config),
        prediction=str(model.scheduler_config.get("prediction_type") or "epsilon"),
    )
