"""Looks of flat colour: printed, cut out or leaded."""

import numpy as np

from fresco_training.styles.flow import Flow, bristles, ink, isolines, paint_flat, slopes
from fresco_training.styles.parts import (
    Image,
    bands,
    blur,
    enliven,
    flatten,
    in_tones,
    local_tone,
    luma,
    mix,
    shifted,
    skin,
    smoothstep,
)


def _regions(image: Image, scale: float) -> tuple[Image, Flow]:
    """The picture in few broad flat regions with clean borders, and the way its forms run."""
    flow = Flow.of(image, 2.5 * scale)
    flat = flatten(image, scale, 0.22, 4)
    return paint_flat(flat, flow, 5.0 * scale, 2, 2.2 * scale), flow


def pop_art(image: Image, scale: float) -> Image:
    """A screen print in loud flat inks with violet outlines, warm things hot and cool ones cold."""
    flat, flow = _regions(image, scale)
    grey = local_tone(luma(flat), scale)
    cuts = (0.27, 0.5, 0.74)
    hot = bands(
        grey, cuts, ((0.25, 0.03, 0.42), (0.95, 0.1, 0.45), (1.0, 0.74, 0.05), (1.0, 0.96, 0.78))
    )
    cold = bands(
        grey, cuts, ((0.25, 0.03, 0.42), (0.05, 0.32, 0.82), (0.1, 0.78, 0.75), (0.82, 0.98, 0.85))
    )
    soft = blur(flat, 3.0 * scale)
    warmth = smoothstep(-0.03, 0.05, soft[..., 0] - soft[..., 2] - 0.02)
    line = ink(image, flow, 3.0 * scale, 1.6)
    return mix(
        mix(cold, hot, warmth[..., None]), np.float32([0.18, 0.02, 0.32]), 0.95 * line[..., None]
    )


def ukiyo_e(image: Image, scale: float) -> Image:
    """A woodblock print: indigo, sea green, vermilion and cream within clean indigo lines."""
    flat, flow = _regions(image, scale)
    grey = local_tone(luma(flat), scale)
    tones = ((0.1, 0.17, 0.36), (0.27, 0.47, 0.55), (0.7, 0.72, 0.58), (0.96, 0.9, 0.76))
    printed = bands(grey, (0.2, 0.42, 0.66), tones)
    redness = flat[..., 0] - np.maximum(flat[..., 1], flat[..., 2])
    fair = skin(flat) * smoothstep(0.3, 0.5, grey)
    printed = mix(
        printed, np.float32([0.94, 0.8, 0.63]) * np.ones_like(flat), 0.7 * fair[..., None]
    )
    vivid = 0.92 * smoothstep(0.09, 0.16, redness - 0.16 * skin(flat))
    vermilion = np.float32([0.83, 0.3, 0.18]) * (0.5 + 0.55 * grey)[..., None]
    inked = mix(printed, vermilion, vivid[..., None])
    wood = bristles(image, flow, 12.0 * scale, 5.0 * scale)
    inked = inked * (1.0 + 0.05 * wood)[..., None]
    line = ink(image, flow, 2.8 * scale, 1.8)
    return mix(inked, np.float32([0.06, 0.09, 0.24]) * np.ones_like(inked), 0.95 * line[..., None])


def stained_glass(image: Image, scale: float) -> Image:
    """Leaded panes of jewel colours with light behind them."""
    flat, flow = _regions(image, scale)
    tone = local_tone(luma(blur(flat, 1.6 * scale)), scale)
    lead = np.maximum(
        isolines(tone, (0.34, 0.6), 4.0 * scale),
        ink(blur(flat, 1.0 * scale), flow, 3.6 * scale, 2.0, 0.02),
    )
    jewel = enliven(blur(flat, 1.5 * scale), 4.0)
    hue = in_tones(jewel, np.ones_like(tone))
    hue = np.clip(luma(hue)[..., None] + 1.6 * (hue - luma(hue)[..., None]), 0.0, 1.0)
    inside = 1.0 - blur(lead, 4.5 * scale)
    ripple = bristles(image, flow, 8.0 * scale, 8.0 * scale)
    value = (0.42 + 0.62 * smoothstep(0.05, 0.85, tone)) * (0.55 + 0.55 * inside)
    glass = hue * (value * (1.0 + 0.08 * ripple))[..., None]
    glass = glass + 0.1 * (inside * smoothstep(0.5, 0.9, tone))[..., None]
    metal = np.float32([0.05, 0.05, 0.06]) * np.ones_like(glass)
    return mix(np.clip(glass, 0.0, 1.0), metal, lead[..., None])


def risograph(image: Image, scale: float) -> Image:
    """Two inks, orange and teal, over each other on cream paper, a little out of register."""
    flat, flow = _regions(image, scale)
    grain = bristles(image, flow, 1.5 * scale, 4.5 * scale)
    soft = blur(flat, 2.0 * scale)
    warmth = smoothstep(-0.08, 0.12, soft[..., 0] - soft[..., 2])
    dark = 1.0 - local_tone(luma(flat), scale) + 0.04 * grain
    off = round(2 * scale) or 1
    printed = np.float32([0.965, 0.945, 0.88]) * np.ones_like(flat)
    plates = (
        (dark - 0.1 + 0.22 * warmth, np.float32([1.0, 0.36, 0.25]), 0),
        (dark + 0.06 - 0.26 * warmth, np.float32([0.0, 0.5, 0.55]), off),
    )
    for plate, colour, by in plates:
        share = 0.42 * smoothstep(0.28, 0.33, plate) + 0.55 * smoothstep(0.5, 0.55, plate)
        share = shifted(share, by, by) if by else share
        printed = printed * mix(np.float32(1.0), colour, share[..., None])
    return printed


def paper_cut(image: Image, scale: float) -> Image:
    """Sheets of card from plum to cream laid over each other, each shading the next."""
    flat, _ = _regions(image, scale)
    smooth = blur(flat, 2.0 * scale)
    tone = local_tone(luma(smooth), scale)
    colour = enliven(smooth, 4.2)
    cuts, values = (0.2, 0.36, 0.52, 0.7), (0.14, 0.3, 0.5, 0.72, 0.92)
    plum, wine, coral = (0.17, 0.08, 0.27), (0.42, 0.16, 0.4), (0.8, 0.36, 0.36)
    cards = np.float32([plum, wine, coral, (0.98, 0.66, 0.42), (1.0, 0.9, 0.7)])
    shown = mix(in_tones(colour, np.full_like(tone, values[0])), cards[0], 0.45)
    drop = round(4 * scale) or 1
    for cut, value, card in zip(cuts, values[1:], cards[1:], strict=True):
        sheet = smoothstep(cut - 0.02, cut + 0.02, tone)
        shadow = blur(shifted(sheet, drop, drop), 2.2 * scale)
        paper = mix(in_tones(colour, np.full_like(tone, value), 0.1), card, 0.45)
        shown = shown * (1.0 - 0.7 * shadow * (1.0 - sheet))[..., None]
        shown = mix(shown, paper, sheet[..., None])
    # Where tones pass into each other a rim would wander from frame to frame, and faces are to
    # stay somebody's.
    dx, dy = slopes(tone)
    firm = smoothstep(0.015, 0.04, scale * blur(np.sqrt(dx * dx + dy * dy), 2.0 * scale))
    spared = 1.0 - 0.6 * skin(blur(image, 3.0 * scale))
    rim = 0.7 * firm * spared * isolines(tone, cuts, 2.4 * scale)
    return mix(shown, np.float32([1.0, 0.98, 0.94]), rim[..., None])
