# pyright: basic
"""What stands still: meadow, hills, houses, trees, track, flowers and the painted sky."""

from __future__ import annotations

import random
from math import atan2, degrees, sin

import bpy
import shapes
from materials import felt, fields, meadow, painted_wood, sky, stripes, tiles

TRACK_Y = -1.75


def track_y(x: float) -> float:
    """Where the track runs: a gentle bend across the picture."""
    return TRACK_Y + 0.3 * sin(0.55 * x + 0.4)


def track_turn(x: float) -> float:
    """Heading of the track, in radians about z."""
    return atan2(track_y(x + 0.01) - track_y(x - 0.01), 0.02)


def build_town() -> None:
    """Everything that never moves."""
    shapes.dome(40.0, sky())
    shapes.ground(32.0, meadow())
    _hills()
    _track()
    _houses()
    _trees()
    _flowers()
    _clouds()


def _hills() -> None:
    wheat = fields("wheat", "c9922e", "f2d06b", 0.9)
    clover = fields("clover", "4f8f35", "8cbf4d", 1.2)
    lavender = fields("lavender", "6a55a8", "9fb46a", 1.1)
    pine = felt("far pine", "2f6b52", "5f9c6a", 2.0)
    for at, radius, height, material in (
        ((-5.2, 8.5, -0.4), 4.4, 0.48, wheat),
        ((1.0, 10.5, -0.4), 4.6, 0.5, clover),
        ((6.4, 8.2, -0.4), 4.0, 0.5, lavender),
        ((-9.5, 15.0, -0.5), 7.0, 0.5, clover),
        ((3.8, 17.5, -0.6), 8.0, 0.52, pine),
        ((-3.0, 21.0, -0.6), 9.0, 0.52, pine),
        ((13.0, 15.0, -0.5), 6.0, 0.55, wheat),
    ):
        shapes.ball(radius, at, material, lumps=0.06, lump_size=0.8, stretch=(1, 0.8, height))


def _track() -> None:
    sleeper, rail = painted_wood("sleeper", "6e4a2b", along=1), painted_wood("rail", "b98a55")
    steps = [-7.0 + 0.24 * step for step in range(60)]
    first = shapes.box((0.1, 0.62, 0.06), (0, 0, -5), sleeper, 0.015)
    span = shapes.box((0.26, 0.06, 0.07), (0, 0, -5), rail, 0.012)
    for x in steps:
        turn = degrees(track_turn(x))
        shapes.copy_of(first, (x, track_y(x), 0.03), turn, 1.0)
        for side in (-0.19, 0.19):
            at = (x - side * sin(track_turn(x)), track_y(x) + side, 0.09)
            shapes.copy_of(span, at, turn, 1.0)


def _houses() -> None:
    for x, y, turn, height, wall, roof in (
        (-3.3, 1.2, 14, 1.15, "2f9fb0", "e2703a"),
        (-1.55, 1.9, -6, 1.55, "f0c53c", "b5382f"),
        (0.15, 1.05, 5, 1.0, "e8e0cf", "3a6ea5"),
        (3.45, 1.3, -12, 1.3, "e0654f", "3f5f6e"),
        (5.0, 2.4, 10, 1.5, "8fbf5a", "a8452f"),
        (-5.2, 2.6, 20, 1.4, "d98bb0", "5b4a86"),
    ):
        parts = _house(height, wall, roof)
        house = shapes.group("house", parts)
        house.location = (x, y, 0)
        house.rotation_euler.z = turn * 3.14159265 / 180


def _house(height: float, wall: str, roof: str) -> list[bpy.types.Object]:
    walls = painted_wood(f"wall {wall}", wall, along=0)
    cover = tiles(f"roof {roof}", roof, "3a2a24", 5.0)
    white, pane = painted_wood("frame", "f7f1e3", along=2), painted_wood("pane", "3d6f96")
    door = painted_wood(f"door {roof}", roof, along=2)
    brick = tiles("chimney", "b5523b", "d8c9b4", 9.0)
    parts = [
        shapes.box((1.15, 1.0, height), (0, 0, height / 2), walls),
        shapes.prism((1.1, 0.98, 0.56), (0, 0, height - 0.02), walls),
        shapes.box((0.3, 0.06, 0.56), (-0.28, -0.51, 0.28), door, 0.02),
        shapes.ball(0.025, (-0.19, -0.555, 0.28), painted_wood("knob", "f2c230")),
        shapes.box((0.17, 0.17, 0.5), (0.3, 0.1, height + 0.5), brick, 0.02),
    ]
    for side in (-1, 1):
        slab = shapes.box((0.86, 1.22, 0.07), (side * 0.31, 0, height + 0.29), cover, 0.02)
        slab.rotation_euler.y = side * 0.79
        parts.append(slab)
    spots = [(0.26, 0.42)] + [(x, height - 0.3) for x in (-0.28, 0.26) if height > 1.1]
    for x, z in [*spots, (0, height + 0.17)]:
        parts += _window(x, z, white, pane)
    return parts


