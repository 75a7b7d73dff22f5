"""Between the YUV of codecs and the RGB of the engine, by the clip's own matrix and range.

Decoding is `fresco_media.colour.picture`'s. Encoding is done here: libswscale truncates where it
writes full range, and a picture that passes through several times would fade.
"""

from __future__ import annotations

from dataclasses import replace

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from fresco_media.colour.transfer import (
    HDR_TRANSFERS,
    HLG,
    LINEAR,
    WIDE_GAMUTS,
    needs_conversion,
)
from fresco_media.types import ColourTags, Image
from fresco_media.video.side_data import side_data_of

RGB, BT709, UNSTATED, BT601 = 0, 1, 2, 6
LIMITED_RANGE, FULL_RANGE = 1, 2
_MASTERED = ColourTags(primaries=1, transfer=1, matrix=1)

# Weights of red and blue in luma (ITU-T H.273 table 4), by code point.
_LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
_SAME_WEIGHT = 0.005
_UNREADABLE = {
    8: "YCgCo",
    10: "BT.2020 with constant luminance",
    11: "SMPTE ST 2085",
    12: "derived from its primaries",
    13: "derived from its primaries, with constant luminance",
    14: "ICtCp",
    15: "IPT of Dolby Vision",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
# SWS_ACCURATE_RND, SWS_FULL_CHR_H_INT and SWS_FULL_CHR_H_INP of libswscale, in numbers because
# PyAV names them only from version 18 on.
EXACT = 0x40000 | 0x2000 | 0x4000
# Codec tags of ProRes RAW.
_RAW_TAGS = {"aprn", "aprh"}
# Codec tags of Dolby Vision streams that need not be readable without it.
_DOLBY_VISION_TAGS = {"dvh1", "dvhe", "dav1", "dva1", "dvav"}


def container_tags(context: VideoCodecContext) -> ColourTags:
    """What the container says about colours, asked before the first picture is decoded.

    The range is left out, which decoders only change where the stream states it.
    """
    return ColourTags(
        primaries=int(context.color_primaries),
        transfer=int(context.color_trc),
        matrix=int(context.colorspace),
    )


def tags_of(frame: av.VideoFrame, container: ColourTags | None = None) -> ColourTags:
    """What the stream says about the colours of `frame`; RGB formats have the matrix `RGB`.

    What it leaves open is the `container`'s: a decoder that finds "unspecified" in the stream
    forgets what the container said.
    """
    beside = container or ColourTags()
    is_rgb = frame.format.is_rgb or frame.format.name.startswith("pal")
    is_full = is_rgb or frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")
    return ColourTags(
        primaries=_stated(int(frame.color_primaries), beside.primaries),
        transfer=_stated(int(frame.color_trc), beside.transfer),
        matrix=RGB if is_rgb else _stated(int(frame.colorspace), beside.matrix),
        is_full_range=is_full,
    )


def _stated(first: int, otherwise: int) -> int:
    """The code point that says something; zero is reserved, and RGB is told by a frame's format."""
    return next((code for code in (first, otherwise) if code not in (0, UNSTATED)), UNSTATED)


def tags_within(frame: av.VideoFrame, first: ColourTags, used: ColourTags) -> ColourTags:
    """The tags to read `frame` by, in a clip whose first frame says `first` and is read by `used`.

    Where recordings were joined, later frames may be of other colours; what they leave open stays.
    """
    stated = tags_of(frame)
    if stated == first:
        return used
    if stated.transfer == first.transfer == HLG and stated.matrix == BT709 != first.matrix:
        # FFmpeg holds on to HLG that was announced beside the colours, as for older receivers.
        stated = replace(stated, transfer=BT709)
    is_ranged = stated.is_full_range or frame.color_range == LIMITED_RANGE
    was_rgb = used.matrix == RGB
    return ColourTags(
        primaries=_stated(stated.primaries, used.primaries),
        transfer=_stated(stated.transfer, used.transfer),
        matrix=used.matrix if stated.matrix == UNSTATED and not was_rgb else stated.matrix,
        is_full_range=stated.is_full_range if is_ranged or was_rgb else used.is_full_range,
    )


def look_alike(one: ColourTags, other: ColourTags, height: int) -> bool:
    """Whether frames of `height` with these tags are read in the same way."""
    weights = [_LUMA_WEIGHTS[matrix_in_use(colour, height)] for colour in (one, other)]
    # Several code points stand for the same matrix.
    if max(abs(a - b) for a, b in zip(*weights, strict=True)) > _SAME_WEIGHT:
        return False
    if one.is_full_range != other.is_full_range:
        return False
    curves = [
        (colour.primaries, colour.transfer) if needs_conversion(colour) else None
        for colour in (one, other)
    ]
    return curves[0] == curves[1]


def unreadable_colours(
    frame: av.VideoFrame, codec_tag: str = "", container: ColourTags | None = None
) -> str | None:
    """Why the colours of a clip that begins with `frame` cannot be read; None where they can.

    Of the container come the `codec_tag`, four letters, and what `container_tags` says. Dolby
    Vision is read by its base layer, unless that is in colours of Dolby's own, as profile 5 has it:
    a stream that says nothing of them.
    """
    if codec_tag in _RAW_TAGS:
        return (
            "it is ProRes RAW, what a camera's sensor saw, which is not developed here; develop it "
            "and export it as ProRes or H.264"
        )
    matrix = tags_of(frame, container).matrix
    has_metadata = any(side_data_of(frame, name) for name in ("DOVI_METADATA", "DOVI_RPU_BUFFER"))
    is_dolby_vision = has_metadata or codec_tag in _DOLBY_VISION_TAGS
    if matrix == 15 or (is_dolby_vision and frame.colorspace == UNSTATED):
        return (
            "it is Dolby Vision (profile 5) without a picture that others can show; "
            "export it as HDR10, HLG or BT.709"
        )
    if matrix not in _UNREADABLE:
        return None
    return (
        f"its colour matrix ({_UNREADABLE[matrix]}) cannot be read; convert it to BT.709, "
        "or mark it right if the mark is wrong"
    )


def colour_warnings(colour: ColourTags) -> tuple[str, ...]:
    """What the user should know of how a clip with `colour` is shown."""
    if colour.transfer in HDR_TRANSFERS:
        kind = HDR_TRANSFERS[colour.transfer]
        return (f"the clip is HDR ({kind}); it is tone-mapped, and the result is SDR (BT.709)",)
    if colour.transfer == LINEAR:
        return ("the clip's values are linear light; they are converted, the result is BT.709",)
    if needs_conversion(colour):
        kind = WIDE_GAMUTS.get(colour.primaries, "another transfer curve")
        return (f"the clip's colours ({kind}) are converted, and the result is BT.709",)
    return ()


def shown_tags(colour: ColourTags) -> ColourTags:
    """The tags of pictures that were made from frames with the tags `colour`."""
    return _MASTERED if needs_conversion(colour) else colour


def matrix_in_use(colour: ColourTags, height: int) -> int:
    """The matrix to compute with; as players do, an unstated one is guessed from the height."""
    if colour.matrix in _LUMA_WEIGHTS:
        return colour.matrix
    if colour.matrix == RGB:
        return BT709
    return BT709 if height >= 720 else BT601


def encoded_tags(colour: ColourTags, source_height: int, height: int) -> ColourTags:
    """Tags for a YUV encode at `height` of a clip decoded at `source_height` with `colour`.

    The source's tags are kept. The matrix is stated where it was RGB, and where a player would
    guess another one for the new height, as can happen when a rotated clip is written upright.
    """
    matrix = matrix_in_use(colour, source_height)
    unstated = ColourTags()
    if colour.matrix == UNSTATED and matrix_in_use(unstated, height) == matrix:
        matrix = UNSTATED
    return ColourTags(
        primaries=colour.primaries,
        transfer=colour.transfer,
        matrix=matrix,
        is_full_range=colour.is_full_range and colour.matrix != RGB,
    )


def to_yuv(image: Image, colour: ColourTags, *, is_subsampled: bool) -> av.VideoFrame:
    """`image` as an 8 bit YUV frame, 4:2:0 where `is_subsampled` (even sides only), else 4:4:4.

    Every sample is rounded once. Chroma lies where H.264 has it unless it says otherwise, level
    with the left of its two columns and between its two rows; taking the mean of four pixels
    instead would shift the colours half a pixel to the right in every pass.
    """
    height, width = image.shape[:2]
    weights = _rgb_to_yuv(matrix_in_use(colour, height), colour.is_full_range)
    if not is_subsampled:
        planes = _as_samples(cv2.transform(image, weights).transpose(2, 0, 1))
        return av.VideoFrame.from_ndarray(planes, format="yuv444p")
    luma = cv2.transform(image, weights[:1])
    coarse = _at_chroma_sites(image)
    chroma = _as_samples(np.rint(cv2.transform(coarse, weights[1:])).clip(0, 255))
    packed = _as_samples(
        np.concatenate([luma.ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()])
    )
    return av.VideoFrame.from_ndarray(packed.reshape(height * 3 // 2, width), format="yuv420p")


def _as_samples(values: np.ndarray) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values, np.uint8)


def _at_chroma_sites(image: Image) -> NDArray[np.float32]:
    """`image` at half its size, sampled where 4:2:0 chroma lies."""
    rows = image[0::2].astype(np.float32) + image[1::2]
    left = np.concatenate([rows[:, :1], rows[:, 1:-1:2]], axis=1)
    return ((left + 2 * rows[:, 0::2] + rows[:, 1::2]) / 8).astype(np.float32, copy=False)


def _rgb_to_yuv(matrix: int, is_full_range: bool) -> NDArray[np.float64]:
    """Rows Y, Cb, Cr; columns R, G, B and the offset, for samples of 0-255."""
    red, blue = _LUMA_WEIGHTS[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    cb = (np.array([0.0, 0.0, 1.0]) - luma) / (2 * (1 - blue))
    cr = (np.array([1.0, 0.0, 0.0]) - luma) / (2 * (1 - red))
    if is_full_range:
        return np.column_stack([np.stack([luma, cb, cr]), [0, 128, 128]])
    scaled = np.stack([luma * 219 / 255, cb * 224 / 255, cr * 224 / 255])
    return np.column_stack([scaled, [16, 128, 128]])
