"""Where the files of a detector lie: in a folder beside a model, in the hub's cache, on the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fresco_engine.diffusion.sources import hub_file

DETECTORS_FOLDER = "detectors"
"""Beside a model or a ControlNet: one subfolder for each thing that is to be found."""
WHOLE = ("config.json", "model.safetensors")
"""A network of a library's class."""


@dataclass(frozen=True)
class DetectorPlaces:
    """Folders of a model and of what is named beside it; the hub is not asked when `offline`."""

    folders: tuple[Path, ...] = ()
    offline: bool = False


NO_PLACES = DetectorPlaces()
"""Nothing but the hub's cache and the hub."""


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


def find_part(found: str, part: DetectorPart, places: DetectorPlaces) -> Path:
    """The file of a network that is one, or the folder with its configuration and weights.

    `found` is the subfolder called after what the detector finds.

    Raises:
        ModelNotFound: it is nowhere.
        DiskFull: the hub's cache has no room for it.
    """
    for folder in places.folders:
        place = folder / DETECTORS_FOLDER / found / part.name
        if all((place / name).is_file() for name in part.files):
            return _place(place, part)
    *_, file = (hub_file(part.hub_id, name, offline=places.offline) for name in part.files)
    return _place(file.parent, part)


def not_here(found: str, parts: Sequence[DetectorPart]) -> str:
    """That a detector is missing: its size, how to get it, and where to put it."""
    size = sum(part.megabytes for part in parts)
    return (
        f"it takes a network that finds it ({size} MB), which is not on this machine and could not "
        f"be downloaded; {how_to_get(found, parts)}"
    )


def how_to_get(found: str, parts: Sequence[DetectorPart]) -> str:
    """What to run, and where to put what it brings."""
    commands = " and ".join(f"'{part.command}'" for part in parts)
    folders = " and ".join(
        "/".join(filter(None, (DETECTORS_FOLDER, found, part.name))) for part in parts
    )
    return (
        f"run {commands} here, or on a machine with network access, and put the files into "
        f"{folders} beside the model or the ControlNet"
    )


def _place(folder: Path, part: DetectorPart) -> Path:
    return folder / part.files[0] if len(part.files) == 1 else folder
