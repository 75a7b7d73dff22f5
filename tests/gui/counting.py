"""Clips whose frames say their own number in bits that survive any codec."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage
from PyQt6.QtTest import QTest

BITS = 12
SOUND_RATE = 48_000
# Bicubic, with SWS_ACCURATE_RND and full chroma: without these all comes out a level too dark.
_EXACT = 0x4 | 0x40000 | 0x2000 | 0x4000
# The mouse and the keyboard. PyQt's stubs take QTest's static methods for those of objects.
HANDS: Any = QTest


def picture(
    number: int, width: int = 192, height: int = 96, *, inverted: bool = False
) -> NDArray[np.uint8]:
    """Stripes, the lowest bit on the left; the lower half is their negative, as a check."""
    made = np.zeros((height, width, 3), np.uint8)
    stripe = width // BITS
    for bit in range(BITS):
        is_set = bool(number >> bit & 1) != inverted
        columns = slice(bit * stripe, (bit + 1) * stripe)
        made[: height // 2, columns] = 220 if is_set else 30
        made[height // 2 :, columns] = 30 if is_set else 220
    return made


def number_of(image: QImage | NDArray[Any], *, inverted: bool = False) -> int:
    """The number that a picture says.

    Raises:
        ValueError: its halves do not agree, so it is a mixture of frames.
    """
    if isinstance(image, QImage):
        from fresco_gui.media.pictures import to_rgb

        image = to_rgb(image)
    height, width = image.shape[:2]
    middles = [int((bit + 0.5) * width / BITS) for bit in range(BITS)]
    upper = [bool(image[height // 4, x].mean() > 125) for x in middles]
    lower = [bool(image[3 * height // 4, x].mean() > 125) for x in middles]
    if any(up == low for up, low in zip(upper, lower, strict=True)):
        raise ValueError("this is no whole frame")
    return sum((up != inverted) << bit for bit, up in enumerate(upper))


def write_clip(
    path: Path,
    count: int,
    *,
    size: tuple[int, int] = (192, 96),
    inverted: bool = False,
    first: int = 0,
    **settings: Any,
) -> Path:
    """A clip of pictures that say their number; for `settings` see `write_pictures`."""
    drawn = (picture(first + place, *size, inverted=inverted) for place in range(count))
    return write_pictures(path, list(drawn), **settings)


def write_pictures(
    path: Path,
    drawn: Sequence[NDArray[np.uint8]],
    *,
    rate: Fraction = Fraction(25),
    gop: int = 48,
    ticks: Sequence[int] | None = None,
    has_sound: bool = False,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    is_index_first: bool = True,
) -> Path:
    """A clip with B frames and few sync frames; `ticks` are milliseconds of a variable rate."""
    is_moved = is_index_first and path.suffix in {".mp4", ".mov"}
    moved = {"movflags": "+faststart"} if is_moved else {}
    with av.open(str(path), "w", options=moved) as container:
        options = {"preset": "veryfast", "crf": "18", "bf": "3", "g": str(gop), "sc_threshold": "0"}
        stream: Any = container.add_stream(
            codec, rate=rate, options=options if codec.startswith("libx264") else {}
        )
        stream.height, stream.width, _ = drawn[0].shape
        stream.pix_fmt = pixel_format
        base = Fraction(1, 1000) if ticks else 1 / rate
        stream.codec_context.time_base = base
        if has_sound:
            _write_sound(container, len(drawn) / rate)
        for place, one in enumerate(drawn):
            frame = av.VideoFrame.from_ndarray(one, format="rgb24")
            frame.pts, frame.time_base = (ticks[place] if ticks else place), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def tone(count: int, start: int = 0) -> NDArray[np.int16]:
    """Stereo samples that differ at every place; left goes up where right goes down."""
    places = np.arange(start, start + count)
    left = ((places * 7) % 20_011 - 10_000).astype(np.int16)
    return np.stack([left, -left], axis=1)


def _write_sound(container: av.container.OutputContainer, seconds: Fraction) -> None:
    codec = "pcm_s16le" if container.format.name == "mov" else "aac"
    stream = container.add_stream(codec, rate=SOUND_RATE, layout="stereo")
    samples = tone(int(seconds * SOUND_RATE))
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples.reshape(1, -1)), format="s16", layout="stereo"
    )
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def decoded_frames(path: Path) -> list[NDArray[np.uint8]]:
    """A file's frames in order of presentation, read without the app."""
    with av.open(str(path)) as container:
        frames = container.decode(container.streams.video[0])
        exact = [frame.reformat(format="rgb24", interpolation=_EXACT) for frame in frames]
        return [np.asarray(frame.to_ndarray(), np.uint8) for frame in exact]


def numbers_in(path: Path, *, inverted: bool = False) -> list[int]:
    """The numbers that a file's frames say."""
    return [number_of(frame, inverted=inverted) for frame in decoded_frames(path)]


def sound_in(path: Path) -> NDArray[np.int16]:
    """All samples of the first sound track: place, channel."""
    parts: list[NDArray[np.int16]] = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="stereo", rate=SOUND_RATE)
        for frame in container.decode(container.streams.audio[0]):
            for part in resampler.resample(frame):
                parts.append(part.to_ndarray().reshape(-1, 2).astype(np.int16, copy=False))
    return np.concatenate(parts)
