"""Opening the window in a process of its own."""

from __future__ import annotations

import logging
import os
import sys
from types import TracebackType

from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication, QMessageBox

from fresco_davinci.bridge.mailbox import Mailbox
from fresco_davinci.controller import ResolveController
from fresco_davinci.window.window import FrescoWindow

_log = logging.getLogger(__name__)


def run_window(
    controller: ResolveController, command: str, *, mailbox: Mailbox | None = None
) -> int:
    """Show the window until it is closed; the exit code."""
    application = _application()
    window = FrescoWindow(controller, command, mailbox)
    window.show()
    window.raise_()
    window.activateWindow()
    code = application.exec()
    if window.background.isRunning():
        # Resolve answers nothing any more; the thread that waits for it would keep us for ever.
        os._exit(1)
    return code


def show_sentence(text: str) -> None:
    """Show what went wrong, where there is no other window."""
    _application()
    QMessageBox.warning(None, "Fresco", text)


def _application() -> QApplication:
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    # An exception in a slot would end the process at once.
    sys.excepthook = _log_exception
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Fresco")
    dress(application)
    return application


def dress(application: QApplication) -> None:
    """Dark and neutral: nothing beside a picture may have a colour of its own."""
    application.setStyle("Fusion")
    palette = QPalette()
    role = QPalette.ColorRole
    for what, colour in (
        (role.Window, "#262626"),
        (role.WindowText, "#dcdcdc"),
        (role.Base, "#1d1d1d"),
        (role.AlternateBase, "#242424"),
        (role.Text, "#dcdcdc"),
        (role.PlaceholderText, "#8c8c8c"),
        (role.Button, "#363636"),
        (role.ButtonText, "#dcdcdc"),
        (role.ToolTipBase, "#363636"),
        (role.ToolTipText, "#dcdcdc"),
        (role.Highlight, "#a8722f"),
        (role.HighlightedText, "#ffffff"),
    ):
        palette.setColor(what, QColor(colour))
    for what in (role.Text, role.ButtonText, role.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, what, QColor("#7d7d7d"))
    application.setPalette(palette)


def _log_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        QApplication.quit()
        return
    _log.error("an exception reached the window", exc_info=(kind, error, trace))
