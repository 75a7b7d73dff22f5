"""ICC profiles made of three curves and a matrix, applied at any depth.

Pillow's little CMS takes 8 bits only, of which linear light leaves few to the shadows (ICC.1:2022,
8.3.3, 10.6 and 10.18).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fresco_media.colour.transfer import encode_srgb
from fresco_media.types import Image

_HEADER, _ENTRY = 128, struct.Struct(">4s2I")
_RGB, _GREY, _XYZ = b"RGB ", b"GRAY", b"XYZ "
# What a profile with one of these holds instead, and what counts then.
_TABLES = (b"A2B0", b"A2B1", b"D2B0", b"D2B1")
_CODES = 1 << 16
_MOST_TAGS = 200
# The primaries of sRGB in the connection space, whose white is D50.
_SRGB_TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
# Coefficients that each kind of parametric curve has.
_PARAMETERS = (1, 3, 4, 5, 7)


@dataclass(frozen=True)
class Shaper:
    """`curves` hold the light of every code of 16 bits, one for each channel, or one for grey.

    `matrix` leads from there to linear light of BT.709; None for grey.
    """

    curves: tuple[NDArray[np.float32], ...]
    matrix: NDArray[np.float32] | None
    is_linear: bool

    @property
    def is_grey(self) -> bool:
        """Whether it is made for grey."""
        return self.matrix is None

    def to_srgb(self, codes: NDArray[Any]) -> Image:
        """RGB (height, width, 3) of 0-65535, or floating point of 0-1 and beyond, as sRGB."""
        if self.is_linear and codes.dtype.kind == "f":
            light = codes.astype(np.float32)
        else:
            light = np.empty(codes.shape, np.float32)
            for channel in range(3):
                curve = self.curves[channel % len(self.curves)]
                np.take(curve, _places(codes[..., channel]), out=light[..., channel])
        if self.matrix is not None:
            light = (light.reshape(-1, 3) @ self.matrix.T).reshape(codes.shape)
        return encode_srgb(np.ascontiguousarray(light))


def _places(codes: NDArray[Any]) -> NDArray[np.uint16]:
    if codes.dtype.kind != "f":
        return codes.astype(np.uint16, copy=False)
    shares = np.clip(np.nan_to_num(codes), 0, 1)
    return np.rint(shares * (_CODES - 1)).astype(np.uint16)


@lru_cache(maxsize=8)
def shaper_of(profile: bytes) -> Shaper | None:
    """How a profile is applied; None for one that is made otherwise, or damaged."""
    try:
        return _shaper(profile)
    except (struct.error, ValueError, KeyError, IndexError, OverflowError):
        return None


def _shaper(profile: bytes) -> Shaper | None:
    space, connection = profile[16:20], profile[20:24]
    tags = _tags(profile)
    if connection != _XYZ or any(name in tags for name in _TABLES):
        return None
    if space == _GREY:
        names, matrix = (b"kTRC",), None
    elif space == _RGB:
        names = (b"rTRC", b"gTRC", b"bTRC")
        to_xyz = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
        matrix = (np.linalg.inv(_SRGB_TO_XYZ) @ to_xyz).astype(np.float32)
    else:
        return None
    codes = np.linspace(0, 1, _CODES)
    curves = tuple(_curve(tags[name])(codes) for name in names)
    if not all(np.isfinite(curve).all() for curve in curves):
        return None
    is_linear = all(np.abs(curve - codes).max() < 1 / _CODES for curve in curves)
    return Shaper(tuple(curve.astype(np.float32) for curve in curves), matrix, is_linear)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    places = (_HEADER + 4 + _ENTRY.size * number for number in range(min(count, _MOST_TAGS)))
    entries = (_ENTRY.unpack_from(profile, place) for place in places)
    return {name: profile[start : start + length] for name, start, length in entries}


def _xyz(body: bytes) -> NDArray[np.float64]:
    if body[:4] != _XYZ:
        raise ValueError("no colour")
    return np.array(struct.unpack_from(">3i", body, 8)) / 65536


Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _curve(body: bytes) -> Curve:
    if body[:4] == b"curv":
        (count,) = struct.unpack_from(">I", body, 8)
        if count == 0:
            return lambda codes: codes
        if count == 1:
            gamma = struct.unpack_from(">H", body, 12)[0] / 256
            return lambda codes: codes**gamma
        table = np.frombuffer(body, ">u2", count, 12) / 65535
        return lambda codes: np.interp(codes, np.linspace(0, 1, count), table)
    if body[:4] != b"para":
        raise ValueError("no curve")
    (kind,) = struct.unpack_from(">H", body, 8)
    given = struct.unpack_from(f">{_PARAMETERS[kind]}i", body, 12)
    return _parametric(kind, [one / 65536 for one in given])


def _parametric(kind: int, given: list[float]) -> Curve:
    gamma, a, b, c, d, e, f = [*given, *[0.0] * (7 - len(given))]
    if kind == 0:
        return lambda codes: codes**gamma
    if kind in (1, 2):
        # The power from -b/a on, above a constant.
        begin, foot, slope, rest = -b / a, c, 0.0, c
    elif kind == 3:
        begin, foot, slope, rest = d, 0.0, c, 0.0
    else:
        begin, foot, slope, rest = d, e, c, f
    return lambda codes: np.where(
        codes >= begin, np.maximum(a * codes + b, 0) ** gamma + foot, slope * codes + rest
    )
