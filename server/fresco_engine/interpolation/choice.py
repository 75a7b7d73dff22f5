"""The interpolators by name, with the flow each of them goes best with."""

from __future__ import annotations

from collections.abc import Callable

from fresco_engine.correspondence.flow import DisFlow, FlowEstimator, FlowPreset
from fresco_engine.interpolation.patch import PatchInterpolator
from fresco_engine.interpolation.propagate import FlowInterpolator
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.settings import InterpolationKind


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
