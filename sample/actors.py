# pyright: basic
"""What moves: the train with its smoke, the balloon, the windmill and the camera."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, radians, sin

import bpy
import shapes
from materials import felt, painted_wood
from mathutils import Vector
from town import striped_cloth, track_turn, track_y

FRAMES = 108
# Focal length in widths of the picture.
LENS = 46 / 36
TRAIN_START, TRAIN_STEP = -0.85, 0.032
WHEEL_RADIUS = 0.15
PUFF_EVERY, PUFF_LIFE = 9, 42


@dataclass(frozen=True)
class Actors:
    """Handles of everything that `pose` moves."""

    cars: tuple[tuple[bpy.types.Object, float], ...]
    wheels: tuple[bpy.types.Object, ...]
    puffs: tuple[bpy.types.Object, ...]
    balloon: bpy.types.Object
    sails: bpy.types.Object
    camera: bpy.types.Object


def build_actors() -> Actors:
    """Everything that moves, where it is before the first `pose`."""
    wheels: list[bpy.types.Object] = []
    engine = shapes.group("engine", _engine(wheels))
    cars = [(engine, 0.0)]
    for offset, code, load in ((1.42, "2f74c0", "logs"), (2.66, "f2b829", "balls")):
        cars.append((shapes.group("wagon", _wagon(code, load, wheels)), offset))
    smoke = felt("smoke", "dde3ec", "ffffff", 6.0, relief=0.25)
    first = -(PUFF_LIFE // PUFF_EVERY)
    puffs = [_puff(number, smoke) for number in range(first, FRAMES // PUFF_EVERY + 1)]
    return Actors(tuple(cars), tuple(wheels), tuple(puffs), _balloon(), _windmill(), _camera())


def pose(actors: Actors, frame: int) -> None:
    """Put everything where it is in one frame; the only place where motion is defined."""
    lead = TRAIN_START + TRAIN_STEP * frame
    for car, offset in actors.cars:
        x = lead - offset
        car.location = (x, track_y(x), 0.125)
        car.rotation_euler.z = track_turn(x)
    for wheel in actors.wheels:
        wheel.rotation_euler.y = lead / WHEEL_RADIUS
    for number, puff in enumerate(actors.puffs, start=-(PUFF_LIFE // PUFF_EVERY)):
        _pose_puff(puff, number, frame)
    time = frame / FRAMES
    actors.balloon.location = (-2.3 + 0.9 * time, 5.2, 4.3 + 0.55 * time)
    actors.balloon.rotation_euler = (0, 0.05 * sin(2 * pi * time), 0.3 + 0.5 * time)
    actors.sails.rotation_euler.y = 0.35 + 0.018 * frame
    actors.camera.location = (-0.5 + 1.0 * _eased(time), -9.3, 2.75 + 0.12 * time)


def _eased(time: float) -> float:
    return time - 0.06 * sin(2 * pi * time)


def _engine(wheels: list[bpy.types.Object]) -> list[bpy.types.Object]:
    red, black = painted_wood("red", "d62f2f"), painted_wood("coal", "2a2a33")
    green, gold = painted_wood("green", "1f8a5b"), painted_wood("gold", "f4bd2b")
    cream = painted_wood("cream", "fff2d8", along=2)
    parts = [
        shapes.box((1.2, 0.44, 0.14), (0, 0, 0.2), black),
        shapes.cylinder(0.23, 0.74, (0.2, 0, 0.5), green, axis="X"),
        shapes.cylinder(0.24, 0.07, (0.42, 0, 0.5), gold, axis="X", bevel=0.01),
        shapes.cylinder(0.24, 0.07, (0.05, 0, 0.5), gold, axis="X", bevel=0.01),
        shapes.cylinder(0.2, 0.08, (0.6, 0, 0.5), red, axis="X"),
        shapes.cylinder(0.07, 0.28, (0.4, 0, 0.82), red, top=0.09),
        shapes.cylinder(0.11, 0.07, (0.4, 0, 0.98), black, top=0.12),
        shapes.ball(0.1, (0.1, 0, 0.74), gold),
        shapes.box((0.46, 0.5, 0.66), (-0.36, 0, 0.58), red),
        shapes.box((0.26, 0.52, 0.24), (-0.36, 0, 0.7), cream, 0.02),
        shapes.box((0.2, 0.54, 0.18), (-0.36, 0, 0.7), painted_wood("glass", "4f8fb8"), 0.02),
        shapes.box((0.62, 0.62, 0.08), (-0.36, 0, 0.95), painted_wood("roof", "2456a0")),
        shapes.ball(0.06, (0.66, 0, 0.36), gold),
        shapes.box((0.12, 0.36, 0.1), (0.62, 0, 0.16), red),
    ]
    return parts + _wheels((-0.38, 0.02, 0.4), wheels) + [_coupling(-0.66)]


def _wagon(code: str, load: str, wheels: list[bpy.types.Object]) -> list[bpy.types.Object]:
    paint, black = painted_wood(f"wagon {code}", code), painted_wood("coal", "2a2a33")
    trim = painted_wood("trim", "fff2d8")
    parts = [
        shapes.box((1.02, 0.42, 0.12), (0, 0, 0.2), black),
        shapes.box((1.0, 0.5, 0.34), (0, 0, 0.43), paint),
        shapes.box((1.04, 0.53, 0.06), (0, 0, 0.58), trim, 0.02),
        shapes.box((0.06, 0.52, 0.28), (-0.2, 0, 0.42), trim, 0.01),
        shapes.box((0.06, 0.52, 0.28), (0.2, 0, 0.42), trim, 0.01),
    ]
    parts += _logs() if load == "logs" else _marbles()
    return parts + _wheels((-0.3, 0.3), wheels) + [_coupling(-0.56)]


def _logs() -> list[bpy.types.Object]:
    bark = painted_wood("log", "a9743f")
    return [
        shapes.cylinder(0.105, 0.92, (0.01 * y, y, z), bark, axis="X")
        for y, z in ((-0.12, 0.66), (0.12, 0.66), (0.0, 0.84))
    ]


def _marbles() -> list[bpy.types.Object]:
    spots = ((-0.31, "d8402f"), (0.0, "3a9a4a"), (0.31, "8a4fb0"))
    return [shapes.ball(0.17, (x, 0, 0.7), painted_wood(f"toy {code}", code)) for x, code in spots]


def _coupling(x: float) -> bpy.types.Object:
    return shapes.box((0.26, 0.08, 0.06), (x, 0, 0.2), painted_wood("hook", "7a7f88"), 0.015)


def _wheels(places: tuple[float, ...], wheels: list[bpy.types.Object]) -> list[bpy.types.Object]:
    yellow, hub = painted_wood("wheel", "f4bd2b"), painted_wood("hub", "c4302b")
    pieces: list[bpy.types.Object] = []
    for x in places:
        for side in (-0.25, 0.25):
            axle = shapes.group("axle", _wheel(yellow, hub))
            axle.location = (x, side, WHEEL_RADIUS - 0.005)
            wheels.append(axle)
            pieces.append(axle)
    return pieces


def _wheel(yellow: bpy.types.Material, hub: bpy.types.Material) -> list[bpy.types.Object]:
    spots = [(0.085 * cos(turn * pi / 2.5), 0.085 * sin(turn * pi / 2.5)) for turn in range(5)]
    holes = [shapes.cylinder(0.024, 0.1, (x, 0, z), hub, axis="Y", bevel=0) for x, z in spots]
    return [
        shapes.cylinder(WHEEL_RADIUS, 0.08, (0, 0, 0), yellow, axis="Y"),
        shapes.cylinder(0.04, 0.13, (0, 0, 0), hub, axis="Y"),
        *holes,
    ]


def _puff(number: int, smoke: bpy.types.Material) -> bpy.types.Object:
    puff = shapes.ball(0.2, (number, 0.0, 0.0), smoke, lumps=0.18, lump_size=0.6)
    puff.rotation_euler.z = number * 1.3
    return puff


def _pose_puff(puff: bpy.types.Object, number: int, frame: int) -> None:
    """Rise from where the chimney was when the puff was born, swell, and shrink away."""
    age = (frame - number * PUFF_EVERY) / PUFF_LIFE
    alive = 0 < age < 1
    puff.hide_render = puff.hide_viewport = not alive
    if not alive:
        return
    x = TRAIN_START + TRAIN_STEP * number * PUFF_EVERY
    forward = TRAIN_STEP * PUFF_LIFE * 0.45 * (1 - (1 - age) ** 2)
    puff.location = (x + 0.4 + forward, track_y(x + 0.4), 1.16 + 0.95 * age**0.8)
    size = min(1.0, 0.35 + 2.2 * age) * min(1.0, 3.0 * (1 - age))
    puff.scale = (size,) * 3


def _balloon() -> bpy.types.Object:
    cloth, rope = striped_cloth(), painted_wood("rope", "8a6a45", along=2)
    basket = painted_wood("basket", "a8743c", along=2)
    envelope = shapes.ball(1.0, (0, 0, 0), cloth, stretch=(1, 1, 1.08))
    for vertex in envelope.data.vertices:
        if vertex.co.z < 0:
            vertex.co.x *= 1 - 0.32 * vertex.co.z**2
            vertex.co.y *= 1 - 0.32 * vertex.co.z**2
            vertex.co.z *= 1.18
    lines = []
    for side in (-1, 1):
        for near in (-1, 1):
            line = shapes.cylinder(0.015, 0.75, (side * 0.22, near * 0.22, -1.45), rope, bevel=0)
            line.rotation_euler = (near * 0.16, side * -0.16, 0)
            lines.append(line)
    box = shapes.box((0.4, 0.4, 0.3), (0, 0, -1.9), basket)
    return shapes.group("balloon", [envelope, *lines, box])


def _windmill() -> bpy.types.Object:
    tower = painted_wood("tower", "f3ead6", along=2)
    cap, wood = painted_wood("cap", "b5382f"), painted_wood("sail", "7b4f2e", along=2)
    cloth = felt("canvas", "e9d9b8", "fff8e6", 8.0)
    at = Vector((2.0, 3.1, 0.0))
    shapes.cylinder(0.62, 2.1, (at.x, at.y, 1.05), tower, top=0.4, bevel=0.03)
    shapes.cylinder(0.5, 0.5, (at.x, at.y, 2.33), cap, top=0.08, bevel=0.03)
    shapes.box((0.3, 0.06, 0.55), (at.x, at.y - 0.6, 0.28), cap, 0.02)
    shapes.box((0.2, 0.06, 0.24), (at.x, at.y - 0.5, 1.2), painted_wood("pane", "3d6f96"), 0.02)
    blades = [shapes.cylinder(0.09, 0.3, (0, 0.05, 0), cap, axis="Y")]
    for quarter in range(4):
        arm = shapes.group(
            "arm",
            [
                shapes.box((0.06, 0.05, 1.15), (0, 0, 0.58), wood, 0.012),
                shapes.box((0.26, 0.03, 0.8), (0.13, 0, 0.7), cloth, 0.008),
            ],
        )
        arm.rotation_euler.y = quarter * pi / 2
        blades.append(arm)
    sails = shapes.group("sails", blades)
    sails.location = at + Vector((0, -0.62, 2.15))
    return sails


def _camera() -> bpy.types.Object:
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.sensor_width = 36
    camera.data.lens = LENS * 36
    camera.rotation_euler = (radians(87.0), 0, 0)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    return camera
