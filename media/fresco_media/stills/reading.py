"""Still pictures of any kind, read by what they hold: upright, sRGB, 8 bits."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from fresco_media.colour import profiles
from fresco_media.colour.alpha import multiplied
from fresco_media.colour.orientation import Orientation
from fresco_media.colour.transfer import LINEAR, decode_density, encode_srgb, in_bt709, light_of
from fresco_media.files.opening import read_file
from fresco_media.stills import film, heif, jpeg2000, psd
from fresco_media.stills.formats import HEAD_BYTES, kind_of, open_with_pillow
from fresco_media.stills.headers import (
    ASSOCIATED,
    DEEP_MODES,
    EXTRA_SAMPLES_TAG,
    FAULTS,
    FROM_BLACK,
    FROM_WHITE,
    ICC_TAG,
    PHOTOMETRIC_TAG,
    RGB,
    SAMPLES_TAG,
    TGA_MULTIPLIED,
    TGA_UNUSED,
    UNASSOCIATED,
    YUV,
    TiffTags,
    first_of,
    has_alpha,
    is_adobe_rgb,
    is_deep,
    is_heif,
    orientation_of,
    pixel_aspect,
    seen_of,
    tga_attributes,
    tiff_aspect,
    tiff_bits,
    tiff_has_alpha,
    tiff_orientation,
    tiff_tags,
    understood,
)
from fresco_media.stills.png import cicp_of
from fresco_media.types import Image

_COMPRESSION_TAG, _PLANAR_TAG, _TILE_TAG = 259, 284, 322
_PLANAR, _NOT_COMPRESSED = 2, 1
# Of samples that no byte ends with, which only OpenCV unpacks.
_MOST_OF_16_BITS = 65535
_ODD_BITS = (10, 12, 14)
# What is wrong with a picture is said in a sentence; OpenCV would print lines of its own as well.
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
# Several times what the largest picture that is read takes.
_MOST_BYTES = 4 << 30


@dataclass(frozen=True)
class Still:
    """A picture laid over black, which is also its colours multiplied by its alpha.

    `alpha` is (height, width), 0-255, and None where the picture is opaque.
    """

    image: Image
    alpha: NDArray[np.uint8] | None = None
    pixel_aspect: Fraction = Fraction(1)


def read_still(path: Path) -> Still:
    """The picture at `path`.

    Raises:
        ClipNotFound: there is no such file.
        ClipUnreadable: the file is empty, damaged, too large or not a picture.
    """
    with understood(path):
        return decode_still(read_file(path, _MOST_BYTES))


def decode_still(data: bytes) -> Still:
    """The picture in the bytes of a file.

    Raises:
        FAULTS, MemoryError: they are damaged, too large or no picture; see `understood`.
    """
    kind = kind_of(data[:HEAD_BYTES])
    if kind == "EXR":
        return _exr(data)
    if kind == "DPX":
        return _dpx(data)
    if is_heif(kind):
        return _photograph(data)
    if kind == "AVIF" and (still := _deep_avif(data)) is not None:
        return still
    if kind == "JPEG2000" and jpeg2000.bit_depth(data) > 8:
        return _deep_jpeg2000(data)
    if kind == "TIFF":
        tags = tiff_tags(io.BytesIO(data))
        if tiff_bits(tags) > 8 or _is_bare_yuv(tags) or _is_two_planes(tags):
            return _deep_tiff(data, tags)
    if kind == "PSD":
        document = psd.read_document(io.BytesIO(data))
        if document.is_read_here:
            return _document(data, document)
    with open_with_pillow(io.BytesIO(data)) as picture:
        if is_deep(picture):
            return _deep(data, picture)
        picture.load()
        return _shallow(data, picture)


def _exr(data: bytes) -> Still:
    header = film.exr_header(data)
    light, alpha = film.exr_light(data, header)
    if header.chromaticities is not None and profiles.is_wide(header.chromaticities):
        light = in_bt709(np.ascontiguousarray(light), header.chromaticities)
    coverage = None if alpha is None else _as_levels(np.nan_to_num(alpha))
    return Still(encode_srgb(light), _unless_opaque(coverage), header.pixel_aspect)


def _dpx(data: bytes) -> Still:
    header = film.dpx_header(data)
    codes, alpha = film.dpx_codes(data)
    if film.is_density(header):
        shown = encode_srgb(decode_density(codes))
    elif film.is_linear(header):
        shown = encode_srgb(light_of(codes, LINEAR))
    else:
        shown = _rounded(codes)
    coverage = None if alpha is None else _rounded(alpha)
    return _laid(shown, coverage, header.orientation, header.pixel_aspect)


def _document(data: bytes, document: psd.Document) -> Still:
    """Photoshop's merged picture."""
    codes, alpha = psd.merged_picture(data, document)
    levels = _as_levels(codes).reshape(codes.shape)
    shown = None
    if document.profile and psd.is_deep_rgb(document):
        shown = profiles.deep_to_srgb(
            np.broadcast_to(codes, (*levels.shape[:2], 3)), document.profile
        )
    if shown is None:
        shown = _in_srgb(data, psd.as_picture(levels, document))
    coverage = None if alpha is None else _as_levels(alpha)
    return _laid(shown, coverage, Orientation(), document.pixel_aspect)


