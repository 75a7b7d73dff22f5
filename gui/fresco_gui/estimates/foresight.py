"""Says what the chosen settings come to, anew whenever one of them has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fresco_client import (
    ClientError,
    InvalidRequest,
    NotSupported,
    ResolvedSettings,
    settings_of,
    values_of,
)
from fresco_client.remedies import in_window
from PyQt6.QtCore import QCoreApplication, QObject, QTimer, pyqtSignal

from fresco_gui.daemon.connection import DaemonConnection
from fresco_gui.project.store import ProjectStore
from fresco_gui.services import Services
from fresco_gui.values import OF_ONE_CLIP, Values

_SOON_MS = 200
_UNSAID = "photo"
"""A prompt for as long as there is none, to know what holds."""


@dataclass(frozen=True, kw_only=True)
class Foresight:
    """What settings come to: all that holds, and what is to be said of the words."""

    values: Values
    words: str = ""


class Foreseer(QObject):
    """Asks the daemon.

    Signals:
        foreseen(Foresight): what the settings of now come to.
    """

    foreseen = pyqtSignal(object)

    def __init__(
        self,
        services: Services,
        daemon: DaemonConnection,
        project_store: ProjectStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._daemon = daemon
        self._project_store = project_store
        self._asked: tuple[Values, str] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SOON_MS)
        self._timer.timeout.connect(self._ask)
        project_store.touched.connect(self._timer.start)
        project_store.replaced.connect(self._timer.start)
        daemon.opened.connect(self._on_opened)

    def stop(self) -> None:
        """Ask nothing any more."""
        self._timer.stop()
        self._timer.timeout.disconnect(self._ask)

    def _on_opened(self) -> None:
        self._asked = None
        self._timer.start()

    def _ask(self) -> None:
        session, project = self._daemon.session, self._project_store.project
        if session is None:
            return
        values = {
            name: one
            for name, one in project.values.items()
            if name not in OF_ONE_CLIP or name == "source_prompt"
        }
        asked = (values, project.model)
        if asked == self._asked:
            return
        self._asked = asked
        settings = settings_of(values)
        is_said = bool((settings.prompt or "").strip())
        if not is_said and not settings.style:
            settings = replace(settings, prompt=_UNSAID)
        self._services.workers.call(
            lambda: session.resolve(settings, asked[1]),
            lambda found: self._on_found(asked, found, is_said=is_said),
            lambda error: self._on_failed(asked, error),
        )

    def _on_found(self, asked: object, found: object, *, is_said: bool) -> None:
        if asked != self._asked or not isinstance(found, ResolvedSettings):
            return
        words = [f"{text[:1].upper()}{text[1:]}." for text in map(in_window, found.doubts)]
        if is_said and found.called_styles:
            called = ", ".join(found.called_styles)
            text = QCoreApplication.translate("Foresight", "The words call for: {styles}.")
            words.insert(0, text.format(styles=called))
        values = values_of(found.settings)
        self.foreseen.emit(Foresight(values=values, words="\n".join(words)))

    def _on_failed(self, asked: object, error: Exception) -> None:
        if asked != self._asked:
            return
        if isinstance(error, InvalidRequest):
            self.foreseen.emit(Foresight(values={}, words=str(error)))
        elif not isinstance(error, NotSupported) and isinstance(error, ClientError):
            self._asked = None  # asked again with the next change
