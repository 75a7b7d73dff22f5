"""Films by their ICC profile, and animated pictures by their turn, neither of which FFmpeg does.

Of animated pictures Pillow reads both from the head of the file, as it does of stills.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image as Pillow

from fresco_media.colour import profiles
from fresco_media.colour.orientation import Orientation, from_exif
from fresco_media.colour.picture import to_straight
from fresco_media.colour.tags import RGB
from fresco_media.colour.transfer import BT709, HDR_TRANSFERS
from fresco_media.files.opening import open_file
from fresco_media.types import ColourTags
from fresco_media.video.decode import FrameCursor, Indexed
from fresco_media.video.side_data import profile_of

PROFILE_CONVERTED = "the clip's colour profile is converted, and the result is BT.709"
BY_PROFILE = ColourTags(primaries=BT709, transfer=BT709, matrix=RGB, is_full_range=True)
"""How the frames of a `ProfiledCursor` are to be read."""

_ORIENTATION_TAG = 0x0112
_UPRIGHT = Orientation()
_HEAD_BYTES = 16
# What Pillow raises at damage, which the decoder will find.
_FAULTS = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError)


@dataclass(frozen=True)
class AnimationMarks:
    """What the head of an animated picture says of all its frames."""

    profile: bytes | None = None
    orientation: Orientation = _UPRIGHT


def animation_marks(path: Path) -> AnimationMarks:
    """The profile, unless it is that of sRGB, and the turn of the animation at `path`.

    Nothing of files of other kinds, and of PNG only the profile: FFmpeg turns it by itself.

    Raises:
        OSError: it cannot be read.
    """
    with open_file(path) as file:
        kind = _kind_of(file.read(_HEAD_BYTES))
        if kind is None:
            return AnimationMarks()
        file.seek(0)
        try:
            with Pillow.open(file, formats=[kind]) as picture:
                profile = picture.info.get("icc_profile")
                turn = picture.getexif().get(_ORIENTATION_TAG, 1) if kind != "PNG" else 1
        except (*_FAULTS, RuntimeError, struct.error):
            return AnimationMarks()
    is_needed = isinstance(profile, bytes) and profiles.changes_colours(profile)
    return AnimationMarks(profile if is_needed else None, from_exif(turn))


def film_profile(frame: av.VideoFrame, colour: ColourTags) -> bytes | None:
    """The profile that comes beside the first `frame` of a film with the tags `colour`.

    None where it changes nothing, and for HDR, of which no profile says how it is to be shown.
    """
    if colour.transfer in HDR_TRANSFERS:
        return None
    profile = profile_of(frame)
    return profile if profile is not None and profiles.changes_film(profile) else None


def _kind_of(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avis", b"avif"):
        Pillow.init()
        return "AVIF" if "AVIF" in Pillow.OPEN else None
    return None


class ProfiledCursor:
    """The frames of another cursor as sRGB by an ICC profile; alpha stays straight."""

    def __init__(self, inner: FrameCursor, colour: ColourTags, profile: bytes) -> None:
        self._inner = inner
        self._colour = colour
        self._profile = profile

    def at(self, index: int) -> Indexed:
        """As that of the other cursor.

        Raises:
            ClipUnreadable: no frame can be decoded any more.
        """
        found, frame = self._inner.at(index)
        straight = to_straight(frame, self._colour)
        stored = np.ascontiguousarray(straight[..., :3])
        shown = profiles.to_srgb(Pillow.fromarray(stored), self._profile)
        pixels = np.dstack([stored if shown is None else shown, straight[..., 3:]])
        pixel_format = "rgb24" if pixels.shape[2] == 3 else "rgba"
        return found, av.VideoFrame.from_ndarray(pixels, format=pixel_format)

    def close(self) -> None:
        """Close the file."""
        self._inner.close()


def profiled(
    open_cursor: Callable[[], FrameCursor], colour: ColourTags, profile: bytes
) -> Callable[[], FrameCursor]:
    """`open_cursor` for frames by the profile."""
    return lambda: ProfiledCursor(open_cursor(), colour, profile)
