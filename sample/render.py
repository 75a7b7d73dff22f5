# pyright: basic
"""Render the frames of the sample clip: `python sample/render.py FOLDER [--frames A:B]`."""

from __future__ import annotations

import argparse
from math import radians
from pathlib import Path

import bpy
from actors import FRAMES, Actors, build_actors, pose
from town import build_town

SIZE = 512


def stage() -> Actors:
    """The whole scene, ready to be posed and rendered."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    build_town()
    actors = build_actors()
    _light()
    return actors


def _light() -> None:
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.50, 0.70, 1.0, 1.0)
    background.inputs["Strength"].default_value = 0.75
    bpy.context.scene.world = world
    lamp = bpy.data.lights.new("sun", "SUN")
    lamp.energy, lamp.angle, lamp.color = 5.4, radians(3.0), (1.0, 0.84, 0.62)
    sun = bpy.data.objects.new("sun", lamp)
    sun.rotation_euler = (radians(54), 0, radians(-58))
    bpy.context.scene.collection.objects.link(sun)


def configure(samples: int, threads: int) -> None:
    """Cycles on the CPU with few samples and a denoiser; the same seed for the same frame."""
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x = render.resolution_y = SIZE
    render.threads_mode, render.threads = "FIXED", threads
    render.use_persistent_data = True
    render.image_settings.file_format, render.image_settings.compression = "PNG", 15
    scene.view_settings.view_transform, scene.view_settings.look = "Filmic", "Very High Contrast"
    scene.view_settings.exposure = -0.15
    cycles.device, cycles.samples = "CPU", samples
    cycles.use_adaptive_sampling = False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_prefilter = "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.use_light_tree = False
    cycles.sample_clamp_indirect = 4.0


def render_frames(folder: Path, wanted: range, samples: int, threads: int) -> None:
    """Write the wanted frames as PNG; a frame that is already there is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    actors = stage()
    configure(samples, threads)
    for frame in wanted:
        path = folder / f"{frame:04d}.png"
        if path.exists():
            continue
        pose(actors, frame)
        scene = bpy.context.scene
        scene.cycles.seed = frame
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", default=f"0:{FRAMES}:1")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _arguments()
    steps = range(*(int(part) for part in chosen.frames.split(":")))
    render_frames(chosen.folder, steps, chosen.samples, chosen.threads)
