"""What the engine tells, as the numbered events of a job."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import fresco_client as client
from fresco_engine import types

from fresco_server.worker.event_translator import event_of, plan_of

__all__ = ["EventNumbering", "plan_of"]


class EventNumbering:
    """Numbers the events of one job from 1 on. Pictures are left out: fetch them."""

    def __init__(self) -> None:
        self._sequence = 0

    def next(self, event: client.Event) -> client.Event:
        """The event with the next number, as it happens now."""
        self._sequence += 1
        return replace(event, sequence=self._sequence, time=datetime.now(timezone.utc))

    def of(self, event: types.Event) -> client.Event:
        """The next event, for what the engine tells."""
        if isinstance(event, types.RunFinished):
            return self.next(client.Finished(result=_result_of(event.report)))
        return self.next(event_of(event))


def _result_of(report: types.Report) -> client.ResultInfo:
    place = Path(report.outputs.get("clip", ""))
    is_file = place.is_file()
    return client.ResultInfo(
        file_name=place.name if is_file else "",
        size_bytes=place.stat().st_size if is_file else 0,
        sha256="",
        report_json=json.dumps(report.as_dict()),
    )
