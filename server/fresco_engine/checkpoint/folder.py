"""Keeping what a run has finished, so that it can go on after any interruption."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from fresco_media.disk import partial_name, storing, write_whole
from fresco_media.png import encode_png
from fresco_media.types import Image
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fresco_engine.checkpoint.reader import (
    ADJUSTMENTS,
    BATCHES,
    DELIVERY,
    KINDS,
    PLAN,
    CheckpointReader,
    Kind,
)
from fresco_engine.checkpoint.values import Adjustments, StoredBatch, StoredPlan
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

    def batch(self, first: int) -> StoredBatch | None:
        """The batch whose first new keyframe is `first`."""
        ...

    def save_batch(self, batch: StoredBatch) -> None:
        """Keep a batch whose keyframes are stored."""
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

    def batch(self, first: int) -> None:
        """None is kept."""

    def save_batch(self, batch: StoredBatch) -> None:
        """Nothing is kept."""

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


class FolderCheckpoint(CheckpointReader):
    """A checkpoint in a folder of its own, for one run at a time.

    Every file is written under a temporary name and renamed, so that a process killed at any
    moment leaves it whole or not at all; opening the folder removes such leftovers. Whatever
    cannot be stored raises `DiskFull` or `OutputNotWritable`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with storing(folder):
            for place in (folder, *(folder / name for name in (BATCHES, *KINDS))):
                place.mkdir(parents=True, exist_ok=True)
                for leftover in place.glob(".*.partial"):
                    if leftover.is_file():
                        leftover.unlink(missing_ok=True)

    def save_plan(self, plan: StoredPlan) -> None:
        """Keep the plan; where there was none, everything else is left over and is removed."""
        if self.plan() is None:
            self.clear()
        self._write_json(PLAN, plan.as_dict())

    def batch(self, first: int) -> StoredBatch | None:
        """The batch whose first new keyframe is `first`."""
        data = self._bytes(self.batch_path(first))
        return None if data is None else _batch_from(data)

    def batches(self) -> Iterator[StoredBatch]:
        """All stored batches in order."""
        for path in sorted((self.folder / BATCHES).glob("*.safetensors")):
            batch = self.batch(int(path.stem))
            if batch is not None:
                yield batch

    def save_batch(self, batch: StoredBatch) -> None:
        """Keep a batch whose keyframes are stored."""
        write_whole(self.batch_path(batch.new[0]), _batch_data(batch))

    def save(
        self, kind: Kind, index: int, image: Image, quality: FrameQuality | None = None
    ) -> None:
        """Keep a picture without loss, with its quality in the same file."""
        note = "" if quality is None else json.dumps(asdict(quality))
        write_whole(self.picture_path(kind, index), encode_png(image, note))

    def save_keyframe_as_frame(self, index: int, image: Image) -> None:
        """Keep the stored keyframe `index`, whose picture is `image`, as a frame of the result."""
        path = self.picture_path("frames", index)
        if not linked(self.picture_path("keyframes", index), path):
            self.save("frames", index, image)

    def adjustments(self) -> Adjustments:
        """What had to be lowered to fit into the device's memory."""
        try:
            return Adjustments(**(self._json(ADJUSTMENTS) or {}))
        except TypeError:
            return Adjustments()

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
            (self.folder / PLAN).unlink(missing_ok=True)
            for place in (self.folder / name for name in (BATCHES, *KINDS)):
                for file in place.iterdir():
                    file.unlink(missing_ok=True)

    def _write_json(self, name: str, values: Mapping[str, Any]) -> None:
        text = json.dumps(values, indent=1, ensure_ascii=False)
        # Names that are not UTF-8 become JSON's own escapes by this.
        write_whole(self.folder / name, text.encode("utf-8", "backslashreplace"))


def linked(source: Path, target: Path) -> bool:
    """Whether `target` now is the file `source` under a second name; not all disks can do that."""
    temporary = partial_name(target)
    try:
        os.link(source, temporary)
        temporary.replace(target)
    except OSError:
        return False
    finally:
        with suppress(OSError):  # Renaming one name of a file to another leaves both.
            temporary.unlink(missing_ok=True)
    return True


def copy_or_link(source: Path, target: Path) -> None:
    """`target` becomes the file `source`, or a copy of it where disks cannot link."""
    if not linked(source, target):
        with storing(target):
            shutil.copyfile(source, target)


def _batch_data(batch: StoredBatch) -> bytes:
    arrays = {
        "anchors": np.asarray(batch.anchors, np.int64),
        "new": np.asarray(batch.new, np.int64),
        "first": np.ascontiguousarray(batch.first),
        "last": np.ascontiguousarray(batch.last),
    }
    return save({**arrays, "check": _check_sum(arrays)})


def _batch_from(data: bytes) -> StoredBatch | None:
    try:
        arrays = load(data)
        if not np.array_equal(arrays.pop("check"), _check_sum(arrays)):
            return None
        return StoredBatch(
            anchors=tuple(int(index) for index in arrays["anchors"]),
            new=tuple(int(index) for index in arrays["new"]),
            first=arrays["first"],
            last=arrays["last"],
        )
    except (SafetensorError, KeyError, ValueError):
        return None


def _check_sum(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    total = 0
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return np.asarray([total], np.int64)
