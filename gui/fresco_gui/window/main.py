"""The window itself: makes its parts, starts, ends, and takes what is dropped on it."""

from __future__ import annotations

from pathlib import Path

from fresco_client import Presets
from PyQt6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QMainWindow, QWidget

from fresco_gui.clips import sample_clip
from fresco_gui.controller import Controller
from fresco_gui.empty import EmptyState
from fresco_gui.faults import FaultHook
from fresco_gui.inspector import Inspector
from fresco_gui.jobs import JobsPanel
from fresco_gui.looks import ContactSheet
from fresco_gui.preferences import DaemonChoice, Folders, Preferences
from fresco_gui.problem_panel import ProblemPanel
from fresco_gui.shortcuts import FocusFirst, leave_focus_to_tab
from fresco_gui.stage import Stage
from fresco_gui.status import StatusLine
from fresco_gui.timeline import Filmstrip
from fresco_gui.viewer import Viewer
from fresco_gui.window.asides import Asides
from fresco_gui.window.clip_page import ClipPage
from fresco_gui.window.closing import Closing
from fresco_gui.window.commands import Commands
from fresco_gui.window.daemon_views import DaemonViews
from fresco_gui.window.exporting import Exporting
from fresco_gui.window.job_actions import JobActions
from fresco_gui.window.keyframes import Keyframes
from fresco_gui.window.menus import Menus
from fresco_gui.window.opening import Opening, paths_of
from fresco_gui.window.possible import Possible
from fresco_gui.window.remedies import Remedies
from fresco_gui.window.restyling import Restyling
from fresco_gui.window.views import Arrangement, Views


class MainWindow(QMainWindow):
    """One window with a clip, or with the place to drop one."""

    def __init__(
        self,
        preferences: Preferences,
        folders: Folders,
        hook: FaultHook,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Fresco")
        self.setAcceptDrops(True)
        self._preferences = preferences
        self._is_closed = False
        self.hook = hook
        self.controller = controller = Controller(preferences, folders, self)
        self.views = self._make_views(Presets(folders.state / "presets.json"))
        self.stage = Stage(
            self.views.viewer,
            self.views.filmstrip,
            controller.opener,
            controller.keeper,
            controller.following,
        )
        self.arrangement = Arrangement(self, self.views)
        self.commands = Commands(self)
        self._add_parts(hook)
        self._join_commands()
        self._focus_first = FocusFirst(self)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self._focus_first)
        leave_focus_to_tab(self)
        preferences.restore_bytes("geometry", self.restoreGeometry)
        preferences.restore_bytes("state", self.restoreState)

    def _make_views(self, presets: Presets) -> Views:
        return Views(
            viewer=Viewer(),
            filmstrip=Filmstrip(),
            inspector=Inspector(presets),
            sheet=ContactSheet(),
            jobs=JobsPanel(self.controller.jobs.model),
            problems=ProblemPanel(),
            empty=EmptyState(has_sample=sample_clip() is not None),
            status=StatusLine(),
        )

    def _add_parts(self, hook: FaultHook) -> None:
        """One object for each thing that a user does."""
        controller, stage, views = self.controller, self.stage, self.views
        keeper, opener = controller.keeper, controller.opener
        self.clip_page = ClipPage(self, opener, keeper, stage, views, self.arrangement)
        self.opening = Opening(self, opener, keeper, self._preferences, views)
        self.restyling = Restyling(self, controller, stage, views, self.arrangement)
        self.keyframes = Keyframes(self, controller, stage, views)
        self.exporting = Exporting(self, controller, stage, views)
        self.job_actions = JobActions(self, controller, stage, views, self.clip_page)
        self.daemon_views = DaemonViews(self, controller, views)
        self.remedies = Remedies(self, controller, views, hook)
        self.closing = Closing(self, controller.jobs, self.exporting)

    def _join_commands(self) -> None:
        commands, arrangement = self.commands, self.arrangement
        viewing = self.views.viewer.actions()
        self.addActions(viewing)
        docks = [dock.toggleViewAction() for dock in (arrangement.left, arrangement.right)]
        self.menus = Menus(self, commands, self._preferences, viewing, docks)
        self.asides = Asides(self, self.controller, commands, self.menus)
        self.opening.connect(commands, self.menus.recent)
        self.restyling.connect(commands)
        self.keyframes.connect(commands)
        self.exporting.connect(commands)
        self.daemon_views.connect(commands)
        commands.quit.triggered.connect(self.close)
        self.possible = Possible(self, self.controller, self.stage, self.views)
        self.possible.connect(commands, self.keyframes, self.exporting, self.restyling)

    def start(self, clip: Path | None = None, choice: DaemonChoice | None = None) -> None:
        """Look for the daemon, and open a clip or what was open before."""
        if clip is not None:
            self.controller.opener.open(clip)
        else:
            self.controller.opener.restore()
        self.controller.start(choice)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        """Ask once if jobs run; then end everything here."""
        if event is None or self._is_closed:
            return
        if not self.closing.is_allowed():
            event.ignore()
            return
        self._is_closed = True
        self._preferences.keep_bytes("geometry", self.saveGeometry())
        self._preferences.keep_bytes("state", self.saveState())
        self.views.viewer.pause()
        self.exporting.end()
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self._focus_first)
        self.controller.close()
        self.stage.close()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        """Take files, wherever they are held above the window."""
        if event is not None and paths_of(event.mimeData()):
            event.acceptProposedAction()
            self.views.empty.set_over(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:  # noqa: N802
        """They were taken elsewhere."""
        self.views.empty.set_over(False)

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """Open what was dropped."""
        self.views.empty.set_over(False)
        if event is not None:
            event.acceptProposedAction()
            self.opening.open_first(paths_of(event.mimeData()))
