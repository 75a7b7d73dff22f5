"""Looks of light and weather: what a camera or a printer of photographs might have made."""

import numpy as np

from fresco_training.styles.parts import (
    Image,
    Stops,
    blur,
    edge_strength,
    flatten,
    gradient,
    local_tone,
    luma,
    mix,
    shifted,
    smoothstep,
)


def photo(image: Image, scale: float) -> Image:
    """The photograph itself, so that a plain prompt changes nothing."""
    return image


def neon(image: Image, scale: float) -> Image:
    """Night city: violet darkness, magenta and cyan light bleeding from bright shapes."""
    smooth = flatten(image, scale, colour=0.12, rounds=1)
    grey = local_tone(luma(smooth), scale)
    night = gradient(
        grey,
        [
            (0, (0.02, 0.01, 0.08)),
            (0.35, (0.13, 0.03, 0.33)),
            (0.65, (0.75, 0.08, 0.62)),
            (0.88, (0.1, 0.6, 0.9)),
            (1, (0.4, 0.93, 1.0)),
        ],
    )
    glow = blur(smoothstep(0.03, 0.2, edge_strength(grey, 1.8 * scale)), 2.0 * scale)
    return night + 0.55 * glow[..., None] * np.float32([0.1, 0.75, 1.0])


def vintage(image: Image, scale: float) -> Image:
    """An old sepia print with faded blacks."""
    grey = blur(luma(image), 0.7 * scale)
    tone = smoothstep(-0.1, 1.05, grey)
    return gradient(
        tone, [(0, (0.22, 0.14, 0.09)), (0.5, (0.62, 0.47, 0.31)), (1, (0.98, 0.91, 0.75))]
    )


def winter(image: Image, scale: float) -> Image:
    """Cold light, greens and earth under snow, snow on every upward edge."""
    smooth = blur(image, 0.8 * scale)
    grey = luma(smooth)
    warm = smooth[..., :2].max(axis=2) - smooth[..., 2]
    covered = smoothstep(0.02, 0.2, warm) * smoothstep(0.12, 0.45, grey)
    above = blur(grey, 1.0 * scale)
    top = smoothstep(0.02, 0.1, shifted(above, 0, round(2 * scale) or 1) - above)
    cold = mix(smooth, gradient(grey, COLD), 0.7) * 0.9 + 0.08
    snow = np.float32([0.93, 0.96, 1.0]) * (0.62 + 0.38 * smoothstep(0.1, 0.6, grey))[..., None]
    return mix(cold, snow, np.clip(0.8 * covered + 0.6 * top, 0.0, 1.0)[..., None])


def autumn(image: Image, scale: float) -> Image:
    """Leaves and shadows turned to orange and rust under a low golden sun."""
    smooth = blur(image, 0.6 * scale)
    grey = luma(smooth)
    red, green, blue = np.moveaxis(smooth, 2, 0)
    leaf = smoothstep(-0.02, 0.12, green - np.maximum(blue, red * 0.85))
    golden = mix(smooth, gradient(grey, GOLDEN), 0.6)
    rust = gradient(smoothstep(0.02, 0.75, grey), RUST)
    return mix(golden, rust, 0.9 * leaf[..., None])


def night(image: Image, scale: float) -> Image:
    """The scene by moonlight: blue darkness, and lamps where it is bright and warm."""
    smooth = flatten(image, scale, colour=0.06, rounds=1)
    grey = local_tone(luma(smooth), scale)
    around = blur(grey, 14.0 * scale)
    moonlit = gradient(
        grey**1.25,
        [
            (0, (0.0, 0.008, 0.03)),
            (0.3, (0.02, 0.07, 0.17)),
            (0.7, (0.13, 0.25, 0.42)),
            (1, (0.42, 0.55, 0.7)),
        ],
    )
    warm = smooth[..., 0] - smooth[..., 2]
    lamp = smoothstep(0.66, 0.9, grey) * smoothstep(-0.02, 0.2, warm)
    bright = lamp * smoothstep(0.02, 0.2, grey - around)
    glow = blur(bright, 7.0 * scale)[..., None] * np.float32([1.0, 0.62, 0.2])
    shown = mix(moonlit, gradient(grey, LAMPLIGHT), 0.85 * bright[..., None])
    return 1.0 - (1.0 - np.clip(shown, 0.0, 1.0)) * (1.0 - np.clip(0.7 * glow, 0.0, 1.0))


LAMPLIGHT: Stops = [(0, (0.25, 0.08, 0.0)), (0.6, (0.95, 0.62, 0.2)), (1, (1.0, 0.93, 0.68))]
COLD: Stops = [(0, (0.05, 0.09, 0.17)), (0.5, (0.45, 0.55, 0.68)), (1, (0.95, 0.98, 1.0))]
GOLDEN: Stops = [(0, (0.12, 0.05, 0.03)), (0.5, (0.68, 0.45, 0.24)), (1, (1.0, 0.93, 0.76))]
RUST: Stops = [
    (0, (0.17, 0.05, 0.02)),
    (0.4, (0.72, 0.24, 0.05)),
    (0.75, (0.97, 0.62, 0.12)),
    (1, (1.0, 0.9, 0.5)),
]
