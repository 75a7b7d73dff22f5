"""A clip's sound, decoded and played on a thread of its own; without a sound device, silence."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fresco_media.sound import SampleFormat, played_sound
from fresco_media.types import Join
from PyQt6.QtCore import QIODevice, QObject, QThread, QTimer, pyqtSignal, pyqtSlot

from fresco_gui.media.errors import MediaError, reading

if TYPE_CHECKING:
    from PyQt6.QtMultimedia import QAudioSink

# Loaded here, on the window's thread: a process in which one thread loads a part of Qt while
# another makes Qt's objects may crash.
try:
    import PyQt6.QtMultimedia as multimedia  # noqa: N813
except ImportError as error:
    # Some Linux systems lack the libraries that it needs.
    logging.getLogger(__name__).info("no sound: %s", error)
    multimedia = None

logger = logging.getLogger(__name__)

RATE = 48_000
CHANNELS = 2
_FRAME_BYTES = CHANNELS * 2
_BUFFER_S = 0.2
_FEED_MS = 20
_REPORT_S = 0.1


def decode_sound(path: Path, start_s: float, joins: Sequence[Join] = ()) -> Iterator[bytes]:
    """The main sound track from `start_s` on (of the file's clock): 16 bit stereo at 48 kHz.

    `joins` are the places where that clock starts over. Silence stands in for what is missing.

    Raises:
        MediaError: the file cannot be read.
    """
    form = SampleFormat("s16", "stereo", RATE)
    with reading(path):
        for samples in played_sound(path, Fraction(start_s), form, joins):
            yield samples.astype(np.int16, copy=False).tobytes()


class SoundPlayer(QObject):
    """Plays the sound of one clip at its own speed.

    Signals:
        heard(float): the second of the clip that is heard right now, some times a second.
    """

    heard = pyqtSignal(float)
    _start_wanted = pyqtSignal(object, float, float, float, object)
    _stop_wanted = pyqtSignal()
    _skip_wanted = pyqtSignal(float)
    _volume_wanted = pyqtSignal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = QThread()
        self._thread.setObjectName("sound")
        self._output = _SoundOutput()
        self._output.moveToThread(self._thread)
        self._start_wanted.connect(self._output.start)
        self._stop_wanted.connect(self._output.stop)
        self._skip_wanted.connect(self._output.skip)
        self._volume_wanted.connect(self._output.set_volume)
        self._output.heard.connect(self.heard)
        self._thread.started.connect(self._output.prepare)
        self._thread.finished.connect(self._output.stop)
        self._thread.start()

    def play(
        self, path: Path, from_s: float, offset_s: float = 0.0, joins: Sequence[Join] = ()
    ) -> None:
        """Play from `from_s` seconds of the clip, whose start is `offset_s` on the file's clock.

        `joins` are the places where that clock starts over.
        """
        self._start_wanted.emit(path, from_s, offset_s, time.monotonic(), tuple(joins))

    def skip(self, seconds: float) -> None:
        """Leave out as much, so that a sound that is late catches up."""
        self._skip_wanted.emit(seconds)

    def stop(self) -> None:
        """Be silent."""
        self._stop_wanted.emit()

    def set_volume(self, volume: float) -> None:
        """0 to 1."""
        self._volume_wanted.emit(volume)

    def close(self) -> None:
        """End the thread."""
        self._stop_wanted.emit()
        self._thread.quit()
        self._thread.wait()


class _SoundOutput(QObject):
    """Lives on the sound thread: opening a device may take long."""

    heard = pyqtSignal(float)

    def __init__(self) -> None:
        super().__init__()
        self._volume = 1.0
        self._sink: QAudioSink | None = None
        self._device: QIODevice | None = None
        self._timer: QTimer | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._waiting = b""
        self._from_s = 0.0
        self._written_bytes = 0
        self._reported_s = 0.0

    @pyqtSlot()
    def prepare(self) -> None:
        """Load what the first sound would have to wait for."""
        _open_sink()

    @pyqtSlot(object, float, float, float, object)
    def start(
        self, path: Path, from_s: float, offset_s: float, asked_s: float, joins: tuple[Join, ...]
    ) -> None:
        self.stop()
        sink = _open_sink()
        if sink is None:
            return
        sink.setBufferSize(int(_BUFFER_S * RATE) * _FRAME_BYTES)
        sink.setVolume(self._volume)
        device = sink.start()
        if device is None:
            return
        # Opening a device may take a second: the sound joins the pictures where they are by now.
        from_s += time.monotonic() - asked_s
        self._chunks = decode_sound(path, from_s + offset_s, joins)
        self._waiting = b""
        self._from_s, self._written_bytes, self._reported_s = from_s, 0, 0.0
        self._sink, self._device = sink, device
        self._feed()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._feed)
        self._timer.start(_FEED_MS)

    @pyqtSlot()
    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._sink is not None:
            self._sink.reset()
            self._sink.deleteLater()
        self._sink = self._device = None
        self._chunks = iter(())

    @pyqtSlot(float)
    def skip(self, seconds: float) -> None:
        if self._sink is None:
            return
        left = round(seconds * RATE) * _FRAME_BYTES
        while left > 0 and (self._waiting or self._refill()):
            dropped = min(left, len(self._waiting))
            self._waiting = self._waiting[dropped:]
            left -= dropped
        self._from_s += seconds

    @pyqtSlot(float)
    def set_volume(self, volume: float) -> None:
        self._volume = volume
        if self._sink is not None:
            self._sink.setVolume(volume)

    @pyqtSlot()
    def _feed(self) -> None:
        if self._sink is None or self._device is None:
            return
        room = self._sink.bytesFree()
        while room > 0 and (self._waiting or self._refill()):
            written = self._device.write(self._waiting[:room])
            if written <= 0:
                break
            self._waiting = self._waiting[written:]
            self._written_bytes += written
            room -= written
        # What the device has taken; what it counts as processed differs between systems.
        queued = self._sink.bufferSize() - self._sink.bytesFree()
        played_s = (self._written_bytes - queued) / (RATE * _FRAME_BYTES)
        if played_s - self._reported_s >= _REPORT_S:
            self._reported_s = played_s
            self.heard.emit(self._from_s + played_s)

    def _refill(self) -> bool:
        try:
            self._waiting = next(self._chunks, b"")
        except MediaError as error:
            logger.info("no sound: %s", error)
            self._chunks = iter(())
        return bool(self._waiting)


def _open_sink() -> QAudioSink | None:
    """The default sound device, or None: a machine without one plays silently."""
    if multimedia is None:
        return None
    device = multimedia.QMediaDevices.defaultAudioOutput()
    wanted = multimedia.QAudioFormat()
    wanted.setSampleRate(RATE)
    wanted.setChannelCount(CHANNELS)
    wanted.setSampleFormat(multimedia.QAudioFormat.SampleFormat.Int16)
    if device.isNull() or not device.isFormatSupported(wanted):
        logger.info("no sound: there is no output device for %d Hz stereo", RATE)
        return None
    return multimedia.QAudioSink(device, wanted)
