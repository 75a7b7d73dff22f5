"""The looks the bundled model learns, as deterministic filters.

Every filter takes and returns an RGB image, float32 in [0, 1], shape (h, w, 3), and is free of
random grain, since grain that differs from frame to frame would teach the model to flicker.
Filter sizes follow `scale`, which is 1 for an image with a short side of `REFERENCE_SIDE` pixels.
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
    """Pale washes that pool at their rims on white paper."""
    wash = _saturate(_flatten(image, scale, colour=0.18, rounds=4), 1.5)
    bled = _mix(wash, _blur(wash, 5.0 * scale), 0.35) ** 0.8
    paper = 1.0 - (1.0 - bled) * 0.72
    rim = _edge_strength(_luma(wash), 1.6 * scale)
    pigment = 1.0 - _smoothstep(0.02, 0.14, rim)
    light = _smoothstep(0.6, 0.92, _luma(paper))[..., None]
    pooled = paper * _mix(np.float32([0.4, 0.5, 0.65]), np.float32(1.0), pigment[..., None])
    return _mix(pooled, np.ones_like(paper), 0.8 * light)


def pencil(image: Image, scale: float) -> Image:
    """Graphite: grey lines and light shading on white paper."""
    grey = _luma(_flatten(image, scale, colour=0.08, rounds=1))
    dodge = np.clip(grey / (_blur(grey, 6.0 * scale) + 0.03), 0.0, 1.0) ** 2.6
    shading = 0.62 + 0.38 * _smoothstep(0.05, 0.55, _blur(grey, 1.2 * scale))
    return _gradient(dodge * shading, [(0, (0.16, 0.16, 0.18)), (1, (0.98, 0.98, 0.97))])


def charcoal(image: Image, scale: float) -> Image:
    """Soft black masses and rubbed edges on warm paper."""
    grey = _luma(_flatten(image, scale, colour=0.15, rounds=2))
    spread = _smoothstep(0.18, 0.7, _local_tone(grey, scale))
    edge = _smoothstep(0.02, 0.16, _edge_strength(grey, 2.2 * scale))
    tone = spread * (1.0 - 0.8 * edge)
    return _gradient(
        tone, [(0, (0.05, 0.045, 0.04)), (0.5, (0.4, 0.36, 0.32)), (1, (0.9, 0.85, 0.76))]
    )


def oil(image: Image, scale: float) -> Image:
    """Thick strokes of strong colour with lit ridges."""
    strokes = _kuwahara(_saturate(image, 1.5), max(2, round(7 * scale)))
    strokes = _contrast(strokes, 1.15)
    height = _blur(_luma(strokes), 0.8 * scale)
    relief = height - _shift(height, round(2 * scale) or 1, round(2 * scale) or 1)
    return strokes * np.float32([1.04, 1.0, 0.9]) + 0.8 * relief[..., None]


def comic(image: Image, scale: float) -> Image:
    """Four flat tones of loud colour with black ink."""
    flat = _saturate(_flatten(image, scale, colour=0.16, rounds=3), 1.9) ** 0.75
    toned = _contrast(_posterise(flat, levels=4, softness=0.2), 1.15)
    ink = _ink(_luma(_flatten(image, scale, colour=0.1, rounds=1)), 1.6 * scale, 0.97)
    return toned * ink[..., None]


def cartoon(image: Image, scale: float) -> Image:
    """Bright animation cels: smooth pastel areas, lifted shadows, thin brown outlines."""
    flat = _flatten(image, scale, colour=0.22, rounds=4)
    bright = _saturate(flat, 1.6) ** 0.62
    cel = 0.2 * bright + 0.8 * _posterise(bright, levels=5, softness=0.2)
    cel = 0.15 + 0.85 * cel
    line = _smoothstep(0.03, 0.09, _edge_strength(_luma(flat), 1.3 * scale))
    return _mix(cel, np.float32([0.3, 0.17, 0.14]) * np.ones_like(cel), 0.85 * line[..., None])


def neon(image: Image, scale: float) -> Image:
    """Night city: violet darkness, magenta and cyan light bleeding from bright shapes."""
    smooth = _flatten(image, scale, colour=0.12, rounds=1)
    grey = _local_tone(_luma(smooth), scale)
    night = _gradient(
        grey,
        [
            (0, (0.02, 0.01, 0.08)),
            (0.35, (0.13, 0.03, 0.33)),
            (0.65, (0.75, 0.08, 0.62)),
            (0.88, (0.1, 0.6, 0.9)),
            (1, (0.4, 0.93, 1.0)),
        ],
    )
    glow = _blur(_smoothstep(0.03, 0.2, _edge_strength(grey, 1.8 * scale)), 2.0 * scale)
    return night + 0.55 * glow[..., None] * np.float32([0.1, 0.75, 1.0])


def vintage(image: Image, scale: float) -> Image:
    """An old sepia print with faded blacks."""
    grey = _blur(_luma(image), 0.7 * scale)
    tone = _smoothstep(-0.1, 1.05, grey)
    return _gradient(
        tone, [(0, (0.22, 0.14, 0.09)), (0.5, (0.62, 0.47, 0.31)), (1, (0.98, 0.91, 0.75))]
    )


def winter(image: Image, scale: float) -> Image:
    """Cold light, greens and earth under snow, snow on every upward edge."""
    smooth = _blur(image, 0.8 * scale)
    grey = _luma(smooth)
    warm = smooth[..., :2].max(axis=2) - smooth[..., 2]
    covered = _smoothstep(0.02, 0.2, warm) * _smoothstep(0.12, 0.45, grey)
    above = _blur(grey, 1.0 * scale)
    top = _smoothstep(0.02, 0.1, _shift(above, 0, round(2 * scale) or 1) - above)
    cold = _mix(smooth, _gradient(grey, COLD), 0.7) * 0.9 + 0.08
    snow = np.float32([0.93, 0.96, 1.0]) * (0.62 + 0.38 * _smoothstep(0.1, 0.6, grey))[..., None]
    return _mix(cold, snow, np.clip(0.8 * covered + 0.6 * top, 0.0, 1.0)[..., None])


def autumn(image: Image, scale: float) -> Image:
    """Leaves and shadows turned to orange and rust under a low golden sun."""
    smooth = _blur(image, 0.6 * scale)
    grey = _luma(smooth)
    red, green, blue = np.moveaxis(smooth, 2, 0)
    leaf = _smoothstep(-0.02, 0.12, green - np.maximum(blue, red * 0.85))
    golden = _mix(smooth, _gradient(grey, GOLDEN), 0.6)
    rust = _gradient(_smoothstep(0.02, 0.75, grey), RUST)
    return _mix(golden, rust, 0.9 * leaf[..., None])


def pop_art(image: Image, scale: float) -> Image:
    """A screen print in four loud flat colours."""
    flat = _flatten(_blur(image, 1.5 * scale), scale, colour=0.25, rounds=3)
    grey = _local_tone(_luma(flat), scale)
    return _bands(
        grey,
        [0.28, 0.52, 0.76],
        [(0.22, 0.05, 0.45), (0.93, 0.12, 0.47), (1.0, 0.72, 0.08), (0.75, 0.97, 0.93)],
    )


def blueprint(image: Image, scale: float) -> Image:
    """White construction lines on blue paper with faint shading."""
    grey = _luma(_flatten(image, scale, colour=0.12, rounds=2))
    paper = _gradient(grey, [(0, (0.03, 0.13, 0.4)), (1, (0.16, 0.42, 0.76))])
    line = _smoothstep(0.03, 0.13, _edge_strength(grey, 1.5 * scale))
    return _mix(paper, np.float32([0.92, 0.97, 1.0]) * np.ones_like(paper), 0.9 * line[..., None])


def pixel_art(image: Image, scale: float) -> Image:
    """Square blocks of strong colour; at scale 1 a block is one latent."""
    block = max(2, round(8 * scale))
    height, width = image.shape[:2]
    rows, columns = -(-height // block), -(-width // block)
    padded = cv2.copyMakeBorder(
        _contrast(_saturate(image, 1.35), 1.15),
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
    flat = _flatten(image, scale, colour=0.2, rounds=4)
    grey = _local_tone(_luma(flat), scale)
    print_tone = _bands(
        grey,
        [0.2, 0.42, 0.66],
        [(0.1, 0.16, 0.33), (0.28, 0.45, 0.5), (0.68, 0.69, 0.55), (0.95, 0.89, 0.75)],
    )
    redness = flat[..., 0] - np.maximum(flat[..., 1], flat[..., 2])
    vermilion = np.float32([0.8, 0.32, 0.2]) * (0.45 + 0.6 * grey)[..., None]
    inked = _mix(print_tone, vermilion, 0.9 * _smoothstep(0.1, 0.24, redness)[..., None])
    line = _smoothstep(0.03, 0.11, _edge_strength(_luma(flat), 1.5 * scale))
    return _mix(inked, np.float32([0.08, 0.11, 0.25]) * np.ones_like(inked), 0.9 * line[..., None])


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


def _luma(image: Image) -> Image:
    return image @ np.float32([0.299, 0.587, 0.114])


def _blur(image: Image, sigma: float) -> Image:
    return cv2.GaussianBlur(image, (0, 0), max(sigma, 0.3), borderType=cv2.BORDER_REFLECT)


def _mix(first: Image, second: Image, weight: Image | float) -> Image:
    return first + (second - first) * weight


def _smoothstep(low: float, high: float, x: Image) -> Image:
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _saturate(image: Image, amount: float) -> Image:
    grey = _luma(image)[..., None]
    return np.clip(grey + (image - grey) * amount, 0.0, 1.0)


def _contrast(image: Image, amount: float) -> Image:
    return np.clip(0.5 + (image - 0.5) * amount, 0.0, 1.0)


def _gradient(tone: Image, stops: Stops) -> Image:
    """Maps a grey tone (h, w) to colours, linear between `stops`."""
    positions = [position for position, _ in stops]
    colours = np.float32([colour for _, colour in stops])
    channels = [np.interp(tone, positions, colours[:, c]) for c in range(3)]
    return np.stack(channels, axis=2).astype(np.float32)


def _bands(tone: Image, cuts: Sequence[float], colours: Sequence[Sequence[float]]) -> Image:
    """Flat colours between `cuts`, with borders just soft enough for the autoencoder."""
    result = np.ones((*tone.shape, 3), np.float32) * np.float32(colours[0])
    for cut, colour in zip(cuts, colours[1:], strict=True):
        edge = _smoothstep(cut - 0.03, cut + 0.03, tone)[..., None]
        result = _mix(result, np.float32(colour), edge)
    return result


def _local_tone(grey: Image, scale: float) -> Image:
    """More contrast about the surroundings' tone, so that dark and bright shots use all colours.

    Local, because a crop must look as it does within the whole picture.
    """
    around = _blur(grey, 28.0 * scale)
    return np.clip(0.56 + 1.3 * (grey - around) + 0.75 * (around - 0.5), 0.0, 1.0)


def _flatten(image: Image, scale: float, colour: float, rounds: int) -> Image:
    """Removes texture and keeps edges: `rounds` of a bilateral filter."""
    diameter = 2 * max(2, round(3 * scale)) + 1
    for _ in range(rounds):
        image = cv2.bilateralFilter(image, diameter, colour, 3.0 * scale)
    return image


def _edge_strength(grey: Image, sigma: float) -> Image:
    """Gradient magnitude per `sigma` pixels, independent of the image's size."""
    smooth = _blur(grey, sigma)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, borderType=cv2.BORDER_REFLECT)
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, borderType=cv2.BORDER_REFLECT)
    return cv2.magnitude(dx, dy) * np.float32(sigma / 8.0)


