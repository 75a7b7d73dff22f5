"""What guidance costs: the feature optimisation against plain autograd, and a whole guided step.

python bench/guidance.py --shape 1280x32 [--shape 640x64] [--frames 8] [--iterations 20]
python bench/guidance.py --step [--size 256] [--frames 4] [--rounds 2]

Everything is measured in one run, interleaved. The figures of the documentation are for features
of 8 frames in both halves of guided denoising, and for a U-Net and ControlNet of Stable
Diffusion 1.5's size with random weights.
"""

from __future__ import annotations

import argparse
import gc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import plain_guidance
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.similarity import SimilarityTarget
from fresco_engine.correspondence.warp import resize_map
from fresco_engine.diffusion.consistency import TemporalConsistency
from fresco_engine.diffusion.features import optimise, to_tokens
from fresco_engine.diffusion.guidance import Guidance, GuidanceStep
from fresco_engine.diffusion.hooks import guided, recording
from fresco_engine.settings import AttentionSettings, OptimisationSettings
from torch import Tensor

NO_ATTENTION = AttentionSettings(spatial=False, cross_frame=False, temporal=False)
NO_OPTIMISATION = OptimisationSettings(spatial=False, temporal=False)


@dataclass
class Cost:
    """Seconds on the clock, seconds of processor time, and resident memory above the start."""

    wall_s: float = float("inf")
    cpu_s: float = float("inf")
    extra_bytes: int = 0
    results: list[Tensor] = field(default_factory=list[Tensor], repr=False)

    def take(self, work: Callable[[], Tensor]) -> None:
        """Runs `work` once more; the best times and the highest memory count."""
        gc.collect()
        before, watch = _resident_bytes(), _Watch()
        with watch:
            wall, cpu = time.perf_counter(), time.process_time()
            self.results = [work()]
            self.wall_s = min(self.wall_s, time.perf_counter() - wall)
            self.cpu_s = min(self.cpu_s, time.process_time() - cpu)
        self.extra_bytes = max(self.extra_bytes, watch.peak_bytes - before)


