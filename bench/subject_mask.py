"""How well the foreground mask finds the subject: overlap with masks drawn by hand.

    python bench/subject_mask.py CLIP=MASKS ... [--batch 8] [--short-side 512] [--out FOLDER]

MASKS is a folder of pictures named by frame number, white where the subject is. Keyframes are
those that a restyle with its usual settings would choose and the frames with masks, in its
batches. `--out` gets a sheet per clip, what is background in blue.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from fresco_engine.batches import Batch, plan_batches
from fresco_engine.correspondence.flow import DisFlow, Flow, track
from fresco_engine.correspondence.saliency import foreground_mask
from fresco_engine.keyframes import analyse, find_shots, select_keyframes
from fresco_engine.settings import RestyleSettings
from fresco_media.clip import Clip
from fresco_media.stills.images import working_size
from fresco_media.types import Image
from numpy.typing import NDArray

BoolMap = NDArray[np.bool_]
Tracks = dict[tuple[int, int], tuple[Flow, Flow]]

_ANALYSED = 96


def overlap(mask: BoolMap, true: BoolMap) -> float:
    """Intersection over union, 0-1; 1 where both are empty."""
    union = int((mask | true).sum())
    return float((mask & true).sum()) / union if union else 1.0


def masks_of(
    clip: Clip, wanted: Sequence[int], short_side: int, batch_size: int
) -> tuple[dict[int, tuple[Image, BoolMap]], float]:
    """Picture and mask of every keyframe, `wanted` ones among them; the seconds that one took."""
    analysis = analyse(clip.frames(size=_scaled(clip, _ANALYSED)))
    pictures = [frame.image for frame in clip.frames(size=_scaled(clip, short_side))]
    usual = RestyleSettings(prompt="any")
    found: dict[int, tuple[Image, BoolMap]] = {}
    spent = made = 0.0
    for first, stop in find_shots(analysis):
        chosen = select_keyframes(
            analysis, ((first, stop),), usual.keyframe_min, usual.keyframe_max
        )
        keys = sorted({*chosen, *(index for index in wanted if first <= index < stop)})
        tracks = {(a, b): track(pictures[a : b + 1], DisFlow()) for a, b in pairwise(keys)}
        for batch in plan_batches(keys, batch_size):
            begun = time.process_time()
            masks = _batch_masks(batch, pictures, tracks)
            spent += time.process_time() - begun
            made += len(masks)
            for index, mask in zip(batch.frames, masks, strict=True):
                found.setdefault(index, (pictures[index], mask))
    return found, spent / max(1, made)


def _scaled(clip: Clip, short_side: int) -> tuple[int, int]:
    return working_size(clip.info.width, clip.info.height, short_side).scaled


def _batch_masks(batch: Batch, pictures: Sequence[Image], tracks: Tracks) -> BoolMap:
    links = [tracks.get(pair) for pair in pairwise(batch.frames)]
    still = np.zeros((*pictures[0].shape[:2], 2), np.float32)
    ways = [link or (still, still) for link in links]
    return foreground_mask(
        [pictures[index] for index in batch.frames],
        [there for there, _ in ways],
        [back for _, back in ways],
        linked=[link is not None for link in links],
    )


def drawn_masks(folder: Path) -> dict[int, BoolMap]:
    """The pictures of `folder` by frame number."""
    paths = sorted(folder.glob("*.png"))
    read = {int(path.stem): cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths}
    return {number: picture > 127 for number, picture in read.items() if picture is not None}


def sheet(found: dict[int, tuple[Image, BoolMap]], columns: int = 5) -> Image:
    """All keyframes side by side, each 300 pixels wide."""
    tiles = []
    for _, (picture, mask) in sorted(found.items()):
        shown = picture.copy()
        shown[~mask] = shown[~mask] // 4 + np.array([0, 0, 105], np.uint8)
        height = round(300 * shown.shape[0] / shown.shape[1])
        tiles.append(cv2.resize(shown, (300, height), interpolation=cv2.INTER_AREA))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows).astype(np.uint8)


def _measure(clip: Path, folder: Path, chosen: argparse.Namespace) -> None:
    drawn = drawn_masks(folder)
    found, seconds = masks_of(Clip.open(clip), [*drawn], chosen.short_side, chosen.batch)
    overlaps = []
    for index, true in drawn.items():
        mask = found[index][1]
        fitted = cv2.resize(
            true.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_NEAREST
        )
        overlaps.append(overlap(mask, fitted > 0))
    listed = " ".join(f"{value:.3f}" for value in overlaps)
    print(f"{clip.stem[:24]:24} {np.mean(overlaps):.3f}  {listed}  {seconds:.2f} s/keyframe")
    if chosen.out is not None:
        chosen.out.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(chosen.out / f"{clip.stem}.png"), sheet(found)[..., ::-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", metavar="CLIP=MASKS")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--short-side", type=int, default=512)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    for pair in arguments.clips:
        source, masks = pair.split("=")
        _measure(Path(source), Path(masks), arguments)
