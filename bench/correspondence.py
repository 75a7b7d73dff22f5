"""Every shortcut of the correspondence against its plain version, in one run.

    python bench/correspondence.py [--quick] [--threads N]

Shapes are those of SD 1.5 at 512x512 with 8 frames under classifier-free guidance. `--quick`
takes a quarter of the channels and leaves the largest map out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence, correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.correspondence.similarity import SimilarityTarget, similarity_loss
from fresco_engine.correspondence.trajectories import flow_paths
from fresco_engine.correspondence.warp import Sampling, warp
from fresco_media.types import Image
from torch import Tensor
from torch.nn import functional as F

SHAPES = ((16, 1280, 8), (16, 1280, 16), (16, 1280, 32), (16, 640, 64))
FRAMES = 8
_SLOW_S = 3.0


class Row(NamedTuple):
    """One line of the table."""

    what: str
    shape: str
    plain_s: float
    ours_s: float
    difference: float


def main() -> None:
    """Runs all comparisons and prints them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="smaller shapes")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    shapes = [(m, c // 4, s) for m, c, s in SHAPES[:3]] if options.quick else list(SHAPES)
    print(f"{'what':34}{'shape':>18}{'plain s':>10}{'ours s':>10}{'faster':>8}{'difference':>12}")
    for shape in shapes:
        for compare in (compare_similarity, compare_sampling):
            print_row(compare(*shape))
    for size in (16, 32) if options.quick else (32, 64):
        print_row(compare_paths(size))
    time_correspondence()


def print_row(row: Row) -> None:
    """One comparison."""
    print(
        f"{row.what:34}{row.shape:>18}{row.plain_s:10.3f}{row.ours_s:10.3f}"
        f"{row.plain_s / row.ours_s:7.1f}x{row.difference:12.1e}",
        flush=True,
    )


def timed(work: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Seconds of the quickest call and what it returned; slow work is called once only."""
    quickest = float("inf")
    result = torch.empty(0)
    for _ in range(4):
        begin = time.perf_counter()
        result = work()
        quickest = min(quickest, time.perf_counter() - begin)
        if quickest > _SLOW_S:
            break
    return quickest, result


def relative_difference(ours: Tensor, plain: Tensor) -> float:
    """‖ours - plain‖ / ‖plain‖."""
    return float((ours - plain).norm() / plain.norm())


def compare_similarity(maps: int, channels: int, size: int) -> Row:
    """The spatial loss's gradient: n x n matrices and autograd, against the cheaper side."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(maps, size * size, channels, generator=generator)
    reference = torch.randn(FRAMES, size * size, channels, generator=generator)
    target = SimilarityTarget.of(reference)
    gram = F.normalize(reference, dim=-1) @ F.normalize(reference, dim=-1).mT

    def plain() -> Tensor:
        gradients = []
        # Map by map: all at once takes 6 GB at 64x64.
        for index, one in enumerate(features):
            x = one.clone().requires_grad_()
            rows = F.normalize(x, dim=-1)
            (rows @ rows.mT - gram[index % FRAMES]).square().sum().backward()
            assert x.grad is not None
            gradients.append(x.grad)
        return torch.stack(gradients)

    plain_s, expected = timed(plain)
    ours_s, gradient = timed(lambda: similarity_loss(features, target)[1])
    side = "tokens" if target.by_tokens else "channels"
    return Row(
        f"similarity loss by {side}",
        str((maps, channels, size, size)),
        plain_s,
        ours_s,
        relative_difference(gradient, expected),
    )


def compare_sampling(maps: int, channels: int, size: int) -> Row:
    """Warping a batch and taking a gradient back through it, from both layouts' own memory."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(maps, channels, size, size, generator=generator)
    slope = torch.randn(maps, channels, size, size, generator=generator)
    flow = _smooth_flow(FRAMES, size)
    sampling = Sampling.of(flow, repeats=maps // FRAMES)
    tokens = features.flatten(2).mT.contiguous()
    token_slope = slope.flatten(2).mT.contiguous()

    def plain() -> Tensor:
        x = features.requires_grad_()
        (gradient,) = torch.autograd.grad(warp(x, flow.repeat(maps // FRAMES, 1, 1, 1)), x, slope)
        return gradient

    def ours() -> Tensor:
        sampling.apply(tokens)
        return sampling.adjoint(token_slope)

    plain_s, expected = timed(plain)
    ours_s, gradient = timed(ours)
    return Row(
        "precomputed sampling and adjoint",
        str((maps, channels, size, size)),
        plain_s,
        ours_s,
        relative_difference(gradient, expected.flatten(2).mT),
    )


def _smooth_flow(frames: int, size: int) -> Tensor:
    coarse = torch.randn(frames, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    return size / 16 * F.interpolate(coarse, (size, size), mode="bicubic")


def compare_paths(size: int) -> Row:
    """Flow paths by scattering, against a loop over tokens."""
    corr = _batch(size)
    plain_s, expected = timed(lambda: paths_by_loop(corr))
    ours_s, order = timed(lambda: flow_paths(corr).order)
    differing = float((order != expected).float().mean())
    return Row("one-to-one flow paths", f"({FRAMES}, {size}, {size})", plain_s, ours_s, differing)


def _batch(size: int) -> BatchCorrespondence:
    forward = _smooth_flow(FRAMES, size)
    hidden = torch.zeros(FRAMES, size, size, dtype=torch.bool)
    hidden[:, : size // 8] = True
    generator = torch.Generator().manual_seed(2)
    colours = torch.rand(FRAMES, 3, size, size, generator=generator)
    return BatchCorrespondence(forward, -forward, hidden, hidden, hidden, colours, hidden, hidden)


def paths_by_loop(corr: BatchCorrespondence) -> Tensor:
    """What `flow_paths` returns as `order`, token by token."""
    height, width = corr.size
    order = [torch.arange(height * width)]
    for step in range(corr.frame_count - 1):
        following = torch.tensor(_links_by_loop(corr, step))
        order.append(following[order[-1]])
    return torch.stack(order)


def _links_by_loop(corr: BatchCorrespondence, step: int) -> list[int]:
    height, width = corr.size
    flow, hidden = corr.forward[step].tolist(), corr.occluded_forward[step].tolist()
    here = corr.colours[step].flatten(1).T.tolist()
    there = corr.colours[step + 1].flatten(1).T.tolist()
    winners: dict[int, tuple[float, int]] = {}
    for token in range(height * width):
        y, x = divmod(token, width)
        column, row = x + round(flow[0][y][x]), y + round(flow[1][y][x])
        if not (0 <= column < width and 0 <= row < height) or hidden[y][x]:
            continue
        target = row * width + column
        distance = sum((a - b) ** 2 for a, b in zip(here[token], there[target], strict=True))
        winners[target] = min(winners.get(target, (distance, token)), (distance, token))
    by_token = {token: target for target, (_, token) in winners.items()}
    left = iter(sorted(set(range(height * width)) - winners.keys()))
    return [by_token[t] if t in by_token else next(left) for t in range(height * width)]


def time_correspondence() -> None:
    """Seconds for the correspondence of 8 frames of 640x512, which has no plain version."""
    wide = _texture(512, 900)
    frames = [wide[:, 12 * i : 12 * i + 640].copy() for i in range(FRAMES)]
    begin = time.perf_counter()
    corr = correspond(frames, DisFlow())
    whole_s = time.perf_counter() - begin
    begin = time.perf_counter()
    for size in ((64, 80), (32, 40), (16, 20), (8, 10)):
        flow_paths(corr.at(*size))
    maps_s = time.perf_counter() - begin
    print(f"{'correspond, 8 frames of 640x512':52}{'':10}{whole_s:10.3f}")
    print(f"{'its maps and paths at 1/8 to 1/64':52}{'':10}{maps_s:10.3f}")


def _texture(height: int, width: int) -> Image:
    random = np.random.default_rng(0)
    picture = np.zeros((height, width, 3), np.float32)
    for scale in (32.0, 8.0, 2.0):
        noise = random.normal(size=picture.shape).astype(np.float32)
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), scale), np.float32)
        picture += noise / noise.std()
    return np.clip(128 + 30 * picture, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
