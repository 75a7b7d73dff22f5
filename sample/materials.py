# pyright: basic
"""Materials of the toy town: painted wood, felt, fields and a painted sky, all from noise."""

from __future__ import annotations

from typing import Any

import bpy

Colour = tuple[float, float, float]


def srgb(code: str) -> Colour:
    """Linear colour of a `rrggbb` sRGB code."""
    channels = (int(code[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return red, green, blue


class Nodes:
    """A shader tree under construction; every call adds one node and returns it."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()

    def add(self, kind: str, **inputs: Any) -> Any:
        """Add a node; inputs are named with `_` for a space and take values or sockets."""
        node = self.tree.nodes.new(kind)
        for name, value in inputs.items():
            socket = node.inputs[name.replace("_", " ")]
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            else:
                socket.default_value = (*value, 1.0) if _is_colour(socket, value) else value
        return node

    def coordinates(self, scale: tuple[float, float, float]) -> Any:
        """Texture coordinates fixed to the object, so that the pattern travels with it."""
        place = self.add("ShaderNodeTexCoord")
        return self.add("ShaderNodeMapping", Vector=place.outputs["Object"], Scale=scale).outputs[0]

    def noise(self, vector: Any, scale: float, detail: float = 3.0, distortion: float = 0.0) -> Any:
        """Fractal noise in 0..1, mostly near 0.5."""
        node = self.add(
            "ShaderNodeTexNoise", Vector=vector, Scale=scale, Detail=detail, Distortion=distortion
        )
        return node.outputs["Fac"]

    def ramp(self, factor: Any, *stops: tuple[float, Colour]) -> Any:
        """Colours along a 0..1 factor."""
        node = self.add("ShaderNodeValToRGB", Fac=factor)
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, colour) in zip(elements, stops, strict=True):
            element.position = position
            element.color = (*colour, 1.0)
        return node.outputs["Color"]

    def mix(self, kind: str, factor: Any, first: Any, second: Any) -> Any:
        """Blend two colours by the named mode."""
        node = self.add("ShaderNodeMixRGB", Fac=factor, Color1=first, Color2=second)
        node.blend_type = kind
        return node.outputs["Color"]

    def bump(self, height: Any, strength: float, distance: float = 0.02) -> Any:
        """A normal that follows a height."""
        node = self.add("ShaderNodeBump", Height=height, Strength=strength, Distance=distance)
        return node.outputs["Normal"]

    def finish(self, shader: Any) -> bpy.types.Material:
        """Connect the surface and hand the material out."""
        output = self.tree.nodes.new("ShaderNodeOutputMaterial")
        self.tree.links.new(shader.outputs[0], output.inputs["Surface"])
        return self.material


def _is_colour(socket: Any, value: Any) -> bool:
    return socket.type == "RGBA" and isinstance(value, tuple) and len(value) == 3


def painted_wood(name: str, code: str, along: int = 0) -> bpy.types.Material:
    """Glossy paint with the grain of the wood showing through, running along one axis."""
    nodes = Nodes(name)
    stretch = tuple(1.5 if axis == along else 14.0 for axis in range(3))
    grain = nodes.noise(nodes.coordinates(stretch), 1.6, 4.0, 0.6)
    wear = nodes.noise(nodes.coordinates((1, 1, 1)), 5.0, 5.0)
    colour = srgb(code)
    shade = nodes.ramp(grain, (0.34, _scaled(colour, 0.5)), (0.52, colour), (0.68, _lifted(colour)))
    worn = nodes.mix(
        "MULTIPLY", 0.75, shade, nodes.ramp(wear, (0.36, (0.55,) * 3), (0.58, (1,) * 3))
    )
    return nodes.finish(
        nodes.add(
            "ShaderNodeBsdfPrincipled",
            Base_Color=worn,
            Roughness=0.42,
            Coat_Weight=0.25,
            Coat_Roughness=0.25,
            Normal=nodes.bump(grain, 0.35),
        )
    )


def felt(
    name: str, dark: str, light: str, scale: float = 9.0, relief: float = 0.8
) -> bpy.types.Material:
    """Matt mottled wool, for leaves, grass and smoke."""
    nodes = Nodes(name)
    place = nodes.coordinates((1, 1, 1))
    fine = nodes.noise(place, scale * 4, 5.0)
    broad = nodes.noise(place, scale * 0.6, 3.0)
    blend = nodes.mix("MIX", 0.5, fine, broad)
    colour = nodes.ramp(blend, (0.36, srgb(dark)), (0.62, srgb(light)))
    return nodes.finish(
        nodes.add(
            "ShaderNodeBsdfPrincipled",
            Base_Color=colour,
            Roughness=0.95,
            Sheen_Weight=0.3,
            Normal=nodes.bump(fine, relief, 0.04),
        )
    )


def meadow() -> bpy.types.Material:
    """Ground: three greens at three scales with straw-coloured specks."""
    nodes = Nodes("meadow")
    place = nodes.coordinates((1, 1, 1))
    broad, middle = nodes.noise(place, 0.55, 4.0), nodes.noise(place, 3.2, 4.0)
    fine = nodes.noise(nodes.coordinates((1, 1.6, 1)), 26.0, 3.0)
    base = nodes.ramp(broad, (0.38, srgb("5b9a34")), (0.5, srgb("86bd45")), (0.64, srgb("bccf5c")))
    patch = nodes.mix(
        "OVERLAY", 0.7, base, nodes.ramp(middle, (0.35, (0.25,) * 3), (0.65, (0.75,) * 3))
    )
    speck = nodes.ramp(fine, (0.36, (0.5,) * 3), (0.52, (1,) * 3), (0.72, srgb("f5eab0")))
    colour = nodes.mix("MULTIPLY", 0.85, patch, speck)
    normal = nodes.bump(fine, 0.9, 0.05)
    return nodes.finish(
        nodes.add("ShaderNodeBsdfPrincipled", Base_Color=colour, Roughness=0.95, Normal=normal)
    )


def fields(name: str, dark: str, light: str, furrows: float) -> bpy.types.Material:
    """A hill under the plough: wavering stripes of two colours, broken up by noise."""
    nodes = Nodes(name)
    place = nodes.coordinates((1, 1, 1))
    wave = nodes.add("ShaderNodeTexWave", Vector=place, Scale=furrows, Distortion=5.0, Detail=2.0)
    stripes = nodes.ramp(wave.outputs["Fac"], (0.25, srgb(dark)), (0.75, srgb(light)))
    patch = nodes.ramp(nodes.noise(place, 1.3, 5.0), (0.38, (0.6,) * 3), (0.6, (1,) * 3))
    fine = nodes.ramp(nodes.noise(place, 9.0, 4.0), (0.35, (0.6,) * 3), (0.6, (1,) * 3))
    colour = nodes.mix("MULTIPLY", 0.8, nodes.mix("MULTIPLY", 0.9, stripes, patch), fine)
    return nodes.finish(nodes.add("ShaderNodeBsdfPrincipled", Base_Color=colour, Roughness=0.95))


def tiles(name: str, code: str, grout: str, scale: float) -> bpy.types.Material:
    """Courses of roof tiles or bricks, each a slightly different tone."""
    nodes = Nodes(name)
    colour = srgb(code)
    place = nodes.coordinates((1, 1, 1))
    # The brick pattern lies in the plane of the first two coordinates; walls and roofs stand up.
    parts = nodes.add("ShaderNodeSeparateXYZ", Vector=place)
    across = nodes.add("ShaderNodeMath")
    nodes.tree.links.new(parts.outputs[0], across.inputs[0])
    nodes.tree.links.new(parts.outputs[1], across.inputs[1])
    flat = nodes.add("ShaderNodeCombineXYZ", X=across.outputs[0], Y=parts.outputs[2])
    brick = nodes.add(
        "ShaderNodeTexBrick",
        Vector=flat.outputs[0],
        Color1=_scaled(colour, 0.6),
        Color2=_lifted(colour),
        Mortar=srgb(grout),
        Scale=scale,
        Mortar_Size=0.03,
    )
    grime = nodes.ramp(nodes.noise(place, 11.0, 4.0), (0.35, (0.6,) * 3), (0.6, (1,) * 3))
    worn = nodes.mix("MULTIPLY", 0.7, brick.outputs["Color"], grime)
    normal = nodes.bump(brick.outputs["Fac"], -0.5)
    return nodes.finish(
        nodes.add("ShaderNodeBsdfPrincipled", Base_Color=worn, Roughness=0.6, Normal=normal)
    )


def stripes(name: str, first: str, second: str, count: int) -> bpy.types.Material:
    """Gores of two colours around the z axis, with a woven texture."""
    nodes = Nodes(name)
    place = nodes.coordinates((1, 1, 1))
    radial = nodes.add("ShaderNodeTexGradient", Vector=place)
    radial.gradient_type = "RADIAL"
    turns = nodes.add("ShaderNodeMath")
    turns.operation = "MULTIPLY"
    nodes.tree.links.new(radial.outputs["Fac"], turns.inputs[0])
    turns.inputs[1].default_value = count
    gore = nodes.add("ShaderNodeMath")
    gore.operation = "FRACT"
    nodes.tree.links.new(turns.outputs[0], gore.inputs[0])
    colour = nodes.ramp(gore.outputs[0], (0.0, srgb(first)), (0.5, srgb(second)))
    colour.node.color_ramp.interpolation = "CONSTANT"
    cloth = nodes.noise(place, 14.0, 5.0)
    worn = nodes.mix(
        "MULTIPLY", 0.7, colour, nodes.ramp(cloth, (0.36, (0.6,) * 3), (0.6, (1,) * 3))
    )
    return nodes.finish(nodes.add("ShaderNodeBsdfPrincipled", Base_Color=worn, Roughness=0.6))


def sky() -> bpy.types.Material:
    """A painted sky: a gradient from cream to blue with brushed clouds, lit by itself."""
    nodes = Nodes("sky")
    place = nodes.add("ShaderNodeTexCoord").outputs["Object"]
    height = nodes.add("ShaderNodeSeparateXYZ", Vector=place).outputs[2]
    reach = nodes.add("ShaderNodeMapRange", Value=height)
    reach.inputs["From Max"].default_value = 18.0
    blue = nodes.ramp(
        reach.outputs[0], (0.08, srgb("ffeed2")), (0.35, srgb("a9dbf5")), (1.0, srgb("3b8fe0"))
    )
    stretched = nodes.add("ShaderNodeMapping", Vector=place, Scale=(1, 1, 2.4)).outputs[0]
    cloud = nodes.noise(stretched, 0.17, 7.0, 0.4)
    cover = nodes.ramp(cloud, (0.5, (0, 0, 0)), (0.66, (0.9,) * 3))
    painted = nodes.mix("MIX", cover, blue, srgb("fffaf0"))
    return nodes.finish(nodes.add("ShaderNodeEmission", Color=painted, Strength=1.0))


def _scaled(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _lifted(colour: Colour) -> Colour:
    return tuple(c + 0.25 * (0.9 - c) * (c + 0.15) for c in colour)  # type: ignore[return-value]
