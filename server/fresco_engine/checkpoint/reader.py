"""Reading what a run has finished, also while it goes on in another process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from fresco_media.colour.scaling import WorkingSize, resize, unfit
from fresco_media.files.own import OwnFolder, parsed
from fresco_media.stills.png import decode_png, png_note
from fresco_media.types import Image, Matte
from numpy.typing import NDArray

from fresco_engine.checkpoint.values import Adjustments, StoredBatch, StoredPlan, unpacked_arrays
from fresco_engine.errors import CheckpointError
from fresco_engine.types import FrameQuality

Kind = Literal["keyframes", "frames", "regions", "composites", "mattes"]
KINDS: tuple[Kind, ...] = ("keyframes", "frames")
"""Pictures that are made of the clip's; the others follow from them, or are the clip's own."""
ALL_KINDS: tuple[Kind, ...] = (*KINDS, "regions", "composites", "mattes")

PLAN = "plan.json"
ADJUSTMENTS = "adjustments.json"
DELIVERY = "delivery.json"
BATCHES = "batches"
INVERSIONS = "inversions"
MOST_BYTES = {PLAN: 64 << 20, ADJUSTMENTS: 4096, DELIVERY: 64 << 10}
"""What each may have; a plan has numbers for every keyframe and texts of the settings."""
_PICTURE_BYTES = 1 << 30
_BATCH_BYTES = 2 << 30
_NUMBER = re.compile(r"[0-9]{6,10}")


class CheckpointReader:
    """A checkpoint's folder, only read: nothing is made, changed or tidied up.

    What is damaged, or no file of its own (a link, a pipe), counts as absent. The folder holds

        plan.json                     the plan, and the facts of the clip it was made for
        adjustments.json              what had to be lowered to fit into the device's memory
        delivery.json                 the output, just before it gets its name
        batches/000123.safetensors    a translated batch, named by its first new keyframe, or of
                                      one that others begin with a record for each new keyframe
        inversions/0a1b….safetensors  what leads back to the input of a batch that is edited, named
                                      by all that it depends on
        keyframes/000123.png          translated keyframes at the padded working size
        frames/000123.png             frames of the result, those of keyframes among them;
                                      in the comment of an interpolated one is its quality
        regions/000123.png            white where a keyframe may be changed
        composites/000123.png         frames of the result at the clip's size, where only a region
                                      of it was changed
        mattes/000123.png             how opaque frames of the clip are, grey and at its size; none
                                      of frames that are opaque everywhere
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = OwnFolder(folder)

    def plan(self) -> StoredPlan | None:
        """The plan, once the clip has been analysed."""
        try:
            return self.sound_plan()
        except CheckpointError:
            return None

    def sound_plan(self) -> StoredPlan:
        """The plan.

        Raises:
            CheckpointError: there is none yet, or what is in its place cannot be one.
        """
        try:
            return StoredPlan.from_dict(self.own.read_json(PLAN, MOST_BYTES[PLAN]))
        except FileNotFoundError as error:
            raise CheckpointError(
                self.folder, "nothing was planned here yet, so nothing can be made again"
            ) from error
        except OSError as error:
            raise CheckpointError(
                self.folder / PLAN, f"the plan cannot be used: {error.strerror}"
            ) from error
        except ValueError as error:
            raise CheckpointError(
                self.folder / PLAN, f"the plan cannot be used: {error}"
            ) from error

    def has(self, kind: Kind, index: int) -> bool:
        """Whether a picture is stored; whether it is whole shows when it is read."""
        return self.own.has(picture_name(kind, index))

    def indices(self, kind: Kind) -> tuple[int, ...]:
        """Source frame numbers of the stored pictures in ascending order."""
        return tuple(index for index in self._numbers(kind, ".png"))

    def batch_indices(self) -> tuple[int, ...]:
        """What the stored batches' records are named by, in ascending order."""
        return self._numbers(BATCHES, ".safetensors")

    def batch(self, key: int) -> StoredBatch | None:
        """The record of a batch that is stored under a keyframe, see `StoredBatch.key`."""
        data = self._bytes(batch_name(key), _BATCH_BYTES)
        return None if data is None else StoredBatch.unpacked(data)

    def batches(self) -> Iterator[StoredBatch]:
        """All records of stored batches in order."""
        for key in self.batch_indices():
            batch = self.batch(key)
            if batch is not None:
                yield batch

    def inversion(self, key: str) -> dict[str, NDArray[np.float32]] | None:
        """The float32 arrays that are kept under a key, which is a hexadecimal number."""
        data = self._bytes(inversion_name(key), _BATCH_BYTES)
        return None if data is None else unpacked_arrays(data)

    def adjustments(self) -> Adjustments:
        """What had to be lowered to fit into the device's memory."""
        return Adjustments.from_dict(self._json(ADJUSTMENTS) or {})

    def content(self, name: str) -> bytes | None:
        """What is in a file of that name within the folder."""
        return self._bytes(name, MOST_BYTES.get(name, _BATCH_BYTES))

    def file(self, kind: Kind, index: int) -> bytes | None:
        """A stored picture's file, whatever is in it."""
        return self._bytes(picture_name(kind, index), _PICTURE_BYTES)

    def load(self, kind: Kind, index: int) -> Image | None:
        """A stored picture as it is: at the padded working size."""
        data = self.file(kind, index)
        return None if data is None else decode_png(data)

    def quality(self, index: int) -> FrameQuality | None:
        """How good the stored frame `index` is, where that is known."""
        data = self.file("frames", index)
        if data is None:
            return None
        try:
            values = parsed(png_note(data).encode(), self.picture_path("frames", index))
            quality = FrameQuality(**values)
        except (OSError, TypeError):
            return None
        return quality if _has_numbers(quality) else None

    def picture(self, kind: Kind, index: int) -> Image | None:
        """A stored picture at source size, exactly as its event carried it."""
        plan, stored = self.plan(), self.load(kind, index)
        if plan is None or stored is None or not _fits(stored, plan):
            return None
        composite = self._composite(plan, index)
        return unfit(stored, plan.size) if composite is None else composite

    def picture_at(self, kind: Kind, index: int, size: tuple[int, int]) -> Image | None:
        """A stored picture without its padding at `size` (width, height)."""
        plan, stored = self.plan(), self.load(kind, index)
        if plan is None or stored is None or not _fits(stored, plan):
            return None
        composite = self._composite(plan, index)
        if composite is not None:
            return resize(composite, size)
        width, height = plan.size.scaled
        return resize(np.ascontiguousarray(stored[:height, :width]), size)

    def matte(self, index: int) -> Matte | None:
        """How opaque the clip's frame is, at source size; None if it is so everywhere."""
        plan, stored = self.plan(), self.load("mattes", index)
        if plan is None or stored is None or stored.shape[1::-1] != plan.size.source:
            return None
        return np.ascontiguousarray(stored[..., 0])

    def _composite(self, plan: StoredPlan, index: int) -> Image | None:
        """A frame as it comes out, where that is not just another size of what is stored."""
        stored = self.load("composites", index) if plan.settings.region != "all" else None
        is_whole = stored is not None and stored.shape[1::-1] == plan.size.source
        return stored if is_whole else None

    def picture_path(self, kind: Kind, index: int) -> Path:
        """Where a picture is stored."""
        return self.folder / picture_name(kind, index)

    def _numbers(self, folder: str, suffix: str) -> tuple[int, ...]:
        try:
            names = self.own.names(folder)
        except OSError:
            return ()
        stems = (name.removesuffix(suffix) for name in names if name.endswith(suffix))
        return tuple(sorted(int(stem) for stem in stems if _NUMBER.fullmatch(stem)))

    def _json(self, name: str) -> dict[str, Any] | None:
        try:
            return self.own.read_json(name, MOST_BYTES[name])
        except OSError:
            return None

    def _bytes(self, name: str, most_bytes: int) -> bytes | None:
        try:
            return self.own.read(name, most_bytes)
        except OSError:
            return None


def picture_name(kind: Kind, index: int) -> str:
    """The name of a picture's file in its checkpoint's folder."""
    return f"{kind}/{index:06d}.png"


def size_of(kind: Kind, size: WorkingSize) -> tuple[int, int]:
    """Width and height of pictures of a kind in a run of this size."""
    return size.source if kind in ("composites", "mattes") else size.padded


def batch_name(key: int) -> str:
    """The name of the file with the record of a batch in its checkpoint's folder."""
    return f"{BATCHES}/{key:06d}.safetensors"


def inversion_name(key: str) -> str:
    """The name of an inversion's file in its checkpoint's folder."""
    return f"{INVERSIONS}/{key}.safetensors"


def _has_numbers(quality: FrameQuality) -> bool:
    values = (getattr(quality, field.name) for field in fields(quality))
    return all(value is None or isinstance(value, int | float) for value in values)


def _fits(stored: Image, plan: StoredPlan) -> bool:
    """A run that begins anew at another size may be about to remove the picture."""
    return stored.shape[1::-1] == plan.size.padded
