"""What Fresco does on this machine's graphics card: right, how fast, and in how much memory.

    python -m bench.gpu [--out FOLDER] [--toy]

One command, no arguments, at most eight minutes on one H100: networks of Stable Diffusion 1.5's
size with random weights, made in place. Measures in one run that half precision and the GPU agree
with full precision and the processor, what each stage and step takes beside plain denoising, what
each adaptation and sampler adds, what compiling gains, and how near the forecast of memory comes.
Writes gpu.json and gpu.md. With --toy everything is tiny, so that it runs on any processor.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.batch_run import BatchRun, KeyframeBatch
from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.cost import batch_cost, moved
from fresco_engine.diffusion.latents import decode_latents, encode_images
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import choose_device
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.sampler import denoised, prepared
from fresco_engine.diffusion.tokenizers import CLIPS, load_tokenizer
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.segment import Segment
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import (
    AttentionSettings,
    ModelDefaults,
    OptimisationSettings,
    RestyleSettings,
    SamplerKind,
    SmoothingSettings,
)
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from bench import plain_guidance
from bench.guidance import NO_ATTENTION, NO_OPTIMISATION, a_correspondence

_BUDGET_S = 420.0
"""Seconds after which no new section is begun: the promise is eight minutes in all."""
PLAIN = RestyleSettings(
    prompt="a watercolour",
    steps=4,
    strength=1.0,
    guidance_scale=7.5,
    start_noise="shared",
    step_noise="shared",
    attention=NO_ATTENTION,
    optimisation=NO_OPTIMISATION,
    smoothing=SmoothingSettings(is_on=False),
)
FULL = replace(PLAIN, attention=AttentionSettings(), optimisation=OptimisationSettings())
AGREEING = replace(FULL, steps=4, strength=0.5, guidance_scale=2.0, optimisation=NO_OPTIMISATION)
"""Half the noise, little guidance: from pure noise the clean latents that a prediction implies are
many times its error off. Adam's first steps go by a gradient's sign alone, which features of random
weights leave to chance; with the bundled model a test holds half precision to 35 dB with them."""
ADAPTATIONS = {
    "plain U-Net + ControlNet": PLAIN,
    "spatial attention": replace(PLAIN, attention=replace(NO_ATTENTION, spatial=True)),
    "cross-frame attention": replace(PLAIN, attention=replace(NO_ATTENTION, cross_frame=True)),
    "temporal attention": replace(PLAIN, attention=replace(NO_ATTENTION, temporal=True)),
    "optimisation": replace(PLAIN, optimisation=OptimisationSettings()),
    "everything": FULL,
}


@dataclass(frozen=True)
class Scale:
    """How large everything is."""

    width: int
    """Channels of the U-Net's finest level: 320 in Stable Diffusion 1.5."""
    sizes: tuple[int, ...]
    frames: int
    text: int
    """Channels of the text encoder."""


REAL = Scale(width=320, sizes=(512, 768), frames=8, text=768)
TOY = Scale(width=32, sizes=(64,), frames=2, text=32)


@dataclass(frozen=True)
class Figure:
    """One measurement; `peak_bytes` is 0 on a processor, which does not tell."""

    section: str
    name: str
    seconds: float = 0.0
    peak_bytes: int = 0
    note: str = ""


@dataclass
class Report:
    """All measurements of a run, and what was left out for want of time."""

    machine: str
    figures: list[Figure] = field(default_factory=list[Figure])
    left_out: list[str] = field(default_factory=list[str])

    def markdown(self) -> str:
        """A table for each section, steps beside plain ones."""
        lines = [f"Measured on {self.machine}.", ""]
        for section in dict.fromkeys(one.section for one in self.figures):
            lines += [f"### {section}", "", "| | s | GB | |", "| --- | --- | --- | --- |"]
            for one in (one for one in self.figures if one.section == section):
                seconds = f"{one.seconds:.3f}" if one.seconds else ""
                peak = f"{one.peak_bytes / 1e9:.2f}" if one.peak_bytes else ""
                lines.append(f"| {one.name} | {seconds} | {peak} | {one.note} |")
            lines.append("")
        lines += [f"Left out for want of time: {name}." for name in self.left_out]
        return "\n".join(lines) + "\n"


