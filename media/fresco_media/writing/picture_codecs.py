"""How pictures are encoded: the settings of each codec, and frames as it wants them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import av
import av.container
import cv2
import numpy as np
from av.video.reformatter import Interpolation

from fresco_media.colour.alpha import divided
from fresco_media.colour.tags import (
    BT709,
    EXACT,
    FULL_RANGE,
    LIMITED_RANGE,
    RGB,
    UNSTATED,
    encoded_tags,
    to_yuv,
)
from fresco_media.types import ClipProperties, ColourTags, Image, Matte
from fresco_media.writing.delivery import Codec, Delivery, Quality

# Paintings are colourful: 5 % more bytes halve the error of their chroma (measured).
# x264's macroblock tree gives the same frames other bytes in most runs (measured), and a job that
# goes on is to write the same file; crf 15 without it has the size and quality of 16 with it.
_X264_PARAMS = "chroma-qp-offset=-4:mbtree=0"
_CRF: dict[Quality, str] = {"high": "15", "standard": "21", "small": "27"}


@dataclass(frozen=True)
class PictureCodec:
    """One way to encode pictures of a clip: an encoder, its options, and what goes in.

    `width` and `height` are those of the file: even where `pixel_format` asks for it.
    """

    encoder: str
    options: dict[str, str]
    pixel_format: str
    width: int
    height: int
    tags: ColourTags

    def add_stream(
        self, output: av.container.OutputContainer, info: ClipProperties, clock: Fraction
    ) -> av.VideoStream:
        """A stream of `output` for pictures of the clip `info` at times in ticks of `clock`."""
        stream = output.add_stream(self.encoder, rate=info.frame_rate, options=self.options)
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.width, context.height = self.width, self.height
        context.pix_fmt = self.pixel_format
        context.time_base = stream.time_base = clock
        context.sample_aspect_ratio = info.sample_aspect
        context.color_primaries = self.tags.primaries
        context.color_trc = self.tags.transfer
        context.colorspace = self.tags.matrix
        context.color_range = self._range
        return stream

    @property
    def has_alpha(self) -> bool:
        """Whether it keeps what is transparent."""
        return self.pixel_format == "bgra"

    @property
    def states_aspect(self) -> bool:
        """Whether its own headers hold the shape of pixels, which not every container's do."""
        return self.encoder in ("libx264", "libx264rgb")

    def frame(self, image: Image, matte: Matte | None = None) -> av.VideoFrame:
        """`image` (of the clip's size) as the encoder takes it; `matte` if that keeps alpha."""
        padded = _padded(image, self.width, self.height)
        if matte is not None:
            frame = av.VideoFrame.from_ndarray(divided(image, matte), format="rgba")
            frame = frame.reformat(format=self.pixel_format, threads=1)
        elif self.pixel_format == "rgb24":
            frame = av.VideoFrame.from_ndarray(padded, format="rgb24")
        elif self.pixel_format == "yuv422p10le":
            frame = _deep(padded, self.tags)
        else:
            is_subsampled = self.pixel_format == "yuv420p"
            frame = to_yuv(padded, self.tags, is_subsampled=is_subsampled)
        frame.color_primaries = self.tags.primaries
        frame.color_trc = self.tags.transfer
        frame.colorspace = self.tags.matrix
        frame.color_range = self._range
        return frame

    @property
    def stored_pixel_format(self) -> str:
        """The pixel format as a decoder names it."""
        return "gbrp" if self.pixel_format == "rgb24" else self.pixel_format

    @property
    def _range(self) -> int:
        return FULL_RANGE if self.tags.is_full_range else LIMITED_RANGE


def picture_codec(
    info: ClipProperties, codec: Codec, delivery: Delivery, container: str = "mp4"
) -> PictureCodec:
    """How pictures of the clip `info` are encoded as `codec`.

    H.264 knows no alpha, so what is transparent and to be without loss is FFV1, which only
    Matroska holds well.
    """
    width, height = info.width, info.height
    if codec == "lossless" and info.has_alpha and container == "matroska":
        options = {"level": "3", "g": "1", "slicecrc": "1"}
        return PictureCodec("ffv1", options, "bgra", width, height, _tags(info, is_rgb=True))
    if codec == "lossless":
        options = {"preset": "medium", "crf": "0"}
        return PictureCodec("libx264rgb", options, "rgb24", width, height, _tags(info, is_rgb=True))
    if codec == "prores":
        options = {"profile": "hq", "vendor": "apl0"}
        tags = broadcast_tags(info.colour)
        return PictureCodec("prores_ks", options, "yuv422p10le", width, height, tags)
    options = {
        "preset": "medium",
        "crf": _CRF[delivery.quality],
        "x264-params": _X264_PARAMS,
    }
    if delivery.plays_everywhere:
        size = (width + width % 2, height + height % 2)
        options["profile"] = "high"
        return PictureCodec("libx264", options, "yuv420p", *size, broadcast_tags(info.colour))
    is_even = not (width % 2 or height % 2)
    pixel_format = "yuv420p" if is_even else "yuv444p"
    return PictureCodec("libx264", options, pixel_format, width, height, _tags(info, is_rgb=False))


def broadcast_tags(colour: ColourTags) -> ColourTags:
    """BT.709 in limited range, as players expect it, with the source's primaries and transfer."""
    return ColourTags(
        primaries=BT709 if colour.primaries == UNSTATED else colour.primaries,
        transfer=BT709 if colour.transfer == UNSTATED else colour.transfer,
        matrix=BT709,
    )


def _tags(info: ClipProperties, *, is_rgb: bool) -> ColourTags:
    if is_rgb:
        return replace(info.colour, matrix=RGB, is_full_range=True)
    stored_height = info.width if info.rotation % 180 else info.height
    return encoded_tags(info.colour, stored_height, info.height)


def _padded(image: Image, width: int, height: int) -> Image:
    """`image` with its last row and column repeated up to the wanted size."""
    down, right = height - image.shape[0], width - image.shape[1]
    if not (down or right):
        return image
    padded = cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REPLICATE)
    return padded.astype(np.uint8, copy=False)


def _deep(image: Image, tags: ColourTags) -> av.VideoFrame:
    """`image` as 10 bit 4:2:2."""
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
        format="yuv422p10le",
        dst_colorspace=tags.matrix,
        dst_color_range=LIMITED_RANGE,
        interpolation=int(Interpolation.BICUBIC) | EXACT,
        threads=1,
    )
