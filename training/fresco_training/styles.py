"""The looks the bundled model learns, as deterministic filters.

Every filter takes and returns an RGB image, float32 in [0, 1], shape (h, w, 3), and is free of
random grain, since grain that differs from frame to frame would teach the model to flicker.
Filter sizes follow `scale`, which is 1 for an image with a short side of `REFERENCE_SIDE` pixels.
The parts that filters are made of are below them; filters of one's own may use them (`own.py`).
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Filter = Callable[[Image, float], Image]
Stops = Sequence[tuple[float, tuple[float, float, float]]]

REFERENCE_SIDE = 384


def apply_style(name: str, image: Image, scale: float | None = None) -> Image:
    """`image` in the look called `name`; without `scale` filter sizes follow the short side."""
    relative = min(image.shape[:2]) / REFERENCE_SIDE if scale is None else scale
    styled = STYLES[name](np.ascontiguousarray(image, np.float32), relative)
    return np.clip(styled, 0.0, 1.0).astype(np.float32)


def photo(image: Image, scale: float) -> Image:
    """The photograph itself, so that a plain prompt changes nothing."""
    return image


def watercolour(image: Image, scale: float) -> Image:
    """Clear washes that pool at their rims and leave the lights to the white paper."""
    wash = enliven(flatten(image, scale, colour=0.18, rounds=4), 1.7)
    bled = mix(wash, blur(wash, 4.0 * scale), 0.3) ** 0.88
    paper = 1.0 - (1.0 - bled) * 0.86
    rim = edge_strength(luma(wash), 1.6 * scale)
    pigment = 1.0 - smoothstep(0.02, 0.14, rim)
    light = smoothstep(0.72, 0.97, luma(paper))[..., None]
    pooled = paper * mix(np.float32([0.42, 0.46, 0.58]), np.float32(1.0), pigment[..., None])
    return mix(pooled, np.ones_like(paper), 0.7 * light)


def pencil(image: Image, scale: float) -> Image:
    """Graphite: grey lines and light shading on white paper."""
    grey = luma(flatten(image, scale, colour=0.08, rounds=1))
    dodge = np.clip(grey / (blur(grey, 6.0 * scale) + 0.03), 0.0, 1.0) ** 2.6
    shading = 0.62 + 0.38 * smoothstep(0.05, 0.55, blur(grey, 1.2 * scale))
    return gradient(dodge * shading, [(0, (0.16, 0.16, 0.18)), (1, (0.98, 0.98, 0.97))])


def charcoal(image: Image, scale: float) -> Image:
    """Soft black masses and rubbed edges on warm paper."""
    grey = luma(flatten(image, scale, colour=0.15, rounds=2))
    spread = smoothstep(0.18, 0.7, local_tone(grey, scale))
    edge = smoothstep(0.02, 0.16, edge_strength(grey, 2.2 * scale))
    tone = spread * (1.0 - 0.8 * edge)
    return gradient(
        tone, [(0, (0.05, 0.045, 0.04)), (0.5, (0.4, 0.36, 0.32)), (1, (0.9, 0.85, 0.76))]
    )


def oil(image: Image, scale: float) -> Image:
    """Thick strokes of deep colour with lit ridges."""
    strokes = kuwahara(enliven(image, 1.6), max(2, round(5 * scale)))
    strokes = contrast(strokes, 1.12)
    height = blur(luma(strokes), 0.8 * scale)
    relief = height - shifted(height, round(2 * scale) or 1, round(2 * scale) or 1)
    return strokes * np.float32([1.02, 1.0, 0.93]) + 0.7 * relief[..., None]


def comic(image: Image, scale: float) -> Image:
    """Flat tones of loud colour with black ink."""
    flat = enliven(flatten(image, scale, colour=0.16, rounds=3), 2.1) ** 0.8
    toned = contrast(posterise(flat, levels=4, softness=0.2), 1.12)
    ink = ink_lines(luma(flatten(image, scale, colour=0.1, rounds=1)), 1.6 * scale, 0.96)
    return toned * ink[..., None]


def cartoon(image: Image, scale: float) -> Image:
    """Bright animation cels: smooth clear areas, lifted shadows, thin brown outlines."""
    flat = flatten(image, scale, colour=0.22, rounds=4)
    bright = enliven(flat, 1.9) ** 0.7
    cel = 0.2 * bright + 0.8 * posterise(bright, levels=5, softness=0.2)
    cel = 0.09 + 0.91 * cel
    line = smoothstep(0.03, 0.09, edge_strength(luma(flat), 1.3 * scale))
    return mix(cel, np.float32([0.3, 0.17, 0.14]) * np.ones_like(cel), 0.85 * line[..., None])


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


def pop_art(image: Image, scale: float) -> Image:
    """A screen print in four loud flat colours, its darkest also drawing the outlines."""
    flat = flatten(blur(image, 1.0 * scale), scale, colour=0.2, rounds=3)
    grey = local_tone(luma(flat), scale)
    line = smoothstep(0.035, 0.1, edge_strength(luma(flat), 1.5 * scale))
    return bands(
        grey * (1.0 - 0.75 * line),
        [0.27, 0.5, 0.74],
        [(0.22, 0.05, 0.45), (0.93, 0.12, 0.47), (1.0, 0.72, 0.08), (0.8, 0.97, 0.93)],
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


def ukiyo_e(image: Image, scale: float) -> Image:
    """A woodblock print: indigo, sea green, vermilion and cream, with indigo outlines."""
    flat = flatten(image, scale, colour=0.2, rounds=4)
    grey = local_tone(luma(flat), scale)
    print_tone = bands(
        grey,
        [0.2, 0.42, 0.66],
        [(0.1, 0.16, 0.33), (0.28, 0.45, 0.5), (0.68, 0.69, 0.55), (0.95, 0.89, 0.75)],
    )
    redness = flat[..., 0] - np.maximum(flat[..., 1], flat[..., 2])
    vermilion = np.float32([0.8, 0.32, 0.2]) * (0.45 + 0.6 * grey)[..., None]
    inked = mix(print_tone, vermilion, 0.9 * smoothstep(0.1, 0.24, redness)[..., None])
    line = smoothstep(0.03, 0.11, edge_strength(luma(flat), 1.5 * scale))
    return mix(inked, np.float32([0.08, 0.11, 0.25]) * np.ones_like(inked), 0.9 * line[..., None])


COLD: Stops = [(0, (0.05, 0.09, 0.17)), (0.5, (0.45, 0.55, 0.68)), (1, (0.95, 0.98, 1.0))]
GOLDEN: Stops = [(0, (0.12, 0.05, 0.03)), (0.5, (0.68, 0.45, 0.24)), (1, (1.0, 0.93, 0.76))]
RUST: Stops = [
    (0, (0.17, 0.05, 0.02)),
    (0.4, (0.72, 0.24, 0.05)),
    (0.75, (0.97, 0.62, 0.12)),
    (1, (1.0, 0.9, 0.5)),
]

STYLES: dict[str, Filter] = {
    "photo": photo,
    "watercolour": watercolour,
    "pencil": pencil,
    "charcoal": charcoal,
    "oil": oil,
    "comic": comic,
    "cartoon": cartoon,
    "neon": neon,
    "vintage": vintage,
    "winter": winter,
    "autumn": autumn,
    "pop art": pop_art,
    "blueprint": blueprint,
    "pixel art": pixel_art,
    "ukiyo-e": ukiyo_e,
}


def luma(image: Image) -> Image:
    return image @ np.float32([0.299, 0.587, 0.114])


def blur(image: Image, sigma: float) -> Image:
    return cv2.GaussianBlur(image, (0, 0), max(sigma, 0.3), borderType=cv2.BORDER_REFLECT)


def mix(first: Image, second: Image, weight: Image | float) -> Image:
    return first + (second - first) * weight


def smoothstep(low: float, high: float, x: Image) -> Image:
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def saturate(image: Image, amount: float) -> Image:
    grey = luma(image)[..., None]
    return np.clip(grey + (image - grey) * amount, 0.0, 1.0)


def enliven(image: Image, amount: float) -> Image:
    """More saturation where there is little; strong colours and skin take less of it."""
    red, green, blue = np.moveaxis(image, 2, 0)
    chroma = image.max(axis=2) - image.min(axis=2)
    hue = (green - blue) / np.maximum(red - blue, 1e-3)  # 0 red to 1 yellow, where red > blue.
    skin = np.clip(1.0 - np.abs(hue - 0.4) / 0.5, 0.0, 1.0) * smoothstep(0.0, 0.05, red - blue)
    gain = 1.0 + (amount - 1.0) * (1.0 - 0.65 * skin) * (1.0 - 0.75 * chroma)
    grey = luma(image)[..., None]
    return np.clip(grey + (image - grey) * gain[..., None], 0.0, 1.0)


def contrast(image: Image, amount: float) -> Image:
    return np.clip(0.5 + (image - 0.5) * amount, 0.0, 1.0)


def gradient(tone: Image, stops: Stops) -> Image:
    """Maps a grey tone (h, w) to colours, linear between `stops`."""
    positions = [position for position, _ in stops]
    colours = np.array([colour for _, colour in stops], np.float32)
    channels = [np.interp(tone, positions, colours[:, c]) for c in range(3)]
    return np.stack(channels, axis=2).astype(np.float32)


def bands(tone: Image, cuts: Sequence[float], colours: Sequence[Sequence[float]]) -> Image:
    """Flat colours between `cuts`, with borders just soft enough for the autoencoder."""
    result = np.ones((*tone.shape, 3), np.float32) * np.float32(colours[0])
    for cut, colour in zip(cuts, colours[1:], strict=True):
        edge = smoothstep(cut - 0.03, cut + 0.03, tone)[..., None]
        result = mix(result, np.float32(colour), edge)
    return result


def local_tone(grey: Image, scale: float) -> Image:
    """More contrast about the surroundings' tone, so that dark and bright shots use all colours.

    Local, because a crop must look as it does within the whole picture.
    """
    around = blur(grey, 28.0 * scale)
    return np.clip(0.56 + 1.3 * (grey - around) + 0.75 * (around - 0.5), 0.0, 1.0)


def flatten(image: Image, scale: float, colour: float, rounds: int) -> Image:
    """Removes texture and keeps edges: `rounds` of a bilateral filter."""
    diameter = 2 * max(2, round(3 * scale)) + 1
    for _ in range(rounds):
        image = cv2.bilateralFilter(image, diameter, colour, 3.0 * scale)
    return image


def edge_strength(grey: Image, sigma: float) -> Image:
    """Gradient magnitude per `sigma` pixels, independent of the image's size."""
    smooth = blur(grey, sigma)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, borderType=cv2.BORDER_REFLECT)
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, borderType=cv2.BORDER_REFLECT)
    return cv2.magnitude(dx, dy) * np.float32(sigma / 8.0)


