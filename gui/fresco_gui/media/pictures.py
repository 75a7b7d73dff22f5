"""Between decoded frames, arrays and QImages, without holding the interpreter while pixels move."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray
from PyQt6.QtGui import QImage

Pixels = NDArray[np.uint8]
"""Height, width, 4: blue, green, red and an unused byte, as QImage.Format_RGB32 has them."""

FULL_RANGE = 2
_BT709, _BT601 = 1, 6
_KNOWN_MATRICES = {1, 4, 5, 6, 7, 9, 10}
# SWS_ACCURATE_RND, SWS_FULL_CHR_H_INT and SWS_FULL_CHR_H_INP of libswscale: without them a frame
# comes out a level too dark, and a pixel read-out would tell untruths.
EXACT = 0x40000 | 0x2000 | 0x4000


def blank(width: int, height: int) -> QImage:
    """A picture whose pixels are still to be written."""
    return QImage(width, height, QImage.Format.Format_RGB32)


def pixels_of(image: QImage) -> Pixels:
    """The pixels of an RGB32 `image`, shared with it: hold on to the image while using them."""
    return _pixels(image.bits(), image)


def read_pixels_of(image: QImage) -> Pixels:
    """As `pixels_of`, but only to be read: an image shared with others is not copied for it."""
    return _pixels(image.constBits(), image)


def _pixels(bits: Any, image: QImage) -> Pixels:
    if bits is None:
        return np.zeros((0, 0, 4), np.uint8)
    bits.setsize(image.sizeInBytes())
    # sip's pointer supports the buffer protocol, which its stubs do not say.
    flat = np.frombuffer(bits, np.uint8)
    return flat.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()]


def to_image(
    frame: av.VideoFrame, size: tuple[int, int] | None = None, *, is_exact: bool = True
) -> QImage:
    """`frame` as RGB32, at `size` (stored width and height) or its own; not yet turned upright.

    Unless `is_exact`, it takes a tenth of the time (5 ms instead of 50 for 1920x1080, measured) and
    is about a level too dark: good enough for what is on screen for a 25th of a second.
    """
    width, height = size or (frame.width, frame.height)
    if not frame.format.is_rgb:
        _state_colours(frame)
    shrinks = width < frame.width or height < frame.height
    scaler = int(Interpolation.AREA if shrinks else Interpolation.BICUBIC)
    converted = frame.reformat(
        width=width,
        height=height,
        format="bgra",
        dst_color_range=FULL_RANGE,
        interpolation=scaler | (EXACT if is_exact else 0),
        threads=1,
    )
    image = blank(width, height)
    plane = converted.planes[0]
    stored = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    np.copyto(pixels_of(image), stored[:height, : 4 * width].reshape(height, width, 4))
    return image


def _state_colours(frame: av.VideoFrame) -> None:
    """Say which matrix and range the samples have; players guess by the height where nobody did."""
    matrix = int(frame.colorspace)
    if matrix not in _KNOWN_MATRICES:
        frame.colorspace = _BT709 if frame.height >= 720 else _BT601
    is_full = int(frame.color_range) == FULL_RANGE or frame.format.name.startswith("yuvj")
    frame.color_range = FULL_RANGE if is_full else 1


def turned(image: QImage, quarter_turns: int, *, is_mirrored: bool) -> QImage:
    """`image` mirrored left to right if so, then turned clockwise."""
    if not quarter_turns and not is_mirrored:
        return image
    stored = read_pixels_of(image)
    if is_mirrored:
        stored = cv2.flip(stored, 1)
    upright = np.rot90(stored, -quarter_turns)
    made = blank(upright.shape[1], upright.shape[0])
    np.copyto(pixels_of(made), upright)
    return made


def resized(image: QImage, width: int, height: int) -> QImage:
    """`image` at another size: the mean of what a pixel covers when it shrinks."""
    if (image.width(), image.height()) == (width, height):
        return image
    made = blank(width, height)
    shrinks = width < image.width()
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    cv2.resize(read_pixels_of(image), (width, height), dst=pixels_of(made), interpolation=method)
    return made


def decoded(encoded: bytes) -> QImage | None:
    """The picture in PNG or JPEG bytes, or None if they hold none."""
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else from_bgr(picture)


def from_bgr(picture: NDArray[Any]) -> QImage:
    """An array as OpenCV reads it (8 or 16 bits, blue first) as a picture."""
    if picture.dtype == np.uint16:
        picture = ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    image = blank(picture.shape[1], picture.shape[0])
    cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA, dst=pixels_of(image))
    return image


def to_rgb(image: QImage) -> NDArray[np.uint8]:
    """`image` as an array: height, width, red green blue."""
    rgb = cv2.cvtColor(read_pixels_of(image), cv2.COLOR_BGRA2RGB)
    return rgb.astype(np.uint8, copy=False)


def rgb32(image: QImage) -> QImage:
    """`image` in the format that everything here works with."""
    wanted = QImage.Format.Format_RGB32
    return image if image.format() == wanted else image.convertToFormat(wanted)
