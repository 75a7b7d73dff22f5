# pyright: basic
"""True masks of what moves in the clip: `python sample/subject.py FOLDER FRAME...`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from actors import Actors
from render import SIZE, stage
from surfaces import Surfaces
from truth import direction


def subject_masks(frames: list[int]) -> Iterator[np.ndarray]:
    """For each frame a (SIZE, SIZE) bool: whether a pixel shows the train, its smoke, the balloon
    or the sails. Shadows are not part of what casts them.
    """
    actors = stage()
    surfaces = Surfaces(actors)
    moving = set(_names(actors))
    for frame in frames:
        surfaces.pose(frame)
        mask = np.zeros((SIZE, SIZE), bool)
        for row, column in np.ndindex(SIZE, SIZE):
            hit = surfaces.first_hit(direction(surfaces.eye, column, row, SIZE))
            mask[row, column] = hit.owner in moving
        yield mask


def _names(actors: Actors) -> Iterator[str]:
    for thing in (*(car for car, _ in actors.cars), *actors.puffs, actors.balloon, actors.sails):
        yield thing.name
        yield from (part.name for part in thing.children_recursive)


def save_mask(mask: np.ndarray, path: Path) -> None:
    """Write a mask as a black and white picture."""
    picture = bpy.data.images.new(path.stem, SIZE, SIZE)
    # Blender's rows begin at the bottom.
    shades = np.repeat(mask[::-1, :, None], 4, axis=2).astype(np.float32)
    shades[..., 3] = 1
    picture.pixels.foreach_set(shades.ravel())
    picture.file_format, picture.filepath_raw = "PNG", str(path)
    picture.save()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("frames", type=int, nargs="+")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for number, found in zip(chosen.frames, subject_masks(chosen.frames), strict=True):
        save_mask(found, chosen.folder / f"{number:04d}.png")
