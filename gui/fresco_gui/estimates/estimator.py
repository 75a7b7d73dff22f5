"""Says what a restyle would cost, anew whenever something that matters has changed."""

from __future__ import annotations

from fresco_client import JobState
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fresco_gui.clips import ClipOpener
from fresco_gui.daemon.connection import DaemonConnection
from fresco_gui.estimates.estimate import Estimate, MeasuredCost, estimate, measured_of, work_of
from fresco_gui.jobs.control import JobControl
from fresco_gui.looks.maker import LookMaker, LookPicture
from fresco_gui.project.store import ProjectStore

_SOON_MS = 150


class CostEstimator(QObject):
    """Learns from finished jobs and looks.

    Signals:
        estimated(Estimate): what a restyle will cost; None without a clip.
    """

    estimated = pyqtSignal(object)

    def __init__(
        self,
        daemon: DaemonConnection,
        opener: ClipOpener,
        project_store: ProjectStore,
        jobs: JobControl,
        looks: LookMaker,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._daemon = daemon
        self._opener = opener
        self._project_store = project_store
        self._jobs = jobs
        self._look_s: float | None = None
        self._measured: dict[str, MeasuredCost | None] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(_SOON_MS)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._estimate)
        project_store.touched.connect(self._timer.start)
        opener.leaving.connect(self._on_leaving)
        opener.reached.connect(self._estimate_soon)
        opener.closed.connect(self._timer.start)
        jobs.model.refreshed.connect(self._timer.start)
        looks.arrived.connect(self._on_look)

    def stop(self) -> None:
        """Estimate nothing any more."""
        self._timer.stop()
        self._timer.timeout.disconnect(self._estimate)

    def _estimate_soon(self, _: object) -> None:
        self._timer.start()

    def _on_leaving(self) -> None:
        self._look_s = None

    def _on_look(self, look: LookPicture) -> None:
        if look.part.is_control:
            return
        self._look_s = look.seconds
        self._timer.start()

    def _estimate(self) -> None:
        self.estimated.emit(None if self._opener.clip is None else self._known())

    def _known(self) -> Estimate:
        clip = self._opener.clip
        assert clip is not None
        self._learn()
        values, info = self._project_store.values_with_range(), clip.info
        source = self._project_store.project.model
        stop = int(values.get("stop") or info.frame_count)
        frames = max(stop - int(values.get("start") or 0), 1)
        models = self._daemon.view.models if self._daemon.view else ()
        model = next((one for one in models if one.source == source), None)
        return estimate(
            work_of(frames, info.width, info.height, values),
            values,
            source,
            [one for one in self._measured.values() if one is not None],
            look_s=self._look_s,
            model_bytes=model.memory_bytes if model else 0,
        )

    def _learn(self) -> None:
        for job in self._jobs.model.jobs:
            if job.state is JobState.DONE and job.id not in self._measured:
                self._measured[job.id] = measured_of(job)
