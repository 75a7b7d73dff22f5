"""What the engine tells, as the events of a job."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import fresco_client as client
from fresco_engine import types

EventT = TypeVar("EventT", bound=client.Event)


class EventNumbering:
    """Makes the events of one job, numbered from 1 on. Pictures are left out: fetch them."""

    def __init__(self) -> None:
        self._sequence = 0

    def made(self, kind: type[EventT], **values: Any) -> EventT:
        """The next event."""
        self._sequence += 1
        return kind(sequence=self._sequence, time=datetime.now(timezone.utc), **values)

    def of(self, event: types.Event) -> client.Event:
        """The next event, for what the engine tells."""
        match event:
            case types.Analysed():
                return self.made(client.Analysed, plan=plan_of(event))
            case types.Progress():
                progress = client.StageProgress(
                    stage=client.Stage[event.stage.name], done=event.done, total=event.total
                )
                return self.made(
                    client.ProgressMade, progress=progress, remaining_s=event.remaining_s
                )
            case types.KeyframeReady():
                return self.made(client.KeyframeReady, index=event.index, picture=None)
            case types.FrameReady():
                return self.made(
                    client.FrameReady,
                    index=event.frame.index,
                    clip_time=event.frame.time_s,
                    is_keyframe=event.is_keyframe,
                    picture=None,
                )
            case types.Warned():
                return self.made(client.Warned, message=event.message)
            case types.Restarted():
                return self.made(client.Restarted, reason=event.reason)
            case types.Finished():
                return self.made(client.Finished, result=_result_of(event.report))


def plan_of(event: types.Analysed) -> client.Plan:
    """A plan as clients know it."""
    width, height = event.working_size
    return client.Plan(
        start=event.start,
        stop=event.stop,
        shots=tuple(client.FrameRange(start=start, stop=stop) for start, stop in event.shots),
        keyframes=event.keyframes,
        working_width=width,
        working_height=height,
    )


def _result_of(report: types.Report) -> client.ResultInfo:
    place = Path(report.outputs.get("clip", ""))
    is_file = place.is_file()
    return client.ResultInfo(
        file_name=place.name if is_file else "",
        size_bytes=place.stat().st_size if is_file else 0,
        sha256="",
        report_json=json.dumps(report.as_dict()),
        is_fetched=False,
    )
