"""What the U-Net is asked: the velocity of noisy latents that still hold some of the photo."""

from dataclasses import dataclass

import torch
from diffusers import DDPMScheduler
from torch import Tensor


@dataclass(frozen=True)
class Schedule:
    """Signal and noise share at each of the 1000 times, as vectors."""

    signal: Tensor
    noise: Tensor

    def to(self, device: torch.device) -> "Schedule":
        """The same on another device."""
        return Schedule(self.signal.to(device), self.noise.to(device))

    @staticmethod
    def of(scheduler: DDPMScheduler) -> "Schedule":
        """The shares of a diffusers scheduler."""
        kept = scheduler.alphas_cumprod
        return Schedule(kept.sqrt(), (1.0 - kept).sqrt())

    def at(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise share at `times` (b), shaped (b, 1, 1, 1)."""
        return self.signal[times][:, None, None, None], self.noise[times][:, None, None, None]


def random_times(count: int) -> Tensor:
    """Times of training: mostly those that restyling in few steps passes through."""
    early = torch.randint(1, 200, (count,))
    usual = torch.randint(200, 860, (count,))
    late = torch.randint(860, 1000, (count,))
    draw = torch.rand(count)
    return torch.where(draw < 0.14, early, torch.where(draw < 0.88, usual, late))


def remaining_photo(schedule: Schedule, times: Tensor) -> Tensor:
    """The share of the photograph (b, 1, 1, 1) that a sampler which began with it holds at `times`.

    Restyling starts from the noised photo at some time t0 >= t, and what is left of the photo
    falls as the signal grows. Some late samples hold all of it, some of all samples none.
    """

    def draw() -> Tensor:
        return torch.rand(len(times), device=times.device)

    start = times.clamp(min=350).float()
    start = start + draw() * (950 - start).clamp(min=0)
    snr = (schedule.signal / schedule.noise) ** 2
    ratio = snr[start.long().clamp(max=999)] / snr[times]
    share = ratio.clamp(max=1.0) ** (0.5 + 0.5 * draw())
    chance = draw()
    share = torch.where((chance < 0.25) & (times >= 350), torch.ones_like(share), share)
    share = torch.where(chance > 0.85, torch.zeros_like(share), share)
    return share[:, None, None, None]


def noisy_latents(schedule: Schedule, mixture: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """`mixture` of styled and photo latents noised to `times`."""
    signal, deviation = schedule.at(times)
    return signal * mixture + deviation * noise


def velocity(schedule: Schedule, noisy: Tensor, target: Tensor, times: Tensor) -> Tensor:
    """The velocity that leads from `noisy` to `target`, whatever `noisy` was made of."""
    signal, deviation = schedule.at(times)
    return (signal * noisy - target) / deviation


def prediction(schedule: Schedule, noisy: Tensor, velocities: Tensor, times: Tensor) -> Tensor:
    """The clean latents that `velocities` point to: the inverse of `velocity`."""
    signal, deviation = schedule.at(times)
    return signal * noisy - deviation * velocities


def loss_weights(schedule: Schedule, times: Tensor) -> Tensor:
    """Weights (b, 1, 1, 1) of squared velocity errors; they bound what small noise counts."""
    snr = (schedule.signal / schedule.noise) ** 2
    return (5.0 / (1.0 + snr[times])).clamp(max=1.0)[:, None, None, None]