class _Watch(threading.Thread):
    """Follows this process's resident memory (Linux)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = _resident_bytes()
        self._stop_asked = threading.Event()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        self.join()

    def run(self) -> None:
        while not self._stop_asked.wait(0.02):
            self.peak_bytes = max(self.peak_bytes, _resident_bytes())


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def a_correspondence(frames: int, height: int, width: int) -> BatchCorrespondence:
    """Smooth random motion of a few pixels, a tenth of every frame hidden."""
    random = torch.Generator().manual_seed(0)

    def smooth(channels: int) -> Tensor:
        coarse = torch.randn(frames, channels, 5, 5, generator=random)
        return resize_map(coarse, height, width)

    def hidden() -> Tensor:
        share = smooth(1)[:, 0]
        return share > share.flatten().sort().values[int(0.9 * share.numel())]

    motion = height / 64
    flows = motion * smooth(2), motion * smooth(2)
    ahead, behind = hidden(), hidden()
    colours = smooth(3).sigmoid()
    return BatchCorrespondence(*flows, ahead, behind, hidden(), colours, ahead, behind)


def measure_shape(channels: int, size: int, frames: int, settings: OptimisationSettings) -> None:
    """The optimisation of features (2 frames, channels, size, size), ours and by autograd."""
    random = torch.Generator().manual_seed(1)
    features = torch.randn(2 * frames, channels, size, size, generator=random)
    reference = torch.randn(frames, channels, size, size, generator=random)
    correspondence = a_correspondence(frames, size, size)

    def ours() -> Tensor:
        consistency = TemporalConsistency.of(correspondence)
        target = SimilarityTarget.of(to_tokens(reference))
        return optimise(features, frames, consistency, target, settings)

    def plain() -> Tensor:
        return plain_guidance.optimise(features, correspondence, reference, settings)

    estimator = {"autograd": Cost(), "Fresco": Cost()}
    with torch.no_grad():
        estimator["Fresco"].take(ours)
        estimator["autograd"].take(plain)
        estimator["Fresco"].take(ours)
    print(f"features {tuple(features.shape)}, {settings.iterations} iterations")
    _print_costs(estimator, "autograd")
    difference = (estimator["Fresco"].results[0] - estimator["autograd"].results[0]).abs()
    print(f"  difference: mean {difference.mean():.1e}, highest {difference.max():.1e}")


def _print_costs(estimator: dict[str, Cost], base: str) -> None:
    print(f"  {'':34}{'seconds':>9}{'processor s':>13}{'times':>8}{'extra GB':>10}")
    for name, cost in estimator.items():
        ratio = cost.cpu_s / estimator[base].cpu_s
        print(f"  {name:34}{cost.wall_s:9.2f}{cost.cpu_s:13.2f}{ratio:8.2f}", end="")
        print(f"{cost.extra_bytes / 1e9:10.2f}")


@dataclass(frozen=True)
class Denoiser:
    """One denoising step of a U-Net with ControlNet, in both halves of guided denoising."""

    unet: UNet2DConditionModel
    control: ControlNetModel
    latents: Tensor
    picture: Tensor
    text: Tensor

    @classmethod
    def of_sd15_size(cls, frames: int, size: int) -> Denoiser:
        """With random weights and inputs for pictures of size by size."""
        unet = UNet2DConditionModel(cross_attention_dim=768).eval().requires_grad_(False)
        control = ControlNetModel.from_unet(unet).eval().requires_grad_(False)
        latents = torch.randn(2 * frames, 4, size // 8, size // 8)
        picture, text = torch.rand(2 * frames, 3, size, size), torch.randn(2 * frames, 77, 768)
        return cls(unet, control, latents, picture, text)

    def step(self) -> Tensor:
        """Predicts the noise of all frames."""
        down, mid = self.control(
            self.latents, 500, self.text, controlnet_cond=self.picture, return_dict=False
        )
        return self.unet(
            self.latents,
            500,
            self.text,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
        ).sample

    def guided_step(self, step: GuidanceStep) -> Tensor:
        """The same with guidance."""
        with guided(self.unet, step):
            return self.step()


def measure_step(frames: int, size: int, rounds: int) -> None:
    """A denoising step at Stable Diffusion 1.5's size: plain, and with what guides it."""
    denoiser = Denoiser.of_sd15_size(frames, size)
    with recording(denoiser.unet) as reference:
        denoiser.unet(denoiser.latents[:frames], 1, denoiser.text[:frames])
    correspondence = a_correspondence(frames, size, size)

    def at(run_index: int, attention: bool, optimisation: bool) -> GuidanceStep:
        return Guidance(
            correspondence=correspondence,
            reference=reference,
            attention=AttentionSettings() if attention else NO_ATTENTION,
            optimisation=OptimisationSettings() if optimisation else NO_OPTIMISATION,
        ).at_step(run_index=run_index, run_steps=16, schedule_share=0.5, noise_share=0.5)

    steps = {
        "+ cross-frame, temporal attention": at(1, attention=True, optimisation=False),
        "+ optimisation": at(1, attention=False, optimisation=True),
        "guided, a typical step": at(1, attention=True, optimisation=True),
        "guided, the first step": at(0, attention=True, optimisation=True),
    }
    estimator = {"plain U-Net + ControlNet": Cost(), **{name: Cost() for name in steps}}
    for _ in range(rounds):
        estimator["plain U-Net + ControlNet"].take(denoiser.step)
        for name, step in steps.items():
            estimator[name].take(lambda step=step: denoiser.guided_step(step))
    print(f"a step of {frames} frames at {size}², both halves, {torch.get_num_threads()} threads")
    _print_costs(estimator, "plain U-Net + ControlNet")


def main() -> None:
    """Measure what the options name."""
    parser = argparse.ArgumentParser(description="What guidance costs.")
    parser.add_argument("--shape", action="append", default=[], help="CHANNELSxSIZE, say 1280x32")
    parser.add_argument("--step", action="store_true", help="a whole step instead")
    parser.add_argument("--frames", type=int, default=None)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    for shape in options.shape:
        channels, size = (int(part) for part in shape.split("x"))
        settings = OptimisationSettings(iterations=options.iterations)
        measure_shape(channels, size, options.frames or 8, settings)
    if options.step:
        with torch.no_grad():
            measure_step(options.frames or 4, options.size, options.rounds)


if __name__ == "__main__":
    main()
