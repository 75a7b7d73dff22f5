"""The desktop app's reader held against the engine's: both have to show the same clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from fresco_gui.media.reader import ClipReader, open_reader
from fresco_media.clip import Clip
from fresco_media.types import Frame, Image
from PyQt6.QtGui import QImage

LEVELS = 2
_TIME_S = 1e-3


def differences(
    path: Path, rate: Fraction | None, clip: Clip, frames: Sequence[Frame], order: Iterable[int]
) -> Iterator[str]:
    """Where the app's description or pictures of the clip at `path` are not the engine's.

    `rate` is that of a sequence of pictures; `order` is the one in which frames are asked for.
    """
    reader = open_reader(path, frame_rate=rate)
    assert reader is not None
    try:
        yield from _of_descriptions(reader, clip)
        if reader.info.frame_count == len(frames):
            yield from _of_pictures(reader, frames, order)
    finally:
        reader.close()


def _of_descriptions(reader: ClipReader, clip: Clip) -> Iterator[str]:
    shown, info = reader.info, clip.info
    pairs = {
        "frames": (shown.frame_count, info.frame_count),
        "size": ((shown.width, shown.height), (info.width, info.height)),
        "frame rate": (shown.frame_rate, info.frame_rate),
        "shape of a pixel": (shown.pixel_aspect, info.sample_aspect),
        "sound": (shown.has_sound, info.has_audio),
    }
    for what, (app, engine) in pairs.items():
        if app != engine:
            yield f"{what} {app}, the engine's is {engine}"
    if shown.frame_count != info.frame_count:
        return
    worst = max(
        abs(shown.time_s(index) - float((time - info.times[0]) * info.time_base))
        for index, time in enumerate(info.times)
    )
    if worst > _TIME_S:
        yield f"times {worst:.4f} s beside the engine's"


def _of_pictures(
    reader: ClipReader, frames: Sequence[Frame], order: Iterable[int]
) -> Iterator[str]:
    for index in order:
        shown = _array(reader.image(index)).astype(int)
        wanted = frames[index].image
        if shown.shape != wanted.shape:
            yield f"frame {index} is {shown.shape}, the engine's {wanted.shape}"
            return
        worst = np.abs(shown - wanted).max()
        if worst > LEVELS:
            yield f"frame {index} differs from the engine's by {worst} levels"
            return


def _array(image: QImage) -> Image:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    bits = rgb.constBits()
    assert bits is not None
    rows = np.frombuffer(bits.asstring(rgb.sizeInBytes()), np.uint8).reshape(
        rgb.height(), rgb.bytesPerLine()
    )
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).copy()
