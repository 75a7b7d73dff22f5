"""Restyling that is known at every frame: deterministic image filters."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_engine.interpolation.colour import to_lab
from fresco_media.types import Image


def outlined(image: Image) -> Image:
    """Dark strokes along edges, smooth colours in between."""
    blue_first = cv2.stylization(image[..., ::-1].copy(), sigma_s=40, sigma_r=0.35)
    return np.asarray(blue_first[..., ::-1], np.uint8).copy()


def posterised(image: Image) -> Image:
    """Few tones, shifted colours, thin dark lines."""
    smooth = np.asarray(cv2.bilateralFilter(image, 7, 50, 5), np.uint8)
    lab = to_lab(smooth)
    steps = 16 * np.round(lab[..., 0] / 16)
    lab[..., 0] = steps + 0.25 * (lab[..., 0] - steps)
    lab[..., 1:] = lab[..., 1:] * [1.4, 1.3] + [8, -6]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    line = cv2.GaussianBlur(grey, (0, 0), 1) - cv2.GaussianBlur(grey, (0, 0), 2.2)
    ink = 1 / (1 + np.exp(np.clip(1.2 * (line + 3), -30, 30)))
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * (1 - 0.8 * ink[..., None])
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def hatched(image: Image) -> Image:
    """A pencil drawing: strokes along the edges over a thinned out colour."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 1.2)
    x, y = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.clip(cv2.magnitude(x, y) / 120, 0, 1)
    noise = np.random.default_rng(0).integers(0, 256, grey.shape).astype(np.float32)
    angle = 0.5 * np.arctan2(y, x) + np.pi / 2
    strokes = np.zeros_like(noise)
    rows, columns = np.indices(grey.shape, np.float32)
    for step in range(-4, 5):
        at_x, at_y = columns + step * np.cos(angle), rows + step * np.sin(angle)
        strokes += cv2.remap(noise, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    grain = np.clip((strokes / 9 - 128) * 2.2, -60, 60)[..., None]
    pale = 255 - 0.75 * (255 - cv2.GaussianBlur(image, (0, 0), 1.5).astype(np.float32))
    ink = (1 - 0.8 * strength)[..., None]
    return np.rint(np.clip(pale * ink + grain * (1 - grey[..., None] / 320), 0, 255)).astype(
        np.uint8
    )


STYLES = {"outlined": outlined, "posterised": posterised, "hatched": hatched}
