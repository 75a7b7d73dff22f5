"""Pictures of flat patches that tell which frame they are, which way up, and in which colours.

A picture is 5 x 4 patches. Its corners differ from each other, four pairs of a light and a dark
patch spell the frame's number, and the rest are colours and greys.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_QUARTERS = {"upright": 0, "90": 1, "180": 2, "270": 3, "mirrored": 0, "mirrored 90": 1}
"""Clockwise, after mirroring left to right."""
UNSTATED, LIMITED, FULL = 2, 1, 2
COLUMNS, ROWS = 5, 4
BITS = 4
_DARK, _LIGHT = 70, 190
# Neither so saturated nor so light that limited range or BT.2020 would clip them.
_CORNERS = {
    **{(0, 0): (180, 70, 60), (0, 4): (70, 160, 80)},
    **{(3, 0): (60, 80, 170), (3, 4): (190, 180, 70)},
}
_SHADES = {(3, 1): 50, (3, 3): 160, (0, 2): 128}
_COLOURS = {
    **{(1, 0): (150, 90, 130), (1, 4): (90, 150, 150), (2, 0): (170, 120, 90)},
    **{(2, 4): (100, 110, 60), (3, 2): (110, 90, 160)},
}
GREYS = tuple(_SHADES)
"""Places without any colour, apart from those that spell."""
# A light patch where the bit is set, a dark one beside it where it is not, and the other way round.
_ONES = ((0, 1), (1, 1), (2, 1), (2, 3))
_ZEROS = ((0, 3), (1, 3), (2, 2), (1, 2))


def patches(index: int) -> NDArray[np.uint8]:
    """The colours of frame `index`: (rows, columns, 3), RGB."""
    shown = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    for place, colour in {**_CORNERS, **_COLOURS}.items():
        shown[place] = colour
    for place, grey in _SHADES.items():
        shown[place] = grey
    for bit in range(BITS):
        is_set = bool(index >> bit & 1)
        shown[_ONES[bit]] = _LIGHT if is_set else _DARK
        shown[_ZEROS[bit]] = _DARK if is_set else _LIGHT
    return shown


def number_of(seen: Floats) -> int:
    """The number that the patches of a frame spell; -1 if they are too faint to tell."""
    light = seen.mean(axis=-1)
    number = 0
    for bit in range(BITS):
        difference = light[_ONES[bit]] - light[_ZEROS[bit]]
        if abs(difference) < 25:
            return -1
        number |= int(difference > 0) << bit
    return number


def picture(index: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Frame `index` at `size` (width, height)."""
    width, height = size
    rows = np.arange(height) * ROWS // height
    columns = np.arange(width) * COLUMNS // width
    return patches(index)[rows[:, None], columns[None, :]]


def means(image: NDArray[np.uint8] | Floats, *, margin: float = 0.3) -> Floats:
    """The mean colour inside every patch of an upright picture: (rows, columns, 3).

    `margin` is the share of a patch left out on every side: chroma of neighbours reaches there.
    """
    return _means(image, ROWS, COLUMNS, margin)


def stored_means(image: Floats, turn: str, *, margin: float = 0.3) -> Floats:
    """As `means`, of a stored picture whose container says `turn`, in the order as stored.

    The patches are upright in the stored picture: turned, they lie on their side.
    """
    return turned(_means(image, ROWS, COLUMNS, margin), turn)


def shown_means(image: NDArray[np.uint8] | Floats, turn: str, *, margin: float = 0.3) -> Floats:
    """The patches of a picture as it is seen, of a clip that was turned by `turn`."""
    is_on_side = "90" in turn or "270" in turn
    rows, columns = (COLUMNS, ROWS) if is_on_side else (ROWS, COLUMNS)
    return _means(image, rows, columns, margin)


def _means(image: NDArray[np.uint8] | Floats, rows: int, columns: int, margin: float) -> Floats:
    height, width = image.shape[:2]
    found = np.zeros((rows, columns, 3))
    for row in range(rows):
        for column in range(columns):
            top, bottom = _inside(row, rows, height, margin)
            left, right = _inside(column, columns, width, margin)
            found[row, column] = image[top:bottom, left:right].reshape(-1, 3).mean(axis=0)
    return found


def _inside(place: int, count: int, length: int, margin: float) -> tuple[int, int]:
    start, stop = place * length / count, (place + 1) * length / count
    inset = (stop - start) * margin
    return round(start + inset), round(stop - inset)


def turned(stored: Floats, turn: str) -> Floats:
    """What is seen of a stored picture, or of its patches, whose container says `turn`."""
    mirrored = stored[:, ::-1] if turn.startswith("mirrored") else stored
    return np.rot90(mirrored, -_QUARTERS[turn])


def unturned(seen: Floats, turn: str) -> Floats:
    """The other way round: what is stored of what is seen."""
    upright = np.rot90(seen, _QUARTERS[turn])
    return upright[:, ::-1] if turn.startswith("mirrored") else upright


def frame(
    index: int, size: tuple[int, int], pixel_format: str, colour: tuple[int, int, int, int]
) -> av.VideoFrame:
    """Frame `index` in `pixel_format`, by the matrix and the range that `colour` names."""
    if pixel_format == "pal8":
        return _palette_frame(index, size)
    made = av.VideoFrame.from_ndarray(picture(index, size), format="rgb24")
    primaries, transfer, matrix, color_range = colour
    if is_rgb(pixel_format):
        made = made if pixel_format == "rgb24" else made.reformat(format=pixel_format)
    else:
        is_full = color_range == FULL or pixel_format.startswith("yuvj")
        color_range = FULL if is_full else color_range
        # Whoever reads an unstated matrix takes BT.601 for small pictures, BT.709 for large ones.
        unstated = 6 if size[1] < 720 else 1
        made = made.reformat(
            format=pixel_format,
            dst_colorspace=unstated if matrix == UNSTATED else matrix,
            dst_color_range=FULL if is_full else LIMITED,
        )
    made.color_primaries, made.color_trc = primaries, transfer
    made.colorspace, made.color_range = matrix, color_range
    return made


def is_rgb(pixel_format: str) -> bool:
    """Whether pixels of this format are red, green and blue."""
    return pixel_format.startswith(("rgb", "bgr", "gbr", "argb", "pal"))


def _palette_frame(index: int, size: tuple[int, int]) -> av.VideoFrame:
    rgb = picture(index, size).reshape(-1, 3)
    colours, places = np.unique(rgb, axis=0, return_inverse=True)
    palette = np.zeros((256, 4), np.uint8)
    palette[:, 0] = 255
    palette[: len(colours), 1:] = colours
    # The one format that takes a pair, which PyAV's types do not say.
    pair: Any = (places.reshape(size[1], size[0]).astype(np.uint8), palette)
    return av.VideoFrame.from_ndarray(pair, format="pal8")
