"""Looks of paint and clay: colour that was put on by hand."""

import numpy as np

from fresco_training.styles.flow import Flow, bristles, ink, lit, paint_flat, smear
from fresco_training.styles.parts import (
    Image,
    blur,
    contrast,
    edge_strength,
    enliven,
    flatten,
    in_tones,
    local_tone,
    luma,
    mix,
    posterise,
    skin,
    smoothstep,
)


def watercolour(image: Image, scale: float) -> Image:
    """Washes that pool at their rims and granulate, lights left to the paper, a pencil line."""
    flow = Flow.of(image, 2.5 * scale)
    wash = paint_flat(flatten(image, scale, 0.2, 4), flow, 3.0 * scale, 1, 2.0 * scale)
    wash = enliven(wash, 3.6) ** 0.8
    # Colour runs further than tone does.
    bled = blur(wash, 4.0 * scale)
    wash = np.clip(luma(wash)[..., None] + 1.1 * (bled - luma(bled)[..., None]), 0.0, 1.0)
    wash = posterise(wash, 5, 0.16)
    light = smoothstep(0.46, 0.78, luma(wash))
    pigment = -np.log(np.clip(wash, 0.06, 1.0)) * (0.95 - 0.9 * light)[..., None]
    depth = luma(pigment)
    rim = np.clip(depth - blur(depth, 3.0 * scale), 0.0, 0.4)
    grain = bristles(image, flow, 2.5 * scale, 4.5 * scale)
    strength = 0.9 + 3.2 * rim / (0.2 + depth) + 0.15 * grain * (1.0 - 0.7 * skin(image))
    painted = np.exp(-pigment * np.clip(strength, 0.3, 3.0)[..., None])
    painted = painted * np.float32([0.995, 0.985, 0.955])
    line = ink(image, flow, 2.4 * scale, 1.0)
    return mix(painted, painted * np.float32([0.25, 0.22, 0.28]), 0.85 * line[..., None])


def oil(image: Image, scale: float) -> Image:
    """Curved strokes of thick paint in layers from broad to fine, lit from the side."""
    broad_flow, fine_flow = Flow.of(image, 6.0 * scale), Flow.of(image, 2.0 * scale)
    lively = enliven(image, 3.0)
    broad = paint_flat(lively, broad_flow, 9.0 * scale, 2, 4.0 * scale)
    fine = paint_flat(lively, fine_flow, 4.0 * scale, 1, 1.6 * scale)
    # The broad brush remains where there is nothing small to paint.
    busy = smoothstep(0.03, 0.08, blur(np.abs(fine - broad).max(axis=2), 2.5 * scale))
    paint = mix(broad, fine, busy[..., None])
    hairs = mix(
        bristles(image, broad_flow, 10.0 * scale, 6.0 * scale),
        bristles(image, fine_flow, 6.0 * scale, 4.5 * scale),
        busy,
    )
    hairs = hairs * (1.0 - 0.45 * skin(blur(image, 2.0 * scale)))
    tint = np.float32([0.16, 0.1, 0.0]) * hairs[..., None]  # Warm on lit hairs, cool between.
    relief = lit(0.22 * hairs + 0.8 * luma(paint), 10.0 * scale, 0.9 * scale)
    gloss = np.clip(relief, 0.0, 1.0) ** 2
    painted = paint + tint + 0.15 * relief[..., None] + 0.18 * gloss[..., None]
    # Varnish that has yellowed.
    return contrast(painted, 1.2) * np.float32([1.0, 0.92, 0.7])


def gouache(image: Image, scale: float) -> Image:
    """A painted background of an animated film: crisp opaque dabs, blue shadows, golden lights."""
    flow = Flow.of(image, 3.5 * scale)
    dabs = paint_flat(flatten(image, scale, 0.12, 2), flow, 6.0 * scale, 2, 2.5 * scale)
    tone = local_tone(luma(dabs), scale)
    tone = tone + 0.05 * bristles(image, flow, 7.0 * scale, 6.0 * scale)
    steps = posterise(np.repeat(tone[..., None], 3, axis=2), 5, 0.1)[..., 0]
    vivid = enliven(dabs, 4.0)
    hue = in_tones(vivid, np.ones_like(tone))
    shade, sun = np.float32([0.25, 0.3, 0.85]), np.float32([1.0, 0.9, 0.55])
    hue = mix(hue, shade, 0.5 * (1.0 - smoothstep(0.2, 0.55, steps))[..., None])
    hue = mix(hue, sun, 0.35 * smoothstep(0.6, 0.95, steps)[..., None])
    return hue * (0.3 + 0.74 * steps)[..., None]


def clay(image: Image, scale: float) -> Image:
    """Modelled in plasticine: rounded, matt, thumbed lumps under one soft lamp."""
    flow = Flow.of(image, 2.5 * scale)
    flat = paint_flat(flatten(image, scale, 0.2, 4), flow, 4.0 * scale, 2, 1.8 * scale)
    tone = local_tone(luma(flat), scale)
    steps = posterise(np.repeat(tone[..., None], 3, axis=2), 4, 0.12)[..., 0]
    colour = in_tones(enliven(flat, 3.4), 0.32 + 0.62 * steps, 0.1)
    # Each lump rises from its borders.
    border = smoothstep(0.02, 0.12, edge_strength(blur(steps, 0.7 * scale), 1.4 * scale))
    height = 0.9 * (1.0 - blur(border, 2.8 * scale)) + 0.3 * blur(tone, 2.0 * scale)
    thumbed = blur(bristles(image, flow, 3.0 * scale, 8.0 * scale), 1.0 * scale)
    light = lit(height + 0.045 * thumbed, 10.0 * scale, 1.6 * scale)
    crease = blur(border, 1.0 * scale)
    shine = smoothstep(0.55, 1.0, light)
    shaded = colour * (0.97 + 0.32 * light - 0.5 * crease)[..., None]
    return 0.04 + 0.96 * shaded + 0.14 * shine[..., None] * np.float32([1.0, 0.97, 0.9])


def pastel(image: Image, scale: float) -> Image:
    """Chalk on dark blue paper: dry strokes along the form, the paper showing between them."""
    flow = Flow.of(image, 3.0 * scale)
    chalk = enliven(smear(flatten(image, scale, 0.15, 2), flow, 5.0 * scale), 3.0) ** 0.7
    tone = local_tone(luma(image), scale)
    stroke = bristles(image, flow, 8.0 * scale, 6.0 * scale)
    cover = smoothstep(-0.3, 0.5, 1.7 * tone - 0.55 + 0.38 * stroke)
    paper = np.float32([0.06, 0.1, 0.24])
    return mix(paper * np.ones_like(chalk), np.clip(chalk * 1.05, 0, 1), 0.95 * cover[..., None])
