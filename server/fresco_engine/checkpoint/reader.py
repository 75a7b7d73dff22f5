"""Reading what a run has finished, also while it goes on in another process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from fresco_media.png import decode_png, png_note
from fresco_media.scaling import resize, unfit
from fresco_media.types import Image

from fresco_engine.checkpoint.values import StoredPlan
from fresco_engine.types import FrameQuality

Kind = Literal["keyframes", "frames"]
KINDS: tuple[Kind, ...] = ("keyframes", "frames")

PLAN = "plan.json"
ADJUSTMENTS = "adjustments.json"
DELIVERY = "delivery.json"
BATCHES = "batches"


class CheckpointReader:
    """A checkpoint's folder, only read: nothing is made, changed or tidied up.

    Files that are damaged count as absent. The folder holds

        plan.json                     the plan, and the facts of the clip it was made for
        adjustments.json              what had to be lowered to fit into the device's memory
        delivery.json                 the output, just before it gets its name
        batches/000123.safetensors    a translated batch, named by its first new keyframe
        keyframes/000123.png          translated keyframes at the padded working size
        frames/000123.png             frames of the result, those of keyframes among them;
                                      in the comment of an interpolated one is its quality
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plan(self) -> StoredPlan | None:
        """The plan, once the clip has been analysed."""
        values = self._json(PLAN)
        try:
            return None if values is None else StoredPlan.from_dict(values)
        except ValueError:
            return None

    def has(self, kind: Kind, index: int) -> bool:
        """Whether a picture is stored; whether it is whole shows when it is read."""
        return self.picture_path(kind, index).exists()

    def indices(self, kind: Kind) -> tuple[int, ...]:
        """Source frame numbers of the stored pictures in ascending order."""
        names = (path.name for path in (self.folder / kind).glob("*.png"))
        stems = (name.removesuffix(".png") for name in names)
        return tuple(sorted(int(stem) for stem in stems if stem.isdecimal()))

    def load(self, kind: Kind, index: int) -> Image | None:
        """A stored picture as it is: at the padded working size."""
        data = self._bytes(self.picture_path(kind, index))
        return None if data is None else decode_png(data)

    def quality(self, index: int) -> FrameQuality | None:
        """How good the stored frame `index` is, where that is known."""
        data = self._bytes(self.picture_path("frames", index))
        try:
            return None if data is None else FrameQuality(**json.loads(png_note(data)))
        except (ValueError, TypeError):
            return None

    def picture(self, kind: Kind, index: int) -> Image | None:
        """A stored picture at source size, exactly as its event carried it."""
        plan, stored = self.plan(), self.load(kind, index)
        if plan is None or stored is None or not _fits(stored, plan):
            return None
        return unfit(stored, plan.size)

    def picture_at(self, kind: Kind, index: int, size: tuple[int, int]) -> Image | None:
        """A stored picture without its padding at `size` (width, height)."""
        plan, stored = self.plan(), self.load(kind, index)
        if plan is None or stored is None or not _fits(stored, plan):
            return None
        width, height = plan.size.scaled
        return resize(np.ascontiguousarray(stored[:height, :width]), size)

    def picture_path(self, kind: Kind, index: int) -> Path:
        """Where a picture is stored."""
        return self.folder / kind / f"{index:06d}.png"

    def batch_path(self, first: int) -> Path:
        """Where the batch is stored whose first new keyframe is `first`."""
        return self.folder / BATCHES / f"{first:06d}.safetensors"

    def _json(self, name: str) -> dict[str, Any] | None:
        data = self._bytes(self.folder / name)
        try:
            values = None if data is None else json.loads(data)
        except ValueError:
            return None
        return values if isinstance(values, dict) else None

    def _bytes(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except OSError:
            return None


def _fits(stored: Image, plan: StoredPlan) -> bool:
    """A run that begins anew at another size may be about to remove the picture."""
    return stored.shape[1::-1] == plan.size.padded
