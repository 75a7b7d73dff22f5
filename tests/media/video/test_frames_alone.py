"""A frame read alone is the frame that comes in the row, whatever its codec keeps from before."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fresco_media.clip import Clip

from tests.media.odd_files import SIZE, number_in, numbered

_COUNT = 12
_GREY = np.concatenate(
    [np.full((256, 1), 255), np.repeat(np.arange(256)[:, None], 3, axis=1)], axis=1
).astype(np.uint8)
"""A palette of greys: alpha, red, green, blue."""


def frame(index: int, pixel_format: str) -> av.VideoFrame:
    picture = numbered(index)
    if pixel_format == "pal8":
        pair: Any = (np.ascontiguousarray(picture[..., 0]), _GREY)
        made = av.VideoFrame.from_ndarray(pair, format="pal8")
    else:
        made = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
    made.pts, made.time_base = index, Fraction(1, 25)
    return made


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format"),
    [
        ("mov", "smc", "pal8"),
        ("mov", "qtrle", "gray"),
        ("mov", "qtrle", "rgb24"),
        ("mov", "rawvideo", "pal8"),
        ("mov", "msrle", "pal8"),
        ("mov", "png", "pal8"),
        ("mov", "rpza", "rgb555le"),
        ("avi", "rawvideo", "pal8"),
        ("avi", "msrle", "pal8"),
        ("avi", "zmbv", "pal8"),
        ("avi", "msvideo1", "rgb555le"),
        ("nut", "rawvideo", "pal8"),
    ],
)
def test_a_frame_alone_is_the_one_in_the_row(
    tmp_path: Path, suffix: str, codec: str, pixel_format: str
) -> None:
    path = tmp_path / f"clip.{suffix}"
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = pixel_format
        stream.codec_context.gop_size = 4
        for index in range(_COUNT):
            output.mux(stream.encode(frame(index, pixel_format)))
        output.mux(stream.encode(None))
    clip = Clip.open(path)
    frames = list(clip.frames())

    alone = [next(clip.frames(index, index + 1)) for index in range(_COUNT)]

    assert [number_in(each.image) for each in frames] == list(range(_COUNT))
    assert all(
        np.array_equal(one.image, other.image) for one, other in zip(alone, frames, strict=True)
    )
