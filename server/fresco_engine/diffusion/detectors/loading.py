"""The detector of a control, from a folder, the hub's cache or the hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from fresco_settings import Remedy, said

from fresco_engine.diffusion.detectors.detector import Detector
from fresco_engine.diffusion.detectors.places import (
    WHOLE,
    DetectorPart,
    DetectorPlaces,
    find_part,
    how_to_get,
    not_here,
)
from fresco_engine.errors import ControlUnavailable, ModelError, ModelNotFound
from fresco_engine.settings import ControlKind

PARTS: Mapping[ControlKind, tuple[DetectorPart, ...]] = {
    "hed": (
        DetectorPart(hub_id="lllyasviel/Annotators", files=("ControlNetHED.pth",), megabytes=29),
    ),
    "depth": (
        DetectorPart(hub_id="depth-anything/Depth-Anything-V2-Small-hf", files=WHOLE, megabytes=99),
    ),
    "openpose": (
        DetectorPart(
            hub_id="PekingU/rtdetr_r18vd_coco_o365", files=WHOLE, megabytes=81, name="person"
        ),
        DetectorPart(
            hub_id="usyd-community/vitpose-base-simple", files=WHOLE, megabytes=344, name="joints"
        ),
    ),
    "lineart": (
        DetectorPart(hub_id="lllyasviel/Annotators", files=("sk_model.pth",), megabytes=17),
    ),
}


def load_detector(
    kind: ControlKind, places: DetectorPlaces, device: torch.device
) -> Detector | None:
    """What finds the structure of `kind`; None for kinds that need no network.

    Raises:
        ControlUnavailable: its files are nowhere, with where to get them and where to put them.
        ModelCorrupt, WrongModelKind: they are damaged or those of another network.
        DiskFull: the hub's cache has no room for them.
    """
    if kind not in PARTS:
        return None
    try:
        return _loaded(kind, [_find(kind, part, places) for part in PARTS[kind]], device)
    except ModelError as error:
        error.field = "control"
        raise


def _loaded(kind: ControlKind, places: Sequence[Path], device: torch.device) -> Detector:
    first, get = places[0], how_to_get(kind, PARTS[kind])
    # Each loads its own part of the library, which takes seconds that the others do not need.
    if kind == "hed":
        from fresco_engine.diffusion.detectors.soft_edges import SoftEdgeDetector

        return SoftEdgeDetector.load(first, get, device)
    if kind == "lineart":
        from fresco_engine.diffusion.detectors.line_drawing import LineDetector

        return LineDetector.load(first, get, device)
    if kind == "depth":
        from fresco_engine.diffusion.detectors.depth import DepthDetector

        return DepthDetector.load(first, device)
    from fresco_engine.diffusion.detectors.pose import PoseDetector

    return PoseDetector.load(first, places[1], device)


def _find(kind: ControlKind, part: DetectorPart, places: DetectorPlaces) -> Path:
    try:
        return find_part(kind, part, places)
    except ModelNotFound as error:
        raise ControlUnavailable(
            kind, f"{not_here(kind, PARTS[kind])}, or {said(Remedy.NO_CONTROL)}"
        ) from error
