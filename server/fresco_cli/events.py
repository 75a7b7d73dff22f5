"""The events of a job as plain values, one JSON object each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fresco_client import Event, Plan, StageProgress
    from fresco_media.types import ClipProperties


def event_as_json(event: Event) -> dict[str, Any] | None:
    """An event without its picture; times are fractions of a second such as "5/24".

    None for one that is told otherwise, by `Output`'s other methods.
    """
    import fresco_client as client

    match event:
        case client.KeyframeReady():
            return {"event": "keyframe", "index": event.index}
        case client.FrameReady():
            return {
                "event": "frame",
                "index": event.index,
                "time_s": str(event.clip_time or 0),
                "is_keyframe": event.is_keyframe,
            }
        case client.Restarted():
            return {"event": "restarted", "reason": event.reason}
        case _:
            return None


def progress_as_json(progress: StageProgress, remaining_s: float | None) -> dict[str, Any]:
    """How far a stage is."""
    return {
        "event": "progress",
        "stage": progress.stage.value,
        "done": progress.done,
        "total": progress.total,
        "remaining_s": remaining_s,
    }


def plan_as_json(plan: Plan, info: ClipProperties) -> dict[str, Any]:
    """Range, shots (half open) and keyframes as source frame indices."""
    return {
        "clip": str(info.path),
        "frame_rate": str(info.frame_rate),
        "start": plan.start,
        "stop": plan.stop,
        "shots": [[shot.start, shot.stop] for shot in plan.shots],
        "keyframes": list(plan.keyframes),
        "working_size": [plan.working_width, plan.working_height],
    }
