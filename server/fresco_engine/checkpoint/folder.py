"""Keeping what a run has finished, so that it can go on after any interruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from fresco_media.colour.scaling import WorkingSize
from fresco_media.files.disk import storing
from fresco_media.files.own import OwnFolder
from fresco_media.stills.png import encode_png
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.checkpoint.reader import (
    ADJUSTMENTS,
    ALL_KINDS,
    BATCHES,
    DELIVERY,
    INVERSIONS,
    PLAN,
    CheckpointReader,
    Kind,
    batch_name,
    inversion_name,
    picture_name,
    size_of,
)
from fresco_engine.checkpoint.values import Adjustments, StoredBatch, StoredPlan, packed_arrays
from fresco_engine.types import FrameQuality


class Checkpoint(Protocol):
    """What a run has finished. Pictures are at the padded working size.

    Used by several threads at a time, but never for the same picture.
    """

    @property
    def folder(self) -> Path | None:
        """Where it is; None for one that keeps nothing."""
        ...

    def plan(self) -> StoredPlan | None:
        """The plan, once the clip has been analysed."""
        ...

    def save_plan(self, plan: StoredPlan) -> None:
        """Keep the plan; where there was none, everything else is left over and is removed."""
        ...

    def batch(self, key: int) -> StoredBatch | None:
        """The record of a batch that is stored under a keyframe, see `StoredBatch.key`."""
        ...

    def save_batch(self, batch: StoredBatch) -> None:
        """Keep the record of a batch."""
        ...

    def inversion(self, key: str) -> Mapping[str, NDArray[np.float32]] | None:
        """The arrays that are kept under a key."""
        ...

    def save_inversion(self, key: str, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep float32 arrays under a key, a hexadecimal number."""
        ...

    def has(self, kind: Kind, index: int) -> bool:
        """Whether a picture is stored; whether it is whole shows when it is read."""
        ...

    def load(self, kind: Kind, index: int) -> Image | None:
        """A stored picture."""
        ...

    def save(
        self, kind: Kind, index: int, image: Image, quality: FrameQuality | None = None
    ) -> None:
        """Keep a picture, and how good it is."""
        ...

    def quality(self, index: int) -> FrameQuality | None:
        """How good the stored frame `index` is, where that is known."""
        ...

    def save_keyframe_as_frame(self, index: int, image: Image) -> None:
        """Keep the stored keyframe `index`, whose picture is `image`, as a frame of the result."""
        ...

    def adjustments(self) -> Adjustments:
        """What had to be lowered to fit into the device's memory."""
        ...

    def save_adjustments(self, adjustments: Adjustments) -> None:
        """Remember what had to be lowered."""
        ...

    def delivery(self) -> Mapping[str, Any] | None:
        """The output that was about to get its name."""
        ...

    def save_delivery(self, delivery: Mapping[str, Any]) -> None:
        """Remember an output that is about to get its name."""
        ...

    def clear(self) -> None:
        """Forget plan, batches and pictures; adjustments stay."""
        ...


