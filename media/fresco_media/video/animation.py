"""Animated pictures: telling them from stills, and reading those that FFmpeg cannot.

FFmpeg plays GIF, animated PNG and AVIF and one JPEG after the other as the films they are, but
shows only the first picture of an animated WebP; Pillow reads those.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from PIL import Image as Pillow

from fresco_media.errors import ClipUnreadable
from fresco_media.files.faults import NOT_A_VIDEO, reading
from fresco_media.files.opening import open_file
from fresco_media.stills.formats import TooManyPixels, check_pixels
from fresco_media.stills.headers import DOES_NOT_FIT, FAULTS

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_JPEG_SAMPLES = b"\xff\xda"
_GIF_SIGNATURES = (b"GIF87a", b"GIF89a")
_WEBP_ANIMATION = 0x02
# Several times as fast as bytes.find (measured).
_JPEG_BEGIN = re.compile(re.escape(_JPEG_SIGNATURE))
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_JPEG_END = 0xD9
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# More than a photograph has; and what recorders fill up pictures with.
_MOST_JPEG_BYTES, _MOST_PADDING = 1 << 26, 1 << 16
_SEQUENCE_BRANDS = {b"avis", b"msf1", b"hevc", b"hevx"}
_MOST_BRANDS_BYTES = 1 << 12
# What browsers take for a picture that is said to last no time.
_DEFAULT_MS = 100


def is_animated(path: Path) -> bool:
    """Whether the file holds a film of pictures, whatever its name is.

    Those are GIF, animated PNG and WebP, sequences in AVIF or HEIF, and JPEGs in a row.
    """
    try:
        with open_file(path) as file:
            head = file.read(32)
            if head.startswith(_PNG_SIGNATURE):
                return _has_animation_chunk(file)
            if head.startswith(_JPEG_SIGNATURE):
                return _is_followed_by_its_like(file)
            if head[4:8] == b"ftyp":
                return _has_sequence(file)
            return head.startswith(_GIF_SIGNATURES) or _is_animated_webp(head)
    except OSError:
        return False


def is_animated_webp(path: Path) -> bool:
    """Whether the file holds an animated WebP."""
    try:
        with open_file(path) as file:
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


def _has_sequence(file: BinaryIO) -> bool:
    """Whether a HEIF file names a brand of sequences (ISO/IEC 23008-12) and holds a film."""
    file.seek(0)
    is_sequence = False
    while len(header := file.read(8)) == 8:
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind == b"ftyp":
            brands = file.read(min(max(length - 8, 0), _MOST_BRANDS_BYTES))
            named = {brands[place : place + 4] for place in range(0, len(brands), 4)}
            is_sequence = bool(_SEQUENCE_BRANDS & named)
            file.seek(length)
        elif not is_sequence or kind == b"moov":
            return is_sequence
        elif length == 1:
            file.seek(int.from_bytes(file.read(8), "big") - 16, 1)
        elif length < 8:
            return False
        else:
            file.seek(length - 8, 1)
    return False


def _is_followed_by_its_like(file: BinaryIO) -> bool:
    """Whether another JPEG of the same size follows the first one in a file.

    What cameras append to a photograph says so in it (MPF): a preview, a gain map, a second eye.
    """
    file.seek(0)
    data = file.read(min(os.fstat(file.fileno()).st_size, _MOST_JPEG_BYTES))
    # Behind the samples of a photograph, or of its thumbnail, hardly ever another one begins.
    if _JPEG_BEGIN.search(data, max(data.find(_JPEG_SAMPLES), 0)) is None:
        return False
    first = _jpeg(data, 0)
    if first is None or not first.size or first.has_others:
        return False
    start = data.find(_JPEG_SIGNATURE, first.end, first.end + _MOST_PADDING)
    second = None if start < 0 or data[first.end : start].strip(b"\0\xff") else _jpeg(data, start)
    return second is not None and second.size == first.size


@dataclass(frozen=True)
class _Jpeg:
    """Where a JPEG ends, its size as its header has it, and whether it names others (MPF)."""

    end: int
    size: bytes
    has_others: bool


def _jpeg(data: bytes, start: int) -> _Jpeg | None:
    """The JPEG that begins at `start`; None if it is cut short."""
    size, has_others, place = b"", False, start + 2
    # Within coded samples, FF is followed by 0 or is a restart marker (ITU-T T.81, B.1.1).
    while (marker := _JPEG_MARKER.search(data, place)) is not None:
        place, code = marker.end(), data[marker.end() - 1]
        if code == _JPEG_END:
            return _Jpeg(place, size, has_others)
        length = int.from_bytes(data[place : place + 2], "big")
        if code in _JPEG_FRAMES:
            size = data[place + 3 : place + 7]
        has_others |= data[place + 2 : place + 6] == b"MPF\0"
        place += length
    return None


def show_times_ms(path: Path) -> list[int]:
    """When each picture of an animated WebP begins, and when the last one ends.

    Raises:
        ClipUnreadable: it is damaged.
    """
    times = [0]
    with _decoding(path), open_file(path) as file, _opened(file) as animation:
        for index in range(getattr(animation, "n_frames", 1)):
            animation.seek(index)
            animation.load()
            times.append(times[-1] + (int(animation.info.get("duration", 0)) or _DEFAULT_MS))
    return times


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside is reported as a fault of the animated WebP at `path`."""
    with reading(path):
        try:
            yield
        except TooManyPixels as error:
            raise ClipUnreadable(path, str(error)) from error
        except MemoryError as error:
            raise ClipUnreadable(path, DOES_NOT_FIT) from error
        except FAULTS as error:
            if isinstance(error, OSError):
                raise
            raise ClipUnreadable(path, NOT_A_VIDEO) from error


def _opened(file: BinaryIO) -> Pillow.Image:
    animation = Pillow.open(file, formats=["WEBP"])
    check_pixels(*animation.size)
    return animation


class AnimationCursor:
    """The pictures of an animated WebP, with whatever earlier ones they are painted over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _decoding(path), open_file(path) as file:
            # Pillow takes all of a WebP into memory at once.
            self._animation = _opened(file)

    def at(self, index: int) -> tuple[int, av.VideoFrame]:
        """The picture at `index`, with that index."""
        with _decoding(self._path):
            self._animation.seek(index)
            has_alpha = "A" in self._animation.getbands()
            pixels = np.asarray(self._animation.convert("RGBA" if has_alpha else "RGB"))
        return index, av.VideoFrame.from_ndarray(pixels, format="rgba" if has_alpha else "rgb24")

    def close(self) -> None:
        """Close the file."""
        self._animation.close()
