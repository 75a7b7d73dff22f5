"""Takes the pictures of docs/resolve.md; see scripts/resolve-pictures.

    python -m tests.plugins.davinci.pictures FOLDER

Our window on the stand-in for Resolve, with a real daemon, the bundled model and the sample clip.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fresco_davinci.bridge.mailbox import Mailbox
from fresco_davinci.bridge.remote import Bridge
from fresco_davinci.controller import ResolveController
from fresco_davinci.plugin_folders import PluginFolders
from fresco_davinci.window.run import dress
from fresco_davinci.window.window import FrescoWindow
from fresco_engine.sample import sample_clip_path
from PyQt6.QtWidgets import QApplication, QComboBox

from tests.fakes.resolve import Track, open_world
from tests.integration.daemons import DaemonProcess
from tests.plugins.davinci.conftest import DirectLink, clip_of, put

_PATIENCE_S = 900


class Photographer:
    """Waits for what a window is to show, and keeps what it looks like."""

    def __init__(self, application: QApplication, folder: Path) -> None:
        self._application = application
        self._folder = folder

    def wait(self, is_so: Callable[[], object]) -> None:
        """Let events happen until it is so."""
        ends = time.monotonic() + _PATIENCE_S
        while not is_so():
            self._application.processEvents()
            time.sleep(0.02)
            assert time.monotonic() < ends, "waited in vain"

    def keep(self, window: FrescoWindow, name: str) -> None:
        """Keep what the window looks like now."""
        window.grab().save(str(self._folder / f"resolve-{name}.jpg"), "JPEG", 90)


def main() -> None:
    """Take all of them."""
    application = QApplication(sys.argv[:1])
    dress(application)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        daemon = DaemonProcess(folder / "daemon" / "data").start()
        try:
            take(Photographer(application, Path(sys.argv[1])), daemon, folder)
        finally:
            daemon.stop_whatever()


def take(photographer: Photographer, daemon: DaemonProcess, folder: Path) -> None:
    """A clip is looked at and restyled; `folder` is for what the plugin keeps."""
    world = open_world()
    clip = clip_of(sample_clip_path())
    world.timeline.rate, world.timeline.size = clip.rate, clip.size
    put(world, clip, left=4, count=24)
    world.timeline.video.append(Track("Titles"))
    world.timeline.playhead = 14
    plugin_folders = PluginFolders(data=folder / "fresco", videos=folder / "Videos")
    controller = ResolveController(plugin_folders, daemon.session)
    mailbox = Mailbox(folder / "mailbox", lambda: [])
    waiting = FrescoWindow(ResolveController(plugin_folders, daemon.session), "restyle", mailbox)
    waiting.show()
    photographer.wait(lambda: _knows_styles(waiting))
    photographer.keep(waiting, "waiting")
    waiting.close()

    controller.attach(Bridge(DirectLink(world)))
    window = FrescoWindow(controller, "restyle")
    window.show()
    photographer.wait(lambda: _knows_styles(window))
    photographer.wait(lambda: window.before.has_picture)
    window.form.fields["style"].set_value("watercolour")
    window.form.fields["prompt"].set_value("soft morning light")
    window.form.changed.emit()
    window.look.click()
    photographer.wait(lambda: window.after.has_picture and not window.status.text())
    photographer.keep(window, "look")
    window.restyle.click()
    photographer.wait(lambda: "keyframe" in window.after._caption)
    photographer.wait(lambda: (window.jobs.index(0, 2).data() or "").startswith("frames "))
    photographer.keep(window, "job")
    photographer.wait(lambda: "is on track" in window.status.text())
    photographer.wait(lambda: window.jobs.rowCount() == 0)
    photographer.keep(window, "done")
    window.close()
    controller.close()


def _knows_styles(window: FrescoWindow) -> bool:
    box = window.form.fields["style"].findChild(QComboBox)
    return box is not None and box.count() > 5


if __name__ == "__main__":
    main()
