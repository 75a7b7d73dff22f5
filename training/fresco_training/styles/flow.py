"""The way a picture's forms run, and marks laid along it: strokes, ink, relief.

Everything here follows from the picture's own smoothed gradients, so that marks move with what
they lie on. Directions come as unit vectors (h, w, 2), (x, y), whose sign means nothing.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_training.styles.parts import Image, blur, luma, mix, smoothstep

_NOISE = 0.004  # Gradient below which a place has no direction of its own.
_STEP = 2.0  # Pixels between the samples of a line.

Maps = tuple[NDArray[np.int16], NDArray[np.uint16]]


class Flow:
    """The direction (h, w, 2) along which forms run; lines once followed are kept."""

    def __init__(self, along: Image) -> None:
        self._along = along
        height, width = along.shape[:2]
        columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        self._x, self._y = np.meshgrid(columns, rows)
        self._lines: dict[float, list[Maps]] = {1.0: [], -1.0: []}
        self._heads = {
            sense: (self._x, self._y, along * np.float32(sense)) for sense in (1.0, -1.0)
        }

    @staticmethod
    def of(image: Image, sigma: float) -> "Flow":
        """Directions by the structure tensor, smoothed by `sigma` pixels.

        A coarser tensor is added faintly, so that calm areas take their direction from what is
        around them instead of from noise.
        """
        dx, dy = slopes(blur(luma(image), 0.8))
        tensor = np.stack([dx * dx, dx * dy, dy * dy], axis=2)
        tensor = blur(tensor, sigma) + 0.15 * blur(tensor, 3.0 * sigma)
        xx, xy, yy = np.moveaxis(tensor, 2, 0)
        # Half the tensor's angle is the gradient's; forms run at right angles to it.
        angle = 0.5 * np.arctan2(2.0 * xy, xx - yy) + np.float32(np.pi / 2)
        return Flow(np.stack([np.cos(angle), np.sin(angle)], axis=2))

    def along(self, image: Image, sense: float, index: int) -> Image:
        """`image` as it is `index` + 1 steps down the line through each pixel."""
        line = self._lines[sense]
        while len(line) <= index:
            x, y, heading = self._heads[sense]
            if line:
                there = cv2.remap(
                    self._along, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT
                )
                agreement = there[..., 0] * heading[..., 0] + there[..., 1] * heading[..., 1]
                heading = there * np.where(agreement < 0, np.float32(-1), np.float32(1))[..., None]
            x, y = x + heading[..., 0] * np.float32(_STEP), y + heading[..., 1] * np.float32(_STEP)
            self._heads[sense] = (x, y, heading)
            line.append(cv2.convertMaps(x, y, cv2.CV_16SC2))
        return cv2.remap(image, *line[index], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)

    def across(self, image: Image, offset: float) -> Image:
        """`image` as it is `offset` pixels to the side, in the direction of steepest change."""
        x = self._x - self._along[..., 1] * np.float32(offset)
        y = self._y + self._along[..., 0] * np.float32(offset)
        return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def slopes(tone: Image) -> tuple[Image, Image]:
    """Change of `tone` (h, w) per pixel to the right and down."""
    dx = cv2.Sobel(tone, cv2.CV_32F, 1, 0, scale=0.125, borderType=cv2.BORDER_REFLECT)
    dy = cv2.Sobel(tone, cv2.CV_32F, 0, 1, scale=0.125, borderType=cv2.BORDER_REFLECT)
    return dx, dy


def smear(image: Image, flow: Flow, length: float) -> Image:
    """Mean of `image` along the flow, by a Gaussian of `length` pixels (line integral)."""
    count = max(1, round(2.0 * length / _STEP))
    weights = np.exp(-0.5 * (np.arange(1, count + 1) * _STEP / length) ** 2)
    total = image.copy()
    for sense in (1.0, -1.0):
        for index, weight in enumerate(weights):
            cv2.scaleAdd(flow.along(image, sense, index), float(weight), total, total)
    return total / np.float32(1.0 + 2.0 * weights.sum())


def paint_flat(image: Image, flow: Flow, length: float, rounds: int, sharp: float) -> Image:
    """Colour drawn along the forms and cut sharp across them: smoothed, then shocked, and again.

    `sharp` is the size in pixels of the details that the shock makes borders of.
    (Kang and Lee 2008; Kyprianidis and Kang 2011, "coherence-enhancing filtering".)
    """
    for _ in range(rounds):
        image = _shocked(smear(image, flow, length), flow, sharp)
    return smear(image, flow, 0.4 * length)


def _shocked(image: Image, flow: Flow, sigma: float) -> Image:
    """Each pixel goes to the lighter or darker side of the border that it is on."""
    grey = blur(luma(image), sigma)
    beside = flow.across(grey, 1.5 * sigma) + flow.across(grey, -1.5 * sigma)
    bend = beside - 2.0 * grey  # Above zero on the dark side.
    one, other = flow.across(image, 0.7 * sigma), flow.across(image, -0.7 * sigma)
    lighter = (luma(one) > luma(other))[..., None]
    light, dark = np.where(lighter, one, other), np.where(lighter, other, one)
    up, down = smoothstep(0.002, 0.02, -bend), smoothstep(0.002, 0.02, bend)
    return mix(mix(image, light, up[..., None]), dark, down[..., None])


def ink(image: Image, flow: Flow, width: float, amount: float, threshold: float = 0.012) -> Image:
    """Ink (h, w), 0 to 1, where the picture is darker than what is beside it.

    A difference of Gaussians across the flow, gathered along it (FDoG: Kang, Lee and Chui 2007):
    lines are of one piece and about `width` pixels wide. `amount` makes fainter lines full.
    """
    grey = luma(image)
    sigma, wide = 0.6 * width, 0.96 * width
    reach = int(np.ceil(2.2 * wide))
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    narrow, around = (np.exp(-0.5 * (offsets / size) ** 2) for size in (sigma, wide))
    kernel = around / around.sum() - 0.99 * narrow / narrow.sum()
    response = np.zeros_like(grey)
    for offset, weight in zip(offsets, kernel, strict=True):
        cv2.scaleAdd(flow.across(grey, float(offset)), float(weight), response, response)
    # Relative to the brightness there, so that dark scenes are drawn too.
    response = smear(response / (0.25 + blur(grey, 4.0 * width)), flow, 1.4 * width)
    return smoothstep(threshold, threshold + 0.035 / amount, response)


def bristles(image: Image, flow: Flow, length: float, width: float) -> Image:
    """Marks of hairs or hatching (h, w), about -1 to 1: the picture's own texture, drawn out.

    Marks are about `width` pixels wide. Where there is hardly any texture they fade, since noise
    of the camera would differ from frame to frame.
    """
    grey = luma(image)
    detail = blur(grey, 0.4 * width) - blur(grey, 0.8 * width)
    loudness = np.sqrt(blur(detail * detail, 2.0 * width))
    drawn = smear(detail / (loudness + np.float32(0.006)), flow, length)
    spread = np.sqrt(blur(drawn * drawn, 2.5 * width)) + np.float32(0.1)
    return np.clip(0.8 * drawn / spread, -1.2, 1.2)


def isolines(tone: Image, cuts: tuple[float, ...], width: float) -> Image:
    """Lines (h, w), 0 to 1, `width` pixels wide where `tone` passes a cut; none on plains."""
    dx, dy = slopes(tone)
    slope = blur(np.sqrt(dx * dx + dy * dy), 0.5 * width) + np.float32(1e-4)
    line = np.zeros_like(tone)
    for cut in cuts:
        away = np.abs(tone - cut) / slope
        line = np.maximum(line, 1.0 - smoothstep(0.5 * width - 0.8, 0.5 * width + 0.8, away))
    return line * smoothstep(0.002, 0.007, slope)


def lit(height: Image, depth: float, sigma: float) -> Image:
    """Light (h, w), -1 to 1, on a relief lit from above left; `depth` in pixels."""
    dx, dy = slopes(blur(height, sigma))
    return np.tanh(-depth * (dx + dy)).astype(np.float32)
