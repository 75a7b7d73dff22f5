"""Means that leave gaps out."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np


def mean_of(values: Iterable[float]) -> float:
    """The mean without the gaps (`nan`), `nan` where nothing is left."""
    kept = [value for value in values if not math.isnan(value)]
    return float(np.mean(kept)) if kept else math.nan


def ratio_of(value: float, other: float) -> float:
    """`value` / `other`, `nan` where nothing can be divided by."""
    return value / other if other else math.nan
