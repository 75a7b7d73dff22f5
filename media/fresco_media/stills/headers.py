"""What a picture's file says before its pixels: size, alpha, depth, pixel aspect, orientation."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Literal, SupportsFloat

import av.error
import cv2
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from fresco_media.colour.orientation import Orientation, from_exif
from fresco_media.errors import ClipNotFound, ClipUnreadable
from fresco_media.files.faults import reading
from fresco_media.files.opening import NotAFile, TooLarge, open_file
from fresco_media.files.state import KnownFile
from fresco_media.stills import film, heif, jpeg2000, psd
from fresco_media.stills.formats import (
    HEAD_BYTES,
    ColoursNotRead,
    TooManyPixels,
    check_pixels,
    is_read_by_pillow,
    kind_of,
    open_with_pillow,
    packing_of,
)

NOT_A_PICTURE = (
    "it is empty, damaged or not a picture that is read here (PNG, JPEG, TIFF, WebP, EXR, DPX, "
    "TGA, AVIF and a few more); export it again as PNG or JPEG"
)
DOES_NOT_FIT = "it does not fit into memory; make it smaller"
# What the readers of pictures raise when they meet damage.
FAULTS = (
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError),
    *(OverflowError, struct.error, cv2.error, av.error.FFmpegError, AssertionError),
    # Of libavif.
    RuntimeError,
)
ORIENTATION_TAG, SAMPLE_FORMAT_TAG, EXTRA_SAMPLES_TAG = 0x0112, 339, 338
PHOTOMETRIC_TAG = 262
SAMPLES_TAG, ICC_TAG = 277, 34675
ASSOCIATED, UNASSOCIATED = 1, 2
FROM_WHITE, FROM_BLACK, RGB, YUV = 0, 1, 2, 6
_CIE_LAB, _OTHER_LAB = 8, (9, 10)
_SENSOR = (32803, 34892)
_SIGNED, _FLOAT = 2, 3
DEEP_MODES = {"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
_SIXTEEN_IN_ALL = "BGR;16"
_FILM_HEADER_BYTES = 1 << 20
_LINEAR_NOTE = "the pictures hold linear light; it is shown as sRGB, clipped above white"
_PAGES_NOTE = (
    "the file holds several pictures, as pages or layers; the first one is used, so save the "
    "others as files of their own if they are meant"
)
_ANIMATION_NOTE = "the picture is animated; its first frame is used"
# What a fourth channel is by its number: nothing of use, or what the colours were multiplied by.
TGA_UNUSED, TGA_MULTIPLIED = (1, 2), 4
_TGA_FOOTER, _TGA_ATTRIBUTES = 26, 494
_TGA_MAP_BITS, _WITH_ALPHA = 7, 32
_SUBFILE_TAG, _REDUCED, _MASK = 254, 1, 4
_INNER_TAG, _DNG_TAG, _CANON_RAW = 330, 50706, b"CR"
_MOST_PAGES = 10_000
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
_DENSITY_NOTE = "the pictures hold film density; it is shown as sRGB"
_WITH_EXIF_OF_CAMERAS = ("JPEG", "MPO")
_EXIF_TAG, _INTEROPERABILITY_TAG, _COLOUR_SPACE_TAG = 0x8769, 0xA005, 0xA001
_SRGB, _ADOBE_RGB = 1, "R03"
TiffTags = dict[int, Any]


@dataclass(frozen=True)
class StillHeader:
    """What is known of a picture before it is decoded; `size` is its width and height, upright."""

    size: tuple[int, int]
    has_alpha: bool = False
    bit_depth: int = 8
    pixel_aspect: Fraction = Fraction(1)
    kind: str = ""
    notes: tuple[str, ...] = ()


def read_header(path: Path) -> StillHeader:
    """Size, alpha and depth of the picture at `path`, mostly from its header only.

    Raises:
        ClipNotFound: there is no such file.
        ClipUnreadable: the file is empty, damaged, too large or not a picture.
    """
    return read_known(path)[0]


def read_known(path: Path) -> tuple[StillHeader, KnownFile]:
    """As `read_header`, and the file that it was read from."""
    with understood(path), open_file(path) as file:
        known = KnownFile.of(path, file)
        return _header(file), known


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside is reported as a fault of the picture at `path`."""
    if not path.exists():
        raise ClipNotFound(path, "there is no such picture; check the path")
    try:
        with warnings.catch_warnings():
            # Pillow warns of damage beside what is wanted: of tags, for one.
            warnings.filterwarnings("ignore", module="PIL")
            yield
    except (PermissionError, NotAFile, TooLarge):
        with reading(path):
            raise
    except (TooManyPixels, ColoursNotRead, heif.NotRead, psd.NotMerged) as error:
        raise ClipUnreadable(path, str(error)) from error
    except MemoryError as error:
        raise ClipUnreadable(path, DOES_NOT_FIT) from error
    except FAULTS as error:
        raise ClipUnreadable(path, NOT_A_PICTURE) from error


