"""Interpolation: fusion against a sparse solve, seconds per stage and guide, growth with size.

    python bench/interpolation.py [CLIP] [--gap 12] [--size 512] [--only PART]

PART is fusion, stages, guides or growth. Without a clip the one that ships with the package is
used. Quality on withheld frames and against EbSynth's algorithm: withheld.py; borders and
keyframes: borders.py. Processor seconds hold on a machine that is busy; elapsed ones only on one
that is not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.evaluation.likeness import psnr
from fresco_engine.interpolation.blend import GRADIENT_WEIGHTS, fuse_gradients
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.flows import trace_key
from fresco_engine.interpolation.fusion_torch import TorchFusion
from fresco_engine.interpolation.guides import GuideWeights
from fresco_engine.interpolation.patch import PatchInterpolator
from fresco_engine.interpolation.patches import CpuPatches
from fresco_engine.interpolation.segment import Interpolator, Segment
from fresco_engine.interpolation.synthesis import Synthesiser, SynthesisSettings
from fresco_engine.sample import sample_clip_path
from fresco_media.types import Image
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg
from styles import outlined
from withheld import segments


def main() -> None:
    """Measures and prints."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    clip = arguments.clip or sample_clip_path()
    parts = {
        "fusion": lambda: _compare_fusion(arguments.size),
        "stages": lambda: _time_stages(clip, arguments.gap, arguments.size),
        "guides": lambda: _leave_guides_out(clip, arguments.gap, arguments.size),
        "growth": lambda: _time_growth(clip, arguments.gap),
    }
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Interpolation, measured.")
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--gap", type=int, default=12, help="frames between keys")
    parser.add_argument("--size", type=int, default=512, help="short side in pixels")
    parser.add_argument("--only", choices=("fusion", "stages", "guides", "growth"))
    return parser.parse_args()


# Fusion


def _compare_fusion(side: int) -> None:
    generator = np.random.default_rng(0)
    base = generator.uniform(0, 100, (side, side, 3)).astype(np.float32)
    across = generator.normal(0, 10, (side, side - 1, 3)).astype(np.float32)
    down = generator.normal(0, 10, (side - 1, side, 3)).astype(np.float32)
    ours_s, ours = _timed(lambda: fuse_gradients(base, across, down), repeats=9)
    torch_s, by_torch = _timed(lambda: TorchFusion("cpu")(base, across, down), repeats=5)
    lsqr_s, by_lsqr = _timed(lambda: _solve_all(_by_lsqr, base, across, down))
    direct_s, direct = _timed(lambda: _solve_all(_by_factoring, base, across, down))
    print(f"gradient fusion, {side}x{side}, three channels")
    print(f"  DCT      {ours_s:9.4f} s")
    for name, seconds, plain in (
        ("lsqr", lsqr_s, by_lsqr),
        ("spsolve", direct_s, direct),
        ("torch", torch_s, by_torch),
    ):
        # L runs from 0 to 100, so a level of a byte is 100/255 of it.
        level = np.abs(ours - plain).max() / (100 / 255)
        print(f"  {name:8} {seconds:9.4f} s  {seconds / ours_s:6.1f}x  apart {level:.4f}/255")


def _timed(work: Callable[[], NDArray], repeats: int = 1) -> tuple[float, NDArray]:
    """Least processor seconds of some repeats, and the result."""
    runs = [_cpu_timed(work) for _ in range(repeats)]
    return min(seconds for seconds, _ in runs), runs[-1][1]


Solver = Callable[[NDArray, NDArray, NDArray, float], NDArray]


def _solve_all(solve: Solver, base: NDArray, across: NDArray, down: NDArray) -> NDArray:
    channels = [
        solve(base[..., c], across[..., c], down[..., c], weight)
        for c, weight in enumerate(GRADIENT_WEIGHTS)
    ]
    return np.stack(channels, axis=-1)


def _differences(height: int, width: int) -> tuple[Any, Any]:
    def step(length: int) -> Any:
        return sparse.eye(length - 1, length, 1) - sparse.eye(length - 1, length)

    return (
        sparse.kron(sparse.eye(height), step(width)).tocsr(),
        sparse.kron(step(height), sparse.eye(width)).tocsr(),
    )


def _by_lsqr(base: NDArray, across: NDArray, down: NDArray, weight: float) -> NDArray:
    height, width = base.shape
    root = weight**0.5
    dx, dy = _differences(height, width)
    system = sparse.vstack([root * dx, root * dy, sparse.eye(height * width)]).tocsr()
    right = np.concatenate([root * across.ravel(), root * down.ravel(), base.ravel()])
    return linalg.lsqr(system, right, atol=1e-7, btol=1e-7)[0].reshape(height, width)


