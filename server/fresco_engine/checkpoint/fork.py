"""A second checkpoint without some keyframes and what depends on them, for another try at these."""

from __future__ import annotations

import shutil
from bisect import bisect_left
from collections.abc import Collection, Iterator
from pathlib import Path

from fresco_engine.checkpoint.folder import FolderCheckpoint, copy_or_link
from fresco_engine.checkpoint.reader import ADJUSTMENTS, BATCHES, KINDS, PLAN, CheckpointReader
from fresco_engine.checkpoint.values import StoredPlan
from fresco_engine.errors import CheckpointError, InvalidSettings
from fresco_engine.media.disk import partial_name, storing


def fork(source: Path, target: Path, keyframes: Collection[int]) -> None:
    """Make `target` a checkpoint with all that `source` has, but for what is to be made again.

    That is these keyframes and the frames between each and its neighbours. Files are shared by
    hard links where the disk can; neither side ever changes a file in place. `target` is there
    whole or not at all.

    Raises:
        CheckpointError: `source` has no plan yet, or `target` exists.
        InvalidSettings: one of `keyframes` is not a keyframe.
        DiskFull, OutputNotWritable: it cannot be stored.
    """
    plan = CheckpointReader(source).plan()
    if plan is None:
        raise CheckpointError(source, "nothing was planned here yet, so nothing can be made again")
    dropped = dependent_frames(plan, keyframes)
    if target.exists():
        raise CheckpointError(target, "it exists already; choose another folder")
    temporary = partial_name(target)
    with storing(target):
        if temporary.exists():
            shutil.rmtree(temporary)
        FolderCheckpoint(temporary)
        for name in _kept_files(source, set(keyframes), dropped):
            copy_or_link(source / name, temporary / name)
        temporary.rename(target)


def dependent_frames(plan: StoredPlan, keyframes: Collection[int]) -> set[int]:
    """The frames of the result that these keyframes have a part in.

    Raises:
        InvalidSettings: one of `keyframes` is not a keyframe.
    """
    dropped: set[int] = set()
    for key in keyframes:
        _check_keyframe(plan, key)
        first, stop = next((a, b) for a, b in plan.shots if a <= key < b)
        inside = [other for other in plan.keyframes if first <= other < stop]
        before = max((other for other in inside if other < key), default=key - 1)
        after = min((other for other in inside if other > key), default=key + 1)
        dropped.update(range(before + 1, after))
    return dropped


def _check_keyframe(plan: StoredPlan, key: int) -> None:
    if key in plan.keyframes:
        return
    place = bisect_left(plan.keyframes, key)
    near = plan.keyframes[max(0, place - 2) : place + 2]
    shown = ", ".join(str(index) for index in near)
    raise InvalidSettings(
        "keyframes", f"frame {key} is not a keyframe of this job; the ones near it are {shown}"
    )


def _kept_files(source: Path, keyframes: set[int], dropped: set[int]) -> Iterator[Path]:
    reader = CheckpointReader(source)
    yield from (Path(name) for name in (PLAN, ADJUSTMENTS) if (source / name).exists())
    for path in sorted((source / BATCHES).glob("*.safetensors")):
        yield path.relative_to(source)
    for kind, without in zip(KINDS, (keyframes, dropped), strict=True):
        for index in reader.indices(kind):
            if index not in without:
                yield reader.picture_path(kind, index).relative_to(source)
