"""Takes pictures of the window in all its states; see scripts/gui-pictures.

    python -m tests.gui.pictures FOLDER PERCENT [WIDTH HEIGHT]

A real daemon with the bundled model restyles the sample clip for them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fresco_gui import theme
from fresco_gui.clips import sample_clip
from fresco_gui.garbage import GarbageCollector
from fresco_gui.preferences.stored import DaemonChoice, Folders, Preferences
from fresco_gui.problems.problem import ErrorBoundary
from fresco_gui.window import MainWindow
from PIL import Image
from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication, QWidget

from tests.integration.daemons import DaemonProcess

_PATIENCE_S = 400.0


class Photographer:
    """Takes pictures of a window and waits for what they are to show."""

    def __init__(self, folder: Path, percent: int) -> None:
        self._folder = folder
        self._percent = percent

    def wait(self, what: str, is_so: Callable[[], Any]) -> None:
        """Let events happen until it is so."""
        ends = time.monotonic() + _PATIENCE_S
        while not is_so():
            if time.monotonic() > ends:
                raise SystemExit(f"waited in vain for {what}")
            self.rest(50)

    def rest(self, span_ms: int) -> None:
        """Let events happen for a while."""
        loop = QEventLoop()
        QTimer.singleShot(span_ms, loop.quit)
        loop.exec()

    def take(self, name: str, widget: QWidget) -> None:
        """Keep what a widget looks like now."""
        self.rest(700)
        image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        bits = image.constBits()
        assert bits is not None
        data = bits.asstring(image.sizeInBytes())
        picture = Image.frombytes(
            "RGB", (image.width(), image.height()), data, "raw", "RGB", image.bytesPerLine()
        )
        path = self._folder / f"desktop-{name}-{self._percent}.jpg"
        picture.save(path, quality=62, optimize=True)


def main(folder: Path, percent: int, width: int = 1440, height: int = 900) -> None:
    """Take all of them, of a window of this size in points."""
    application = QApplication(sys.argv[:1])
    GarbageCollector(application)
    theme.apply(application)
    with tempfile.TemporaryDirectory() as temporary:
        state = Path(temporary)
        daemon = DaemonProcess(state / "daemon" / "data").start()
        window = MainWindow(
            Preferences(state), Folders(state=state, results=state / "results"), ErrorBoundary()
        )
        try:
            window.resize(width, height)
            window.show()
            window.start(None, DaemonChoice(data=daemon.data, is_started=False))
            _take_all(window, Photographer(folder, percent), _copy_of_sample(state))
        finally:
            window.controller.jobs.model.show([])
            window.close()
            daemon.stop_whatever()


def _take_all(window: MainWindow, photographer: Photographer, clip: Path) -> None:
    controller = window.controller
    photographer.wait("the daemon", lambda: controller.daemon.state.is_connected)
    photographer.take("empty", window)
    controller.opener.open_clip(clip)
    photographer.wait("the clip", lambda: controller.opener.clip)
    photographer.wait("its length", lambda: window.display.source and window.display.source.info)
    _choose(window, {"style": "watercolour", "preset": "draft", "prompt": "a toy town"})
    photographer.wait("settings", window.views.inspector.look_button.isEnabled)
    window.views.viewer.set_frame(40)
    window.views.sheet.refresh.click()
    photographer.wait("the sheet", lambda: _has_every_look(window))
    window.look_actions.choose_style("watercolour")
    window.commands.vary_strength.trigger()
    photographer.wait("looks", lambda: len(window.views.sheet.looks()) == 5)
    photographer.take("looks", window)
    window.views.viewer.set_range(24, 71)
    window.views.inspector.restyle_button.click()
    photographer.wait("keyframes", lambda: len(_ready(window)) >= 4)
    window.views.viewer.set_frame(_ready(window)[1])
    photographer.take("running", window)
    photographer.wait("the result", lambda: window.display.has_whole_result)
    window.views.viewer.set_frame(40)
    photographer.wait("its frame", lambda: _has_frame(window, 40))
    photographer.take("done", window)
    sheet = window.dialogs.shortcuts_sheet()
    sheet.show()
    photographer.take("shortcuts", sheet)
    sheet.close()
    _compare(window, photographer)
    _fail(window, photographer, clip)


def _compare(window: MainWindow, photographer: Photographer) -> None:
    """Another result beside the first one."""
    controller = window.controller
    first = controller.shown_job.job()
    assert first is not None
    _choose(window, {"style": "stained glass"})
    photographer.wait("settings", window.views.inspector.restyle_button.isEnabled)
    window.views.inspector.restyle_button.click()
    photographer.wait("another job", lambda: controller.shown_job.job_id != first.id)
    photographer.wait("its result", lambda: window.display.has_whole_result)
    window.compare_actions.put_a(first)
    window.views.viewer.set_frame(41)
    photographer.wait("its frame", lambda: _has_frame(window, 41))
    photographer.rest(4000)  # The other result is opened meanwhile.
    photographer.take("compared", window)


def _has_every_look(window: MainWindow) -> bool:
    cells = window.views.sheet.styles.cells()
    return bool(cells) and all(cell.look is not None for cell in cells)


def _fail(window: MainWindow, photographer: Photographer, clip: Path) -> None:
    clip.unlink()
    photographer.wait("a problem", lambda: window.views.problems.problem)
    photographer.take("error", window)


def _has_frame(window: MainWindow, index: int) -> bool:
    result = window.display.result
    return result is not None and result.peek(index) is not None


def _copy_of_sample(folder: Path) -> Path:
    sample = sample_clip()
    assert sample is not None
    return Path(shutil.copy(sample, folder / "town.mp4"))


def _ready(window: MainWindow) -> tuple[int, ...]:
    job = window.controller.shown_job.job()
    return job.ready_keyframes if job else ()


def _choose(window: MainWindow, values: dict[str, Any]) -> None:
    for name, value in values.items():
        field = window.views.inspector.form.field(name)
        assert field is not None
        field.set_value(value)
        field.changed.emit()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
