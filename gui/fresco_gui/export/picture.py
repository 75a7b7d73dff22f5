"""A single picture written, and what nothing that is written may replace."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from fresco_media.colour.scaling import displayed
from fresco_media.files.disk import check_replaceable
from fresco_media.stills.images import write_image
from fresco_media.stills.sequence import is_sequence_path
from fresco_media.writing.destination import pictures_of
from fresco_media.writing.originals import NO_ORIGINALS, Originals
from PyQt6.QtGui import QImage

from fresco_gui.media.pictures import to_rgb
from fresco_gui.media.source import FrameSource


def save_picture(
    path: Path, image: QImage, originals: Originals, pixel_aspect: Fraction = Fraction(1)
) -> None:
    """Write `image` (RGB32); the suffix of `path` chooses the format, and a file there is replaced.

    Pixels of another shape than square become square.

    Raises:
        OutputNotWritable: no picture is called so, this is one of `originals`, or it cannot be
            written there.
        DiskFull: the disk has no room left.
    """
    originals.check(path)
    check_replaceable(path)
    write_image(path, displayed(to_rgb(image), pixel_aspect))


def originals_of(source: FrameSource | None, result: FrameSource | None) -> Originals:
    """The files that the clip's and the result's frames come from."""
    return _of("the clip itself is", source) | _of("the result is kept", result)


def _of(what: str, frames: FrameSource | None) -> Originals:
    path = frames.info.path if frames is not None and frames.info is not None else None
    if path is None:
        return NO_ORIGINALS
    return pictures_of(path, what) if is_sequence_path(path) else Originals.of(what, path)
