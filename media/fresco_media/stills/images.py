"""Still pictures: reading, writing, and (from their own modules) scaling and contact sheets."""

from __future__ import annotations

from pathlib import Path

import cv2

from fresco_media.colour.scaling import (
    JPEG_SIDE,
    WorkingSize,
    at_most,
    displayed,
    fit,
    limit_told,
    own_size,
    resize,
    unfit,
    working_size,
)
from fresco_media.errors import OutputNotWritable
from fresco_media.files.disk import write_whole
from fresco_media.stills.formats import IMAGE_SUFFIXES
from fresco_media.stills.reading import read_still
from fresco_media.types import Image
from fresco_media.writing.contact_sheet import contact_sheet

__all__ = [
    "IMAGE_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "WorkingSize",
    "at_most",
    "contact_sheet",
    "displayed",
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

_MOST_SIDE = {".jpg": JPEG_SIDE, ".jpeg": JPEG_SIDE, ".webp": 16_383}
WRITABLE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


def read_image(path: Path | str) -> Image:
    """The picture in a file: 8 bit sRGB, upright; what is transparent is laid over black.

    Raises:
        ClipNotFound: there is no such file.
        ClipUnreadable: the file is empty, damaged, too large or not a picture.
    """
    return read_still(Path(path)).image


def encode_image(image: Image, suffix: str) -> bytes:
    """The bytes of an image file of the kind that `suffix` (".png") names.

    What has no place in that kind is made smaller.
    """
    image = at_most(image, _MOST_SIDE.get(suffix.lower(), 0))
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if suffix.lower() in (".jpg", ".jpeg") else []
    _, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    return encoded.tobytes()


def write_image(path: Path | str, image: Image, *, is_new: bool = False) -> None:
    """Write `image`; the suffix of `path` chooses the format.

    An existing file is replaced, unless it `is_new`: then it is kept under another name.

    Raises:
        OutputNotWritable: unknown suffix, no such folder or no permission, a name that is taken,
            or a picture that is too large for its type.
        DiskFull: the disk has no room left.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        raise OutputNotWritable(
            path, f"pictures of this type cannot be written; use {', '.join(WRITABLE_SUFFIXES)}"
        )
    height, width = image.shape[:2]
    most = _MOST_SIDE.get(path.suffix.lower())
    if most is not None and max(width, height) > most:
        raise OutputNotWritable(
            path,
            f"pictures of this type have at most {most} pixels a side, and this one has "
            f"{width}x{height}; name it .png",
        )
    write_whole(path, encode_image(image, path.suffix), is_new=is_new)