class NoCheckpoint:
    """Keeps nothing: a run that is interrupted begins anew."""

    folder: Path | None = None

    def plan(self) -> None:
        """None is kept."""

    def save_plan(self, plan: StoredPlan) -> None:
        """Nothing is kept."""

    def batch(self, key: int) -> None:
        """None is kept."""

    def save_batch(self, batch: StoredBatch) -> None:
        """Nothing is kept."""

    def inversion(self, key: str) -> None:
        """None is kept."""

    def save_inversion(self, key: str, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Nothing is kept."""

    def has(self, kind: Kind, index: int) -> bool:
        """None is kept."""
        return False

    def load(self, kind: Kind, index: int) -> None:
        """None is kept."""

    def save(
        self, kind: Kind, index: int, image: Image, quality: FrameQuality | None = None
    ) -> None:
        """Nothing is kept."""

    def quality(self, index: int) -> None:
        """None is kept."""

    def save_keyframe_as_frame(self, index: int, image: Image) -> None:
        """Nothing is kept."""

    def adjustments(self) -> Adjustments:
        """None are kept."""
        return Adjustments()

    def save_adjustments(self, adjustments: Adjustments) -> None:
        """Nothing is kept."""

    def delivery(self) -> None:
        """None is kept."""

    def save_delivery(self, delivery: Mapping[str, Any]) -> None:
        """Nothing is kept."""

    def clear(self) -> None:
        """There is nothing to forget."""


def write_file(own: OwnFolder, name: str, data: bytes) -> None:
    """Put a file of a checkpoint in its place, whole or not at all.

    Raises:
        DiskFull, OutputNotWritable: it cannot be stored.
    """
    with storing(own.path / name):
        own.write(name, data)


class FolderCheckpoint(CheckpointReader):
    """A checkpoint in a folder of its own, for one run at a time.

    Every file is written under a temporary name and renamed, so that a process killed at any
    moment leaves it whole or not at all; opening the folder removes such leftovers. Whatever
    cannot be stored raises `DiskFull` or `OutputNotWritable`. Inversions are shared with the
    checkpoints `beside` it, by hard links where the disk can.
    """

    def __init__(
        self, folder: Path | str, beside: Callable[[], Iterable[Path]] = lambda: ()
    ) -> None:
        folder = Path(folder)
        super().__init__(folder)
        self._beside = beside
        self._size: WorkingSize | None = None
        with storing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.own.taken()
            for name in ("", BATCHES, INVERSIONS, *ALL_KINDS):
                if name:
                    self.own.make(name)
                for leftover in self.own.names(name):
                    if leftover.startswith(".") and leftover.endswith(".partial"):
                        with suppress(IsADirectoryError, PermissionError):
                            self.own.remove(f"{name}/{leftover}" if name else leftover)

    def plan(self) -> StoredPlan | None:
        """The plan, once the clip has been analysed."""
        plan = super().plan()
        if plan is not None:
            self._size = plan.size
        return plan

    def save_plan(self, plan: StoredPlan) -> None:
        """Keep the plan; where there was none, everything else is left over and is removed."""
        if self.plan() is None:
            self.clear()
        self._write_json(PLAN, plan.as_dict())
        self._size = plan.size

    def load(self, kind: Kind, index: int) -> Image | None:
        """A stored picture as it is; one of another size than the plan's is none of this run."""
        image = super().load(kind, index)
        if image is None or self._size is None:
            return image
        return image if image.shape[1::-1] == size_of(kind, self._size) else None

    def save_batch(self, batch: StoredBatch) -> None:
        """Keep the record of a batch."""
        self._write(batch_name(batch.key), batch.packed())

    def inversion(self, key: str) -> dict[str, NDArray[np.float32]] | None:
        """The arrays that are kept under a key, here or beside this checkpoint."""
        name = inversion_name(key)
        for other in () if self.own.has(name) else self._beside():
            # Most have none of this key, and a folder may be gone by now.
            with suppress(OSError):
                self.own.take_over(name, OwnFolder(other), name)
                break
        return super().inversion(key)

    def save_inversion(self, key: str, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep float32 arrays under a key, a hexadecimal number."""
        self._write(inversion_name(key), packed_arrays(arrays))

    def save(
        self, kind: Kind, index: int, image: Image, quality: FrameQuality | None = None
    ) -> None:
        """Keep a picture without loss, with its quality in the same file."""
        note = "" if quality is None else json.dumps(asdict(quality))
        self._write(picture_name(kind, index), encode_png(image, note))

    def save_keyframe_as_frame(self, index: int, image: Image) -> None:
        """Keep the stored keyframe `index`, whose picture is `image`, as a frame of the result."""
        names = picture_name("frames", index), picture_name("keyframes", index)
        if not self.own.share(names[0], self.own, names[1]):
            self.save("frames", index, image)

    def save_adjustments(self, adjustments: Adjustments) -> None:
        """Remember what had to be lowered."""
        self._write_json(ADJUSTMENTS, asdict(adjustments))

    def delivery(self) -> Mapping[str, Any] | None:
        """The output that was about to get its name."""
        return self._json(DELIVERY)

    def save_delivery(self, delivery: Mapping[str, Any]) -> None:
        """Remember an output that is about to get its name."""
        self._write_json(DELIVERY, delivery)

    def clear(self) -> None:
        """Forget plan, batches and pictures; adjustments stay."""
        with storing(self.folder):
            # Without a plan the rest counts for nothing, so that no moment is a bad one to die.
            self.own.remove(PLAN)
            for folder in (BATCHES, INVERSIONS, *ALL_KINDS):
                for name in self.own.names(folder):
                    self.own.remove(f"{folder}/{name}")
        self._size = None

    def _write_json(self, name: str, values: Mapping[str, Any]) -> None:
        text = json.dumps(values, indent=1, ensure_ascii=False)
        # Names that are not UTF-8 become JSON's own escapes by this.
        self._write(name, text.encode("utf-8", "backslashreplace"))

    def _write(self, name: str, data: bytes) -> None:
        write_file(self.own, name, data)
