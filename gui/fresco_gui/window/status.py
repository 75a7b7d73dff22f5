"""The status line: how the daemon is, what the clip is, how far the job and the export are."""

from __future__ import annotations

from collections.abc import Sequence

from fresco_client import ClipInfo, Device, Job
from fresco_client.words import device_words, duration
from fresco_media.files.text import sized
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QProgressBar, QStatusBar, QToolButton, QWidget

from fresco_gui.daemon.watcher import DaemonState, DaemonView
from fresco_gui.jobs.words import state_of_job
from fresco_gui.plain import MarkedLabel, PlainLabel, plain
from fresco_gui.theme import TOKENS


class StatusLine(QStatusBar):
    """The line below.

    Signals:
        cancel_export(): the export is to be stopped.
    """

    cancel_export = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.daemon = MarkedLabel()
        self.clip = PlainLabel()
        self.job = PlainLabel()
        self.bar = QProgressBar()
        self.export = QProgressBar()
        self._cancel = QToolButton()
        self._cancel.setText(self.tr("Stop export"))
        self._cancel.clicked.connect(self.cancel_export)
        for bar in (self.bar, self.export):
            bar.setFixedWidth(140)
            bar.setTextVisible(False)
            bar.hide()
        self._cancel.hide()
        self.setSizeGripEnabled(False)
        self.setContentsMargins(6, 0, 10, 0)
        for widget in (self.export, self._cancel, self.job, self.bar, self.clip, self.daemon):
            self.addPermanentWidget(widget)
        for label in (self.clip, self.daemon):
            label.setIndent(14)
        for label in (self.clip, self.job):
            label.setMinimumWidth(1)  # In a narrow window it is cut off, rather than the buttons.
        self._device = self._devices = self._why = ""
        self.show_daemon(DaemonState.STARTING, "")

    def show_daemon(self, state: DaemonState, why: str) -> None:
        """How the daemon is."""
        names = {
            DaemonState.STARTING: (self.tr("starting"), TOKENS.warning),
            DaemonState.READY: (self.tr("ready"), TOKENS.good),
            DaemonState.BUSY: (self.tr("busy"), TOKENS.good),
            DaemonState.RECONNECTING: (self.tr("reconnecting"), TOKENS.warning),
            DaemonState.NOT_INSTALLED: (self.tr("not installed"), TOKENS.bad),
            DaemonState.INCOMPATIBLE: (self.tr("incompatible"), TOKENS.bad),
            DaemonState.REFUSED: (self.tr("key refused"), TOKENS.bad),
            DaemonState.STOPPED: (self.tr("not running"), TOKENS.bad),
            DaemonState.ERROR: (self.tr("error"), TOKENS.bad),
        }
        name, colour = names[state]
        device = f", {self._device}" if state.is_connected and self._device else ""
        self._state, self._why = state, why
        self.daemon.show_marked(self.tr("Daemon: {state}").format(state=name + device), colour)
        shown = self._devices if state.is_connected else ""
        self.daemon.setToolTip(plain("\n".join(filter(None, (why, shown)))))
        self.daemon.setAccessibleName(name)

    def show_server(self, view: DaemonView) -> None:
        """What the daemon runs on."""
        devices = view.server.devices
        name = self._name_of(devices)
        lines = (f"{device.id}: {device_words(device)}" for device in devices)
        shown = "\n".join(lines) if len(devices) > 1 or any(d.node for d in devices) else ""
        if (name, shown) != (self._device, self._devices):
            self._device, self._devices = name, shown
            self.show_daemon(self._state, self._why)

    def _name_of(self, devices: Sequence[Device]) -> str:
        """What the daemon works on: its device, or how many of several are busy."""
        if len(devices) > 1:
            busy = sum(device.state == "busy" for device in devices)
            text = self.tr("{busy} of {count} devices at work")
            return text.format(busy=busy, count=len(devices))
        return devices[0].name or devices[0].id if devices else ""

    def show_clip(self, info: ClipInfo | None) -> None:
        """What the clip is."""
        if info is None:
            self.clip.clear()
            return
        rate = ""
        if info.frame_rate:
            rate = self.tr("{rate} fps").format(rate=f"{float(info.frame_rate):.5g}")
        text = self.tr("1 frame") if info.frame_count == 1 else self.tr("{count} frames")
        count = text.format(count=info.frame_count)
        parts = (f"{info.width} × {info.height}", rate, count, info.codec)
        self.clip.setText("  ·  ".join(part for part in parts if part))
        self.clip.setToolTip(
            self.tr("Size, rate, number of frames and codec of the clip")
            if info.has_audio
            else self.tr("Size, rate, number of frames and codec of the clip, which has no sound")
        )

    def show_job(self, job: Job | None) -> None:
        """How far the job that is shown is."""
        is_open = job is not None and not job.state.is_ended
        self.bar.setVisible(is_open)
        if job is None:
            self.job.clear()
            return
        text = state_of_job(job)
        if job.is_estimating:
            text = self.tr("{state}, estimating the time left…").format(state=text)
        elif job.time_left_s is not None:
            text = self.tr("{state}, {span} left").format(
                state=text, span=duration(job.time_left_s)
            )
        self.job.setText(text)
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * job.share))
        self.job.setToolTip(
            self.tr("{size} on the daemon's disk").format(size=sized(job.disk_bytes))
        )

    def show_export(self, done: int, total: int) -> None:
        """How many frames are exported; 0 of 0 when there is no export."""
        self.export.setVisible(total > 0)
        self._cancel.setVisible(total > 0)
        self.export.setRange(0, max(total, 1))
        self.export.setValue(done)
        text = self.tr("Exporting frame {done} of {total}")
        self.export.setToolTip(text.format(done=min(done + 1, total), total=total))
