"""How large an export will be: worked out from a few of its frames, and said."""

from __future__ import annotations

import logging
from collections.abc import Callable

import av.error
from fresco_media.errors import FrescoError
from fresco_media.files.text import sized
from fresco_media.types import Image
from fresco_media.writing.estimate import expected_bytes, sample_places
from PyQt6.QtCore import QObject, QThread, QTimer, pyqtSignal, pyqtSlot
from PyQt6.QtWidgets import QLabel, QWidget

from fresco_gui.export.description import codec_of, delivery_of, described
from fresco_gui.export.frames import ExportFrames
from fresco_gui.export.options import ExportOptions
from fresco_gui.media.errors import MediaError
from fresco_gui.media.pictures import to_rgb
from fresco_gui.media.source import FrameSource

logger = logging.getLogger(__name__)


class SizeEstimate(QThread):
    """Encodes a few frames as `options` want it.

    Signals:
        estimated(object, float): for these options, about so many bytes.
    """

    estimated = pyqtSignal(object, float)

    def __init__(
        self,
        source: FrameSource,
        result: FrameSource,
        options: ExportOptions,
        parent: QObject | None = None,
    ) -> None:
        """Both must be open, and stay so until `finished`."""
        super().__init__(parent)
        self._frames = ExportFrames(source, result)
        self._options = options

    @property
    def options(self) -> ExportOptions:
        """What the size is worked out for."""
        return self._options

    def run(self) -> None:
        """What the thread does."""
        try:
            size = self._size()
        except (MediaError, FrescoError, av.error.FFmpegError, OSError, ValueError) as error:
            logger.info("no estimate of the size: %s", error)
        else:
            if size is not None:
                self.estimated.emit(self._options, float(size))
        finally:
            self._frames.close()

    def _size(self) -> int | None:
        options = self._options
        runs: list[list[Image]] = []
        for places in sample_places(options.start, options.stop):
            run: list[Image] = []
            for index in places:
                if self.isInterruptionRequested():
                    return None
                run.append(to_rgb(self._frames.image(index)))
            runs.append(run)
        info = described(self._frames.times, self._frames.info)
        count = options.stop - options.start
        return expected_bytes(runs, info, codec_of(options.kind), delivery_of(options), count)


Measure = Callable[[ExportOptions], SizeEstimate]
"""Makes what works out the size of an export, without starting it."""

_SETTLES_MS = 150
_LONGEST_END_MS = 5000
# Threads that take longer to end than anybody wants to wait.
_ending: set[SizeEstimate] = set()


class SizeLabel(QLabel):
    """The size of an export; empty without `measure`."""

    def __init__(self, measure: Measure | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measure = measure
        self._wanted: ExportOptions | None = None
        self._estimate: SizeEstimate | None = None
        self._sizes: dict[tuple[object, ...], float] = {}
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLES_MS)
        self._settling.timeout.connect(self._on_settled)

    def show_for(self, options: ExportOptions) -> None:
        """Say how large an export with these options will be, as soon as it is known."""
        self._wanted = options
        known = self._sizes.get(_key(options))
        if known is not None:
            self._settling.stop()
            self.setText(self._told(known))
        elif self._measure is not None:
            self.setText(self.tr("Working it out…"))
            self._settling.start()

    def end(self) -> None:
        """Work nothing out any more."""
        self._settling.stop()
        self._measure = None
        estimate, self._estimate = self._estimate, None
        if estimate is None:
            return
        estimate.requestInterruption()
        if not estimate.wait(_LONGEST_END_MS):
            _ending.add(estimate)
            estimate.finished.connect(lambda: _ending.discard(estimate))

    def _told(self, size: float) -> str:
        return self.tr("About {size}").format(size=in_bytes(size))

    @pyqtSlot()
    def _on_settled(self) -> None:
        if self._measure is None or self._wanted is None or self._estimate is not None:
            return
        self._estimate = self._measure(self._wanted)
        self._estimate.estimated.connect(self._on_estimated)
        self._estimate.finished.connect(self._on_ended)
        self._estimate.start()

    @pyqtSlot(object, float)
    def _on_estimated(self, options: ExportOptions, size: float) -> None:
        self._sizes[_key(options)] = size

    @pyqtSlot()
    def _on_ended(self) -> None:
        asked, self._estimate = self._estimate, None
        if asked is None or self._wanted is None:
            return
        key = _key(self._wanted)
        if key in self._sizes:
            self.setText(self._told(self._sizes[key]))
        elif key == _key(asked.options):
            self.setText(self.tr("Cannot be told"))
        else:
            self._settling.start()
        asked.deleteLater()


def in_bytes(size: float) -> str:
    """A number of bytes for people, in two digits: it is an estimate."""
    return sized(float(f"{size:.2g}"))


def _key(options: ExportOptions) -> tuple[object, ...]:
    """What the size of an export depends on."""
    return (options.kind, options.quality, options.start, options.stop, options.has_sound)
