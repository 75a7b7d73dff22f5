"""The window itself: makes its parts, starts, ends, and takes what is dropped on it."""

from __future__ import annotations

from pathlib import Path

from fresco_client import Presets
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QMainWindow, QWidget

from fresco_gui.clips import sample_clip
from fresco_gui.comparison import Comparison
from fresco_gui.controller import Controller
from fresco_gui.display import Display
from fresco_gui.inspector import Inspector
from fresco_gui.jobs import JobsPanel
from fresco_gui.looks import ContactSheet
from fresco_gui.preferences.shortcuts import FocusFirst, leave_focus_to_tab
from fresco_gui.preferences.stored import DaemonChoice, Folders, Preferences
from fresco_gui.problems.panel import ProblemPanel
from fresco_gui.problems.problem import ErrorBoundary
from fresco_gui.timeline import Filmstrip
from fresco_gui.viewer import Viewer
from fresco_gui.window.action_states import ActionStates
from fresco_gui.window.clip_page import ClipPage
from fresco_gui.window.compare_actions import CompareActions
from fresco_gui.window.daemon_views import DaemonViews
from fresco_gui.window.dialogs import CloseConfirmation, Dialogs
from fresco_gui.window.drop_overlay import DropOverlay
from fresco_gui.window.edit_actions import EditActions
from fresco_gui.window.empty import EmptyState
from fresco_gui.window.export_actions import ExportActions
from fresco_gui.window.job_actions import JobActions
from fresco_gui.window.keyframe_actions import KeyframeActions
from fresco_gui.window.look_actions import LookActions
from fresco_gui.window.menus import Commands, Menus
from fresco_gui.window.mnemonics import give_letters
from fresco_gui.window.open_actions import OpenActions, paths_of
from fresco_gui.window.problem_actions import ProblemActions
from fresco_gui.window.restyle_actions import RestyleActions
from fresco_gui.window.result_bar import ResultBar
from fresco_gui.window.status import StatusLine
from fresco_gui.window.views import Views, WindowLayout


class MainWindow(QMainWindow):
    """One window with a clip, or with the place to drop one."""

    def __init__(
        self,
        preferences: Preferences,
        folders: Folders,
        hook: ErrorBoundary,
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
        self.comparison = Comparison(
            self.views.viewer,
            controller.daemon,
            controller.project_store,
            controller.shown_job,
            controller.jobs,
            self,
        )
        self.display = Display(
            self.views.viewer,
            self.views.filmstrip,
            controller.opener,
            controller.project_store,
            controller.shown_job,
            self.comparison,
        )
        self.window_layout = WindowLayout(self, self.views)
        centre = self.centralWidget()
        assert centre is not None
        self.drop_overlay = DropOverlay(centre)
        self.commands = Commands(self)
        self._add_parts(hook)
        self._join_commands()
        self._focus_first = FocusFirst(self)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self._focus_first)
        leave_focus_to_tab(self)
        self._order_keys()
        self.views.inspector.form.built.connect(self._order_keys)
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
            result=ResultBar(),
            empty=EmptyState(has_sample=sample_clip() is not None),
            status=StatusLine(),
        )

    def _add_parts(self, hook: ErrorBoundary) -> None:
        """One object for each thing that a user does."""
        controller, display, views = self.controller, self.display, self.views
        project_store, opener = controller.project_store, controller.opener
        self.clip_page = ClipPage(self, opener, project_store, display, views, self.window_layout)
        self.open_actions = OpenActions(self, opener, project_store, self._preferences, views)
        self.edit_actions = EditActions(self, project_store.history)
        self.restyle_actions = RestyleActions(self, controller, display, views, self.window_layout)
        self.look_actions = LookActions(self, controller, display, views)
        self.keyframes = KeyframeActions(self, controller, display, views)
        self.export_actions = ExportActions(self, controller, display, views)
        self.job_actions = JobActions(self, controller, display, views, self.clip_page)
        self.compare_actions = CompareActions(self, self.comparison, views)
        self.daemon_views = DaemonViews(self, controller, views)
        self.problem_actions = ProblemActions(self, controller, views, hook)
        self.close_confirmation = CloseConfirmation(self, controller.jobs, self.export_actions)

    def _join_commands(self) -> None:
        commands, window_layout = self.commands, self.window_layout
        self.addActions(self.views.viewer.actions())
        docks = [dock.toggleViewAction() for dock in (window_layout.left, window_layout.right)]
        self.menus = Menus(self, commands, self._preferences, self.views.viewer.commands, docks)
        self.dialogs = Dialogs(self, self.controller, commands, self.menus)
        self.open_actions.connect(commands, self.menus.recent)
        self.edit_actions.connect(commands)
        self.restyle_actions.connect(commands)
        self.keyframes.connect(commands)
        self.export_actions.connect(commands)
        self.compare_actions.connect(commands)
        self.daemon_views.connect(commands)
        commands.quit.triggered.connect(self.close)
        self.action_states = ActionStates(self, self.controller, self.display, self.views)
        self.action_states.connect(commands, self.keyframes, self.export_actions, self.look_actions)

    def _order_keys(self) -> None:
        """Let Tab and letters with Alt go through what there is now."""
        self.window_layout.order_tabs()
        give_letters(self, self.views.inspector.labels())

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
        if not self.close_confirmation.is_allowed():
            event.ignore()
            return
        self._is_closed = True
        self.open_actions.save_at_last()
        self._preferences.keep_bytes("geometry", self.saveGeometry())
        self._preferences.keep_bytes("state", self.saveState())
        self.views.viewer.pause()
        self.export_actions.end()
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self._focus_first)
        self.controller.close()
        self.display.close()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        """Take files, wherever they are held above the window, and say what becomes of them."""
        paths = paths_of(event.mimeData()) if event is not None else []
        if event is not None and paths:
            _accept(event)
            self.views.empty.set_over(True)
            clip = self.controller.project_store.project.clip
            if clip:
                self.drop_overlay.show_for(paths, Path(clip).name)

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:  # noqa: N802
        """They were taken elsewhere."""
        self._end_drag()

    def _end_drag(self) -> None:
        self.views.empty.set_over(False)
        self.drop_overlay.hide()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """Open what was dropped."""
        self._end_drag()
        if event is not None:
            _accept(event)
            self.open_actions.open_first(paths_of(event.mimeData()))


def _accept(event: QDropEvent) -> None:
    """Take what is dropped as a copy: a file manager may delete what was moved."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()