def random_model(scale: Scale, device: torch.device, dtype: torch.dtype) -> Model:
    """Networks of Stable Diffusion 1.5's layout with random weights, alike on every device."""
    torch.manual_seed(0)
    blocks = tuple(scale.width * factor for factor in (1, 2, 4, 4))
    groups = min(32, scale.width // 2)
    with quiet_libraries():
        unet: Any = UNet2DConditionModel(
            block_out_channels=blocks, cross_attention_dim=scale.text, norm_num_groups=groups
        )
        control: Any = ControlNetModel.from_unet(unet)
        made: Any = AutoencoderKL
        vae = made(
            block_out_channels=tuple(scale.width * 2 // 5 * factor for factor in (1, 2, 4, 4))
            if scale is REAL
            else (8, 8, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2 if scale is REAL else 1,
            latent_channels=4,
            norm_num_groups=32 if scale is REAL else 4,
        )
        text: Any = CLIPTextModel(
            CLIPTextConfig(
                hidden_size=scale.text,
                intermediate_size=4 * scale.text,
                num_hidden_layers=12 if scale is REAL else 2,
                num_attention_heads=12 if scale is REAL else 2,
            )
        )
        networks = [
            one.to(device, dtype).eval().requires_grad_(False) for one in (unet, control, vae, text)
        ]
    unet, control, vae, text = networks
    return Model(
        name="random",
        unet=unet,
        vae=vae,
        text_encoder=text,
        tokenizer=load_tokenizer(CLIPS),
        scheduler_config={
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
        },
        controls=(LoadedControl(kind="tile", network=control),),
        defaults=ModelDefaults(control="tile", control_scale=1.0),
        device=device,
        dtype=dtype,
        max_prompt_tokens=77,
    )


def pictures(frames: int, size: int) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], ...]:
    """Smooth pictures that move a little."""
    y, x = np.mgrid[0:size, 0:size] / size
    return tuple(
        np.stack([128 + 100 * np.sin(9 * (x + 0.02 * i) + c) * np.cos(7 * y) for c in range(3)], -1)
        .clip(0, 255)
        .astype(np.uint8)
        for i in range(frames)
    )


class Bench:
    """One run of all sections on one device."""

    def __init__(self, scale: Scale, device: torch.device) -> None:
        self.scale = scale
        self.device = device
        name = platform.processor() or platform.machine()
        if device.type == "cuda":
            name = torch.cuda.get_device_name(device)
        self.report = Report(f"{name}, torch {torch.__version__}")
        self._began = time.perf_counter()

    @property
    def dtype(self) -> torch.dtype:
        """What the device computes in."""
        return torch.float16 if self.device.type == "cuda" else torch.float32

    def run(self) -> Report:
        """All sections, the most important ones first, as long as there is time."""
        sections: dict[str, Callable[[], None]] = {
            "agreement": self._agreement,
            **{
                f"steps at {size}": lambda size=size: self._steps(size) for size in self.scale.sizes
            },
            "samplers": self._samplers,
            "stages": self._stages,
            "optimisation": self._optimisation,
            "interpolation": self._interpolation,
        }
        if self.device.type == "cuda":
            sections["compiled"] = self._compiled
        for name, section in sections.items():
            if time.perf_counter() - self._began > _BUDGET_S:
                self.report.left_out.append(name)
                continue
            with torch.no_grad():
                section()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        return self.report

    @contextmanager
    def measured(self, section: str, name: str, note: str = "", times: int = 1) -> Iterator[None]:
        """Adds a figure of what happens inside, `times` of which are alike."""
        self._settle()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        began = time.perf_counter()
        yield
        self._settle()
        seconds = (time.perf_counter() - began) / times
        peak = torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else 0
        self.report.figures.append(Figure(section, name, seconds, peak, note))

    def _settle(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _run(self, model: Model, settings: RestyleSettings, frames: int, size: int) -> BatchRun:
        correspondence = moved(a_correspondence(frames, size, size), model.device)
        batch = KeyframeBatch(
            indices=tuple(range(frames)),
            images=pictures(frames, size),
            prompts=(settings.prompt,) * frames,
        )
        return prepared(model, batch, model.resolved(settings), correspondence, ())

    def _agreement(self) -> None:
        """Of the latents after all steps: half precision with full, and GPU with processor."""
        size, frames = self.scale.sizes[0] // 2, 2
        wanted = self._latents(torch.device("cpu"), torch.float32, frames, size)
        found = {
            "float32 here, float32 on the processor": (self.device, torch.float32),
            "float16 here, float32 on the processor": (self.device, torch.float16),
            "bfloat16 here, float32 on the processor": (self.device, torch.bfloat16),
        }
        for name, (device, dtype) in found.items():
            difference = self._latents(device, dtype, frames, size) - wanted
            decibel = 10 * torch.log10(wanted.var() / difference.square().mean().clamp_min(1e-20))
            self.report.figures.append(
                Figure("Agreement of latents", name, note=f"{float(decibel):.1f} dB")
            )

    def _latents(self, device: torch.device, dtype: torch.dtype, frames: int, size: int) -> Tensor:
        model = random_model(self.scale, device, dtype)
        return drained(denoised(self._run(model, AGREEING, frames, size)))[-1].cpu()

    def _steps(self, size: int) -> None:
        model = random_model(self.scale, self.device, self.dtype)
        frames = self.scale.frames
        drained(denoised(self._run(model, PLAIN, frames, size)))  # What is made ready only once.
        section = f"A denoising step of {frames} frames at {size} x {size}"
        for name, settings in ADAPTATIONS.items():
            run = self._run(model, settings, frames, size)
            with self.measured(section, name, times=len(run.sampler.steps)):
                drained(denoised(run))
        cost = batch_cost(model, model.resolved(FULL), frames=frames, height=size, width=size)
        self.report.figures.append(
            Figure(section, "everything, as forecast", peak_bytes=cost.peak_bytes)
        )

    def _samplers(self) -> None:
        model = random_model(self.scale, self.device, self.dtype)
        size, frames = self.scale.sizes[0], self.scale.frames
        for kind in get_args(SamplerKind):
            run = self._run(model, replace(FULL, sampler=kind), frames, size)
            with self.measured("A step by sampler", kind, times=len(run.sampler.steps)):
                drained(denoised(run))

    def _stages(self) -> None:
        model = random_model(self.scale, self.device, self.dtype)
        size, frames = self.scale.sizes[0], self.scale.frames
        section = f"Stages of {frames} frames at {size} x {size}"
        images = torch.rand(frames, 3, size, size, device=self.device) * 2 - 1
        with self.measured(section, "encoding"):
            latents = encode_images(model, images)
        with self.measured(section, "making ready"):
            self._run(model, FULL, frames, size)
        with self.measured(section, "decoding"):
            decode_latents(model, latents)

    def _optimisation(self) -> None:
        """Of a block's features, beside the paper's formulas written with autograd."""
        from fresco_engine.correspondence.similarity import SimilarityTarget
        from fresco_engine.diffusion.consistency import TemporalConsistency
        from fresco_engine.diffusion.features import optimise, to_tokens

        size, frames = self.scale.sizes[0] // 16, self.scale.frames
        channels, settings = self.scale.width * 4, OptimisationSettings()
        features = torch.randn(2 * frames, channels, size, size, device=self.device)
        reference = torch.randn(frames, channels, size, size, device=self.device)
        at: BatchCorrespondence = moved(a_correspondence(frames, size, size), self.device)
        section = f"Optimisation of {channels} x {size} x {size}"
        consistency = TemporalConsistency.of(at)
        target = SimilarityTarget.of(to_tokens(reference))
        for _ in range(2):  # The first time pays for what is made ready once.
            with self.measured(section, "Fresco"):
                optimise(features, frames, consistency, target, settings)
            with self.measured(section, "by autograd"):
                plain_guidance.optimise(features, at, reference, settings)
        del self.report.figures[-4:-2]

    def _interpolation(self) -> None:
        """Of the frames between two keyframes, on the device where that has a path of its own."""
        size, count = self.scale.sizes[0], self.scale.frames
        sources = pictures(count + 1, size)
        segment = Segment(
            sources=sources,
            first_key=255 - sources[0],
            last_key=255 - sources[-1],
        )
        interpolate = make_interpolator("patch", device=str(self.device))
        for name in ("the first time", "again"):
            with self.measured(f"A frame between, {size} x {size}", name, times=count - 1):
                for _ in interpolate(segment):
                    pass

    def _compiled(self) -> None:
        """The networks alone, as their makers run them, compiled and not."""
        model = random_model(self.scale, self.device, self.dtype)
        size, frames = self.scale.sizes[0], self.scale.frames
        like = {"device": self.device, "dtype": self.dtype}
        latents = torch.randn(2 * frames, 4, size // 8, size // 8, **like)
        text = torch.randn(2 * frames, 77, self.scale.text, **like)
        plain: Any = model.unet
        compiled: Any = torch.compile(plain)
        for name, network in (("as it is", plain), ("compiled", compiled)):
            network(latents, 500, text, return_dict=False)
            with self.measured("The U-Net of a plain step", name):
                network(latents, 500, text, return_dict=False)


def main(arguments: list[str] | None = None) -> None:
    """Run all sections and write what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=Path("gpu-bench"), metavar="FOLDER")
    parser.add_argument("--toy", action="store_true", help="tiny networks, to try the bench itself")
    options = parser.parse_args(arguments)
    device = choose_device()
    if device.type == "cpu" and not options.toy:
        parser.error("this machine has no graphics card that torch can use; try it with --toy")
    report = Bench(TOY if options.toy else REAL, device).run()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gpu.json").write_text(json.dumps(asdict(report), indent=2), "utf-8")
    (options.out / "gpu.md").write_text(report.markdown(), "utf-8")
    print(report.markdown())


if __name__ == "__main__":
    main()
