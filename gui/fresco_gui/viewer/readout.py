"""The values of the pixel under the pointer, in source and result."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtGui import QImage

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Reading:
    """A pixel of the source by column and row, and its 8 bit values."""

    x: int
    y: int
    source: Colour | None
    result: Colour | None

    def words(self) -> str:
        """One line for the user."""
        parts = [f"x {self.x}  y {self.y}"]
        if self.source is not None:
            parts.append(f"A {_values(self.source)}")
        if self.result is not None:
            parts.append(f"B {_values(self.result)}")
        if self.source is not None and self.result is not None:
            apart = (b - a for a, b in zip(self.source, self.result, strict=True))
            delta = QCoreApplication.translate("Reading", "B−A")
            parts.append(f"{delta} {'  '.join(f'{value:+d}' for value in apart)}")
        return "    ".join(parts)


def read(
    share: tuple[float, float], size: tuple[int, int], source: QImage | None, result: QImage | None
) -> Reading | None:
    """What lies at `share` (0 to 1 of width and height) of pictures; None outside of them.

    `size` is the source's width and height.
    """
    if not (0 <= share[0] < 1 and 0 <= share[1] < 1):
        return None
    x, y = int(share[0] * size[0]), int(share[1] * size[1])
    return Reading(x, y, _colour(source, share), _colour(result, share))


def _colour(image: QImage | None, share: tuple[float, float]) -> Colour | None:
    if image is None or image.isNull():
        return None
    colour = image.pixelColor(int(share[0] * image.width()), int(share[1] * image.height()))
    return colour.red(), colour.green(), colour.blue()


def _values(colour: Colour) -> str:
    return " ".join(f"{value:3d}" for value in colour)
