"""Between decoded frames, arrays and QImages, without holding the interpreter while pixels move."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
from fresco_media.colour.orientation import Orientation
from fresco_media.colour.picture import to_bgra
from fresco_media.colour.scaling import resize
from fresco_media.types import ColourTags
from numpy.typing import NDArray
from PyQt6.QtGui import QImage

Pixels = NDArray[np.uint8]
"""Height, width, 4: blue, green, red and an unused byte, as QImage.Format_RGB32 has them."""


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
    frame: av.VideoFrame,
    size: tuple[int, int],
    *,
    colour: ColourTags,
    coded_size: tuple[int, int] | None = None,
    is_exact: bool = True,
) -> QImage:
    """`frame` as RGB32 at `size` (stored width and height); not yet turned upright.

    `colour` is the clip's, `coded_size` its first frame's, if others may differ. Unless
    `is_exact`, it takes a tenth of the time and is about a level too dark: good enough for a 25th
    of a second.
    """
    image = blank(*size)
    coded_size = coded_size or (frame.width, frame.height)
    to_bgra(frame, size, colour, coded_size, pixels_of(image), is_exact=is_exact)
    return image


def turned(image: QImage, quarter_turns: int, *, is_mirrored: bool) -> QImage:
    """`image` mirrored left to right if so, then turned clockwise."""
    if not quarter_turns and not is_mirrored:
        return image
    upright = Orientation(quarter_turns, is_mirrored).apply(read_pixels_of(image))
    made = blank(upright.shape[1], upright.shape[0])
    np.copyto(pixels_of(made), upright)
    return made


def resized(image: QImage, width: int, height: int) -> QImage:
    """`image` at another size: the mean of what a pixel covers when it shrinks."""
    if (image.width(), image.height()) == (width, height):
        return image
    made = blank(width, height)
    np.copyto(pixels_of(made), resize(read_pixels_of(image), (width, height)))
    return made


def decoded(encoded: bytes) -> QImage | None:
    """The picture in PNG or JPEG bytes, or None if they hold none."""
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else from_bgr(picture)


def from_rgb(picture: NDArray[np.uint8]) -> QImage:
    """An array (height, width, red green blue) as a picture."""
    image = blank(picture.shape[1], picture.shape[0])
    cv2.cvtColor(picture, cv2.COLOR_RGB2BGRA, dst=pixels_of(image))
    return image


def from_bgr(picture: NDArray[Any]) -> QImage:
    """An array as OpenCV reads it (8 bits, blue first) as a picture."""
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
