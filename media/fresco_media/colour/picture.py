"""The one step from a decoded frame to what eyes and models see: 8 bit RGB, opaque, SDR.

Matrix and range go through libswscale with its exact flags (its defaults darken a frame by one
level). Transfer and primaries that a screen of today does not have are converted, transparency is
laid over black before anything is scaled, so that colours hidden under it never show, and a frame
of another shape than the clip's first one gets bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from fresco_media.colour.alpha import multiplied
from fresco_media.colour.scaling import resize
from fresco_media.colour.tags import EXACT, FULL_RANGE, LIMITED_RANGE, matrix_in_use
from fresco_media.colour.transfer import as_srgb, needs_conversion
from fresco_media.types import ColourTags, Image, Matte

Size = tuple[int, int]
"""Width and height in pixels."""

_SHALLOW = {"rgb48le": "rgb24", "rgba64le": "rgba"}
"""What has 8 bits of each format that has 16."""

ALPHA_UNREAD = (
    "the clip's transparency cannot be read here, so colours that it hides may show; convert the "
    "clip to ProRes 4444 or a PNG sequence"
)
OVER_BLACK = (
    "what is transparent in the clip is laid over black; of results, only a lossless .mkv keeps it"
)


def has_alpha(frame: av.VideoFrame) -> bool:
    """Whether `frame` can be transparent; a palette can."""
    components = frame.format.components
    return frame.format.name == "pal8" or any(component.is_alpha for component in components)


def _is_shallow(frame: av.VideoFrame) -> bool:
    """Whether its samples are RGB or grey of 8 bits or less."""
    components = frame.format.components
    is_grey = sum(not component.is_alpha for component in components) == 1
    is_plain = frame.format.is_rgb or is_grey
    return is_plain and max(component.bits for component in components) <= 8


def to_rgb(frame: av.VideoFrame, size: Size, colour: ColourTags, coded_size: Size) -> Image:
    """`frame` as RGB at `size`, which `coded_size` (the clip's first frame's) is scaled to.

    Scaling happens inside the conversion, so a large frame is never held as RGB, unless it is
    transparent.
    """
    return _Conversion(frame, size, colour, coded_size).picture("rgb24")


def to_alpha(frame: av.VideoFrame, size: Size, colour: ColourTags, coded_size: Size) -> Matte:
    """How opaque `frame` is, (height, width), 0-255, at the size of `to_rgb`."""
    return _Conversion(frame, size, colour, coded_size).alpha()


def to_straight(frame: av.VideoFrame, colour: ColourTags) -> NDArray[np.uint8]:
    """`frame` at its own size as it stores colours, RGB or, where it has alpha, straight RGBA."""
    size = (frame.width, frame.height)
    pixel_format = "rgba" if has_alpha(frame) else "rgb24"
    made = _Conversion(frame, size, colour, size)._reformatted(pixel_format, size)
    return np.asarray(made.to_ndarray(), np.uint8)


def to_bgra(
    frame: av.VideoFrame,
    size: Size,
    colour: ColourTags,
    coded_size: Size,
    out: NDArray[np.uint8],
    *,
    is_exact: bool = True,
) -> None:
    """As `to_rgb`, written to `out`: (height, width, 4), in the order of QImage.Format_RGB32.

    Unless `is_exact`, it takes a tenth of the time (5 ms instead of 50 for 1920x1080, measured)
    and SDR is about a level too dark: good enough for a 25th of a second.
    """
    conversion = _Conversion(frame, size, colour, coded_size, is_exact=is_exact)
    conversion.picture_into(out)


@dataclass(frozen=True)
class _Conversion:
    frame: av.VideoFrame
    size: Size
    colour: ColourTags
    coded_size: Size
    is_exact: bool = True

    def picture(self, pixel_format: str) -> NDArray[np.uint8]:
        """The picture at `size` as "rgb24" or "bgra"."""
        filled = self._filled_size()
        if has_alpha(self.frame):
            made = resize(self._opaque(), filled)
        elif needs_conversion(self.colour):
            made = as_srgb(self._converted("rgb48le", filled), self.colour)
        else:
            return _with_bars(self._converted(pixel_format, filled), self.size)
        made = _with_bars(made, self.size)
        if pixel_format == "rgb24":
            return made
        return np.asarray(cv2.cvtColor(made, cv2.COLOR_RGB2BGRA), np.uint8)

    def alpha(self) -> Matte:
        """Its alpha at `size`; bars are transparent."""
        own_size = (self.frame.width, self.frame.height)
        rgba = np.asarray(self._reformatted("rgba", own_size).to_ndarray(), np.uint8)
        alpha = np.ascontiguousarray(rgba[..., 3])
        return _with_bars(resize(alpha, self._filled_size())[..., None], self.size)[..., 0]

    def picture_into(self, out: NDArray[np.uint8]) -> None:
        """The picture at `size` as BGRA in `out`."""
        is_plain = not has_alpha(self.frame) and not needs_conversion(self.colour)
        if not is_plain or self._filled_size() != self.size:
            np.copyto(out, self.picture("bgra"))
            return
        plane = self._reformatted("bgra", self.size).planes[0]
        width, height = self.size
        stored = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        np.copyto(out, stored[:height, : 4 * width].reshape(height, width, 4))

    def _filled_size(self) -> Size:
        """What of `size` the frame fills: all of it where it has the shape of the first."""
        frame_size = (self.frame.width, self.frame.height)
        if frame_size == self.coded_size:
            return self.size
        (width, height), (first_width, first_height) = frame_size, self.coded_size
        fitting = min(first_width / width, first_height / height)
        return (
            min(self.size[0], max(1, round(self.size[0] * width * fitting / first_width))),
            min(self.size[1], max(1, round(self.size[1] * height * fitting / first_height))),
        )

    def _opaque(self) -> Image:
        """The frame over black at its own size."""
        own_size = (self.frame.width, self.frame.height)
        rgba: NDArray[Any]
        if needs_conversion(self.colour):
            deep = self._converted("rgba64le", own_size)
            shown = as_srgb(np.ascontiguousarray(deep[..., :3]), self.colour)
            alpha = cv2.convertScaleAbs(deep[..., 3], alpha=1 / 257)
            rgba = np.dstack([shown, alpha])
        else:
            rgba = self._converted("rgba", own_size)
        return multiplied(rgba.astype(np.uint8, copy=False))

    def _converted(self, pixel_format: str, size: Size) -> NDArray[Any]:
        shallow = _SHALLOW.get(pixel_format)
        if shallow is None or not _is_shallow(self.frame):
            return self._reformatted(pixel_format, size).to_ndarray()
        # libswscale widens such samples by 256, which leaves white a level too dark.
        return self._reformatted(shallow, size).to_ndarray().astype(np.uint16) * 257

    def _reformatted(self, pixel_format: str, size: Size) -> av.VideoFrame:
        """The frame as RGB with its own transfer and primaries."""
        frame = self.frame
        shrinks = size[0] < frame.width or size[1] < frame.height
        scaler = int(Interpolation.AREA if shrinks else Interpolation.BICUBIC)
        # The frame itself is told how to be read: as an argument, PyAV 17 does not know BT.2020.
        frame.colorspace = matrix_in_use(self.colour, self.coded_size[1])
        frame.color_range = FULL_RANGE if self.colour.is_full_range else LIMITED_RANGE
        return frame.reformat(
            width=size[0],
            height=size[1],
            format=pixel_format,
            dst_color_range=FULL_RANGE,
            interpolation=scaler | (EXACT if self.is_exact else 0),
            # Splitting small frames over threads costs more than it saves (measured at 640x512).
            threads=1,
        )


def _with_bars(picture: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    whole = np.zeros((size[1], size[0], picture.shape[2]), np.uint8)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    whole[top : top + height, left : left + width] = picture
    return whole
