"""Follows a job from its first event to the file of its result."""

from __future__ import annotations

import logging
from pathlib import Path

from fresco_client import (
    Analysed,
    CallFailed,
    ConnectionState,
    Event,
    Failed,
    Finished,
    FrameKind,
    FrameReady,
    JobState,
    KeyframeReady,
    Picture,
    PictureOptions,
    ProgressMade,
    Restarted,
    Session,
    StateChanged,
    TransferProgress,
    Warned,
)
from fresco_client.remedies import in_window
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fresco_gui.stream import StreamWorker, Workers

_log = logging.getLogger(__name__)
_FOREVER_S = 1e9
"""A daemon that is away may come back at any time; the window shows that it is awaited."""
_PROGRESS_MS = 100


class JobFollower(QObject):
    """What happens to one job, on the GUI thread. `pictures` None: without any.

    Signals:
        planned(Plan): the clip has been analysed.
        progressed(ProgressMade): at most ten times a second.
        keyframe_arrived(int, bytes): a translated keyframe, encoded.
        frame_arrived(int, bytes): a frame of the result, encoded.
        restarted(str): what has arrived so far is void; why.
        state_changed(JobState): the job has another state.
        warned(str): something the user should know.
        finished(ResultInfo): it is done; the result is being fetched.
        fetched(Path): the result is here.
        fetch_failed(Exception): the result could not be put here; `fetch` tries again.
        job_failed(Failure): the job has failed.
        failed(Exception): it cannot be followed any more.
        connection_changed(str): "connected" or "reconnecting".
    """

    planned = pyqtSignal(object)
    progressed = pyqtSignal(object)
    keyframe_arrived = pyqtSignal(int, bytes)
    frame_arrived = pyqtSignal(int, bytes)
    restarted = pyqtSignal(str)
    state_changed = pyqtSignal(object)
    warned = pyqtSignal(str)
    finished = pyqtSignal(object)
    fetched = pyqtSignal(object)
    fetch_failed = pyqtSignal(object)
    job_failed = pyqtSignal(object)
    failed = pyqtSignal(object)
    connection_changed = pyqtSignal(str)

    def __init__(
        self,
        session: Session,
        job_id: str,
        workers: Workers,
        pictures: PictureOptions | None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.job_id = job_id
        self._session = session
        self._workers = workers
        self._pictures = pictures
        self._last = 0
        self._worker: StreamWorker | None = None
        self._fetch: StreamWorker | None = None
        self._asked: set[tuple[FrameKind, int]] = set()
        self._is_stopped = False
        self._progress: ProgressMade | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_PROGRESS_MS)
        self._timer.timeout.connect(self._on_tick)

    def start(self) -> None:
        """Follow on from the last event that was seen."""
        self._worker = self._workers.stream(
            lambda: self._session.watch(
                self.job_id,
                after=self._last,
                pictures=self._pictures,
                patience_s=_FOREVER_S,
                on_connection=self._on_connection,
            ),
            self._on_event,
            self._on_failed,
            self._on_completed,
        )
        self._timer.start()

    def stop(self) -> None:
        """Leave the job alone; it goes on. What was asked for and comes later is not told."""
        self._is_stopped = True
        self._timer.stop()
        for worker in (self._worker, self._fetch):
            if worker is not None:
                worker.stop()
        self._worker = self._fetch = None

    def fetch(self, path: Path) -> None:
        """Put the result of a finished job at a path."""

        def work() -> object:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._session.fetch_result(self.job_id, path, self._on_transfer, is_overwriting=True)
            return path

        self._fetch = self._workers.call(work, self.fetched.emit, self.fetch_failed.emit)

    def ask_again(self, kind: FrameKind, index: int) -> None:
        """Have a picture sent that came without one, or was forgotten here."""
        if self._pictures is None or (kind, index) in self._asked:
            return
        self._asked.add((kind, index))

        def arrived(picture: object) -> None:
            self._asked.discard((kind, index))
            if isinstance(picture, Picture) and not self._is_stopped:
                signal = self.keyframe_arrived if kind == "keyframe" else self.frame_arrived
                signal.emit(index, picture.data)

        def failed(error: Exception) -> None:
            self._asked.discard((kind, index))
            _log.info("%s %d of job %s cannot be had: %s", kind, index, self.job_id, error)

        self._workers.call(
            lambda: self._session.frame(self.job_id, kind, index, self._pictures), arrived, failed
        )

    def _on_transfer(self, progress: TransferProgress) -> None:
        if self._fetch is not None and self._fetch.is_stopped:
            raise CallFailed(self.tr("Fetching was stopped."))

    def _on_connection(self, state: ConnectionState) -> None:
        # On the watch's thread: the signal brings it to the GUI thread.
        self.connection_changed.emit(state)

    def _on_event(self, event: object) -> None:
        if not isinstance(event, Event):
            return
        self._last = event.sequence
        if isinstance(event, ProgressMade):
            self._progress = event
        elif isinstance(event, Analysed):
            self.planned.emit(event.plan)
        elif isinstance(event, KeyframeReady):
            self._on_picture("keyframe", event.index, event.picture)
        elif isinstance(event, FrameReady):
            self._on_picture("result", event.index, event.picture)
        elif isinstance(event, StateChanged):
            self.state_changed.emit(event.state)
        elif isinstance(event, Restarted):
            self.restarted.emit(event.reason)
        elif isinstance(event, Warned):
            self.warned.emit(in_window(event.message))
        elif isinstance(event, Finished):
            self._on_tick()
            self.state_changed.emit(JobState.DONE)
            self.finished.emit(event.result)
        elif isinstance(event, Failed):
            self.job_failed.emit(event.failure)
            self.state_changed.emit(JobState.FAILED)

    def _on_picture(self, kind: FrameKind, index: int, picture: Picture | None) -> None:
        if picture is None:
            self.ask_again(kind, index)
        elif kind == "keyframe":
            self.keyframe_arrived.emit(index, picture.data)
        else:
            self.frame_arrived.emit(index, picture.data)

    def _on_tick(self) -> None:
        if self._progress is not None:
            progress, self._progress = self._progress, None
            self.progressed.emit(progress)

    def _on_failed(self, error: Exception) -> None:
        self._worker = None
        self._timer.stop()
        self.failed.emit(error)

    def _on_completed(self) -> None:
        self._worker = None
        self._on_tick()
        self._timer.stop()