def _by_factoring(base: NDArray, across: NDArray, down: NDArray, weight: float) -> NDArray:
    height, width = base.shape
    dx, dy = _differences(height, width)
    system = sparse.eye(height * width) + weight * (dx.T @ dx + dy.T @ dy)
    right = base.ravel() + weight * (dx.T @ across.ravel() + dy.T @ down.ravel())
    solved = linalg.spsolve(system.tocsc(), right.astype(np.float64))
    return np.asarray(solved).reshape(height, width)


# Stages, guides, growth


def _cpu_timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def _whole(interpolator: Interpolator, segment: Segment) -> tuple[float, float, float]:
    """CPU seconds and elapsed seconds per frame, and PSNR against the filtered sources."""
    begin = time.perf_counter()
    cpu, frames = _cpu_timed(lambda: list(interpolator(segment)))
    wall = time.perf_counter() - begin
    quality = np.mean([psnr(f.image, outlined(segment.sources[f.offset])) for f in frames])
    return cpu / len(frames), wall / len(frames), float(quality)


def _segment(clip: Path, gap: int, size: int) -> Segment:
    sources = next(segments(clip, gap, size, 1))
    return Segment(sources, outlined(sources[0]), outlined(sources[-1]))


def _time_stages(clip: Path, gap: int, size: int) -> None:
    segment = _segment(clip, gap, size)
    sources, count = segment.sources, len(segment.offsets)
    list(make_interpolator("patch")(segment))  # compiled code is loaded before anything is timed
    steps_s, steps = _cpu_timed(lambda: _steps(sources))
    estimator = DisFlow("quick")
    trace_s, traced = _cpu_timed(lambda: list(trace_key(sources, steps, estimator)))
    synthesis_s, share = _cpu_timed(lambda: _synthesised(segment, steps, traced))
    height, width = sources[0].shape[:2]
    print(f"\n{clip.stem[:24]}, {width}x{height}, {count} frames between keys: CPU s per frame")
    print(f"  motion between neighbours, both ways  {2 * steps_s / count:.3f}")
    print(f"  following it to both keys             {2 * trace_s / count:.3f}")
    print(f"  patches of both keys                  {2 * synthesis_s / count:.3f} ({share:.0%})")
    for kind in ("patch", "flow"):
        cpu, wall, _ = _whole(make_interpolator(kind), segment)
        print(f"  all, {kind:5} {cpu:.3f}  elapsed {wall:.3f} s = {1 / wall:.1f} frames/s")


def _steps(sources: Sequence[Image]) -> list[NDArray[np.float32]]:
    estimator = DisFlow("fast")
    return [estimator(sources[i + 1], sources[i]) for i in range(len(sources) - 1)]


def _synthesised(segment: Segment, steps: Sequence[Any], traced: Sequence[Any]) -> float:
    """Paints one side; the mean share of pixels that were searched."""
    assert segment.first_key is not None
    synthesiser = Synthesiser(
        segment.sources[0], segment.first_key, CpuPatches(), SynthesisSettings()
    )
    before, shares = None, []
    for offset in segment.offsets:
        before = synthesiser.paint(
            segment.sources[offset], traced[offset - 1], before, steps[offset - 1]
        )
        shares.append(before.searched.mean())
    return float(np.mean(shares))


def _leave_guides_out(clip: Path, gap: int, size: int) -> None:
    segment = _segment(clip, gap, size)
    usual = SynthesisSettings()
    variants = {"all guides": usual}
    for name in ("colour", "edge", "temporal", "position", "style", "uniformity"):
        weights = replace(GuideWeights(), **{name: 0.0})
        variants[f"without {name}"] = replace(usual, weights=weights)
    variants["half the turns"] = replace(usual, turns=(2, 2, 2))
    variants["twice the turns"] = replace(usual, turns=(8, 8, 6))
    print(f"\n{clip.stem[:24]}: CPU s per frame and PSNR, outlined")
    for name, settings in variants.items():
        made_by = PatchInterpolator(DisFlow("quick"), settings, steps=DisFlow("fast"))
        cpu, _, quality = _whole(made_by, segment)
        print(f"  {name:20} {cpu:.3f}  {quality:.2f} dB", flush=True)


def _time_growth(clip: Path, gap: int) -> None:
    print(f"\n{clip.stem[:24]}: CPU s per frame, elapsed s per frame")
    for size in (256, 384, 512, 768):
        segment = _segment(clip, gap, size)
        for kind in ("patch", "flow"):
            for workers in (1, 2):
                cpu, wall, _ = _whole(make_interpolator(kind, workers=workers), segment)
                print(f"  {size:4} {kind:5} {workers} cores  {cpu:.3f}  {wall:.3f}", flush=True)


if __name__ == "__main__":
    main()
