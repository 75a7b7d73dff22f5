"""One picture that shows many: rows of frames on dark grey with small labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np

from fresco_media.colour.scaling import fitted, resize
from fresco_media.types import Image

BACKGROUND = 28
TEXT = 205
MARGIN = 16
GAP = 8
LABEL_HEIGHT = 24
TALLEST_CELL = 4
"""How many times as high as its column is wide a picture is at most."""
TEXT_SCALE = 0.45
# Text is drawn this much larger and averaged down: OpenCV's strokes are rough at small sizes.
TEXT_OVERSAMPLING = 4


def contact_sheet(
    rows: Sequence[Sequence[Image]],
    *,
    labels: Sequence[str] | None = None,
    row_labels: Sequence[str] | None = None,
    width: int = 1920,
) -> Image:
    """All pictures of `rows` on one sheet `width` pixels wide.

    Each column has one width; every picture keeps its aspect, very tall ones are narrower.
    `labels` stand above the columns, `row_labels` to the left of the rows. Rows may differ in
    length.

    Raises:
        ValueError: there is no picture, or `width` leaves none of the columns 16 pixels.
    """
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        raise ValueError("a contact sheet needs at least one picture")
    gutter = _gutter(row_labels)
    cell = (width - 2 * MARGIN - gutter - (columns - 1) * GAP) // columns
    if cell < 16:
        raise ValueError(f"{columns} columns do not fit a sheet {width} pixels wide")
    lines = [[_fitted(image, cell) for image in row] for row in rows]
    heights = [max((image.shape[0] for image in line), default=0) for line in lines]
    top = MARGIN + (LABEL_HEIGHT if labels else 0)
    total = top + sum(heights) + GAP * (len(rows) - 1) + MARGIN
    sheet = np.full((total, width, 3), BACKGROUND, np.uint8)
    lefts = [MARGIN + gutter + column * (cell + GAP) for column in range(columns)]
    for label, left in zip(labels or (), lefts, strict=False):
        _write(sheet, label, (left, MARGIN), (cell, LABEL_HEIGHT - 6))
    for number, (line, height) in enumerate(zip(lines, heights, strict=True)):
        _place(sheet, line, lefts, top)
        if row_labels and number < len(row_labels):
            _write(sheet, row_labels[number], (MARGIN, top), (gutter - GAP, height))
        top += height + GAP
    return sheet


def _gutter(row_labels: Sequence[str] | None) -> int:
    widths = [_text_width(label) for label in row_labels or ()]
    return max(widths) + 2 * GAP if any(widths) else 0


def cell_size(shape: Fraction | float, width: int) -> tuple[int, int]:
    """The size of a picture in a column of this width; `shape` is its height by its width.

    It is as wide as the column, unless it is so tall that it would fill the sheet.
    """
    height = max(1, round(width * shape))
    return fitted((width, height), max(width, TALLEST_CELL * width))


def _fitted(image: Image, width: int) -> Image:
    return resize(image, cell_size(image.shape[0] / image.shape[1], width))


def _place(sheet: Image, line: Sequence[Image], lefts: Sequence[int], top: int) -> None:
    for image, left in zip(line, lefts, strict=False):
        height, width = image.shape[:2]
        sheet[top : top + height, left : left + width] = image


def _ascii(text: str) -> str:
    """`text` as OpenCV's font can draw it: accents are dropped, other letters become '?'."""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return bare.encode("ascii", "replace").decode("ascii")


def _text_width(text: str) -> int:
    (width, _), _ = cv2.getTextSize(_ascii(text), cv2.FONT_HERSHEY_SIMPLEX, TEXT_SCALE, 1)
    return width


def _write(sheet: Image, text: str, corner: tuple[int, int], box: tuple[int, int]) -> None:
    """Draw `text` at the left of the box (width, height) at `corner`, centred in its height."""
    large = TEXT_OVERSAMPLING
    patch = np.zeros((box[1] * large, box[0] * large), np.uint8)
    scale = TEXT_SCALE * large
    (_, height), _ = cv2.getTextSize("X", cv2.FONT_HERSHEY_SIMPLEX, scale, large)
    baseline = (patch.shape[0] + height) // 2
    cv2.putText(
        patch, _ascii(text), (0, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, large, cv2.LINE_AA
    )
    ink = cv2.resize(patch, box, interpolation=cv2.INTER_AREA)[..., None] / 255
    left, top = corner
    area = sheet[top : top + box[1], left : left + box[0]]
    area[:] = np.rint(area * (1 - ink) + TEXT * ink)
