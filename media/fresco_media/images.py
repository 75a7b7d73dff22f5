"""Still pictures: reading, writing, and (from their own modules) scaling and contact sheets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_media.contact_sheet import contact_sheet
from fresco_media.disk import write_whole
from fresco_media.errors import ClipNotFound, ClipUnreadable, OutputNotWritable
from fresco_media.faults import reading
from fresco_media.scaling import (
    WorkingSize,
    fit,
    limit_told,
    own_size,
    resize,
    unfit,
    working_size,
)
from fresco_media.types import Image

__all__ = [
    "IMAGE_SUFFIXES",
    "WorkingSize",
    "contact_sheet",
    "encode_image",
    "fit",
    "limit_told",
    "own_size",
    "read_image",
    "resize",
    "unfit",
    "working_size",
    "write_image",
]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


def read_image(path: Path | str) -> Image:
    """The picture in a file: 8 bit RGB, upright; alpha is dropped, deeper samples are rounded.

    Raises:
        ClipNotFound: there is no such file.
        ClipUnreadable: the file is empty, damaged or not a picture.
    """
    path = Path(path)
    if not path.exists():
        raise ClipNotFound(path, "there is no such picture; check the path")
    # OpenCV opens paths in the system's code page, so only bytes are handed to it.
    with reading(path):
        encoded = np.fromfile(path, dtype=np.uint8)
    decoded = _decode(encoded)
    if decoded is None:
        raise ClipUnreadable(
            path, "it is empty, damaged or not a picture; export it again as PNG or JPEG"
        )
    return np.ascontiguousarray(_as_8_bit(decoded)[..., ::-1])


def _decode(encoded: NDArray[np.uint8]) -> NDArray[np.generic] | None:
    if not encoded.size:
        return None
    try:
        # IMREAD_COLOR also turns the picture as its EXIF tag says.
        return cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        return None


def _as_8_bit(picture: NDArray[np.generic]) -> Image:
    if picture.dtype == np.uint8:
        return picture.astype(np.uint8, copy=False)
    if picture.dtype == np.uint16:
        return ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.rint(np.clip(picture.astype(np.float32), 0, 1) * 255).astype(np.uint8)


def encode_image(image: Image, suffix: str) -> bytes:
    """The bytes of an image file of the kind that `suffix` (".png") names."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if suffix.lower() in (".jpg", ".jpeg") else []
    _, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    return encoded.tobytes()


def write_image(path: Path | str, image: Image) -> None:
    """Write `image`; the suffix of `path` chooses the format. An existing file is replaced.

    Raises:
        OutputNotWritable: unknown suffix, no such folder or no permission.
        DiskFull: the disk has no room left.
    """
    path = Path(path)
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise OutputNotWritable(
            path, f"pictures of this type cannot be written; use {', '.join(IMAGE_SUFFIXES)}"
        )
    write_whole(path, encode_image(image, path.suffix))