def _window(
    x: float, z: float, white: bpy.types.Material, pane: bpy.types.Material
) -> list[bpy.types.Object]:
    return [
        shapes.box((0.27, 0.05, 0.3), (x, -0.505, z), white, 0.015),
        shapes.box((0.2, 0.03, 0.23), (x, -0.525, z), pane, 0.01),
        shapes.box((0.025, 0.03, 0.23), (x, -0.535, z), white, 0.005),
        shapes.box((0.2, 0.03, 0.025), (x, -0.535, z), white, 0.005),
    ]


def _trees() -> None:
    bark = painted_wood("bark", "7a5230", along=2)
    greens = [
        felt("leaf green", "2c6e2a", "7fbf3f"),
        felt("leaf autumn", "b8501c", "f0a83a"),
        felt("leaf blue", "1f6658", "58b08a"),
    ]
    for at, kind, scale in (
        ((-2.45, 0.55), 0, 1.0),
        ((-0.75, 0.75), 1, 0.85),
        ((1.1, 1.6), 2, 1.25),
        ((2.55, 0.6), 1, 1.05),
        ((4.3, 0.8), 0, 1.0),
        ((-4.3, 1.2), 2, 1.2),
        ((0.75, 4.2), 0, 1.3),
        ((-3.4, 4.6), 1, 1.3),
        ((3.0, 4.8), 2, 1.4),
        ((5.6, 4.6), 0, 1.4),
        ((-6.4, 4.4), 0, 1.4),
    ):
        parts = _fir(bark, greens[2]) if kind == 2 else _round_tree(bark, greens[kind], at)
        tree = shapes.group("tree", parts)
        tree.location = (*at, 0)
        tree.scale = (scale,) * 3


def _round_tree(
    bark: bpy.types.Material, leaves: bpy.types.Material, at: tuple[float, float]
) -> list[bpy.types.Object]:
    crown = shapes.ball(0.42, (at[0], at[1], 0.0), leaves, lumps=0.22, lump_size=0.45)
    crown.location = (0, 0, 0.88)
    return [shapes.cylinder(0.075, 0.6, (0, 0, 0.3), bark, top=0.055), crown]


def _fir(bark: bpy.types.Material, needles: bpy.types.Material) -> list[bpy.types.Object]:
    skirts = [
        shapes.cylinder(radius, 0.48, (0, 0, z), needles, top=0.03, bevel=0.03)
        for radius, z in ((0.42, 0.5), (0.33, 0.78), (0.23, 1.06))
    ]
    return [shapes.cylinder(0.07, 0.4, (0, 0, 0.2), bark), *skirts]


def _flowers() -> None:
    chance = random.Random(7)
    tuft = felt("tuft", "3d7a26", "93c04a", 14.0)
    petals = [
        felt(f"petal {code}", code, lighter, 20.0)
        for code, lighter in (("d8344a", "f46a6a"), ("f0c020", "ffe36a"), ("f4f0ff", "ffffff"))
    ]
    blades = [shapes.cylinder(0.035, 0.3, (0, 0, -5), tuft, top=0.0, bevel=0)]
    heads = [shapes.ball(0.07, (0, 0, -5), petal, lumps=0.2, lump_size=0.5) for petal in petals]
    pebble = shapes.ball(0.1, (0, 0, -5), felt("pebble", "857a70", "cfc6b8", 9.0), lumps=0.25)
    for _ in range(420):
        x, y = chance.uniform(-5.5, 5.5), chance.uniform(-5.2, 0.9)
        if abs(y - track_y(x)) < 0.5:
            continue
        size = chance.uniform(0.6, 1.1)
        kind = chance.random()
        if kind < 0.08:
            shapes.copy_of(pebble, (x, y, 0.02), chance.uniform(0, 360), size * 1.1)
            continue
        for _blade in range(3):
            at = (x + chance.uniform(-0.06, 0.06), y + chance.uniform(-0.06, 0.06), 0.1 * size)
            shapes.copy_of(blades[0], at, chance.uniform(0, 360), size)
        if kind < 0.42:
            head = heads[chance.randrange(3)]
            shapes.copy_of(head, (x, y, 0.3 * size), chance.uniform(0, 360), size)


def _clouds() -> None:
    cotton = felt("cotton", "e3eaf4", "ffffff", 2.5, relief=0.15)
    chance = random.Random(3)
    for x, y, z, size in ((-4.6, 13.0, 7.0, 1.0), (4.9, 15.0, 8.6, 1.15), (0.6, 19.0, 11.5, 0.8)):
        for puff in range(6):
            radius = size * chance.uniform(0.55, 0.95) * (1.15 - 0.16 * abs(puff - 2.5))
            at = (x + size * 0.62 * (puff - 2.5), y, z + chance.uniform(-0.1, 0.25) * size)
            shapes.ball(radius, at, cotton, lumps=0.1, lump_size=0.9, stretch=(1.1, 0.8, 0.8))


def striped_cloth() -> bpy.types.Material:
    """Cloth of the balloon."""
    return stripes("balloon", "e23b3b", "fbf3df", 8)
