"""What looks are made of: tones, colours, smoothing and edges."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Stops = Sequence[tuple[float, tuple[float, float, float]]]


def luma(image: Image) -> Image:
    # Written out: a matrix product differs in its last bit with where the picture lies in memory.
    red, green, blue = np.moveaxis(image, 2, 0)
    return red * np.float32(0.299) + green * np.float32(0.587) + blue * np.float32(0.114)


def brightest(image: Image) -> Image:
    """The largest channel (h, w)."""
    return np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])


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


def skin(image: Image) -> Image:
    """How much (h, w), 0 to 1, a colour is of skin: between red and yellow, and not vivid."""
    red, green, blue = np.moveaxis(image, 2, 0)
    hue = (green - blue) / np.maximum(red - blue, 1e-3)  # 0 red to 1 yellow, where red > blue.
    return np.clip(1.0 - np.abs(hue - 0.4) / 0.5, 0.0, 1.0) * smoothstep(0.0, 0.05, red - blue)


def enliven(image: Image, amount: float) -> Image:
    """More saturation where there is some; strong colours and skin take less of it, greys none."""
    red, green, blue = np.moveaxis(image, 2, 0)
    least = np.minimum(np.minimum(red, green), blue)
    chroma = brightest(image) - least
    spared = (1.0 - 0.65 * skin(image)) * (1.0 - 0.75 * chroma) * smoothstep(0.01, 0.1, chroma)
    gain = 1.0 + (amount - 1.0) * spared
    grey = luma(image)[..., None]
    return np.clip(grey + (image - grey) * gain[..., None], 0.0, 1.0)


def in_tones(image: Image, tone: Image, whitened: float = 0.0) -> Image:
    """The hues of `image` at the brightness `tone` (h, w), with so much white in them."""
    hue = image / np.maximum(brightest(image), 0.08)[..., None]
    return mix(hue, np.float32(1.0), whitened) * tone[..., None]


def contrast(image: Image, amount: float) -> Image:
    return np.clip(0.5 + (image - 0.5) * amount, 0.0, 1.0)


def gradient(tone: Image, stops: Stops) -> Image:
    """Maps a grey tone (h, w) to colours, linear between `stops`."""
    positions = [position for position, _ in stops]
    colours = np.array([colour for _, colour in stops], np.float32)
    channels = [np.interp(tone, positions, colours[:, c]) for c in range(3)]
    return np.stack(channels, axis=2).astype(np.float32)


def bands(
    tone: Image, cuts: Sequence[float], colours: Sequence[Sequence[float]], soft: float = 0.025
) -> Image:
    """Flat colours between `cuts`, with borders just soft enough for the autoencoder."""
    result = np.ones((*tone.shape, 3), np.float32) * np.float32(colours[0])
    for cut, colour in zip(cuts, colours[1:], strict=True):
        edge = smoothstep(cut - soft, cut + soft, tone)[..., None]
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
    return np.sqrt(dx * dx + dy * dy) * np.float32(sigma / 8.0)


def ink_lines(grey: Image, sigma: float, threshold: float) -> Image:
    """Ink lines by a thresholded difference of Gaussians: 0 on lines, 1 elsewhere."""
    narrow, wide = blur(grey, sigma), blur(grey, 1.7 * sigma)
    ratio = (narrow + 0.03) / (wide + 0.03)
    return smoothstep(threshold - 0.1, threshold + 0.02, ratio)


def posterise(image: Image, levels: int, softness: float) -> Image:
    """Steps of brightness with soft borders; hue is kept."""
    value = brightest(image)
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
