"""What kind of picture a file holds, by its first bytes and not by its name."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import PIL
from PIL import Image as Pillow

from fresco_media.files.opening import open_file
from fresco_media.stills.png import PNG_HEADER_BYTES, png_header_size

# Pillow's own check only warns about what it does not refuse; `check_pixels` is used in its place.
Pillow.MAX_IMAGE_PIXELS = None

MOST_PIXELS = 1 << 28
IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".exr", ".dpx", ".tga"),
    *(".avif", ".heic", ".heif", ".jp2"),
)
"""Of files that are taken for pictures in a folder."""

KEY_SUFFIXES = {
    *IMAGE_SUFFIXES,
    *(".gif", ".psd", ".jpe", ".jfif", ".dib", ".apng", ".tpic", ".vda", ".icb", ".vst", ".j2k"),
    *(".jpc", ".jpf", ".jpx", ".j2c", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".qoi", ".sgi"),
    *(".rgb", ".rgba", ".bw", ".pcx", ".dds", ".ico", ".avifs", ".hif"),
}
"""Of files that may be pictures painted by hand: paint programs save more kinds."""

UNREAD_SUFFIXES = {
    *(".psb", ".xcf", ".kra", ".kraz", ".ora", ".clip", ".procreate", ".afphoto", ".af", ".sai"),
    *(".sai2", ".mdp", ".pspimage", ".pdn", ".svg", ".ai", ".pdf", ".eps", ".jxl", ".jxr", ".hdr"),
    *(".pam", ".phm", ".cin", ".xwd", ".pict", ".pct", ".ras", ".sun", ".iff", ".tx", ".sct"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".rw2", ".orf"),
}
"""Of pictures and documents of paint programs that are not read here."""

HEAD_BYTES = 64
# Formats that Pillow reads by itself. Others start programs (EPS), are drawings of another system
# (WMF), or only stubs for what somebody else may have installed.
_PILLOW_FORMATS = (
    *("PNG", "JPEG", "TIFF", "WEBP", "BMP", "DIB", "GIF", "AVIF", "JPEG2000", "TGA"),
    *("PSD", "PPM", "QOI", "SGI", "PCX", "DDS", "ICO"),
)
_MAGIC = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "BMP": (b"BM",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "EXR": (b"\x76\x2f\x31\x01",),
    "DPX": (b"SDPX", b"XPDS"),
    "JPEG2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "PSD": (b"8BPS",),
    "QOI": (b"qoif",),
    "DDS": (b"DDS ",),
}
# By what Pillow calls grey of 2 and of 4 bits: what makes 8 bits of it.
_GREYS_OF_PNG = {"L;2": 85, "L;4": 17}
_ICONS, _ICON_HEAD, _ICON_ENTRY = b"\0\0\1\0", 6, 16
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"jpeg"}


def kind_of(head: bytes) -> str | None:
    """The kind of picture that a file begins with `head` (at least `HEAD_BYTES`, if it has them).

    None for what is no picture, and for kinds that only their names tell (TGA among them).
    """
    for kind, beginnings in _MAGIC.items():
        if head.startswith(beginnings):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "AVIF" if brand == b"avif" else "HEIF" if brand in _HEIF_BRANDS else None
    return None


def is_picture_file(path: Path) -> bool:
    """Whether the file at `path` is to be read as a picture: what it holds counts, then its name.

    A GIF is the video that it mostly is.
    """
    try:
        with open_file(path) as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        head = b""
    kind = kind_of(head)
    if kind is not None:
        return kind != "GIF"
    return path.suffix.lower() in IMAGE_SUFFIXES and not _is_video(head)


def _is_video(head: bytes) -> bool:
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide")
        or head.startswith(b"\x1a\x45\xdf\xa3")
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
    )


def open_with_pillow(file: BinaryIO) -> Pillow.Image:
    """The picture in `file` as Pillow sees it, its pixels still to be read.

    Raises:
        ValueError, OSError, SyntaxError: it is none of the formats read here, or too large.
    """
    known = [name for name in _PILLOW_FORMATS if is_read_by_pillow(name)]
    _check_icons(file)
    try:
        picture = Pillow.open(file, formats=known)
    except PIL.UnidentifiedImageError as error:
        raise ValueError(str(error)) from error
    check_pixels(*picture.size)
    _scale_transparency(picture)
    return picture


def packing_of(picture: Pillow.Image) -> str:
    """How Pillow calls the way in which pixels are stored that it has not read yet."""
    tiles: Sequence[Any] = getattr(picture, "tile", ())
    if not tiles:
        return ""
    args = tiles[0][3]
    return str(args[0] if isinstance(args, tuple) else args)


def _check_icons(file: BinaryIO) -> None:
    """Insist on icons of sizes that memory holds: Pillow decodes them before it says how large.

    Raises:
        TooManyPixels: one is too large, whatever the list of them says.
    """
    head = file.read(_ICON_HEAD)
    count = int.from_bytes(head[4:], "little") if head.startswith(_ICONS) else 0
    entries = file.read(count * _ICON_ENTRY)
    for start in range(0, len(entries) - _ICON_ENTRY + 1, _ICON_ENTRY):
        file.seek(int.from_bytes(entries[start + 12 : start + _ICON_ENTRY], "little"))
        found = file.read(PNG_HEADER_BYTES)
        size = png_header_size(found)
        if size is None:
            # A mask as large as the picture lies below it.
            width, height = struct.unpack("<2i", found[4:12].ljust(8, b"\0"))
            size = abs(width), abs(height) // 2
        check_pixels(*size)
    file.seek(0)


def _scale_transparency(picture: Pillow.Image) -> None:
    """State the grey that PNG says is transparent in 8 bits, as its pixels will be."""
    clear = picture.info.get("transparency")
    if picture.format != "PNG" or not isinstance(clear, int):
        return
    scale = _GREYS_OF_PNG.get(packing_of(picture))
    if scale is not None:
        # Bits that a sample does not have do not count.
        picture.info["transparency"] = (clear & (255 // scale)) * scale


def is_read_by_pillow(kind: str) -> bool:
    """Whether the installed Pillow reads this format."""
    Pillow.init()
    return kind in Pillow.OPEN


class TooManyPixels(ValueError):
    """A picture has more pixels than are read; `str(error)` says it to the user."""


class ColoursNotRead(ValueError):
    """A picture holds colours that nothing here reads right; `str(error)` says it to the user."""


def check_pixels(width: int, height: int) -> None:
    """Insist on a size that memory holds.

    Raises:
        TooManyPixels: there are more than `MOST_PIXELS`.
    """
    if width * height > MOST_PIXELS:
        raise TooManyPixels(
            f"it is {width}x{height}, more than the {MOST_PIXELS / 1e6:.0f} million pixels that "
            "are read; make it smaller"
        )