def _photograph(data: bytes) -> Still:
    found = heif.decode(data)
    if found.is_multiplied:
        return Still(found.image, _unless_opaque(found.alpha))
    return _laid(found.image, found.alpha, Orientation(), Fraction(1))


def _deep_avif(data: bytes) -> Still | None:
    """An AVIF of more than 8 bits, whose colours Pillow has wrong by several levels.

    None for one of 8 bits, and for what only Pillow reads.
    """
    with suppress(*FAULTS):
        if not heif.is_deep_av1(data):
            return None
        image, alpha = heif.decode(data).image, None
        with open_with_pillow(io.BytesIO(data)) as picture:
            if has_alpha(picture, data[:HEAD_BYTES]):
                whole = picture.convert("RGBA").getchannel("A")
                stored = np.asarray(whole.crop(seen_of(data, picture)), np.uint8)
                alpha = orientation_of(picture).apply(stored)
        return _laid(image, alpha, Orientation(), Fraction(1))
    return None


def _deep_jpeg2000(data: bytes) -> Still:
    codes, alpha = jpeg2000.codes_of(data)
    profile = jpeg2000.profile_in(data)
    shown = _by_profile(codes, profile) if profile else None
    coverage = None if alpha is None else _rounded(alpha)
    return _laid(_rounded(codes) if shown is None else shown, coverage, Orientation(), Fraction(1))


def _shallow(data: bytes, picture: Pillow.Image) -> Still:
    """A picture of 8 bits, whose pixels Pillow has read."""
    is_tiff = picture.format == "TIFF"
    if picture.mode == "La":
        picture = picture.convert("LA")
    alpha = None
    if has_alpha(picture, data[:HEAD_BYTES]):
        alpha = np.asarray(picture.convert("RGBA").getchannel("A"), np.uint8)
    shown = _in_srgb(data, picture)
    attributes = tga_attributes(io.BytesIO(data)) if picture.format == "TGA" else None
    if attributes in TGA_UNUSED:
        alpha = None
    elif attributes == TGA_MULTIPLIED:
        return _turned(Still(shown, _unless_opaque(alpha)), orientation_of(picture))
    left, top, right, bottom = seen_of(data, picture)
    shown = shown[top:bottom, left:right]
    alpha = None if alpha is None else alpha[top:bottom, left:right]
    if is_tiff:  # Pillow has turned it already.
        return _laid(shown, alpha, Orientation(), tiff_aspect(tiff_tags(io.BytesIO(data))))
    return _laid(shown, alpha, orientation_of(picture), pixel_aspect(picture.info))


def _in_srgb(data: bytes, picture: Pillow.Image) -> Image:
    mode, profile = picture.mode, picture.info.get("icc_profile") or jpeg2000.profile_in(data)
    if mode == "LAB" and not profile:
        profile = profiles.lab_profile()
    if profile:
        colours = "L" if mode in ("L", "LA", "1") else mode if mode in ("CMYK", "LAB") else "RGB"
        found = profiles.to_srgb(_without_alpha(picture, colours), profile)
        if found is not None:
            return found
    plain = np.asarray(_without_alpha(picture, "RGB"), np.uint8)
    tags = cicp_of(data) or heif.tags_of_file(data)
    if tags is not None:
        found = profiles.by_code_points(plain.astype(np.uint16) * 257, tags)
    elif is_adobe_rgb(picture):
        found = profiles.from_adobe_rgb(plain.astype(np.uint16) * 257)
    elif "srgb" not in picture.info and picture.info.keys() & {"gamma", "chromaticity"}:
        found = profiles.by_chromaticities(plain.astype(np.uint16) * 257, *_png_colours(picture))
    else:
        found = None
    return plain if found is None else found


