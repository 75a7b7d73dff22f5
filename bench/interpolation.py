"""Interpolation: fusion against a sparse solve, seconds per stage, and quality on withheld frames.

    python bench/interpolation.py [CLIP ...] [--gap 10 20] [--segments N] [--size 512] [--sheet PNG]

Quality is measured where the truth is known: the clip is restyled at every frame by deterministic
image filters, all frames but the keys are withheld, and PSNR is taken of what comes back, against
cross-fading the keys and against warping the nearer key by direct flow. Without a clip the one
that ships with the package is used.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.correspondence.warp import warp_image
from fresco_engine.interpolation.blend import GRADIENT_WEIGHTS, blend, fuse_gradients
from fresco_engine.interpolation.colour import to_lab
from fresco_engine.interpolation.fill import recolour
from fresco_engine.interpolation.flows import find_steps, trace_key
from fresco_engine.interpolation.propagate import FlowInterpolator, Segment
from fresco_engine.media.clip import Clip
from fresco_engine.media.images import contact_sheet, write_image
from fresco_engine.sample import sample_clip_path
from fresco_engine.types import Image
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(arguments.threads)
    clips = arguments.clips or [sample_clip_path()]
    _compare_fusion(arguments.size)
    for clip in clips:
        sources = _frames(clip, max(arguments.gap) + 1, arguments.size, 0)
        _time_stages(clip.name, sources)
    for clip in clips:
        _measure_quality(clip, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Interpolation, measured.")
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--gap", nargs="+", type=int, default=[10, 20], help="frames between keys")
    parser.add_argument("--segments", type=int, default=2, help="segments per clip and gap")
    parser.add_argument("--size", type=int, default=512, help="short side in pixels")
    parser.add_argument("--threads", type=int, default=1, help="of OpenCV")
    parser.add_argument("--sheet", type=Path, help="PNG: source, truth, ours in mid-segment")
    return parser.parse_args()


def _frames(path: Path, count: int, short_side: int, start: int) -> list[Image]:
    clip = Clip.open(path)
    info = clip.info
    scale = short_side / min(info.width, info.height)
    size = (8 * round(info.width * scale / 8), 8 * round(info.height * scale / 8))
    stop = min(start + count, info.frame_count)
    return [frame.image for frame in clip.frames(start, stop, size=size)]


# Fusion


def _compare_fusion(side: int) -> None:
    generator = np.random.default_rng(0)
    base = generator.uniform(0, 100, (side, side, 3)).astype(np.float32)
    across = generator.normal(0, 10, (side, side - 1, 3)).astype(np.float32)
    down = generator.normal(0, 10, (side - 1, side, 3)).astype(np.float32)
    ours_s, ours = _timed(lambda: fuse_gradients(base, across, down), repeats=5)
    lsqr_s, by_lsqr = _timed(lambda: _solve_all(_by_lsqr, base, across, down))
    direct_s, direct = _timed(lambda: _solve_all(_by_factoring, base, across, down))
    print(f"gradient fusion, {side}x{side}, three channels")
    print(f"  DCT      {ours_s:9.4f} s")
    for name, seconds, plain in (("lsqr", lsqr_s, by_lsqr), ("spsolve", direct_s, direct)):
        # L runs from 0 to 100, so a level of a byte is 100/255 of it.
        level = np.abs(ours - plain).max() / (100 / 255)
        print(f"  {name:8} {seconds:9.4f} s  {seconds / ours_s:5.0f}x  apart {level:.4f}/255")


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


# Stages


def _time_stages(name: str, sources: Sequence[Image]) -> None:
    """Seconds of one thread's processor time per frame: fair on a machine that is busy."""
    estimator = DisFlow()
    segment = Segment(sources, _outlined(sources[0]), _outlined(sources[-1]))
    frames = len(segment.offsets)
    labs = to_lab(sources[0]), to_lab(sources[-1])
    half = np.full(sources[0].shape[:2], 0.5, np.float32)
    gradients = np.diff(labs[0], axis=1), np.diff(labs[0], axis=0)
    parts = {
        "blending": lambda: blend(*labs, half),
        "fusion": lambda: fuse_gradients(labs[0], *gradients),
        "filling": lambda: recolour(*labs, half),
    }
    whole_s, _ = _cpu_timed(lambda: list(FlowInterpolator(estimator)(segment)))
    steps_s, steps = _cpu_timed(lambda: find_steps(sources, estimator))
    trace_s, _ = _cpu_timed(lambda: list(trace_key(sources, steps.back, estimator)))
    height, width = sources[0].shape[:2]
    print(f"\n{name}, {width}x{height}, {frames} frames between keys: CPU seconds per frame")
    print(f"  flow between neighbours    {steps_s / frames:.4f}")
    print(f"  tracing both keys          {2 * trace_s / frames:.4f}")
    print(f"  painting                   {(whole_s - steps_s - 2 * trace_s) / frames:.4f}")
    for part, work in parts.items():
        print(f"    of which {part:16}  {_cpu_timed(work)[0]:.4f}")
    print(f"  all                        {whole_s / frames:.4f}  ({frames / whole_s:.1f} frames/s)")


