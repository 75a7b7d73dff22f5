# pyright: basic
"""True motion and occlusion of the clip: `python sample/truth.py FRAMES OUT.npz`.

A ray through the centre of every pixel of the first frame finds the object and the point on it;
the pose of that object in the second frame says where the point went; a ray from the second camera
to that place says whether the point is seen there. Nothing is estimated.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from actors import LENS
from mathutils import Matrix, Vector
from render import stage
from surfaces import Surfaces

SIZE = 256
# Neighbours spread over the clip, two of them both ways, then frames a third of a second apart.
PAIRS = (
    *((5, 6), (24, 25), (43, 44), (44, 43), (62, 63), (81, 82), (82, 81), (101, 102)),
    *((30, 38), (70, 78)),
)
# Share of the distance within which two hits are the same point; rounding is 1e-6 of it.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Truth:
    """Where every pixel of one frame went in another, and whether it is hidden there."""

    flow: np.ndarray
    occluded: np.ndarray


def truth_between(surfaces: Surfaces, first: int, second: int) -> Truth:
    """Flow in pixels of the `SIZE` square picture, x right, y down, and occlusion."""
    points = _points_seen(surfaces, first)
    surfaces.pose(second)
    into_camera = surfaces.eye.inverted()
    flow = np.zeros((SIZE, SIZE, 2), np.float32)
    occluded = np.zeros((SIZE, SIZE), bool)
    for (row, column), (owner, local) in points.items():
        moved = surfaces.place_of(owner) @ local
        x, y = _projected(into_camera @ moved)
        flow[row, column] = x - column, y - row
        inside = 0 <= x <= SIZE - 1 and 0 <= y <= SIZE - 1
        occluded[row, column] = not (inside and _is_visible(surfaces, moved, owner))
    return Truth(flow, occluded)


def _points_seen(surfaces: Surfaces, frame: int) -> dict[tuple[int, int], tuple[str, Vector]]:
    """Per pixel: the object seen there, and the point in the object's own coordinates."""
    surfaces.pose(frame)
    inverses: dict[str, Matrix] = {}
    seen = {}
    for row, column in np.ndindex(SIZE, SIZE):
        hit = surfaces.first_hit(direction(surfaces.eye, column, row, SIZE))
        if hit.owner not in inverses:
            inverses[hit.owner] = surfaces.place_of(hit.owner).inverted()
        seen[row, column] = hit.owner, inverses[hit.owner] @ hit.place
    return seen


def _is_visible(surfaces: Surfaces, point: Vector, owner: str) -> bool:
    """Whether the first thing on the way to a point is that point itself."""
    away = point - surfaces.eye.translation
    hit = surfaces.first_hit(away.normalized())
    return hit.owner == owner and (hit.place - point).length < TOLERANCE * away.length


def direction(eye: Matrix, column: int, row: int, size: int) -> Vector:
    """From the camera through the centre of a pixel of the `size` square picture."""
    across = (column + 0.5) / size - 0.5
    down = (row + 0.5) / size - 0.5
    return (eye.to_3x3() @ Vector((across, -down, -LENS))).normalized()


def _projected(seen: Vector) -> tuple[float, float]:
    """Pixel coordinates of a point before the camera; the first pixel's centre is (0, 0)."""
    across, down = LENS * seen.x / -seen.z, LENS * seen.y / seen.z
    return (across + 0.5) * SIZE - 0.5, (down + 0.5) * SIZE - 0.5


def save_truth(frames: Path, destination: Path) -> None:
    """Write the flow, occlusion and pictures of all `PAIRS` as one compressed file."""
    surfaces = Surfaces(stage())
    truths = [truth_between(surfaces, first, second) for first, second in PAIRS]
    used = sorted({frame for pair in PAIRS for frame in pair})
    np.savez_compressed(
        destination,
        pairs=np.array(PAIRS, np.int32),
        flow=np.stack([truth.flow for truth in truths]).astype(np.float16),
        occluded=np.stack([truth.occluded for truth in truths]),
        indices=np.array(used, np.int32),
        frames=np.stack([_picture(frames / f"{frame:04d}.png") for frame in used]),
    )


def _picture(path: Path) -> np.ndarray:
    """RGB, every pixel the mean of four of the rendered ones."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    small = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=Path, help="folder that render.py filled")
    parser.add_argument("destination", type=Path, help="the .npz to write")
    chosen = parser.parse_args()
    save_truth(chosen.frames, chosen.destination)
