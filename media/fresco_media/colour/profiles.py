"""Colour profiles of pictures (ICC) and what PNG says of its colours, converted to sRGB."""

from __future__ import annotations

import io
from functools import cache, lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from fresco_media.colour.shapers import shaper_of
from fresco_media.colour.transfer import (
    BT709,
    LINEAR,
    PRIMARIES,
    Chromaticities,
    as_srgb,
    encode_srgb,
    in_bt709,
    light_of,
    needs_conversion,
)
from fresco_media.types import ColourTags, Image

_FAULTS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, KeyError)
_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
# Profiles that change no colour by more than this are sRGB under another name.
_SAME = 2
_CHROMATICITY_TOLERANCE = 0.02
_ADOBE_GAMMA = 563 / 256
_ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.3290))


def to_srgb(picture: Pillow.Image, profile: bytes) -> Image | None:
    """The colours of `picture` (no alpha) by its ICC `profile`; None where that is useless."""
    try:
        mode, transform = _transform(profile)
    except _FAULTS:
        return None
    if transform is None:
        return np.asarray(picture.convert("RGB"), np.uint8)
    if (mode == "CMYK") != (picture.mode == "CMYK") or (mode == "LAB") != (picture.mode == "LAB"):
        return None
    if mode == "L" and picture.mode == "RGB" and not _is_grey(np.asarray(picture)):
        return None
    converted = transform.apply(picture if picture.mode == mode else picture.convert(mode))
    return np.asarray(converted, np.uint8)


def changes_colours(profile: bytes) -> bool:
    """Whether RGB by this ICC profile looks otherwise than as sRGB."""
    try:
        mode, transform = _transform(profile)
    except _FAULTS:
        return False
    return mode == "RGB" and transform is not None


def changes_film(profile: bytes) -> bool:
    """Whether frames of a film by this ICC profile look other than they are shown without it.

    Those of video are shown as they are: so one that only says BT.709 changes nothing.
    """
    try:
        mode, transform = _transform(profile)
    except _FAULTS:
        return False
    if transform is None or mode not in ("RGB", "L"):
        return False
    probe = _probe(mode)
    before = np.asarray(probe.convert("RGB"), np.float32) / 255
    after = np.asarray(transform.apply(probe), np.float32)
    # The camera's curve (ITU-R BT.709, 1.2), as system profiles for video have it.
    light = np.where(before < 0.081, before / 4.5, np.power((before + 0.099) / 1.099, 1 / 0.45))
    by_camera = encode_srgb(light.astype(np.float32)).astype(np.float32)
    return bool(np.abs(after - by_camera).max() > 2 * _SAME)


def _probe(mode: str) -> Pillow.Image:
    """Colours ("RGB") or all greys ("L") that show what a profile does."""
    if mode == "L":
        return Pillow.fromarray(np.arange(256, dtype=np.uint8)[None])
    return Pillow.fromarray(np.array(list(product(range(0, 256, 51), repeat=3)), np.uint8)[None])


def deep_to_srgb(codes: NDArray[Any], profile: bytes) -> Image | None:
    """RGB of 0-65535, or floating point of 0-1 and beyond, by its ICC `profile`.

    None for a profile that is sRGB itself, and for one that is applied to 8 bits only.
    """
    try:
        is_own = _transform(profile)[1] is None
    except _FAULTS:
        return None
    shaper = None if is_own else shaper_of(profile)
    if shaper is not None and shaper.is_grey and not _is_grey(codes):
        return None
    return None if shaper is None else shaper.to_srgb(codes)


def _is_grey(pixels: NDArray[Any]) -> bool:
    """Whether there are no colours, which a profile for grey knows nothing of."""
    grey = pixels[..., :1]
    return bool((pixels[..., 1:] == grey).all())


@lru_cache(maxsize=8)
def _transform(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """The mode that a profile is for, and its way to sRGB unless it is that itself."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    described: Any = opened.profile
    mode = _MODES[described.xcolor_space]
    transform = ImageCms.buildTransform(
        opened,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION | _exactly(mode),
    )
    if mode not in ("RGB", "L"):
        return mode, transform
    probe = _probe(mode)
    before = np.asarray(probe.convert("RGB"), np.int16)
    after = np.asarray(transform.apply(probe), np.int16)
    return mode, None if np.abs(after - before).max() <= _SAME else transform


def _exactly(mode: str) -> ImageCms.Flags:
    """What keeps LittleCMS from taking steps of grey together, many levels off in the shadows."""
    return ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE


def lab_profile() -> bytes:
    """The profile of pictures in Lab that carry none."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def by_code_points(codes: NDArray[np.uint16], tags: ColourTags) -> Image | None:
    """RGB of 0-65535 with `tags` (PNG's cICP, AVIF's nclx) as sRGB; None where that is its own."""
    return as_srgb(codes, tags) if needs_conversion(tags) else None


def by_chromaticities(
    codes: NDArray[np.uint16], gamma: float | None, chromaticities: tuple[float, ...] | None
) -> Image | None:
    """RGB of 0-65535 by PNG's gAMA and cHRM as sRGB; None where they change nothing.

    Most gammas are written without a thought and shown by nobody, so only that of linear light
    counts.
    """
    is_linear = gamma is not None and gamma > 0.9
    primaries = _wide(chromaticities)
    if not is_linear and primaries is None:
        return None
    light = light_of(codes, LINEAR if is_linear else 13)
    return encode_srgb(light if primaries is None else in_bt709(light, primaries))


def from_adobe_rgb(codes: NDArray[np.uint16]) -> Image:
    """Adobe RGB (1998) of 0-65535 as sRGB."""
    return encode_srgb(in_bt709(np.take(_adobe_light(), codes), _ADOBE_RGB))


@cache
def _adobe_light() -> NDArray[np.float32]:
    return np.power(np.linspace(0, 1, 65536), _ADOBE_GAMMA).astype(np.float32)


def _wide(values: tuple[float, ...] | None) -> Chromaticities | None:
    """Chromaticities of white, red, green and blue, ordered; None where they are those of sRGB."""
    if values is None or len(values) != 8 or not all(0 < value < 1 for value in values):
        return None
    white, red, green, blue = zip(values[0::2], values[1::2], strict=True)
    found = (red, green, blue, white)
    return found if is_wide(found) else None


def is_wide(found: Chromaticities) -> bool:
    """Whether primaries or white differ from those of sRGB by more than rounding."""
    pairs = zip(found, PRIMARIES[BT709], strict=True)
    return any(
        abs(stated - own) >= _CHROMATICITY_TOLERANCE
        for point, own_point in pairs
        for stated, own in zip(point, own_point, strict=True)
    )