def _cpu_timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


# Quality


def _outlined(image: Image) -> Image:
    """Dark strokes along edges, smooth colours in between."""
    blue_first = cv2.stylization(image[..., ::-1].copy(), sigma_s=40, sigma_r=0.35)
    return np.asarray(blue_first[..., ::-1], np.uint8).copy()


def _posterised(image: Image) -> Image:
    """Few tones, shifted colours, thin dark lines."""
    smooth = np.asarray(cv2.bilateralFilter(image, 7, 50, 5), np.uint8)
    lab = to_lab(smooth)
    steps = 16 * np.round(lab[..., 0] / 16)
    lab[..., 0] = steps + 0.25 * (lab[..., 0] - steps)
    lab[..., 1:] = lab[..., 1:] * [1.4, 1.3] + [8, -6]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    line = cv2.GaussianBlur(grey, (0, 0), 1) - cv2.GaussianBlur(grey, (0, 0), 2.2)
    ink = 1 / (1 + np.exp(np.clip(1.2 * (line + 3), -30, 30)))
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * (1 - 0.8 * ink[..., None])
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


STYLES = {"outlined": _outlined, "posterised": _posterised}


def _measure_quality(clip: Path, arguments: argparse.Namespace) -> None:
    print(f"\n{clip.name}: PSNR of withheld frames (dB)")
    print("  style        gap   ours  cross-fade  flow warp")
    sheet: list[list[Image]] = []
    for name, style in STYLES.items():
        for gap in arguments.gap:
            rows = np.array(
                [
                    _compare_segment(sources, style, sheet)
                    for sources in _segments(clip, gap, arguments)
                ]
            )
            ours, faded, warped = rows.mean(axis=0)
            print(f"  {name:11} {gap:4} {ours:6.2f} {faded:11.2f} {warped:10.2f}")
    if arguments.sheet:
        write_image(arguments.sheet, contact_sheet(sheet))


def _segments(clip: Path, gap: int, arguments: argparse.Namespace) -> Iterator[list[Image]]:
    """Stretches of `gap` frames spread evenly over the clip."""
    room = Clip.open(clip).info.frame_count - gap - 1
    if room < 0:
        return
    for start in np.linspace(0, room, arguments.segments).astype(int):
        yield _frames(clip, gap + 1, arguments.size, int(start))


def _compare_segment(
    sources: Sequence[Image], style: Callable[[Image], Image], sheet: list[list[Image]]
) -> tuple[float, float, float]:
    truth = [style(source) for source in sources]
    gap = len(sources) - 1
    results = list(FlowInterpolator(DisFlow())(Segment(sources, truth[0], truth[-1])))
    ours = [_psnr(result.image, truth[result.offset]) for result in results]
    faded = [_psnr(_cross_fade(truth, i / gap), truth[i]) for i in range(1, gap)]
    warped = [_psnr(_flow_warp(sources, truth, i), truth[i]) for i in range(1, gap)]
    middle = gap // 2
    sheet.append([sources[middle], truth[middle], results[middle - 1].image])
    return float(np.mean(ours)), float(np.mean(faded)), float(np.mean(warped))


def _cross_fade(truth: Sequence[Image], position: float) -> NDArray:
    return (1 - position) * truth[0].astype(np.float32) + position * truth[-1]


def _flow_warp(sources: Sequence[Image], truth: Sequence[Image], index: int) -> NDArray:
    key = 0 if index < len(sources) / 2 else -1
    return warp_image(truth[key], DisFlow()(sources[index], sources[key]))


def _psnr(first: NDArray, second: NDArray) -> float:
    error = np.mean((first.astype(np.float32) - second.astype(np.float32)) ** 2)
    return float(10 * np.log10(255**2 / error))


if __name__ == "__main__":
    main()