def _png_colours(picture: Pillow.Image) -> tuple[float | None, tuple[float, ...] | None]:
    return picture.info.get("gamma"), picture.info.get("chromaticity")


def _without_alpha(picture: Pillow.Image, mode: str) -> Pillow.Image:
    # Transparent entries of a palette keep their colours only by way of RGBA.
    if mode == "RGB" and picture.mode in ("P", "PA"):
        picture = picture.convert("RGBA")
    return picture if picture.mode == mode else picture.convert(mode)


def _deep(data: bytes, picture: Pillow.Image) -> Still:
    """A picture of 16 bits, which Pillow would cut to 8; it has read the header."""
    codes, alpha = _unpacked(_whole_scale(data, picture))
    clear = picture.info.get("transparency")
    if alpha is None and isinstance(clear, int):
        # Of grey, OpenCV leaves out the one that PNG says is transparent.
        alpha = np.where(codes[..., 0] == clear, 0, 65535).astype(np.uint16)
    orientation = orientation_of(picture)
    aspect = pixel_aspect(picture.info)
    profile = picture.info.get("icc_profile")
    shown = None
    if profile:
        shown = _by_profile(codes, profile)
    elif codes.dtype.kind == "f":
        shown = encode_srgb(codes.astype(np.float32))
    elif codes.dtype == np.uint16:
        wide = codes.astype(np.uint16, copy=False)
        tags = cicp_of(data)
        if tags is not None:
            shown = profiles.by_code_points(wide, tags)
        elif "srgb" not in picture.info:
            shown = profiles.by_chromaticities(wide, *_png_colours(picture))
    coverage = None if alpha is None else _as_levels(alpha)
    return _laid(_as_levels(codes) if shown is None else shown, coverage, orientation, aspect)


def _whole_scale(data: bytes, picture: Pillow.Image) -> NDArray[Any]:
    """Samples whose highest value is that of their type."""
    if picture.format == "PPM" and picture.mode == "I":
        # OpenCV takes any highest value for that of 16 bits; Pillow has them all at that scale.
        return np.asarray(picture).astype(np.uint16)
    return _decoded(data)


def _by_profile(codes: NDArray[Any], profile: bytes) -> Image | None:
    """RGB of more than 8 bits by its ICC profile; None where that is of no use."""
    found = profiles.deep_to_srgb(codes, profile) if codes.dtype != np.uint8 else None
    if found is not None:
        return found
    return profiles.to_srgb(Pillow.fromarray(_as_levels(codes)), profile)


def _grey_codes(picture: Pillow.Image) -> NDArray[Any]:
    """Grey of more than 8 bits as Pillow has read it; it would cut off all that is above 255."""
    samples = np.asarray(picture)
    if picture.mode == "I" and samples.min() >= 0 and samples.max() <= _MOST_OF_16_BITS:
        return samples.astype(np.uint16)
    return samples.astype(samples.dtype.newbyteorder("="))


def _is_bare_yuv(tags: TiffTags) -> bool:
    """Whether it is YUV as it stands, whose range and halved colours Pillow does not know."""
    photometric = first_of(tags, PHOTOMETRIC_TAG, FROM_BLACK)
    return photometric == YUV and first_of(tags, _COMPRESSION_TAG, 1) == _NOT_COMPRESSED


def _is_two_planes(tags: TiffTags) -> bool:
    """Whether it is grey and alpha one after the other, which Pillow takes for pixels of both."""
    return first_of(tags, SAMPLES_TAG, 1) == 2 and first_of(tags, _PLANAR_TAG, 1) == _PLANAR


def _deep_tiff(data: bytes, tags: TiffTags) -> Still:
    """A TIFF that Pillow has wrong: of 16 bits, of linear light, of YUV, or of two planes."""
    try:
        codes, alpha = _tiff_codes(data, tags)
    except (ValueError, cv2.error):
        # A compression that OpenCV does not know may be one that Pillow does, to 8 bits.
        with open_with_pillow(io.BytesIO(data)) as picture:
            picture.load()
            if picture.mode not in DEEP_MODES:
                return _shallow(data, picture)
            codes, alpha = _unpacked(_grey_codes(picture))
    stated = first_of(tags, EXTRA_SAMPLES_TAG, 0)
    is_multiplied = stated == ASSOCIATED
    profile = tags.get(ICC_TAG)
    shown = None
    if codes.dtype.kind == "f":
        is_multiplied = stated != UNASSOCIATED
    if profile:
        shown = _by_profile(codes, profile)
    elif codes.dtype.kind == "f":
        shown = encode_srgb(codes.astype(np.float32))
    shown = _as_levels(codes) if shown is None else shown
    coverage = None if alpha is None or not tiff_has_alpha(tags) else _as_levels(alpha)
    aspect = tiff_aspect(tags)
    if not is_multiplied:
        return _laid(shown, coverage, Orientation(), aspect)
    return Still(shown, _unless_opaque(coverage), aspect)


