"""The noise schedule a model was trained with, and the timesteps that are chosen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import Spacing

if TYPE_CHECKING:
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
_TRAINED = 1000
"""Timesteps of a schedule whose configuration does not tell how many."""


@dataclass(frozen=True)
class Level:
    """How much of a noisy sample is picture and how much noise: signal * x0 + noise * epsilon.

    Both are numbers of the processor's, rounded to single precision, so that no step has to wait
    for the device.
    """

    signal: float
    noise: float

    @staticmethod
    def of(kept: Tensor) -> Level:
        """The level of `kept`, the share of the signal's variance that is left (alpha bar)."""
        return Level(float(kept**0.5), float((1 - kept) ** 0.5))

    def noised(self, clean: Tensor, noise: Tensor) -> Tensor:
        """`clean` at this level, with `noise` of unit variance."""
        return self.signal * clean + self.noise * noise


def make_scheduler(model: Model, steps: int, spacing: Spacing | None = None) -> DDPMScheduler:
    """A DDPM scheduler over the model's own noise schedule with `steps` timesteps set.

    Raises:
        InvalidSettings: there are more steps than the model was trained with.
    """
    return scheduler_from(model.scheduler_config, steps, str(model.device), spacing)


def scheduler_from(
    config: Mapping[str, Any], steps: int, device: str = "cpu", spacing: Spacing | None = None
) -> DDPMScheduler:
    """As `make_scheduler`, from the scheduler configuration alone."""
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(**own_config(config, steps, spacing), clip_sample=False)
    set_timesteps(scheduler, steps, device)
    return scheduler


def own_config(
    config: Mapping[str, Any], steps: int, spacing: Spacing | None, *, spare: int = 0
) -> dict[str, Any]:
    """What any of diffusers' schedulers needs to know of the model's own schedule.

    `spare` steps more are divided into the schedule by some of them, and left out again.

    Raises:
        InvalidSettings: there are more steps than the model was trained with.
    """
    own = {name: config[name] for name in _OWN if config.get(name) is not None}
    trained = trained_steps(config)
    if not 1 <= steps <= trained - spare:
        raise InvalidSettings(
            "steps", f"{steps} is outside 1 to {trained - spare}, the model's schedule"
        )
    between = trained // (steps + spare)
    # With as many steps as were trained, an offset would lead one past the end of the schedule.
    offset = min(own.get("steps_offset", 0), trained - 1 - (steps - 1 + spare) * between)
    return {**own, "steps_offset": offset, "timestep_spacing": _spacing(config, spacing)}


def set_timesteps(scheduler: Any, steps: int, device: str) -> None:
    """Choose exactly `steps` timesteps; the library sometimes adds one below the schedule."""
    scheduler.set_timesteps(steps, device=device)
    if len(scheduler.timesteps) > steps:
        scheduler.timesteps = scheduler.timesteps[:steps]
        if hasattr(scheduler, "sigmas"):
            import torch

            scheduler.sigmas = torch.cat([scheduler.sigmas[:steps], scheduler.sigmas[-1:]])


def trained_steps(config: Mapping[str, Any]) -> int:
    """How many timesteps the model's schedule has."""
    return int(config.get("num_train_timesteps") or _TRAINED)


def has_zero_snr(config: Mapping[str, Any]) -> bool:
    """Whether the model's schedule ends in pure noise (zero terminal signal-to-noise ratio)."""
    return bool(config.get("rescale_betas_zero_snr"))


def noise_level(config: Mapping[str, Any], t: int) -> Level:
    """How noisy the model's schedule is at timestep `t`."""
    return Level.of(scheduler_from(config, 1).alphas_cumprod[t])


def _spacing(config: Mapping[str, Any], chosen: Spacing | None) -> str:
    """The library's name of what is chosen; "karras" spaces noise levels, not timesteps.

    A schedule that ends in pure noise must be entered at its end (section 3.3 of
    arXiv:2305.08891), which "leading" never does. The noise itself says nothing there, so that
    models that predict it are left as they are.
    """
    if chosen is not None and chosen != "karras":
        return chosen
    predicts_noise = config.get("prediction_type", "epsilon") == "epsilon"
    usual = "trailing" if has_zero_snr(config) and not predicts_noise else "leading"
    return str(config.get("timestep_spacing") or usual)
