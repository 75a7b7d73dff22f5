"""What each adaptation contributes: Pixel-MSE and Spat-Con per variant, as Table 2 of the paper.

    python bench/ablation.py CLIP [CLIP ...] --prompt "a watercolour painting"

Keyframes are translated with one set of adaptations after another, everything else alike;
consecutive translated keyframes are compared after alignment by the input's optical flow.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.evaluation.steadiness import pixel_mse
from fresco_engine.evaluation.structure import spatial_consistency
from fresco_engine.interpolation.propagate import InterpolatedFrame, Segment
from fresco_engine.restyling import restyle
from fresco_engine.settings import (
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
)
from fresco_engine.types import KeyframeMade
from fresco_media.clip import Clip
from fresco_media.stills.images import contact_sheet, write_image
from fresco_media.types import Image

NO_ATTENTION = AttentionSettings(spatial=False, cross_frame=False, temporal=False)
CROSS_FRAME = AttentionSettings(spatial=False, temporal=False)
NO_OPTIMISATION = OptimisationSettings(temporal=False, spatial=False)


NO_SMOOTHING = SmoothingSettings(is_on=False)


@dataclass(frozen=True)
class Variant:
    """A row of the table."""

    name: str
    attention: AttentionSettings = NO_ATTENTION
    optimisation: OptimisationSettings = NO_OPTIMISATION
    smoothing: SmoothingSettings = NO_SMOOTHING
    shared_noise: bool = True


VARIANTS = (
    Variant("no adaptation", shared_noise=False),
    Variant("shared noise only"),
    Variant("cross-frame attention only", CROSS_FRAME),
    Variant("+ temporal", AttentionSettings(spatial=False), OptimisationSettings(spatial=False)),
    Variant("+ spatial", AttentionSettings(temporal=False), OptimisationSettings(temporal=False)),
    Variant("attention only", AttentionSettings()),
    Variant("optimisation only", CROSS_FRAME, OptimisationSettings()),
    Variant("attention and optimisation", AttentionSettings(), OptimisationSettings()),
    Variant("full", AttentionSettings(), OptimisationSettings(), SmoothingSettings()),
)
"""Rows after the second share their noise; "full" is the last but one with background smoothing."""


class SourceInterpolator:
    """Frames between keyframes are not measured here, so they are left as they are."""

    def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
        """The source frames between the keyframes."""
        no_error = np.zeros(segment.sources[0].shape[:2], np.float32)
        for offset in range(1, len(segment.sources) - 1):
            yield InterpolatedFrame(offset, segment.sources[offset], no_error)


def translated_keyframes(
    clip: Clip, model: Model, settings: RestyleSettings
) -> tuple[list[int], list[Image]]:
    """Indices and pictures of all translated keyframes, in order."""
    events = restyle(clip, settings, model, interpolator=SourceInterpolator())
    ready = [event for event in events if isinstance(event, KeyframeMade)]
    return [event.index for event in ready], [event.image for event in ready]


def measure(
    clip: Clip, model: Model, settings: RestyleSettings
) -> tuple[float, float, list[Image]]:
    """Pixel-MSE and Spat-Con of one variant, and its pictures."""
    indices, results = translated_keyframes(clip, model, settings)
    sources = [frame.image for frame in clip.frames_at(indices)]
    consistency = pixel_mse(zip(sources, results, strict=True), DisFlow())
    spatial = spatial_consistency(zip(sources, results, strict=True))
    return consistency, spatial, results


def main() -> None:
    """Print the table, and write a contact sheet where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--prompt", default="a watercolour painting")
    parser.add_argument("--model", default=None)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--count", type=int, default=12, help="keyframes a clip")
    parser.add_argument("--gap", type=int, default=1, help="frames between keyframes")
    parser.add_argument("--strength", type=float, default=None)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--guidance", type=float, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--own-step-noise", action="store_true", help="as in the published code")
    parser.add_argument("--control", default=None, help="tile or canny")
    parser.add_argument("--only", default="", help="only variants whose name contains this")
    parser.add_argument("--sheet", type=Path, default=None)
    options = parser.parse_args()
    model = load_model(options.model, control=options.control)
    for path in options.clips:
        run_clip(Clip.open(path), model, options)


def run_clip(clip: Clip, model: Model, options: argparse.Namespace) -> None:
    """One table for one clip."""
    stop = min(clip.info.frame_count, options.gap * (options.count - 1) + 1)
    base = RestyleSettings(
        prompt=options.prompt,
        size=options.size,
        seed=options.seed,
        control=options.control,
        steps=options.steps,
        strength=options.strength,
        guidance_scale=options.guidance,
        keyframe_min=options.gap,
        keyframe_max=options.gap,
        stop=stop,
    )
    print(
        f"\n{clip.info.path.name}: frames 0 to {stop - 1}, every {options.gap}, {options.prompt!r}"
    )
    print(f"{'variant':28} {'Pixel-MSE':>10} {'Spat-Con':>10} {'seconds':>8}")
    rows: list[list[Image]] = []
    sources = [frame.image for frame in clip.frames_at(range(0, stop, options.gap))]
    floor = pixel_mse(zip(sources, sources, strict=True), DisFlow())
    print(f"{'the source itself':28} {floor:10.6f}")
    for variant in VARIANTS:
        if options.only not in variant.name:
            continue
        started = time.perf_counter()
        settings = replace(
            base,
            attention=variant.attention,
            optimisation=variant.optimisation,
            smoothing=variant.smoothing,
            shared_noise=variant.shared_noise,
            shared_step_noise=variant.shared_noise and not options.own_step_noise,
        )
        consistency, spatial, results = measure(clip, model, settings)
        seconds = time.perf_counter() - started
        print(f"{variant.name:28} {consistency:10.6f} {spatial:10.5f} {seconds:8.1f}", flush=True)
        rows.append(results[:6])
    if options.sheet is not None:
        names = [variant.name for variant in VARIANTS if options.only in variant.name]
        target = options.sheet.with_stem(f"{options.sheet.stem}-{clip.info.path.stem}")
        write_image(target, contact_sheet(rows, row_labels=names))


if __name__ == "__main__":
    main()