def _header(file: BinaryIO) -> StillHeader:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    kind = kind_of(head)
    if kind in ("EXR", "DPX"):
        return _film_header(kind, file.read(_FILM_HEADER_BYTES))
    if is_heif(kind):
        data = file.read()
        return StillHeader(heif.size_of(data), has_alpha=heif.has_alpha(data), kind="HEIF")
    if kind == "TIFF":
        return _tiff_header(file)
    if kind == "PSD":
        return _document_header(file)
    with open_with_pillow(file) as picture:
        # Asking a PNG for a tag it may not have would decode all of it.
        has_tags = "exif" in picture.info or picture.format != "PNG"
        orientation = orientation_of(picture) if has_tags else Orientation()
        left, top, right, bottom = (0, 0, *picture.size)
        if picture.format == "AVIF":
            file.seek(0)
            left, top, right, bottom = seen_of(file.read(), picture)
        aspect = pixel_aspect(picture.info)
        return StillHeader(
            size=orientation.shown_size((right - left, bottom - top)),
            has_alpha=has_alpha(picture, head) and not _is_unused(picture, file),
            bit_depth=16 if is_deep(picture) or _is_deep_jpeg2000(kind, file) else 8,
            pixel_aspect=1 / aspect if orientation.swaps_sides else aspect,
            kind=picture.format or "",
            notes=_pillow_notes(picture),
        )


def _is_deep_jpeg2000(kind: str | None, file: BinaryIO) -> bool:
    if kind != "JPEG2000":
        return False
    file.seek(0)
    head = file.read(_FILM_HEADER_BYTES)
    try:
        return jpeg2000.bit_depth(head) > 8
    except ValueError:  # What precedes the pixels may be long.
        return jpeg2000.bit_depth(head + file.read()) > 8


def _is_unused(picture: Pillow.Image, file: BinaryIO) -> bool:
    return picture.format == "TGA" and tga_attributes(file) in TGA_UNUSED


def _document_header(file: BinaryIO) -> StillHeader:
    document = psd.read_document(file)
    return StillHeader(
        size=document.size,
        has_alpha=document.has_alpha,
        bit_depth=document.depth,
        pixel_aspect=document.pixel_aspect,
        kind="PSD",
    )


def _pillow_notes(picture: Pillow.Image) -> tuple[str, ...]:
    if picture.mode == "F":
        return (_LINEAR_NOTE,)
    is_film = picture.format in _ANIMATED and getattr(picture, "is_animated", False)
    return (_ANIMATION_NOTE,) if is_film else ()


def _film_header(kind: str, data: bytes) -> StillHeader:
    found = film.exr_header(data) if kind == "EXR" else film.dpx_header(data)
    notes: tuple[str, ...] = ()
    if kind == "EXR" or film.is_linear(found):
        notes = (_LINEAR_NOTE,)
    elif film.is_density(found):
        notes = (_DENSITY_NOTE,)
    orientation, aspect = found.orientation, found.pixel_aspect
    return StillHeader(
        size=orientation.shown_size(found.size),
        has_alpha=found.has_alpha,
        bit_depth=found.bit_depth,
        pixel_aspect=1 / aspect if orientation.swaps_sides else aspect,
        kind=kind,
        notes=notes,
    )


def is_heif(kind: str | None) -> bool:
    """Whether FFmpeg has to read it: HEIC, and AVIF where this Pillow cannot."""
    return kind == "HEIF" or (kind == "AVIF" and not is_read_by_pillow("AVIF"))


def has_alpha(picture: Pillow.Image, head: bytes) -> bool:
    """Whether a picture that begins with `head` can be transparent."""
    if picture.format == "TGA":
        if not head[17] & 0x0F:
            return False  # The fourth channel is stated to be nothing.
        if picture.mode == "P":
            return head[_TGA_MAP_BITS] == _WITH_ALPHA
    return picture.mode[-1:] in "Aa" or "transparency" in picture.info