def ink_lines(grey: Image, sigma: float, threshold: float) -> Image:
    """Ink lines by a thresholded difference of Gaussians: 0 on lines, 1 elsewhere."""
    narrow, wide = blur(grey, sigma), blur(grey, 1.7 * sigma)
    ratio = (narrow + 0.03) / (wide + 0.03)
    return smoothstep(threshold - 0.1, threshold + 0.02, ratio)


def posterise(image: Image, levels: int, softness: float) -> Image:
    """Steps of brightness with soft borders; hue is kept."""
    value = image.max(axis=2)
    position = value * levels
    step = np.floor(position)
    fraction = smoothstep(0.5 - softness, 0.5 + softness, position - step)
    target = (step + fraction) / levels
    return image * (target / np.maximum(value, 1e-3))[..., None]


def shifted(grey: Image, right: int, down: int) -> Image:
    """The image moved right and down by so many pixels, its border repeated."""
    height, width = grey.shape
    padded = cv2.copyMakeBorder(grey, down, 0, right, 0, cv2.BORDER_REPLICATE)
    return padded[:height, :width]


def kuwahara(image: Image, radius: int) -> Image:
    """Painterly smoothing: each pixel takes the mean of its calmest neighbouring square."""
    size = radius + 1
    grey = luma(image)
    total = np.zeros_like(image)
    weights = np.zeros_like(grey)
    for anchor in ((0, 0), (radius, 0), (0, radius), (radius, radius)):
        mean = _box(image, size, anchor)
        variance = _box(grey * grey, size, anchor) - _box(grey, size, anchor) ** 2
        weight = 1.0 / (np.maximum(variance, 0.0) + 2e-4) ** 3
        total += mean * weight[..., None]
        weights += weight
    return total / weights[..., None]


def _box(image: Image, size: int, anchor: tuple[int, int]) -> Image:
    return cv2.blur(image, (size, size), anchor=anchor, borderType=cv2.BORDER_REFLECT)
