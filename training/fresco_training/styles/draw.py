"""Looks of line: pencil, ink, engraving."""

import cv2
import numpy as np

from fresco_training.styles.flow import Flow, bristles, ink, paint_flat, smear
from fresco_training.styles.parts import (
    Image,
    bands,
    contrast,
    edge_strength,
    enliven,
    flatten,
    gradient,
    in_tones,
    local_tone,
    luma,
    mix,
    saturate,
    smoothstep,
)


def pencil(image: Image, scale: float) -> Image:
    """Graphite: firm outlines, and hatching along the form that thickens where it is dark."""
    flow = Flow.of(image, 2.5 * scale)
    grey = local_tone(luma(flatten(image, scale, 0.1, 2)), scale)
    dark = 1.0 - smoothstep(0.12, 0.7, grey)
    hatch = bristles(image, flow, 9.0 * scale, 5.0 * scale)
    strokes = smoothstep(-0.25, 0.35, 2.2 * dark - 1.1 - 0.9 * hatch)
    rubbed = 0.4 * smoothstep(0.1, 1.0, dark)
    line = ink(image, flow, 2.6 * scale, 1.6)
    graphite = 1.0 - (1.0 - rubbed) * (1.0 - 0.7 * strokes) * (1.0 - 0.95 * line)
    return gradient(1.0 - graphite, [(0, (0.13, 0.13, 0.15)), (1, (0.985, 0.98, 0.965))])


def engraving(image: Image, scale: float) -> Image:
    """A wood engraving: black and cream, cut along the form, the cuts narrowing with the shade."""
    flow = Flow.of(image, 2.5 * scale)
    grey = local_tone(luma(image), scale)
    tone = smear(grey, flow, 2.0 * scale)
    cuts = bristles(image, flow, 9.0 * scale, 6.0 * scale)
    black = 1.0 - smoothstep(-0.26, 0.26, 2.6 * (tone - 0.5) + 0.45 * cuts)
    outline = ink(image, flow, 2.6 * scale, 1.6)
    printed = np.maximum(black, outline)
    return gradient(1.0 - printed, [(0, (0.09, 0.075, 0.08)), (1, (0.955, 0.92, 0.83))])


def comic(image: Image, scale: float) -> Image:
    """An inked page of newsprint: black brush lines, wide spotted blacks, few loud tones."""
    flow = Flow.of(image, 2.0 * scale)
    flat = paint_flat(flatten(image, scale, 0.18, 3), flow, 4.0 * scale, 2, 2.0 * scale)
    tone = local_tone(luma(flat), scale)
    steps = bands(tone, (0.4, 0.6, 0.82), ((0.5,) * 3, (0.76,) * 3, (1.0,) * 3, (1.04,) * 3))[
        ..., 0
    ]
    printed = in_tones(enliven(flat, 3.2), steps)
    light = smoothstep(0.8, 0.84, tone)[..., None]
    printed = mix(printed, np.float32(1.0), 0.7 * light) * np.float32([1.0, 0.95, 0.78])
    spotted = 1.0 - smoothstep(0.25, 0.3, tone)
    line = ink(image, flow, 3.0 * scale, 2.0)
    black = 0.97 * np.maximum(spotted, line)[..., None]
    return mix(printed, np.float32([0.03, 0.025, 0.05]) * np.ones_like(flat), black)


def cartoon(image: Image, scale: float) -> Image:
    """Animation cels in daylight: bright colours, violet shades and indigo outlines."""
    flow = Flow.of(image, 2.5 * scale)
    flat = paint_flat(flatten(image, scale, 0.25, 5), flow, 5.0 * scale, 2, 2.5 * scale)
    tone = local_tone(luma(flat), scale)
    cuts, values = (0.16, 0.27, 0.42, 0.7), (0.5, 0.7, 0.88, 1.0, 1.0)
    steps = bands(tone, cuts, [(value,) * 3 for value in values])[..., 0]
    pale = bands(tone, (0.27, 0.7), ((0.15,) * 3, (0.3,) * 3, (0.5,) * 3))
    cel = mix(in_tones(enliven(flat, 3.8), np.ones_like(tone)), np.float32([0.9, 0.98, 1.0]), pale)
    cel = cel * steps[..., None]
    shade = 1.0 - smoothstep(0.4, 0.44, tone)
    cel = mix(cel, cel * np.float32([0.78, 0.68, 1.3]), shade[..., None])
    line = ink(image, flow, 3.2 * scale, 2.4)
    return mix(cel, np.float32([0.15, 0.1, 0.5]) * np.ones_like(cel), 0.92 * line[..., None])


def charcoal(image: Image, scale: float) -> Image:
    """Soft black masses and rubbed edges on warm paper."""
    grey = luma(flatten(image, scale, colour=0.15, rounds=2))
    spread = smoothstep(0.18, 0.7, local_tone(grey, scale))
    edge = smoothstep(0.02, 0.16, edge_strength(grey, 2.2 * scale))
    tone = spread * (1.0 - 0.8 * edge)
    return gradient(
        tone, [(0, (0.05, 0.045, 0.04)), (0.5, (0.4, 0.36, 0.32)), (1, (0.9, 0.85, 0.76))]
    )


def blueprint(image: Image, scale: float) -> Image:
    """White construction lines on blue paper with faint shading."""
    grey = luma(flatten(image, scale, colour=0.12, rounds=2))
    paper = gradient(grey, [(0, (0.03, 0.12, 0.38)), (1, (0.18, 0.45, 0.78))])
    line = smoothstep(0.02, 0.09, edge_strength(grey, 1.5 * scale))
    return mix(paper, np.float32([0.92, 0.97, 1.0]) * np.ones_like(paper), 0.9 * line[..., None])


def pixel_art(image: Image, scale: float) -> Image:
    """Square blocks of strong colour; at scale 1 a block is one latent."""
    block = max(2, round(8 * scale))
    height, width = image.shape[:2]
    rows, columns = -(-height // block), -(-width // block)
    padded = cv2.copyMakeBorder(
        contrast(saturate(image, 1.35), 1.15),
        0,
        rows * block - height,
        0,
        columns * block - width,
        cv2.BORDER_REPLICATE,
    )
    small = padded.reshape(rows, block, columns, block, 3).mean(axis=(1, 3))
    return small.repeat(block, axis=0).repeat(block, axis=1)[:height, :width].astype(np.float32)
