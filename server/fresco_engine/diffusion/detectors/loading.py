"""The detector of a control, from a folder, the hub's cache or the hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from fresco_settings import Remedy, said

from fresco_engine.diffusion.detectors.detector import Detector
from fresco_engine.diffusion.sources import hub_file
from fresco_engine.errors import ControlUnavailable, ModelError, ModelNotFound
from fresco_engine.settings import ControlKind

DETECTORS_FOLDER = "detectors"
"""Beside a model or a ControlNet: one subfolder for each kind of control, of the kind's name."""
_WHOLE = ("config.json", "model.safetensors")


@dataclass(frozen=True, kw_only=True)
class DetectorPart:
    """Files of one network: where the hub has them, and what they weigh.

    `name` is the subfolder in which they are looked for; empty where a detector has one network.
    """

    hub_id: str
    files: tuple[str, ...]
    megabytes: int
    name: str = ""

    @property
    def command(self) -> str:
        """What brings the files into the hub's cache."""
        return f"hf download {self.hub_id} {' '.join(self.files)}"


PARTS: Mapping[ControlKind, tuple[DetectorPart, ...]] = {
    "hed": (
        DetectorPart(hub_id="lllyasviel/Annotators", files=("ControlNetHED.pth",), megabytes=29),
    ),
    "depth": (
        DetectorPart(
            hub_id="depth-anything/Depth-Anything-V2-Small-hf", files=_WHOLE, megabytes=99
        ),
    ),
    "openpose": (
        DetectorPart(
            hub_id="PekingU/rtdetr_r18vd_coco_o365", files=_WHOLE, megabytes=81, name="person"
        ),
        DetectorPart(
            hub_id="usyd-community/vitpose-base-simple", files=_WHOLE, megabytes=344, name="joints"
        ),
    ),
    "lineart": (
        DetectorPart(hub_id="lllyasviel/Annotators", files=("sk_model.pth",), megabytes=17),
    ),
}


def load_detector(
    kind: ControlKind, folders: Sequence[Path], device: torch.device, *, offline: bool
) -> Detector | None:
    """What finds the structure of `kind`; None for kinds that need no network.

    Its files are looked for below `detectors` in each of `folders`, in the hub's cache, on the hub.

    Raises:
        ControlUnavailable: they are nowhere, with where to get them and where to put them.
        ModelCorrupt, WrongModelKind: they are damaged or those of another network.
        DiskFull: the hub's cache has no room for them.
    """
    if kind not in PARTS:
        return None
    try:
        return _loaded(kind, [_find(kind, part, folders, offline) for part in PARTS[kind]], device)
    except ModelError as error:
        error.field = "control"
        raise


def _loaded(kind: ControlKind, places: Sequence[Path], device: torch.device) -> Detector:
    first, get = places[0], _how_to_get(kind)
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


def _find(kind: ControlKind, part: DetectorPart, folders: Sequence[Path], offline: bool) -> Path:
    """The file of a network that is one, or the folder with its configuration and weights."""
    for folder in folders:
        place = folder / DETECTORS_FOLDER / kind / part.name
        if all((place / name).is_file() for name in part.files):
            return _place(place, part)
    try:
        *_, found = (hub_file(part.hub_id, name, offline=offline) for name in part.files)
    except ModelNotFound as error:
        size = sum(one.megabytes for one in PARTS[kind])
        raise ControlUnavailable(
            kind,
            f"it takes a network that finds it ({size} MB), which is not on this machine and could "
            f"not be downloaded; {_how_to_get(kind)}, or {said(Remedy.NO_CONTROL)}",
        ) from error
    return _place(found.parent, part)


def _place(folder: Path, part: DetectorPart) -> Path:
    return folder / part.files[0] if len(part.files) == 1 else folder


def _how_to_get(kind: ControlKind) -> str:
    commands = " and ".join(f"'{part.command}'" for part in PARTS[kind])
    folders = " and ".join(
        "/".join(filter(None, (DETECTORS_FOLDER, kind, part.name))) for part in PARTS[kind]
    )
    return (
        f"run {commands} here, or on a machine with network access, and put the files into "
        f"{folders} beside the model or the ControlNet"
    )
