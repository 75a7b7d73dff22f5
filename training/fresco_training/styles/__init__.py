"""The looks the bundled model learns, as deterministic filters.

Every filter takes and returns an RGB image, float32 in [0, 1], shape (h, w, 3), and is free of
random grain, since grain that differs from frame to frame would teach the model to flicker: marks
of brush and pen are laid along the picture's own forms and made of its own texture (`flow`).
Filter sizes follow `scale`, which is 1 for an image with a short side of `REFERENCE_SIDE` pixels.
"""

from collections.abc import Callable

import numpy as np

from fresco_training.styles import draw, light, paint, prints
from fresco_training.styles.parts import Image

Filter = Callable[[Image, float], Image]

REFERENCE_SIDE = 384


def apply_style(name: str, image: Image, scale: float | None = None) -> Image:
    """`image` in the look called `name`; without `scale` filter sizes follow the short side."""
    relative = min(image.shape[:2]) / REFERENCE_SIDE if scale is None else scale
    styled = STYLES[name](np.ascontiguousarray(image, np.float32), relative)
    return np.clip(styled, 0.0, 1.0).astype(np.float32)


STYLES: dict[str, Filter] = {
    "photo": light.photo,
    "watercolour": paint.watercolour,
    "pencil": draw.pencil,
    "charcoal": draw.charcoal,
    "oil": paint.oil,
    "comic": draw.comic,
    "cartoon": draw.cartoon,
    "neon": light.neon,
    "vintage": light.vintage,
    "winter": light.winter,
    "autumn": light.autumn,
    "pop art": prints.pop_art,
    "blueprint": draw.blueprint,
    "pixel art": draw.pixel_art,
    "ukiyo-e": prints.ukiyo_e,
    "gouache": paint.gouache,
    "clay": paint.clay,
    "pastel": paint.pastel,
    "engraving": draw.engraving,
    "stained glass": prints.stained_glass,
    "risograph": prints.risograph,
    "paper cut": prints.paper_cut,
    "night": light.night,
}
