"""What a restyle will cost, learned from what this daemon has done before.

Nothing is promised that was not measured: without a finished job there is no time for the frames
between keyframes, and without a look none for the keyframes either.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from fresco_client import Job, JobState

_USUAL_SPAN = (5, 20)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """How much is to be done."""

    frames: int
    keyframes: int
    pixels: int
    """Of a picture the model works on."""


@dataclass(frozen=True, kw_only=True)
class MeasuredCost:
    """What a finished job has cost."""

    work: Workload
    model: str
    settings: Mapping[str, Any]
    keyframe_s: float
    frame_s: float
    other_s: float
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is expected; None where nothing is known."""

    keyframes: int
    seconds: float | None = None
    is_without_frames: bool = False
    """Whether `seconds` is for the keyframes only."""
    memory_bytes: int | None = None
    based_on: int = 0
    """How many finished jobs it was learned from."""


def work_of(frames: int, width: int, height: int, settings: Mapping[str, Any]) -> Workload:
    """What settings by parameter name make of a clip's range."""
    least = int(settings.get("keyframe_min") or _USUAL_SPAN[0])
    most = max(int(settings.get("keyframe_max") or _USUAL_SPAN[1]), least)
    span = (least + most) / 2
    keyframes = max(2, round(frames / span) + 1) if frames > 1 else 1
    side = int(settings.get("size") or 512)
    short, long = sorted((max(width, 1), max(height, 1)))
    return Workload(frames=frames, keyframes=keyframes, pixels=round(side * side * long / short))


def measured_of(job: Job) -> MeasuredCost | None:
    """What a job has cost, if it was done anew from start to end and says so."""
    if job.state is not JobState.DONE or job.result is None or job.parent_id:
        return None
    try:
        report: object = json.loads(job.result.report_json)
        found = cast(dict[str, Any], report) if isinstance(report, dict) else {}
        seconds = cast(dict[str, float], found["seconds"])
        width, height = found["working_size"]
        keyframes = len(found["keyframes"])
        frames = sum(stop - start for start, stop in found["shots"])
    except (KeyError, TypeError, ValueError):
        return None
    if any((found.get("reused") or {}).values()) or not keyframes or not frames or not seconds:
        return None
    share = _wall_share(job, sum(map(float, seconds.values())))
    translating = share * float(seconds.get("translating keyframes", 0.0))
    between = share * float(seconds.get("interpolating", 0.0))
    others = share * sum(map(float, seconds.values())) - translating - between
    return MeasuredCost(
        work=Workload(frames=frames, keyframes=keyframes, pixels=int(width) * int(height)),
        model=job.model.source if job.model else "",
        settings=cast(dict[str, Any], found.get("settings") or {}),
        keyframe_s=translating / keyframes,
        frame_s=between / frames,
        other_s=others / frames,
        memory_bytes=int(found.get("peak_memory_bytes") or 0),
    )


def estimate(
    work: Workload,
    settings: Mapping[str, Any],
    model: str,
    history: Iterable[MeasuredCost],
    *,
    look_s: float | None = None,
    model_bytes: int = 0,
) -> Estimate:
    """What `work` will cost; `look_s` is how long a look at one frame has taken just now."""
    known = [one for one in history if one.model == model]
    alike = [one for one in known if _is_alike(one.settings, settings)] or known
    if not alike:
        seconds = None if look_s is None else look_s * work.keyframes
        return Estimate(
            keyframes=work.keyframes,
            seconds=seconds,
            is_without_frames=seconds is not None,
            memory_bytes=model_bytes or None,
        )
    nearest = min(alike, key=lambda one: abs(one.work.pixels - work.pixels))
    near = [one for one in alike if one.work.pixels == nearest.work.pixels]
    scale = work.pixels / nearest.work.pixels
    steps = _more_steps(settings, nearest.settings)
    keyframe_s = _mean(one.keyframe_s for one in near) * scale * steps
    frame_s = _mean(one.frame_s + one.other_s for one in near) * scale
    memory = max(model_bytes, *(one.memory_bytes for one in near))
    return Estimate(
        keyframes=work.keyframes,
        seconds=work.keyframes * keyframe_s + work.frames * frame_s,
        memory_bytes=memory or None,
        based_on=len(near),
    )


def _wall_share(job: Job, stages_s: float) -> float:
    """How much of the stages' time has passed on the clock: they run beside each other."""
    if job.create_time is None or job.update_time is None or stages_s <= 0:
        return 1.0
    passed_s = (job.update_time - job.create_time).total_seconds()
    return min(passed_s / stages_s, 1.0) if passed_s > 0 else 1.0


def _is_alike(done: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the frames between keyframes are made in the same way."""
    is_draft = wanted.get("preset") == "draft"
    usual = "flow" if is_draft else "patch"
    return (wanted.get("interpolation") or usual) == done.get("interpolation", usual)


def _more_steps(wanted: Mapping[str, Any], done: Mapping[str, Any]) -> float:
    """How many times the denoising steps of what was done; what is left open stays as it was."""
    times = 1.0
    for name in ("steps", "strength"):
        if wanted.get(name) and done.get(name):
            times *= float(wanted[name]) / float(done[name])
    return times


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
