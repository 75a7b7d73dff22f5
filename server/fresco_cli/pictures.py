"""Contact sheets of a clip's frames, alone or above the frames they became."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fresco_media.clip import Clip
    from fresco_media.types import Image

_CELL_WIDTH = 300
_LARGEST_SHEET = 6000
_TALLEST_SHEET = 16_000
"""In pixels: what common viewers open, and what the memory of any machine holds."""


def spread(indices: Sequence[int], count: int) -> tuple[int, ...]:
    """At most `count` of `indices`, evenly spread, the first and the last among them."""
    if len(indices) <= count:
        return tuple(indices)
    last = len(indices) - 1
    return tuple(indices[round(place * last / (count - 1))] for place in range(count))


def keyframe_sheet(
    clip: Clip, indices: Sequence[int], path: Path, *, columns: int = 6, is_new: bool = False
) -> int:
    """Writes the frames at `indices`, a few in each row, with their numbers; how many it shows.

    Of more than a sheet has room for, some evenly spread ones are shown. `is_new` as in
    `write_image`.
    """
    from fresco_media.writing.contact_sheet import GAP

    rows_at_most = max(1, _TALLEST_SHEET // (_cell_size(clip)[1] + GAP))
    indices = spread(indices, columns * rows_at_most)
    pictures = frames_at(clip, indices)
    rows = [pictures[first : first + columns] for first in range(0, len(pictures), columns)]
    names = [f"from {index}" for index in indices[::columns]]
    _write_sheet(path, rows, labels=None, row_labels=names, is_new=is_new)
    return len(indices)


def comparison_sheet(
    before: Clip, after: Clip, indices: Sequence[int], start: int, path: Path
) -> None:
    """Writes the frames at `indices` of one clip above the frames they became.

    The other clip begins with frame `start` of the first.
    """
    results = frames_at(after, [index - start for index in indices])
    labels = [f"frame {index}" for index in indices]
    rows = [frames_at(before, indices), results]
    _write_sheet(path, rows, labels=labels, row_labels=["before", "after"])


def frames_at(clip: Clip, indices: Sequence[int]) -> list[Image]:
    """The frames at `indices`, small enough for a sheet."""
    return [frame.image for frame in clip.frames_at(indices, size=_cell_size(clip))]


def _cell_size(clip: Clip) -> tuple[int, int]:
    from fresco_media.writing.contact_sheet import cell_size

    info = clip.info
    return cell_size(info.height / (info.width * info.sample_aspect), _CELL_WIDTH)


def _write_sheet(
    path: Path,
    rows: Sequence[Sequence[Image]],
    *,
    labels: Sequence[str] | None,
    row_labels: Sequence[str],
    is_new: bool = False,
) -> None:
    from fresco_media.stills.images import contact_sheet, write_image

    columns = max(len(row) for row in rows)
    width = min(_LARGEST_SHEET, columns * (_CELL_WIDTH + 8) + 120)
    sheet = contact_sheet(rows, labels=labels, row_labels=row_labels, width=width)
    write_image(path, sheet, is_new=is_new)