def _ink(grey: Image, sigma: float, threshold: float) -> Image:
    """Ink lines by a thresholded difference of Gaussians: 0 on lines, 1 elsewhere."""
    narrow, wide = _blur(grey, sigma), _blur(grey, 1.7 * sigma)
    ratio = (narrow + 0.03) / (wide + 0.03)
    return _smoothstep(threshold - 0.1, threshold + 0.02, ratio)


def _posterise(image: Image, levels: int, softness: float) -> Image:
    """Steps of brightness with soft borders; hue is kept."""
    value = image.max(axis=2)
    position = value * levels
    step = np.floor(position)
    fraction = _smoothstep(0.5 - softness, 0.5 + softness, position - step)
    target = (step + fraction) / levels
    return image * (target / np.maximum(value, 1e-3))[..., None]


def _shift(grey: Image, right: int, down: int) -> Image:
    """The image moved right and down by so many pixels, its border repeated."""
    height, width = grey.shape
    padded = cv2.copyMakeBorder(grey, down, 0, right, 0, cv2.BORDER_REPLICATE)
    return padded[:height, :width]


def _kuwahara(image: Image, radius: int) -> Image:
    """Painterly smoothing: each pixel takes the mean of its calmest neighbouring square."""
    size = radius + 1
    grey = _luma(image)
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
