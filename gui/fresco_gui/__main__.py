"""`fresco-gui [CLIP]`: the desktop app."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from fresco_media.files import interrupts

# Everything else is imported where Ctrl-C does not show a traceback any more.
if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from PyQt6.QtCore import QCoreApplication
    from PyQt6.QtWidgets import QApplication, QWidget

    from fresco_gui.problems.problem import ErrorBoundary


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 1 where Qt cannot start."""
    with interrupts.ends_at_once():
        from fresco_gui import qt_libraries

        options = _parse(sys.argv[1:] if arguments is None else arguments)
        reason = qt_libraries.why_not()
        if reason:
            sys.stderr.write(reason + "\n")
            return 1
        application, hook = _opened(options)
    code = application.exec()
    hook.remove()
    return code


def _parse(arguments: list[str]) -> argparse.Namespace:
    import argparse
    from pathlib import Path

    parser = argparse.ArgumentParser(
        prog="fresco-gui", description="Try looks on a clip, compare them, and export the result."
    )

    def place(text: str) -> Path:
        if not text.strip():
            raise argparse.ArgumentTypeError("the name is empty; leave it out for none")
        return Path(text)

    parser.add_argument("clip", nargs="?", type=place, help="a clip or a project to open")
    parser.add_argument("--data", type=place, help="the data folder of this machine's daemon")
    parser.add_argument("--debug", action="store_true", help="log lines on the terminal as well")
    return parser.parse_args(arguments)


def _opened(options: argparse.Namespace) -> tuple[QApplication, ErrorBoundary]:
    """The application with its window, which Ctrl-C in the terminal closes."""
    import locale
    from dataclasses import replace

    from PyQt6.QtWidgets import QApplication

    from fresco_gui import theme
    from fresco_gui.garbage import GarbageCollector
    from fresco_gui.preferences.stored import Folders, Preferences
    from fresco_gui.problems.problem import ErrorBoundary
    from fresco_gui.window import MainWindow

    # What gRPC has to say on the terminal is said by the window.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Threads that decode give the interpreter back to the window's after 1 ms instead of 5.
    sys.setswitchinterval(0.001)
    hook = ErrorBoundary()
    hook.install()
    application = QApplication(sys.argv[:1])
    GarbageCollector(application)
    # Qt takes the system's numbers for the whole process, and FFmpeg would read 0.75 as 0.
    locale.setlocale(locale.LC_NUMERIC, "C")
    application.setApplicationName("Fresco")
    application.setDesktopFileName("fresco-gui")
    folders = Folders.of_user()
    _log_to(folders.state, is_debug=options.debug)
    _translate(application)
    theme.apply(application)
    preferences = Preferences(folders.state)
    window = MainWindow(preferences, folders, hook)
    choice = replace(preferences.daemon, command=_own_daemon())
    if options.data is not None:
        choice = replace(choice, data=options.data)
    window.show()
    _close_on_ctrl_c(window)
    window.start(options.clip, choice)
    return application, hook


def _close_on_ctrl_c(window: QWidget) -> None:
    import signal

    from PyQt6.QtCore import QTimer

    def close(*_: object) -> None:
        window.close()

    signal.signal(signal.SIGINT, close)
    # Python only looks at signals while it runs.
    ticker = QTimer(window)
    ticker.timeout.connect(lambda: None)
    ticker.start(300)


def _translate(application: QCoreApplication) -> None:
    """Take the system's language, where there are words in it."""
    from pathlib import Path

    from PyQt6.QtCore import QLibraryInfo, QLocale, QTranslator

    for name, folder in (
        ("fresco_gui", str(Path(__file__).parent / "translations")),
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
    ):
        translator = QTranslator(application)
        if translator.load(QLocale(), name, "_", folder):
            application.installTranslator(translator)


def _own_daemon() -> tuple[str, ...]:
    """What starts the daemon that is installed beside this app; else the user's own is found."""
    import importlib.util

    if importlib.util.find_spec("fresco_cli") is None:
        return ()
    return (sys.executable, "-m", "fresco_cli")


def _log_to(folder: Path, *, is_debug: bool) -> None:
    import logging
    from logging.handlers import RotatingFileHandler

    handlers: list[logging.Handler] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(
            RotatingFileHandler(
                folder / "fresco-gui.log", maxBytes=1 << 20, backupCount=2, encoding="utf-8"
            )
        )
    except OSError as error:
        sys.stderr.write(f"There is no log: {error}\n")
    if is_debug:
        handlers.append(logging.StreamHandler())
    logging.basicConfig(
        level=logging.DEBUG if is_debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=handlers or [logging.NullHandler()],
    )


if __name__ == "__main__":
    sys.exit(main())
