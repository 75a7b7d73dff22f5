"""How large an export will be, worked out on a thread of its own from a few of its frames."""

from __future__ import annotations

import logging

import av.error
from fresco_media.errors import FrescoError
from fresco_media.estimate import expected_bytes, sample_places
from fresco_media.types import Image
from PyQt6.QtCore import QObject, QThread, pyqtSignal

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
