"""The engine's events as plain values, one JSON object each."""

from __future__ import annotations

from typing import Any

from fresco_engine.types import (
    Analysed,
    Event,
    Finished,
    FrameReady,
    KeyframeReady,
    Progress,
    Restarted,
    Warned,
)


def event_as_json(event: Event) -> dict[str, Any]:
    """An event without its pictures; times are fractions of a second such as "5/24"."""
    match event:
        case Analysed():
            return {"event": "analysed", **plan_as_json(event)}
        case Progress():
            return {
                "event": "progress",
                "stage": event.stage.value,
                "done": event.done,
                "total": event.total,
                "remaining_s": event.remaining_s,
            }
        case KeyframeReady():
            return {"event": "keyframe", "index": event.index}
        case FrameReady():
            return {
                "event": "frame",
                "index": event.frame.index,
                "time_s": str(event.frame.time_s),
                "is_keyframe": event.is_keyframe,
            }
        case Warned():
            return {"event": "warning", "message": event.message}
        case Restarted():
            return {"event": "restarted", "reason": event.reason}
        case Finished():
            return {"event": "finished", "report": event.report.as_dict()}


def plan_as_json(plan: Analysed) -> dict[str, Any]:
    """Range, shots (half open) and keyframes as source frame indices."""
    return {
        "clip": str(plan.info.path),
        "frame_rate": str(plan.info.frame_rate),
        "start": plan.start,
        "stop": plan.stop,
        "shots": [list(shot) for shot in plan.shots],
        "keyframes": list(plan.keyframes),
        "working_size": list(plan.working_size),
    }
