"""One run of a job in a worker: its events told, its result named, until it ends or is stopped."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from fresco_client.events import Event, Failed, Finished, Restarted
from fresco_client.values import ResultInfo
from fresco_engine import types as engine
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.types import Report
from fresco_media.files.disk import storing
from fresco_media.files.own import OwnFolder

from fresco_server.jobs.looks import matte_file
from fresco_server.jobs.messages import JobMoved, JobStopped, Message, RunJob
from fresco_server.lock import alone_in
from fresco_server.worker.digests import DigestStopped, sha256_of
from fresco_server.worker.event_translator import EventTranslator
from fresco_server.worker.faults import failure_of

_LOGGER = logging.getLogger(__name__)
RESULT = "result"
_MOST_FRAMES_SENT = 5000

RunEvents = Callable[[RunJob], Generator[engine.Event, None, None]]
"""The events of a job, the last one `RunFinished`; its output goes to `result_path`."""


class JobRun:
    """Tells by `send` what happens in a job."""

    def __init__(self, order: RunJob, send: Callable[[Message], None]) -> None:
        self._order = order
        self._send = send

    def follow(self, render: RunEvents, goes_on: Callable[[], bool]) -> None:
        """Do the job, unless it does not go on, which is asked all the time."""
        _LOGGER.info("job %s: begins", self._order.job)
        try:
            with alone_in(Path(self._order.folder)):
                if not self._follow(render, goes_on):
                    _LOGGER.info("job %s: stopped", self._order.job)
                    self._send(JobStopped(job=self._order.job))
        # The process lives on, and the daemon is told, whatever it was.
        except Exception as error:  # noqa: BLE001
            self._tell(Failed(failure=failure_of(error)))

    def _tell(self, event: Event) -> None:
        self._send(JobMoved(job=self._order.job, event=event))

    def _follow(self, render: RunEvents, goes_on: Callable[[], bool]) -> bool:
        """Do the job; whether it came to its end."""
        self._tell_restart()
        translator = EventTranslator()
        with closing(render(self._order)) as events:
            for event in events:
                if isinstance(event, engine.RunFinished):
                    return self._finish(event.report, goes_on)
                for told in translator.events(event):
                    self._tell(told)
                if not goes_on():
                    break
        return False

    def _tell_restart(self) -> None:
        """What a worker could not say that was killed when it had just begun anew."""
        checkpoint = FolderCheckpoint(Path(self._order.folder))
        if checkpoint.adjustments().size is not None and self._order.restarts == 0:
            self._tell(Restarted(reason="the work began again at a smaller size"))

    def _finish(self, report: Report, goes_on: Callable[[], bool]) -> bool:
        path = None if self._order.order.codec == "frames" else result_path(self._order)
        try:
            sha256 = "" if path is None else sha256_of(path, goes_on)
        except DigestStopped:
            return False
        result = ResultInfo(
            file_name="" if path is None else path.name,
            size_bytes=0 if path is None else path.stat().st_size,
            sha256=sha256,
            report_json=json.dumps(_bounded(report).as_dict(), default=str),
        )
        self._tell(Finished(result=result))
        return True


def result_path(order: RunJob) -> Path:
    """Where a job's result goes."""
    return Path(order.folder) / f"{RESULT}{order.order.suffix}"


def folders_beside(order: RunJob) -> Iterator[Path]:
    """Those of the daemon's other jobs, which may be edits of the same shot."""
    return Path(order.folder).parent.iterdir()


def write_look(path: Path, picture: bytes, matte: bytes | None) -> None:
    """Put a look's picture where it is expected, and beside it how opaque its frame is."""
    folder = OwnFolder(path.parent)
    with storing(path):
        if matte is not None:
            folder.write(matte_file(path).name, matte)
        folder.write(path.name, picture)


def _bounded(report: Report) -> Report:
    """A report that fits into a message: of a long clip, without the figures of every frame."""
    if len(report.interpolation.get("frames", ())) <= _MOST_FRAMES_SENT:
        return report
    return replace(report, interpolation={**report.interpolation, "frames": {}})
