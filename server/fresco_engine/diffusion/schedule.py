"""The noise schedule a model was trained with, and what a prediction says about the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fresco_engine.errors import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diffusers import DDPMScheduler
    from torch import Tensor

    from fresco_engine.diffusion.model import Model

_OWN = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "timestep_spacing",
    "steps_offset",
    "rescale_betas_zero_snr",
)


def make_scheduler(model: Model, steps: int) -> DDPMScheduler:
    """A DDPM scheduler over the model's own noise schedule with `steps` timesteps set.

    Raises:
        InvalidSettings: there are more steps than the model was trained with.
    """
    return scheduler_from(model.scheduler_config, steps, str(model.device))


def scheduler_from(config: Mapping[str, Any], steps: int, device: str = "cpu") -> DDPMScheduler:
    """As `make_scheduler`, from the scheduler configuration alone."""
    from diffusers import DDPMScheduler

    own = {name: config[name] for name in _OWN if config.get(name) is not None}
    trained = own.get("num_train_timesteps", 1000)
    if not 1 <= steps <= trained:
        raise InvalidSettings("steps", f"{steps} is outside 1 to {trained}, the model's schedule")
    spacing = trained // steps
    # With as many steps as were trained, an offset would lead one past the end of the schedule.
    offset = min(own.get("steps_offset", 0), trained - 1 - (steps - 1) * spacing)
    scheduler = DDPMScheduler(**{**own, "steps_offset": offset}, clip_sample=False)
    scheduler.set_timesteps(steps, device=device)
    return scheduler


def predicted_x0(
    scheduler: DDPMScheduler, model_output: Tensor, sample: Tensor, t: int | Tensor
) -> Tensor:
    """The clean latents that `model_output` at timestep `t` implies for the noisy `sample`.

    Valid for networks that predict the noise, the velocity (v) or the sample itself.
    """
    kind = scheduler.config["prediction_type"]
    if kind == "sample":
        return model_output
    kept = scheduler.alphas_cumprod[int(t)]
    signal, noise = kept**0.5, (1 - kept) ** 0.5
    if kind == "v_prediction":
        return signal * sample - noise * model_output
    return (sample - noise * model_output) / signal


def output_that_predicts(
    scheduler: DDPMScheduler, x0: Tensor, sample: Tensor, t: int | Tensor
) -> Tensor:
    """The model output that implies the clean latents `x0`: the inverse of `predicted_x0`."""
    kind = scheduler.config["prediction_type"]
    if kind == "sample":
        return x0
    kept = scheduler.alphas_cumprod[int(t)].item()
    signal, noise = kept**0.5, (1 - kept) ** 0.5
    if kind == "v_prediction":
        return (signal * sample - x0) / noise
    return (sample - signal * x0) / noise


def ancestral_step(
    scheduler: DDPMScheduler, model_output: Tensor, sample: Tensor, t: int, noise: Tensor
) -> Tensor:
    """The latents at the timestep before `t`, with `noise` of unit variance shaped like them.

    The posterior's mean and smallest variance (Eq. 6 and 7 of DDPM, arXiv:2006.11239), bit for bit
    what the scheduler computes; but that draws its noise itself, and ours moves with the picture.
    """
    before = scheduler.previous_timestep(t)
    kept = scheduler.alphas_cumprod[t]
    kept_before = scheduler.alphas_cumprod[before] if before >= 0 else scheduler.one
    gone, gone_before = 1 - kept, 1 - kept_before
    alpha = kept / kept_before
    beta = 1 - alpha
    x0 = predicted_x0(scheduler, model_output, sample, t)
    mean = (kept_before**0.5 * beta) / gone * x0 + alpha**0.5 * gone_before / gone * sample
    variance = (gone_before / gone * beta).clamp(min=1e-20)
    return mean + variance**0.5 * noise if t > 0 else mean
