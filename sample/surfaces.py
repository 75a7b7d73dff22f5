# pyright: basic
"""Exact questions to the geometry of one frame: what does a ray meet, and whose is it?"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from actors import FRAMES, Actors, pose
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree


@dataclass(frozen=True)
class Hit:
    """A point of a surface: the object it belongs to and where it is."""

    owner: str
    place: Vector
    distance: float


@dataclass(frozen=True)
class _Soup:
    """Triangles of several objects in one search tree."""

    tree: BVHTree
    owners: list[str]
    ends: np.ndarray

    def hit(self, eye: Vector, direction: Vector) -> Hit | None:
        place, _, index, distance = self.tree.ray_cast(eye, direction)
        if place is None:
            return None
        owner = self.owners[int(np.searchsorted(self.ends, index, side="right"))]
        return Hit(owner, place, distance)


class Surfaces:
    """The scene as triangles; what stands still is sorted into its tree only once."""

    def __init__(self, actors: Actors) -> None:
        self._actors = actors
        before, after = _poses(actors, 0), _poses(actors, FRAMES // 2)
        drifting = {name for name, matrix in before.items() if matrix != after[name]}
        self._moving = drifting | {puff.name for puff in actors.puffs}
        self._static = _soup(sorted(set(before) - self._moving), before)
        self._posed: dict[str, Matrix] = {}

    def pose(self, frame: int) -> None:
        """Move everything to where it is in a frame."""
        self._posed = _poses(self._actors, frame)
        visible = [
            name for name in sorted(self._moving) if not bpy.data.objects[name].hide_viewport
        ]
        self._mobile = _soup(visible, self._posed)

    def first_hit(self, direction: Vector) -> Hit:
        """What a ray from the camera meets first."""
        found = [soup.hit(self.eye.translation, direction) for soup in (self._static, self._mobile)]
        return min((hit for hit in found if hit), key=lambda hit: hit.distance)

    def place_of(self, owner: str) -> Matrix:
        """Object to world in the posed frame."""
        return self._posed[owner]

    @property
    def eye(self) -> Matrix:
        """Pose of the camera in the posed frame."""
        return self._actors.camera.matrix_world


def _poses(actors: Actors, frame: int) -> dict[str, Matrix]:
    pose(actors, frame)
    bpy.context.view_layer.update()
    things = (thing for thing in bpy.data.objects if thing.type == "MESH")
    return {thing.name: thing.matrix_world.copy() for thing in things}


def _soup(names: list[str], places: dict[str, Matrix]) -> _Soup:
    corners: list[np.ndarray] = []
    triangles: list[np.ndarray] = []
    ends: list[int] = []
    used = count = 0
    for name in names:
        points, faces = _triangles(bpy.data.objects[name].data)
        matrix = np.array(places[name])
        corners.append(points @ matrix[:3, :3].T + matrix[:3, 3])
        triangles.append(faces + used)
        used += len(points)
        count += len(faces)
        ends.append(count)
    tree = BVHTree.FromPolygons(
        np.concatenate(corners).tolist(), np.concatenate(triangles).tolist(), all_triangles=True
    )
    return _Soup(tree, names, np.array(ends))


def _triangles(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    mesh.calc_loop_triangles()
    faces = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", faces)
    return points.reshape(-1, 3).astype(np.float64), faces.reshape(-1, 3)
