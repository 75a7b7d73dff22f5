"""What models make, in small: the picture beside a file of weights, or one of their styles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fresco_client import Model
from fresco_media.errors import ClipError
from fresco_media.stills.images import read_image
from PyQt6.QtGui import QImage

from fresco_gui.media.pictures import decoded, from_rgb, resized


@dataclass(frozen=True)
class Thumbnail:
    """What the model of a source makes."""

    source: str
    image: QImage


def thumbnails(models: Iterable[Model], side: int) -> Iterator[Thumbnail]:
    """Pictures at most `side` pixels wide and high; those that there are."""
    for model in models:
        image = _picture_of(model)
        if image is not None and not image.isNull():
            scale = min(1.0, side / max(image.width(), image.height()))
            size = (max(1, round(image.width() * scale)), max(1, round(image.height() * scale)))
            yield Thumbnail(model.source, resized(image, *size))


def _picture_of(model: Model) -> QImage | None:
    if model.preview_path:
        # On another machine, or no picture at all: then it has none here.
        try:
            return from_rgb(read_image(Path(model.preview_path)))
        except (ClipError, OSError):
            return None
    shown = next((style.picture for style in model.styles if style.picture), None)
    return None if shown is None else decoded(shown)
