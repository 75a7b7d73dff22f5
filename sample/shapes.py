# pyright: basic
"""Meshes of the toy town, each one object with one material and its origin where it turns."""

from __future__ import annotations

from math import radians

import bmesh
import bpy
from mathutils import Matrix, Vector, noise

Point = tuple[float, float, float]


def box(
    size: Point, at: Point, material: bpy.types.Material, bevel: float = 0.03
) -> bpy.types.Object:
    """A block with rounded edges, centred on a point."""
    mesh = bmesh.new()
    bmesh.ops.create_cube(mesh, size=1.0, matrix=Matrix.Diagonal((*size, 1.0)))
    if bevel:
        bmesh.ops.bevel(
            mesh, geom=mesh.edges[:], offset=bevel, segments=3, profile=0.5, affect="EDGES"
        )
    return _object(mesh, at, material)


def cylinder(
    radius: float,
    depth: float,
    at: Point,
    material: bpy.types.Material,
    axis: str = "Z",
    top: float | None = None,
    bevel: float = 0.02,
) -> bpy.types.Object:
    """A turned piece around an axis; with `top` a cone of that upper radius."""
    mesh = bmesh.new()
    bmesh.ops.create_cone(
        mesh,
        cap_ends=True,
        segments=40,
        radius1=radius,
        radius2=radius if top is None else top,
        depth=depth,
        matrix=_onto(axis),
    )
    if bevel:
        rims = [edge for edge in mesh.edges if any(len(face.verts) > 4 for face in edge.link_faces)]
        bmesh.ops.bevel(mesh, geom=rims, offset=bevel, segments=3, profile=0.5, affect="EDGES")
    return _object(mesh, at, material)


def ball(
    radius: float,
    at: Point,
    material: bpy.types.Material,
    lumps: float = 0.0,
    lump_size: float = 1.0,
    stretch: Point = (1, 1, 1),
) -> bpy.types.Object:
    """A sphere; `lumps` is how far noise pushes its surface, as a share of the radius."""
    mesh = bmesh.new()
    steps = (5 if radius >= 0.2 else 3) if lumps else 4
    bmesh.ops.create_icosphere(mesh, subdivisions=steps, radius=radius)
    offset = Vector(at) * 1.7
    for vertex in mesh.verts:
        push = noise.fractal(vertex.co / (radius * lump_size) + offset, 1.0, 2.0, 3)
        vertex.co *= 1 + lumps * push
        vertex.co *= Vector(stretch)
    return _object(mesh, at, material)


def prism(size: Point, at: Point, material: bpy.types.Material) -> bpy.types.Object:
    """A gable: a triangle across x, extruded along y, its base centred on a point."""
    width, depth, height = size[0] / 2, size[1] / 2, size[2]
    mesh = bmesh.new()
    front, back = (
        [mesh.verts.new((x, y, z)) for x, z in ((-width, 0), (width, 0), (0, height))]
        for y in (-depth, depth)
    )
    mesh.faces.new(front)
    mesh.faces.new(back[::-1])
    for first, second in ((0, 1), (1, 2), (2, 0)):
        mesh.faces.new((front[second], front[first], back[first], back[second]))
    bmesh.ops.recalc_face_normals(mesh, faces=mesh.faces[:])
    bmesh.ops.bevel(mesh, geom=mesh.edges[:], offset=0.02, segments=2, profile=0.5, affect="EDGES")
    return _object(mesh, at, material)


def dome(radius: float, material: bpy.types.Material) -> bpy.types.Object:
    """A sphere around everything, which only the camera sees."""
    mesh = bmesh.new()
    bmesh.ops.create_uvsphere(mesh, u_segments=64, v_segments=32, radius=radius)
    shell = _object(mesh, (0, 0, 0), material)
    shell.visible_shadow = shell.visible_diffuse = shell.visible_glossy = False
    return shell


def ground(half: float, material: bpy.types.Material) -> bpy.types.Object:
    """A gently rolling meadow."""
    mesh = bmesh.new()
    bmesh.ops.create_grid(mesh, x_segments=160, y_segments=160, size=half)
    for vertex in mesh.verts:
        vertex.co.z = 0.05 * noise.noise(vertex.co * 0.5) - 0.02
    return _object(mesh, (0, 0, 0), material)


def copy_of(original: bpy.types.Object, at: Point, turn: float, scale: float) -> bpy.types.Object:
    """A second object with the same mesh, turned about z by an angle in degrees."""
    twin = bpy.data.objects.new(original.name, original.data)
    twin.matrix_world = (
        Matrix.Translation(at) @ Matrix.Rotation(radians(turn), 4, "Z") @ Matrix.Scale(scale, 4)
    )
    bpy.context.scene.collection.objects.link(twin)
    return twin


def group(name: str, parts: list[bpy.types.Object]) -> bpy.types.Object:
    """Put an empty over the parts, so that they move as one."""
    handle = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(handle)
    for part in parts:
        part.parent = handle
    return handle


def _onto(axis: str) -> Matrix:
    turns = {"X": Matrix.Rotation(radians(90), 4, "Y"), "Y": Matrix.Rotation(radians(90), 4, "X")}
    return turns.get(axis, Matrix.Identity(4))


def _object(mesh: bmesh.types.BMesh, at: Point, material: bpy.types.Material) -> bpy.types.Object:
    data = bpy.data.meshes.new(material.name)
    mesh.to_mesh(data)
    mesh.free()
    data.materials.append(material)
    data.shade_smooth()
    data.set_sharp_from_angle(angle=radians(35))
    thing = bpy.data.objects.new(material.name, data)
    thing.location = at
    bpy.context.scene.collection.objects.link(thing)
    return thing
