"""Animated pictures: telling them from stills, and reading those that FFmpeg cannot.

FFmpeg plays GIF and animated PNG as the films they are, but shows only the first picture of an
animated WebP; Pillow reads those.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from PIL import Image as Pillow

from fresco_media.faults import reading

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GIF_SIGNATURES = (b"GIF87a", b"GIF89a")
_WEBP_ANIMATION = 0x02
# What browsers take for a picture that is said to last no time.
_DEFAULT_MS = 100


def is_animated(path: Path) -> bool:
    """Whether the file holds a GIF, an animated PNG or an animated WebP, whatever its name is."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
            if head.startswith(_PNG_SIGNATURE):
                return _has_animation_chunk(file)
            return head.startswith(_GIF_SIGNATURES) or _is_animated_webp(head)
    except OSError:
        return False


def is_animated_webp(path: Path) -> bool:
    """Whether the file holds an animated WebP."""
    try:
        with path.open("rb") as file:
            return _is_animated_webp(file.read(32))
    except OSError:
        return False


def _is_animated_webp(head: bytes) -> bool:
    is_extended = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X"
    return is_extended and len(head) > 20 and bool(head[20] & _WEBP_ANIMATION)


def _has_animation_chunk(file: BinaryIO) -> bool:
    """Whether a PNG says before its picture that more than one follow (acTL)."""
    file.seek(len(_PNG_SIGNATURE))
    while len(header := file.read(8)) == 8:
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind == b"acTL":
            return int.from_bytes(file.read(4), "big") > 1
        if kind in (b"IDAT", b"IEND"):
            return False
        file.seek(length + 4, 1)
    return False


def show_times_ms(path: Path) -> list[int]:
    """When each picture of an animated WebP begins, and when the last one ends.

    Raises:
        ClipUnreadable: it is damaged.
    """
    times = [0]
    with reading(path), Pillow.open(path, formats=["WEBP"]) as animation:
        for index in range(getattr(animation, "n_frames", 1)):
            animation.seek(index)
            animation.load()
            times.append(times[-1] + (int(animation.info.get("duration", 0)) or _DEFAULT_MS))
    return times


class AnimationCursor:
    """The pictures of an animated WebP, with whatever earlier ones they are painted over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with reading(path):
            self._animation = Pillow.open(path, formats=["WEBP"])

    def at(self, index: int) -> tuple[int, av.VideoFrame]:
        """The picture at `index`, with that index."""
        with reading(self._path):
            self._animation.seek(index)
            has_alpha = "A" in self._animation.getbands()
            pixels = np.asarray(self._animation.convert("RGBA" if has_alpha else "RGB"))
        return index, av.VideoFrame.from_ndarray(pixels, format="rgba" if has_alpha else "rgb24")

    def close(self) -> None:
        """Close the file."""
        self._animation.close()
