"""Making some keyframes of a finished job anew: what a second job takes over from the first."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fresco_engine.checkpoint import fork
from fresco_engine.errors import CheckpointError
from fresco_engine.settings import settings_from_dict

from fresco_server.errors import BadRequest, NotPossible
from fresco_server.jobs.job import Job, JobOrder, KeyframeChange, Values


def check_changes(changes: Sequence[KeyframeChange]) -> None:
    """Raises: BadRequest when there are none, or two for one keyframe."""
    indices = [change.index for change in changes]
    if not indices:
        raise BadRequest("changes", "name at least one keyframe that is to be made anew")
    if len(set(indices)) < len(indices):
        raise BadRequest("changes", "a keyframe is named twice; name each once")


def changed_order(parent: Job, changes: Sequence[KeyframeChange], request: Values) -> JobOrder:
    """The order of a job in which some keyframes are made anew."""
    settings = settings_from_dict(parent.order.settings)
    prompts, seeds = dict(settings.keyframe_prompts), dict(settings.keyframe_seeds)
    for change in changes:
        if change.prompt is not None:
            prompts[change.index] = change.prompt
        drawn = settings.seed + 1 + secrets.randbelow(2**31)
        seeds[change.index] = drawn % 2**63 if change.seed is None else change.seed
    changed = replace(settings, keyframe_prompts=prompts, keyframe_seeds=seeds)
    return replace(parent.order, settings=changed.as_dict(), parent_id=parent.id, request=request)


def take_over(parent: Job, source: Path, target: Path, changes: Sequence[KeyframeChange]) -> None:
    """Fill the folder `target` of a new job with what it keeps of `parent`, which is in `source`.

    Raises:
        InvalidSettings: a change is for a frame that is no keyframe.
        NotPossible: what the job has made is gone.
        DiskFull: there is no room.
    """
    try:
        fork(source, target, [change.index for change in changes])
    except CheckpointError as error:
        raise NotPossible(
            f"job {parent.id!r} has lost what it has made ({error}); make it again"
        ) from error