def seen_of(data: bytes, picture: Pillow.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is to be seen of a picture before it is turned.

    Of AVIF that may be less than there is, which Pillow leaves as it is.
    """
    with suppress(*FAULTS):
        if picture.format == "AVIF":
            return heif.seen_of_stored(data, picture.size)
    return (0, 0, *picture.size)


def tga_attributes(file: BinaryIO) -> int | None:
    """What the fourth channel of a TGA is (Truevision TGA 2.0, field 24).

    None where it is not said.
    """
    end = file.seek(0, 2)
    file.seek(max(0, end - _TGA_FOOTER))
    footer = file.read(_TGA_FOOTER)
    place = int.from_bytes(footer[:4], "little")
    if not footer.endswith(b"TRUEVISION-XFILE.\0") or not place:
        return None
    file.seek(place + _TGA_ATTRIBUTES)
    found = file.read(1)
    return found[0] if found else None


def is_deep(picture: Pillow.Image) -> bool:
    """Whether its samples have more than 8 bits."""
    packing = packing_of(picture)
    return picture.mode in DEEP_MODES or (";16" in packing and packing != _SIXTEEN_IN_ALL)


def orientation_of(picture: Pillow.Image) -> Orientation:
    """How EXIF says that a picture is to be turned."""
    with suppress(*FAULTS):
        return from_exif(picture.getexif().get(ORIENTATION_TAG, 1))
    return Orientation()


def is_adobe_rgb(picture: Pillow.Image) -> bool:
    """Whether a camera says so by EXIF, as many do in place of a profile (DCF 2.0)."""
    with suppress(*FAULTS):
        is_cameras = picture.format in _WITH_EXIF_OF_CAMERAS and picture.mode == "RGB"
        if is_cameras and "exif" in picture.info:
            tags = picture.getexif()
            is_other = tags.get_ifd(_EXIF_TAG).get(_COLOUR_SPACE_TAG) != _SRGB
            return is_other and tags.get_ifd(_INTEROPERABILITY_TAG).get(1) == _ADOBE_RGB
    return False


def pixel_aspect(info: dict[Any, Any]) -> Fraction:
    """A pixel's width by its height, of what Pillow found in a header."""
    if info.get("jfif_unit") == 0:
        # Written the other way round, and so FFmpeg reads it too.
        across, down = reversed(info.get("jfif_density", (1, 1)))
    else:
        across, down = info.get("aspect") or info.get("dpi") or (1, 1)
    # Pillow's own fractions cannot be divided by each other.
    return _aspect(float(across), float(down))


def _aspect(across: SupportsFloat, down: SupportsFloat) -> Fraction:
    """Of pixels in a length across and down; what cannot be one, or hardly differs, is square."""
    # Pillow's own fractions cannot be divided into another's, and are no number over zero.
    across, down = float(across), float(down)
    if not (across > 0 and down > 0) or not 0.25 < down / across < 4:
        return Fraction(1)
    found = Fraction(down / across).limit_denominator(1000)
    return Fraction(1) if abs(found - 1) < Fraction(1, 100) else found


def tiff_tags(file: BinaryIO) -> TiffTags:
    """The tags of the first picture in a TIFF file.

    Raises:
        ValueError, SyntaxError, OSError: it is damaged or too large.
    """
    head = file.read(8)
    is_big = 43 in head[2:4]
    found = TiffImagePlugin.ImageFileDirectory_v2(head + file.read(8) if is_big else head)
    is_canons = file.read(2) == _CANON_RAW
    file.seek(found.next)
    found.load(file)
    tags = dict(found)
    _check_developed(tags, is_canons=is_canons)
    _check_first(tags, is_followed=bool(found.next))
    size = (first_of(tags, 256, 0), first_of(tags, 257, 0))
    if min(size) < 1:
        raise ValueError("it has no size")
    check_pixels(*size)
    _check_lab(tags)
    if first_of(tags, SAMPLE_FORMAT_TAG, 1) == _SIGNED:
        raise ColoursNotRead(
            "its colours are stored as signed numbers, which are not read here; export it with 8 "
            "or 16 bits"
        )
    return tags


def _check_developed(tags: TiffTags, *, is_canons: bool) -> None:
    """What cameras call raw is TIFF as well, and begins with a preview of a few pixels."""
    has_parts = _INNER_TAG in tags and bool(first_of(tags, _SUBFILE_TAG, 0) & _REDUCED)
    is_sensor = first_of(tags, PHOTOMETRIC_TAG, FROM_BLACK) in _SENSOR
    if is_canons or has_parts or is_sensor or _DNG_TAG in tags:
        raise ColoursNotRead(
            "it is a camera's raw picture, which is not developed here; develop it and export it "
            "as TIFF or JPEG"
        )


def _check_first(tags: TiffTags, *, is_followed: bool) -> None:
    if is_followed and first_of(tags, _SUBFILE_TAG, 0) & _REDUCED:
        raise ColoursNotRead(
            "it begins with a preview of another picture in it; export that one as a file of its "
            "own"
        )


def _check_lab(tags: TiffTags) -> None:
    """Readers take Lab of 16 bits for other numbers than it is, and ICC's and ITU's for nothing."""
    photometric = first_of(tags, PHOTOMETRIC_TAG, 1)
    if photometric in _OTHER_LAB or (photometric == _CIE_LAB and tiff_bits(tags) > 8):
        raise ColoursNotRead(
            "its colours are stored as Lab, of a kind that is not read here; export it as RGB"
        )


def first_of(tags: TiffTags, tag: int, default: int) -> int:
    """The only or the first number of a tag."""
    value = tags.get(tag, default)
    return int(value[0] if isinstance(value, tuple) else value)


def tiff_bits(tags: TiffTags) -> int:
    """Bits of a sample."""
    return first_of(tags, 258, 1)


def tiff_has_alpha(tags: TiffTags) -> bool:
    """Whether the first sample behind the colours is alpha; it may be a saved selection."""
    # Writers that do not say what a sample too many is mean alpha, and so Pillow takes it.
    colours = {FROM_WHITE: 1, FROM_BLACK: 1, RGB: 3}.get(first_of(tags, PHOTOMETRIC_TAG, 1), 4)
    is_one_more = first_of(tags, SAMPLES_TAG, 1) == colours + 1
    unsaid = UNASSOCIATED if is_one_more else 0
    return first_of(tags, EXTRA_SAMPLES_TAG, unsaid) in (ASSOCIATED, UNASSOCIATED)


def tiff_aspect(tags: TiffTags) -> Fraction:
    """A pixel's width by its height, upright."""
    aspect = _aspect(tags.get(282, 1), tags.get(283, 1))
    return 1 / aspect if tiff_orientation(tags).swaps_sides else aspect


def tiff_orientation(tags: TiffTags) -> Orientation:
    """How the picture is to be turned."""
    return from_exif(first_of(tags, ORIENTATION_TAG, 1))


def _tiff_header(file: BinaryIO) -> StillHeader:
    tags = tiff_tags(file)
    # What carries a profile is converted by it.
    is_light = first_of(tags, SAMPLE_FORMAT_TAG, 1) == _FLOAT and ICC_TAG not in tags
    return StillHeader(
        size=tiff_orientation(tags).shown_size((first_of(tags, 256, 0), first_of(tags, 257, 0))),
        has_alpha=tiff_has_alpha(tags),
        bit_depth=16 if tiff_bits(tags) > 8 else 8,
        pixel_aspect=tiff_aspect(tags),
        kind="TIFF",
        notes=(*((_LINEAR_NOTE,) if is_light else ()), *_page_notes(file)),
    )


def _page_notes(file: BinaryIO) -> tuple[str, ...]:
    """What to say of a TIFF that holds more pictures than the first."""
    count = tiff_pages(file)
    return (_PAGES_NOTE,) if count > 1 else ()


def tiff_pages(file: BinaryIO) -> int:
    """How many pictures a TIFF file holds, without previews and masks; more than `_MOST_PAGES`
    are not counted.
    """
    file.seek(0)
    head = file.read(16)
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    is_big = 43 in head[2:4]
    wide, entry, short = (8, 20, 8) if is_big else (4, 12, 2)
    place = int.from_bytes(head[8:16] if is_big else head[4:8], order)
    seen: set[int] = set()
    count = 0
    while place and place not in seen and len(seen) < _MOST_PAGES:
        seen.add(place)
        file.seek(place)
        entries = int.from_bytes(file.read(short), order)
        body = file.read(entries * entry + wide)
        if len(body) < entries * entry + wide:
            break
        tags = [body[start : start + entry] for start in range(0, entries * entry, entry)]
        kinds = [tag for tag in tags if int.from_bytes(tag[:2], order) == _SUBFILE_TAG]
        value = kinds[0][-wide:][:4] if kinds else b""
        is_beside = int.from_bytes(value, order) & (_REDUCED | _MASK)
        count += not is_beside
        place = int.from_bytes(body[-wide:], order)
    return count
