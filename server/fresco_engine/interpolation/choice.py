"""The interpolators by name, with the flow each of them goes best with."""

from __future__ import annotations

import os
from collections.abc import Callable

from fresco_engine.correspondence.flow import DisFlow, FlowEstimator, FlowPreset
from fresco_engine.interpolation.patch import PatchInterpolator
from fresco_engine.interpolation.propagate import FlowInterpolator
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.settings import InterpolationKind

_MOST_AT_ONCE = 4
"""Segments worked on at once, whose flows are all in memory."""


def shared_cores(device: str = "cpu") -> tuple[int, int]:
    """How many segments to work on at once, and with how many cores each.

    Half of a segment's work goes one frame after the other, so that more segments use many cores
    better than more cores for each. A GPU is kept busy by one.
    """
    cores = os.cpu_count() or 1
    at_once = 1 if device.startswith("cuda") else max(1, min(_MOST_AT_ONCE, cores // 2))
    return at_once, cores // at_once


def make_interpolator(
    kind: InterpolationKind,
    *,
    device: str = "cpu",
    workers: int | None = None,
    make_flow: Callable[[FlowPreset], FlowEstimator] = DisFlow,
) -> Interpolator:
    """The interpolator called `kind`: "patch" searches patches, "flow" is the quickest.

    `device` is where patches are searched and gradients fused; flow is always found on the
    processor, by what `make_flow` makes of a preset. `workers` is how many of its cores to use, by
    default all.
    """
    refining, steps = make_flow("quick"), make_flow("fast")
    if kind == "flow":
        return FlowInterpolator(refining, steps=steps, workers=workers)
    if not device.startswith("cuda"):
        return PatchInterpolator(refining, steps=steps, workers=workers)
    # Only here: elsewhere there is no need to load torch.
    from fresco_engine.interpolation.fusion_torch import TorchFusion
    from fresco_engine.interpolation.patches_torch import TorchPatches

    return PatchInterpolator(
        refining,
        steps=steps,
        patches=TorchPatches(device),
        fuse=TorchFusion(device),
        workers=workers,
    )
