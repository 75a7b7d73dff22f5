"""The engine's events as messages for the daemon, progress no more often than people look."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from fresco_engine.types import (
    Analysed,
    Event,
    FrameReady,
    KeyframeReady,
    Progress,
    Restarted,
    Stage,
    Warned,
)

_PROGRESS_INTERVAL_S = 0.5

Message = dict[str, Any]


class Narration:
    """Turns the events of one job into messages and tells when it enters another stage."""

    def __init__(self) -> None:
        self._state = Stage.ANALYSING
        self._told_at = dict.fromkeys(Stage, float("-inf"))
        self._frames_left = 0

    def messages(self, event: Event) -> Iterator[Message]:
        """What to tell of an event; the last event of a job is the job's own matter."""
        match event:
            case Analysed():
                self._frames_left = event.stop - event.start
                yield {"say": "analysed", "plan": plan_values(event)}
                yield from self._enter(Stage.TRANSLATING)
            case Progress():
                yield from self._progress(event)
            case KeyframeReady():
                yield {"say": "keyframe", "index": event.index}
            case FrameReady():
                frame = event.frame
                yield {
                    "say": "frame",
                    "index": frame.index,
                    "time": f"{frame.time_s.numerator}/{frame.time_s.denominator}",
                    "is_keyframe": event.is_keyframe,
                }
                self._frames_left -= 1
                if self._frames_left == 0:
                    yield from self._enter(Stage.ENCODING)
            case Warned():
                yield {"say": "warned", "message": event.message}
            case Restarted():
                yield {"say": "restarted", "reason": event.reason}
                yield from self._enter(Stage.ANALYSING)
            case _:
                pass

    def _progress(self, event: Progress) -> Iterator[Message]:
        is_complete = event.done >= event.total
        now = time.monotonic()
        if is_complete or now >= self._told_at[event.stage] + _PROGRESS_INTERVAL_S:
            self._told_at[event.stage] = now
            yield {
                "say": "progress",
                "stage": event.stage.value,
                "done": event.done,
                "total": event.total,
                "remaining_s": event.remaining_s,
            }
        if is_complete and event.stage is Stage.TRANSLATING and self._frames_left > 0:
            yield from self._enter(Stage.INTERPOLATING)

    def _enter(self, stage: Stage) -> Iterator[Message]:
        if stage is not self._state:
            self._state = stage
            yield {"say": "state", "state": stage.value}


def plan_values(plan: Analysed) -> Message:
    """A plan as plain values."""
    return {
        "start": plan.start,
        "stop": plan.stop,
        "shots": [list(shot) for shot in plan.shots],
        "keyframes": list(plan.keyframes),
        "working_size": list(plan.working_size),
    }
