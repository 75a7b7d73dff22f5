"""Figures of results as a table: a row for each figure, a column for each result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fresco_cli.output import aligned

if TYPE_CHECKING:
    from fresco_engine.evaluation.evaluate import Evaluation

_ROWS = {
    "pixel_mse": ("Pixel-MSE", ".6f"),
    "warp_error": ("warp error", ".5f"),
    "sticking": ("sticking", ".3f"),
    "in_place": ("  change in place", ".6f"),
    "along_flow": ("  change along the flow", ".6f"),
    "spatial_consistency": ("Spat-Con", ".5f"),
    "sharpness": ("sharpness, of the source's", ".2f"),
    "sharpness_inside": ("  inside the subject", ".2f"),
    "sharpness_outside": ("  outside the subject", ".2f"),
    "sharpness_to_reference": ("sharpness, of frame by frame's", ".2f"),
    "sharpness_inside_to_reference": ("  inside the subject", ".2f"),
    "sharpness_outside_to_reference": ("  outside the subject", ".2f"),
    "flicker_at_keyframes": ("flicker at keyframes", ".2f"),
    "flicker_at_batches": ("flicker at batches", ".2f"),
    "frame_accuracy": ("Fram-Acc", ".3f"),
    "temporal_consistency": ("Tem-Con", ".4f"),
}
"""What each figure is called, and its digits."""


def table_of(evaluations: Sequence[Evaluation]) -> str:
    """The figures that there are; what one of the results lacks is a gap."""
    rows = [["", *(one.name for one in evaluations)]]
    for figure, (title, digits) in _ROWS.items():
        values: list[float] = [getattr(one, figure) for one in evaluations]
        if not all(map(math.isnan, values)):
            rows.append([title, *(_shown(value, digits) for value in values)])
    return aligned(rows)


def _shown(value: float, digits: str) -> str:
    return "" if math.isnan(value) else format(value, digits)
