"""Occlusion borders under true flow, and steps at keyframes.

    python bench/borders.py [CLIP ...] [--gap 12] [--size 384] [--sheet PNG]

First the rendered sample, whose motion and occlusion are known: one frame is made from a key
eight frames away through the true flow. PSNR is taken within 8 pixels of what the key hides and
elsewhere; `false edges` is how much of the edges in that band has no counterpart in the truth.

Then, for every clip, a key every `--gap` frames: how much a result changes from frame to frame
after alignment by the source's flow, at the steps into and out of keys and at all others, with
the source's own change taken out.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from fresco_engine.correspondence.flow import DisFlow, Flow
from fresco_engine.correspondence.warp import warp_image
from fresco_engine.evaluation.likeness import psnr
from fresco_engine.evaluation.motion import Motion
from fresco_engine.evaluation.steadiness import aligned_difference
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.patch import PatchInterpolator
from fresco_engine.interpolation.propagate import FlowInterpolator
from fresco_engine.interpolation.segment import Segment
from fresco_engine.sample import FlowPair, ground_truth
from fresco_media.stills.images import contact_sheet, write_image
from fresco_media.types import Image
from numpy.typing import NDArray
from styles import STYLES
from withheld import segments


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Occlusion borders and keyframes.")
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--gap", type=int, default=12, help="frames between keys")
    parser.add_argument("--size", type=int, default=384, help="short side in pixels")
    parser.add_argument("--sheet", type=Path, help="PNG: truth, warp, flow and patches per pair")
    arguments = parser.parse_args()
    _borders(arguments.sheet)
    for clip in arguments.clips:
        _seams(clip, arguments.gap, arguments.size)


class _TrueFlow:
    """Knows one flow; it cannot refine, so nothing else is used."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def __call__(self, first: Image, second: Image) -> Flow:
        return self._flow


def _borders(sheet: Path | None) -> None:
    pairs = [pair for pair in ground_truth() if abs(pair.first_index - pair.second_index) == 8]
    shown: list[list[Image]] = []
    print("true flow, a key 8 frames away: PSNR near what it hides, elsewhere, false edges")
    for name, style in STYLES.items():
        rows: dict[str, list[tuple[float, float, float]]] = {}
        for pair in pairs:
            truth, key = style(pair.first), style(pair.second)
            made = {"warp": np.rint(warp_image(key, pair.flow)).astype(np.uint8)}
            segment = Segment([pair.second, pair.first], key, None)
            true_flow = _TrueFlow(pair.flow)
            for kind, interpolator in (
                ("flow", FlowInterpolator(true_flow)),
                ("patches", PatchInterpolator(true_flow)),
            ):
                made[kind] = next(iter(interpolator(segment))).image
            for kind, image in made.items():
                rows.setdefault(kind, []).append(_near_and_far(image, truth, pair))
            shown.append([truth, *made.values()])
        for kind, measured in rows.items():
            near, far, edges = np.mean(measured, axis=0)
            print(f"  {name:11} {kind:8} {near:6.2f} dB  {far:6.2f} dB  {edges:6.1%}")
    if sheet is not None:
        write_image(sheet, contact_sheet(shown))


def _near_and_far(image: Image, truth: Image, pair: FlowPair) -> tuple[float, float, float]:
    band = cv2.dilate(pair.occluded.astype(np.uint8), np.ones((17, 17), np.uint8)) > 0
    false = _edges(image) & ~_near_edges(truth) & band
    return (
        psnr(image[band], truth[band]),
        psnr(image[~band], truth[~band]),
        float(false.sum() / max((_edges(image) & band).sum(), 1)),
    )


def _edges(image: Image) -> NDArray[np.bool_]:
    return cv2.Canny(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 80, 160) > 0


def _near_edges(image: Image) -> NDArray[np.bool_]:
    return cv2.dilate(_edges(image).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def _seams(clip: Path, gap: int, size: int) -> None:
    sources = next(segments(clip, 3 * gap, size, 1))
    style = STYLES["outlined"]
    for kind in ("patch", "flow"):
        made: list[Image] = [style(sources[0])]
        for start in range(0, len(sources) - 1, gap):
            span = sources[start : start + gap + 1]
            last = style(span[-1])
            interpolator = make_interpolator("flow" if kind == "flow" else "patch")
            made += [frame.image for frame in interpolator(Segment(span, made[-1], last))]
            made.append(last)
        changes = _changes(sources, made)
        at_keys = [i for i in range(len(changes)) if i % gap == 0 or (i + 1) % gap == 0]
        others = [i for i in range(len(changes)) if i not in at_keys]
        print(
            f"{clip.stem[:24]:24} {kind:6} change at keys {np.mean(changes[at_keys]):.2f}, "
            f"elsewhere {np.mean(changes[others]):.2f} (largest {changes[at_keys].max():.2f} and "
            f"{changes[others].max():.2f})",
            flush=True,
        )


def _changes(sources: list[Image], made: list[Image]) -> NDArray[np.float64]:
    """Per step: mean change in levels of what both frames show, over that of the source."""
    estimator = DisFlow()
    changes = []
    for (one, two), (before, after) in zip(pairwise(sources), pairwise(made), strict=True):
        motion = Motion.between(one, two, estimator)
        change = aligned_difference(before, after, motion)
        changes.append(255 * (change - aligned_difference(one, two, motion)))
    return np.array(changes)


if __name__ == "__main__":
    main()
