"""A second checkpoint without some keyframes and what depends on them, for another try at these."""

from __future__ import annotations

import os
import shutil
from bisect import bisect_left
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fresco_media.colour.scaling import WorkingSize
from fresco_media.files.disk import partial_name, storing
from fresco_media.files.opening import NotAFile
from fresco_media.files.own import OwnFolder
from fresco_media.stills.png import PNG_HEADER_BYTES, png_header_size

from fresco_engine.checkpoint.folder import FolderCheckpoint
from fresco_engine.checkpoint.reader import (
    ADJUSTMENTS,
    ALL_KINDS,
    CheckpointReader,
    batch_name,
    picture_name,
    size_of,
)
from fresco_engine.checkpoint.values import StoredBatch, StoredPlan
from fresco_engine.errors import CheckpointError, InvalidSettings
from fresco_engine.settings import check_gaps


def fork(
    source: Path,
    target: Path,
    changed: Collection[int],
    keyframes: Collection[int] | None = None,
) -> None:
    """Make `target` a checkpoint with all that `source` has, but for what is to be made again.

    That is the `changed` keyframes and the frames between each and its neighbours. `keyframes`
    are those of `target` if they are to be others: one that is new is made, one that is gone
    becomes a frame like the others, and the frames about it are made again. Files are shared by
    hard links where the disk can; neither side ever changes a file in place. Pictures that are
    links, or of another size than the run's, count as not there and are made again. `target` is
    there whole or not at all.

    Raises:
        CheckpointError: `source` has no plan yet, or none that can be used, or `target` exists.
        InvalidSettings: one of `changed` is not a keyframe, or `keyframes` cannot be.
        DiskFull, OutputNotWritable: it cannot be stored.
    """
    before = CheckpointReader(source).sound_plan()
    after = before if keyframes is None else with_keyframes(before, keyframes)
    added = set(after.keyframes) - set(before.keyframes)
    gone = set(before.keyframes) - set(after.keyframes)
    dropped = dependent_frames(before, {*changed, *gone} - added)
    dropped |= dependent_frames(after, {*changed, *added} - gone)
    if os.path.lexists(target):
        raise CheckpointError(target, "it exists already; choose another folder")
    temporary = partial_name(target)
    with storing(target):
        if os.path.lexists(temporary):
            shutil.rmtree(temporary)
        checkpoint, taken = FolderCheckpoint(temporary), CheckpointReader(source)
        checkpoint.save_plan(before)
        if taken.own.has(ADJUSTMENTS):
            checkpoint.save_adjustments(taken.adjustments())
        _take_pictures(taken, checkpoint, before.size, {*changed, *gone}, dropped)
        if after is before:
            _take_batches(taken, checkpoint)
        else:
            _write_batches(taken, checkpoint, after, added, gone)
            checkpoint.save_plan(after)
        temporary.rename(target)


def with_keyframes(plan: StoredPlan, keyframes: Collection[int]) -> StoredPlan:
    """`plan` with other keyframes; where a shot has others, none goes ahead any more.

    Raises:
        InvalidSettings: one lies outside of the plan, the end of a shot is missing, or two lie too
            far apart.
    """
    for index in keyframes:
        if not plan.start <= index < plan.stop:
            raise InvalidSettings(
                "keyframes",
                f"frame {index} is not among those of this job, {plan.start} to {plan.stop - 1}",
            )
    for first, stop in plan.shots:
        for end in {first, stop - 1} - set(keyframes):
            raise InvalidSettings(
                "keyframes",
                f"frame {end} is the end of a shot, which always is a keyframe; keep it",
            )
    chosen = tuple(sorted(set(keyframes)))
    check_gaps(chosen)
    changed = _changed_shots(plan, set(chosen) ^ set(plan.keyframes))
    ahead = (key for key in plan.ahead if not any(a <= key < b for a, b in changed))
    settings = replace(plan.settings, keyframes=chosen)
    return replace(plan, keyframes=chosen, settings=settings, ahead=tuple(ahead))


def _changed_shots(plan: StoredPlan, changed: Collection[int]) -> list[tuple[int, int]]:
    return [(a, b) for a, b in plan.shots if any(a <= key < b for key in changed)]


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


def _take_pictures(
    source: CheckpointReader,
    target: FolderCheckpoint,
    size: WorkingSize,
    keyframes: set[int],
    dropped: set[int],
) -> None:
    """Pictures but for those of `keyframes` and frames `dropped`, if they are of their size."""
    for kind in ALL_KINDS:
        without = keyframes if kind in ("keyframes", "regions") else dropped
        for index in source.indices(kind):
            if kind == "mattes" or index not in without:
                name = picture_name(kind, index)
                _take_picture(source.own, target.own, name, size_of(kind, size))


def _take_picture(source: OwnFolder, target: OwnFolder, name: str, size: tuple[int, int]) -> None:
    try:
        target.take_over(name, source, name)
    except (NotAFile, FileNotFoundError):
        return
    # Looked at where nothing changes it any more.
    with target.open(name) as file:
        is_whole = png_header_size(file.read(PNG_HEADER_BYTES)) == size
    if not is_whole:
        target.remove(name)


def _take_batches(
    source: CheckpointReader, target: FolderCheckpoint, without: Sequence[tuple[int, int]] = ()
) -> None:
    """The batches of all shots but some."""
    for key in source.batch_indices():
        if not any(first <= key < stop for first, stop in without):
            with suppress(NotAFile, FileNotFoundError):
                target.own.take_over(batch_name(key), source.own, batch_name(key))


def _write_batches(
    source: CheckpointReader,
    target: FolderCheckpoint,
    plan: StoredPlan,
    added: Collection[int],
    gone: Collection[int],
) -> None:
    """The batches with other keyframes: new ones join the batch that holds the one before them.

    A batch that lost all of its keyframes is gone itself; then the next one's second anchor is
    the last frame whose latents are still there. Keyframes that went ahead are batches of their
    own from then on, in the order of time.
    """
    changed = _changed_shots(plan, {*added, *gone})
    _take_batches(source, target, without=changed)
    for first, stop in changed:
        latest: int | None = None
        found = (source.batch(key) for key in source.batch_indices() if first <= key < stop)
        inside = [_alone(record) for record in found if record is not None]
        ends = [record.new[0] for record in inside[1:]] + [stop]
        for record, end in zip(inside, ends, strict=False):
            joining = {index for index in added if record.new[0] < index < end}
            new = tuple(sorted({*record.new, *joining} - set(gone)))
            anchors = record.anchors
            if anchors and latest is not None:
                anchors = (anchors[0], latest) if anchors[0] != latest else ()
            if new:
                target.save_batch(replace(record, anchors=anchors, new=new))
                latest = record.new[-1]


def _alone(record: StoredBatch) -> StoredBatch:
    """A record of a keyframe that went ahead as that of a batch of it alone."""
    return record if record.ahead is None else replace(record, new=(record.key,), ahead=None)
