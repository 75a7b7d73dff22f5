"""Making some keyframes of a finished job anew: what a second job takes over from the first."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fresco_client.settings import KeyframeChange
from fresco_engine.checkpoint import fork
from fresco_engine.errors import CheckpointError
from fresco_engine.settings import settings_from_dict
from fresco_media.files.disk import storing
from fresco_media.files.opening import copy_file

from fresco_server.errors import BadRequest, NotPossible, UploadNotFound
from fresco_server.jobs.job import JobOrder, StoredJob, Values
from fresco_server.jobs.relocation import PAINTED
from fresco_server.jobs.rows import text_of
from fresco_server.jobs.uploads import Uploads

_MOST_TEXT = 1 << 20
"""Characters of all that is chosen for a job, which clients have to be told."""


def check_changes(changes: Sequence[KeyframeChange]) -> None:
    """Raises: BadRequest when there are none, or two for one keyframe."""
    indices = [change.index for change in changes]
    if not indices:
        raise BadRequest("changes", "name at least one keyframe that is to be made anew")
    if len(set(indices)) < len(indices):
        raise BadRequest("changes", "a keyframe is named twice; name each once")


def check_uploads(order: JobOrder, uploads: Uploads) -> None:
    """Look whether what was sent for a job is there still, as it may have made room.

    What lies elsewhere is looked at when the work begins.

    Raises:
        UploadNotFound: the clip, the mask or the reference picture is gone.
    """
    for field, digest in order.uploads.items():
        try:
            uploads.path_of(digest)
        except UploadNotFound as error:
            error.field = field
            raise


def unpainted(order: JobOrder) -> JobOrder:
    """`order` without what is known of painted pictures, of which a new job has its own copies."""
    states = (one for one in order.file_states if one.field != "keyframe_pictures")
    return replace(order, file_states=tuple(states))


def changed_order(
    parent: StoredJob, changes: Sequence[KeyframeChange], folder: Path, request: Values
) -> JobOrder:
    """The order of a job in `folder` in which some keyframes are others.

    Raises:
        BadRequest: with what the parent has they are too much text.
    """
    settings = settings_from_dict(parent.order.settings)
    prompts, seeds = dict(settings.keyframe_prompts), dict(settings.keyframe_seeds)
    for change in changes:
        if change.kind in ("remove", "replace"):
            prompts.pop(change.index, None)
            seeds.pop(change.index, None)
            continue
        if change.prompt is not None:
            prompts[change.index] = change.prompt
        drawn = settings.seed + 1 + secrets.randbelow(2**31)
        seeds[change.index] = drawn % 2**63 if change.seed is None else change.seed
    changed = replace(
        settings,
        keyframe_prompts=prompts,
        keyframe_seeds=seeds,
        keyframe_pictures={
            index: str(_copy_of(picture, index, folder))
            for index, picture in _new_pictures(parent, changes).items()
        },
        keyframes=new_keyframes(parent, changes) or settings.keyframes,
    )
    values = changed.as_dict()
    if len(text_of(values)) > _MOST_TEXT:
        raise BadRequest(
            "changes",
            f"with the prompts that the job has already they are more than {_MOST_TEXT >> 10} KiB "
            "of text; give shorter ones",
        )
    return replace(
        unpainted(parent.order),
        settings=values,
        parent_id=parent.id,
        request=request,
    )


def new_keyframes(parent: StoredJob, changes: Sequence[KeyframeChange]) -> tuple[int, ...] | None:
    """The keyframes of the new job, or None if they are those of `parent`."""
    assert parent.plan is not None
    before = set(parent.plan.keyframes)
    gone = {change.index for change in changes if change.kind == "remove"}
    after = before.union(change.index for change in changes) - gone
    return None if after == before else tuple(sorted(after))


def take_over(
    parent: StoredJob, source: Path, target: Path, changes: Sequence[KeyframeChange]
) -> None:
    """Fill the folder `target` of a new job with what it keeps of `parent`, which is in `source`.

    Painted pictures are copied, so that the new job does not depend on where they came from.

    Raises:
        InvalidSettings: a change is for a frame that is no keyframe.
        NotPossible: what the job has made is gone.
        DiskFull, OutputNotWritable: the pictures or the rest cannot be stored.
    """
    changed = [change.index for change in changes if change.kind != "remove"]
    try:
        fork(source, target, changed, new_keyframes(parent, changes))
    except CheckpointError as error:
        raise NotPossible(
            f"job {parent.id!r} has lost what it has made ({error}); make it again"
        ) from error
    for index, picture in _new_pictures(parent, changes).items():
        # One of the parent's that is gone is no longer needed: its keyframe has been made.
        if Path(picture).exists():
            copy = _copy_of(picture, index, target)
            with storing(copy):
                copy.parent.mkdir(exist_ok=True)
                copy_file(picture, copy)


def _new_pictures(parent: StoredJob, changes: Sequence[KeyframeChange]) -> dict[int, str]:
    """The painted pictures of the new job by frame, where they are now."""
    pictures = dict(settings_from_dict(parent.order.settings).keyframe_pictures)
    for change in changes:
        pictures.pop(change.index, None)
        if change.kind == "replace":
            pictures[change.index] = change.picture_path
    return pictures


def _copy_of(picture: str, index: int, folder: Path) -> Path:
    """Where a job in `folder` has its own copy of a painted picture."""
    return folder / PAINTED / f"{index:06d}{Path(picture).suffix.lower()}"