def _tiff_codes(data: bytes, tags: TiffTags) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Red, green and blue, and what is stored behind them, of a TIFF of more than 8 bits, upright.

    Raises:
        ValueError, cv2.error: OpenCV does not know how it is packed.
        OSError: it is packed as nobody here reads it.
    """
    samples = first_of(tags, SAMPLES_TAG, 1)
    is_planar = samples > 1 and first_of(tags, _PLANAR_TAG, 1) == _PLANAR
    photometric = first_of(tags, PHOTOMETRIC_TAG, FROM_BLACK)
    if samples > 2 and photometric in (FROM_WHITE, FROM_BLACK):
        raise OSError("OpenCV takes grey with two samples behind it for colours")
    is_tiled = _TILE_TAG in tags
    if photometric == FROM_WHITE and samples == 1 and (is_tiled or tiff_bits(tags) in _ODD_BITS):
        return _from_white(data), None
    # OpenCV, and Pillow with 16 bits, take planes for pixels, white for black and alpha for grey.
    if not (is_planar or photometric == FROM_WHITE or samples == 2):
        return _unpacked(_decoded(data))  # OpenCV turns a TIFF, as it does no other picture here.
    if photometric not in (FROM_WHITE, FROM_BLACK, RGB):
        raise OSError("planes of inks")
    if is_tiled:
        raise OSError("FFmpeg takes tiles for rows")
    try:
        codes, extra = film.tiff_codes(data)
    except ValueError as error:
        # Not to be tried with Pillow, which has them wrong as well.
        raise OSError(str(error)) from error
    orientation = tiff_orientation(tags)
    return orientation.apply(codes), None if extra is None else orientation.apply(extra)


def _from_white(data: bytes) -> NDArray[Any]:
    try:
        codes, _ = _unpacked(_decoded(data))
    except (ValueError, cv2.error) as error:
        raise OSError(str(error)) from error  # Pillow would take white for black.
    if codes.dtype.kind == "f":
        raise OSError("light has no end to count from")
    return np.iinfo(codes.dtype).max - codes


def _decoded(data: bytes) -> NDArray[Any]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise ValueError("OpenCV cannot read it")
    return found


def _unpacked(found: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Red, green and blue, and alpha, of what OpenCV decoded."""
    if found.ndim == 2 or found.shape[2] == 1:
        return np.dstack([found.reshape(found.shape[:2])] * 3), None
    if found.shape[2] == 2:
        return np.dstack([found[..., 0]] * 3), found[..., 1]
    alpha = found[..., 3] if found.shape[2] == 4 else None
    return np.ascontiguousarray(found[..., 2::-1]), alpha


def _as_levels(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Samples of any depth as 0-255; floating point is 0-1."""
    if values.dtype == np.uint16:
        return _rounded(np.ascontiguousarray(values).astype(np.uint16, copy=False))
    if values.dtype.kind == "f":
        return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    raise ValueError(f"samples are {values.dtype}")


def _rounded(codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return np.asarray(cv2.convertScaleAbs(codes, alpha=1 / 257), np.uint8)


def _laid(
    shown: Image, alpha: NDArray[np.uint8] | None, orientation: Orientation, aspect: Fraction
) -> Still:
    """A still of straight colours."""
    alpha = _unless_opaque(alpha)
    image = shown if alpha is None else multiplied(np.dstack([shown, alpha]))
    return _turned(Still(image, alpha, aspect), orientation)


def _unless_opaque(alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    return None if alpha is None or alpha.min() == 255 else alpha


def _turned(still: Still, orientation: Orientation) -> Still:
    aspect = still.pixel_aspect
    return Still(
        image=orientation.apply(still.image),
        alpha=None if still.alpha is None else orientation.apply(still.alpha),
        pixel_aspect=1 / aspect if orientation.swaps_sides else aspect,
    )
