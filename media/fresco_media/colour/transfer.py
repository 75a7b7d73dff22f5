"""From the light that code values stand for to sRGB: what a screen of today is to show of HDR,
wide gamut, linear and logarithmic pictures.

HDR is tone-mapped: diffuse white (203 cd/m², ITU-R BT.2408) stays bright, highlights up to
1000 cd/m² are compressed above it, and hues are kept. Colours outside of sRGB are clipped.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_media.types import ColourTags, Image

Light = NDArray[np.float32]
"""Linear light: height, width, and red, green, blue, of which 1 is white."""

BT709, BT2020 = 1, 9
LINEAR, LOG_100, LOG_316, PQ, ST428, HLG = 8, 9, 10, 16, 17, 18
HDR_TRANSFERS = {PQ: "PQ", HLG: "HLG"}

_DIFFUSE_WHITE, _PEAK = 203.0, 1000.0
"""In cd/m²."""
_ROWS = 32
# Chromaticities (x, y) of red, green, blue and white by code point (ITU-T H.273 table 2), of those
# that differ from BT.709 by more than cameras and screens differ from each other.
_D65 = (0.3127, 0.3290)
PRIMARIES = {
    BT709: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
WIDE_GAMUTS = {BT2020: "BT.2020", 11: "DCI-P3", 12: "Display P3"}

Chromaticities = tuple[
    tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]
]


def needs_conversion(colour: ColourTags) -> bool:
    """Whether pictures with these tags look wrong where they are shown as sRGB."""
    converted = (LINEAR, LOG_100, LOG_316, PQ, ST428, HLG)
    return colour.transfer in converted or colour.primaries in WIDE_GAMUTS


def as_srgb(codes: NDArray[np.uint16], colour: ColourTags) -> Image:
    """RGB code values (0-65535, full range) with the transfer and primaries of `colour` as sRGB.

    1920x1080 takes 50 ms on one core (measured).
    """
    shown = np.empty(codes.shape, np.uint8)
    # A few rows at a time stay in the processor's cache.
    for top in range(0, len(codes), _ROWS):
        light = light_of(codes[top : top + _ROWS], colour.transfer)
        if colour.primaries in WIDE_GAMUTS:
            light = in_bt709(light, PRIMARIES[colour.primaries])
        if colour.transfer in HDR_TRANSFERS:
            light = _tone_mapped(light)
        shown[top : top + _ROWS] = encode_srgb(light)
    return shown


def encode_srgb(light: Light) -> Image:
    """Linear light as sRGB (IEC 61966-2-1); what lies outside of 0-1 is clipped."""
    # What is not a number, as some renderers leave it, is black.
    steps = np.nan_to_num(light, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1) * 65535
    return np.take(_srgb_of_light(), np.rint(steps).astype(np.uint16))


def light_of(codes: NDArray[np.uint16], transfer: int) -> Light:
    """The light that code values of 0-65535 stand for."""
    return np.take(_light_of_codes(transfer), codes)


@cache
def _light_of_codes(transfer: int) -> NDArray[np.float32]:
    return _light(np.linspace(0, 1, 65536), transfer).astype(np.float32)


@cache
def _srgb_of_light() -> NDArray[np.uint8]:
    light = np.linspace(0, 1, 65536)
    curved = 1.055 * np.power(light, 1 / 2.4) - 0.055
    codes = np.where(light <= 0.0031308, 12.92 * light, curved)
    return np.rint(codes * 255).astype(np.uint8)


def in_bt709(light: Light, chromaticities: Chromaticities) -> Light:
    """Linear light of other primaries by those of BT.709; white stays white."""
    return _as_light(cv2.transform(light, _to_bt709(chromaticities)))


def decode_density(codes: NDArray[np.uint16]) -> Light:
    """Light from printing density, as film scans hold it (Cineon: black at 95, white at 685)."""
    black, white, step = 95.0, 685.0, 0.002 / 0.6
    offset = 10 ** ((black - white) * step)
    scale = 1023 / 65535
    light = (np.power(10, (codes * scale - white) * step) - offset) / (1 - offset)
    return light.astype(np.float32)


def _light(codes: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """Linear light, in which 1 is diffuse white, of code values of 0-1."""
    if transfer == LINEAR:
        return codes
    if transfer == PQ:
        return _from_pq(codes)
    if transfer == HLG:
        return _from_hlg(codes)
    if transfer in (LOG_100, LOG_316):
        decades = 2 if transfer == LOG_100 else 2.5
        return np.where(codes > 0, np.power(10, (codes - 1) * decades), 0)
    if transfer == ST428:
        return np.power(codes, 2.6) * (52.37 / 48)
    # The curve of a picture that is shown as it is: converting back must give the same picture.
    curved = np.power((codes + 0.055) / 1.055, 2.4)
    return np.where(codes <= 0.04045, codes / 12.92, curved)


def _from_pq(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084."""
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    root = np.power(codes, 1 / m2)
    nits = 10000 * np.power(np.maximum(root - c1, 0) / (c2 - c3 * root), 1 / m1)
    return nits / _DIFFUSE_WHITE


def _from_hlg(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """ARIB STD-B67 on a screen of 1000 cd/m²; its system gamma is applied channel by channel."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(codes <= 0.5, codes * codes / 3, (np.exp((codes - c) / a) + b) / 12)
    return _PEAK * np.power(scene, 1.2) / _DIFFUSE_WHITE


def _tone_mapped(light: Light) -> Light:
    """Highlights compressed by Reinhard's curve with a white point, by the strongest channel."""
    red, green, blue = cv2.split(light)
    strongest = np.maximum(cv2.max(cv2.max(red, green), blue), 0)
    peak = _PEAK / _DIFFUSE_WHITE
    scale = (1 + strongest / (peak * peak)) / (1 + strongest)
    return _as_light(light * scale[..., None])


def _as_light(values: np.ndarray) -> Light:
    return values.astype(np.float32, copy=False)


@cache
def _to_bt709(chromaticities: Chromaticities) -> NDArray[np.float64]:
    return np.linalg.inv(_to_xyz(PRIMARIES[BT709])) @ _adapted(chromaticities)


@cache
def _to_xyz(chromaticities: Chromaticities) -> NDArray[np.float64]:
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in chromaticities]).T
    weights = np.linalg.solve(columns[:, :3], columns[:, 3])
    return columns[:, :3] * weights


@cache
def _adapted(chromaticities: Chromaticities) -> NDArray[np.float64]:
    """RGB to XYZ at D65; another white is carried over by Bradford's method."""
    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    here, there = (
        bradford @ np.array([x / y, 1, (1 - x - y) / y]) for x, y in (chromaticities[3], _D65)
    )
    return np.linalg.inv(bradford) @ np.diag(there / here) @ bradford @ _to_xyz(chromaticities)
