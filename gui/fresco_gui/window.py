"""The window: assembles the views and connects them to the controller."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from fresco_client import Job, JobState, TransferProgress
from PyQt6.QtCore import QMimeData, Qt, QUrl
from PyQt6.QtGui import (
    QAction,
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
)
from PyQt6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QMainWindow,
    QMenu,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from fresco_gui import clips
from fresco_gui.connection import DaemonState, DaemonView
from fresco_gui.controller import (
    AUTOSAVE_FAILED,
    CLIP_GONE,
    DAEMON_AWAY,
    FETCH_FAILED,
    Controller,
)
from fresco_gui.empty import EmptyState
from fresco_gui.estimate import Estimate
from fresco_gui.export_panel import ExportDialog, ExportRun
from fresco_gui.faults import FaultHook, Problem
from fresco_gui.inspector import Inspector
from fresco_gui.inspector.presets import Presets
from fresco_gui.jobs import JobFollower, JobsPanel
from fresco_gui.jobs.words import bytes_text, span_text
from fresco_gui.keyframes import Keyframes
from fresco_gui.looks import ContactSheet, LookPicture
from fresco_gui.models import ModelManager
from fresco_gui.preferences import DaemonChoice, Folders, Preferences
from fresco_gui.problem_panel import ProblemPanel
from fresco_gui.settings_dialog import SettingsDialog
from fresco_gui.shortcuts import FocusFirst, ShortcutsSheet, action, apply_kept, leave_focus_to_tab
from fresco_gui.stage import Stage
from fresco_gui.status import StatusLine
from fresco_gui.timeline import Filmstrip, KeyframeAction
from fresco_gui.viewer import Viewer

_log = logging.getLogger(__name__)


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
        self.preferences = preferences
        self.folders = folders
        self.controller = Controller(preferences, folders, self)
        self.viewer = Viewer()
        self.filmstrip = Filmstrip()
        self.stage = Stage(self.viewer, self.filmstrip, self.controller, self)
        self.inspector = Inspector(Presets(folders.state / "presets.json"))
        self.sheet = ContactSheet()
        self.jobs_panel = JobsPanel(self.controller.jobs)
        self.problems = ProblemPanel()
        self.empty = EmptyState(has_sample=clips.sample_clip() is not None)
        self.status = StatusLine()
        self.models = ModelManager(self.controller.workers, self)
        self.exports = ExportRun(self)
        self.keyframes = Keyframes(self.controller, self.stage, self.viewer, self._say, self)
        self._hook = hook
        self._is_closed = False
        self._first_frame = 0
        self._focus_first = FocusFirst(self)
        self._groups: list[tuple[str, Sequence[QAction]]] = []
        self._build()
        self._build_menus()
        self._connect()
        self._restore_window()
        self._refresh()

    # Start and end

    def start(self, clip: Path | None = None, choice: DaemonChoice | None = None) -> None:
        """Look for the daemon, and open a clip or what was open before."""
        if clip is not None:
            self.controller.open_path(clip)
        else:
            self.controller.restore()
        self.controller.start(choice)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        """Ask once if jobs run; then end everything here."""
        if event is None or self._is_closed:
            return
        if not self._may_close():
            event.ignore()
            return
        self._is_closed = True
        self.preferences.keep_bytes("geometry", self.saveGeometry())
        self.preferences.keep_bytes("state", self.saveState())
        self.viewer.pause()
        self.exports.cancel()
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self._focus_first)
        self.controller.close()
        self.stage.close()
        event.accept()

    def _may_close(self) -> bool:
        jobs = self.controller.open_jobs()
        if not jobs and not self.exports.is_running:
            return True
        box = QMessageBox(self)
        box.setObjectName("closing")
        box.setWindowTitle(self.tr("Close Fresco"))
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self._what_runs(jobs))
        if jobs:
            box.setInformativeText(
                self.tr("The daemon can finish it without this window; you find it here again.")
            )
        leave = box.addButton(self.tr("Leave running"), QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(self.tr("Cancel jobs"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(self.tr("Stay"), QMessageBox.ButtonRole.RejectRole)
        assert cancel is not None
        cancel.setVisible(bool(jobs))
        box.setDefaultButton(leave)
        box.setEscapeButton(stay)
        box.exec()
        if box.clickedButton() is stay:
            return False
        if box.clickedButton() is cancel:
            self._cancel_all(jobs)
        return True

    def _what_runs(self, jobs: Sequence[Job]) -> str:
        if not jobs:
            return self.tr("An export is being written. Closing stops it.")
        if len(jobs) == 1:
            return self.tr("A job is running.")
        return self.tr("{count} jobs are running or waiting.").format(count=len(jobs))

    def _cancel_all(self, jobs: Sequence[Job]) -> None:
        session = self.controller.session
        if session is None:
            return
        for job in jobs:
            worker = self.controller.workers.call(
                lambda job=job: session.cancel(job.id), lambda _: None
            )
            worker.wait(3000)

    # Building

    def _build(self) -> None:
        self.setWindowTitle("Fresco")
        self.setAcceptDrops(True)
        self.resize(1440, 900)
        self.setDockNestingEnabled(True)
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.addWidget(self.viewer)
        self._splitter.addWidget(self.filmstrip)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 0)
        self._splitter.setCollapsible(0, False)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self._splitter)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.problems)
        column.addWidget(self._pages, 1)
        self.setCentralWidget(centre)
        self._left = QTabWidget()
        self._left.setDocumentMode(True)
        self._left.addTab(self.sheet, self.tr("Looks"))
        self._left.addTab(self.jobs_panel, self.tr("Jobs"))
        self._left_dock = self._dock("left", self.tr("Looks and jobs"), self._left)
        self._right_dock = self._dock("inspector", self.tr("Inspector"), self.inspector)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self._left_dock)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._right_dock)
        self.resizeDocks([self._left_dock, self._right_dock], [272, 344], Qt.Orientation.Horizontal)
        self.setStatusBar(self.status)

    def _dock(self, name: str, title: str, widget: QWidget) -> QDockWidget:
        dock = QDockWidget(title)
        dock.setObjectName(name)
        dock.setWidget(widget)
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        return dock

    def _build_menus(self) -> None:
        self._recent_menu = QMenu(self.tr("Open recent"), self)
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        self._menu(self.tr("&File"), self._file_actions())
        self._menu(self.tr("&Restyle"), self._restyle_actions())
        self._menu(self.tr("&Keyframes"), self._keyframe_actions())
        self._menu(self.tr("&View"), self._view_actions())
        self._menu(self.tr("&Daemon"), self._daemon_actions())
        self._menu(self.tr("&Help"), self._help_actions())

    def _menu(self, title: str, actions: Sequence[QAction | QMenu | None]) -> None:
        bar = self.menuBar()
        assert bar is not None
        menu = bar.addMenu(title)
        assert menu is not None
        menu.setToolTipsVisible(True)
        for one in actions:
            if one is None:
                menu.addSeparator()
            elif isinstance(one, QMenu):
                menu.addMenu(one)
            else:
                menu.addAction(one)
        members = [one for one in actions if isinstance(one, QAction)]
        apply_kept(members, self.preferences)
        self._groups.append((title.replace("&", ""), members))

    def _action(
        self, name: str, text: str, keys: Sequence[str], run: Callable[[], object], tip: str = ""
    ) -> QAction:
        made = action(self, name, text, keys, run, tip=tip)
        self.addAction(made)
        return made

    def _file_actions(self) -> list[QAction | QMenu | None]:
        self.save_action = self._action(
            "save_project", self.tr("Save project as…"), ["Ctrl+Shift+S"], self._on_save_project
        )
        self.export_action = self._action(
            "export", self.tr("Export…"), ["Ctrl+E"], self.export, self.tr("Write the result")
        )
        self.close_action = self._action(
            "close_clip", self.tr("Close clip"), ["Ctrl+W"], self.controller.close_clip
        )
        return [
            self._action("open", self.tr("Open…"), ["Ctrl+O"], self._on_open),
            self._action(
                "open_folder",
                self.tr("Open a folder of pictures…"),
                ["Ctrl+Shift+O"],
                self._on_open_folder,
            ),
            self._action("open_sample", self.tr("Open the sample clip"), [], self.open_sample),
            self._recent_menu,
            None,
            self.save_action,
            self.export_action,
            None,
            self._action("settings", self.tr("Settings…"), ["Ctrl+,"], self._on_settings),
            self.close_action,
            self._action("quit", self.tr("Quit"), ["Ctrl+Q"], self.close),
        ]

    def _restyle_actions(self) -> list[QAction | QMenu | None]:
        self.look_action = self._action(
            "look",
            self.tr("Look"),
            ["Ctrl+L"],
            self.inspector.look_button.click,
            self.tr("Restyle the current frame only"),
        )
        self.restyle_action = self._action(
            "restyle",
            self.tr("Restyle"),
            ["Ctrl+Return", "Ctrl+Enter"],
            self.inspector.restyle_button.click,
            self.tr("Restyle the clip or its range"),
        )
        self.use_action = self._action(
            "use_look", self.tr("Use this look"), ["Ctrl+U"], self.sheet.use_chosen
        )
        self.stop_action = self._action(
            "stop", self.tr("Stop"), ["Esc"], self.stop, self.tr("Stop looks, or cancel the job")
        )
        self.pause_action = self._action(
            "pause", self.tr("Pause or go on"), ["Ctrl+P"], self._on_pause
        )
        return [
            self.look_action,
            self.use_action,
            None,
            self.restyle_action,
            self.pause_action,
            self.stop_action,
        ]

    def _keyframe_actions(self) -> list[QAction | QMenu | None]:
        act = self._keyframe_action
        self.reroll_action = act("reroll", self.tr("Reroll"), ["R"], KeyframeAction.REROLL)
        self.prompt_action = act(
            "edit_prompt", self.tr("Edit its prompt…"), ["Shift+R"], KeyframeAction.EDIT_PROMPT
        )
        self.replace_action = act(
            "replace", self.tr("Replace by a painted image…"), [], KeyframeAction.REPLACE
        )
        self.lock_action = act("lock", self.tr("Lock or unlock"), ["Ctrl+K"], KeyframeAction.LOCK)
        self.add_action = act("add_key", self.tr("Add here"), ["M"], KeyframeAction.ADD)
        self.move_action = act(
            "move_key", self.tr("Move the nearest here"), ["Shift+M"], KeyframeAction.MOVE_HERE
        )
        self.remove_action = act("remove_key", self.tr("Remove"), ["Del"], KeyframeAction.REMOVE)
        self.reroll_all_action = self._action(
            "reroll_unlocked",
            self.tr("Reroll all that are not locked"),
            [],
            self.controller.reroll_unlocked,
        )
        return [
            self.reroll_action,
            self.prompt_action,
            self.replace_action,
            self.lock_action,
            self.reroll_all_action,
            None,
            self.add_action,
            self.move_action,
            self.remove_action,
            None,
            self._action(
                "previous_key", self.tr("Previous keyframe"), ["["], lambda: self.keyframes.go(-1)
            ),
            self._action("next_key", self.tr("Next keyframe"), ["]"], lambda: self.keyframes.go(1)),
        ]

    def _keyframe_action(
        self, name: str, text: str, keys: Sequence[str], what: KeyframeAction
    ) -> QAction:
        return self._action(name, text, keys, lambda: self.keyframes.act(self.viewer.frame, what))

    def _view_actions(self) -> list[QAction | QMenu | None]:
        docks = [dock.toggleViewAction() for dock in (self._left_dock, self._right_dock)]
        viewer = self.viewer.actions()
        self.addActions(viewer)
        return [
            *viewer,
            None,
            *docks,
            self._action("full_screen", self.tr("Full screen"), ["F11"], self._on_full_screen),
        ]

    def _daemon_actions(self) -> list[QAction | QMenu | None]:
        return [
            self._action("models", self.tr("Models…"), ["Ctrl+M"], self._on_models),
            self._action(
                "look_for_daemon",
                self.tr("Look for the daemon"),
                ["F5"],
                self.controller.look_at_daemon,
            ),
        ]

    def _help_actions(self) -> list[QAction | QMenu | None]:
        return [
            self._action("shortcuts", self.tr("Shortcuts…"), ["?", "F1"], self._on_shortcuts),
            self._action("logs", self.tr("Show the logs"), [], self._on_logs),
            self._action("about", self.tr("About Fresco"), [], self._on_about),
        ]

    def _connect(self) -> None:
        self._connect_controller()
        self._connect_views()
        self._hook.caught.connect(self.problems.add)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self._focus_first)
        leave_focus_to_tab(self)

    def _connect_controller(self) -> None:
        controller = self.controller
        controller.daemon_changed.connect(self._on_daemon)
        controller.daemon_seen.connect(self._on_seen)
        controller.clip_opened.connect(self._on_clip)
        controller.clip_reached.connect(self._on_reached)
        controller.clip_closed.connect(self._on_clip_closed)
        controller.project_changed.connect(self._on_project)
        controller.sending.connect(self._on_sending)
        controller.job_followed.connect(self._on_followed)
        controller.result_here.connect(self._refresh)
        controller.estimated.connect(self._on_estimate)
        controller.possible_changed.connect(self._refresh)
        controller.problem.connect(self.problems.add)
        controller.problem_over.connect(self.problems.clear)
        looks = controller.looks
        looks.began.connect(self._on_looks_began)
        looks.moved.connect(self.sheet.move)
        looks.arrived.connect(self.sheet.add)
        looks.ended.connect(self._on_looks_ended)
        jobs = controller.jobs
        for signal in (jobs.dataChanged, jobs.modelReset, jobs.rowsInserted):
            signal.connect(self._on_jobs)

    def _connect_views(self) -> None:
        controller = self.controller
        self.empty.open_wanted.connect(self._on_open)
        self.empty.sample_wanted.connect(self.open_sample)
        self.empty.recent_wanted.connect(controller.open_path)
        self.viewer.frame_changed.connect(self._on_frame)
        self.viewer.range_changed.connect(self._on_range)
        self.viewer.files_dropped.connect(self._on_dropped)
        self.filmstrip.scrubbed.connect(self.viewer.set_frame)
        self.filmstrip.range_changed.connect(self._on_range)
        self.filmstrip.keyframe_action.connect(self.keyframes.act)
        self.inspector.changed.connect(self._on_inspector)
        self.inspector.look_wanted.connect(self._on_look)
        self.inspector.restyle_wanted.connect(self._on_restyle)
        self.inspector.problem.connect(self._on_preset_problem)
        self.sheet.shown.connect(self.stage.show_look)
        self.sheet.used.connect(self._on_use)
        self.sheet.cancel_wanted.connect(controller.looks.cancel)
        panel = self.jobs_panel
        panel.opened.connect(controller.show_job)
        panel.reused.connect(self._on_reuse)
        panel.paused.connect(controller.pause)
        panel.resumed.connect(controller.resume)
        panel.cancelled.connect(controller.cancel)
        panel.deleted.connect(self._on_delete)
        panel.saved.connect(self._on_save_result)
        self.problems.acted.connect(self._on_acted)
        self.models.problem.connect(self._on_model_problem)
        self.models.changed.connect(controller.look_at_daemon)
        self.stage.source_opened.connect(self._on_source_opened)
        self.stage.source_failed.connect(self._on_source_failed)
        self.stage.result_failed.connect(self._on_result_failed)
        self.stage.plan_changed.connect(self._refresh)
        self.exports.progressed.connect(self.status.show_export)
        self.exports.finished_to.connect(self._on_exported)
        self.exports.failed.connect(self._on_export_failed)
        self.exports.ended.connect(self._on_export_ended)
        self.status.cancel_export.connect(self.exports.cancel)

    def _restore_window(self) -> None:
        self.preferences.restore_bytes("geometry", self.restoreGeometry)
        self.preferences.restore_bytes("state", self.restoreState)
        self.empty.show_recent(self.preferences.recent)

    # Opening

    def open_sample(self) -> None:
        """Open the clip that comes with Fresco."""
        path = clips.sample_clip()
        if path is not None:
            self.controller.open_clip(path)

    def _on_open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Open"),
            "",
            self.tr(
                "Clips and projects (*.mp4 *.mov *.mkv *.webm *.avi *.mxf *.m4v *.mpg *.png *.jpg "
                "*.jpeg *.tif *.tiff *.exr *.fresco);;All files (*)"
            ),
        )
        if name:
            self.controller.open_path(Path(name))

    def _on_open_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, self.tr("Open a folder of pictures"))
        if name:
            self.controller.open_path(Path(name))

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        for path in self.preferences.recent:
            one = self._recent_menu.addAction(path.name)
            assert one is not None
            one.setToolTip(str(path))
            one.triggered.connect(lambda _=False, path=path: self.controller.open_path(path))
        self._recent_menu.addSeparator()
        forget = self._recent_menu.addAction(self.tr("Forget all"))
        assert forget is not None
        forget.triggered.connect(self._on_forget)

    def _on_forget(self) -> None:
        self.preferences.clear_recent()
        self.empty.show_recent([])

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        """Take files, wherever they are held above the window."""
        if event is not None and _paths_of(event.mimeData()):
            event.acceptProposedAction()
            self.empty.set_over(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:  # noqa: N802
        """They were taken elsewhere."""
        self.empty.set_over(False)

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """Open what was dropped."""
        self.empty.set_over(False)
        if event is not None:
            event.acceptProposedAction()
            self._on_dropped(_paths_of(event.mimeData()))

    def _on_dropped(self, paths: Sequence[Path | str]) -> None:
        if paths:
            self.controller.open_path(Path(paths[0]))

    # The clip

    def _on_clip(self, path: Path) -> None:
        self._pages.setCurrentWidget(self._splitter)
        self._first_frame = self.controller.project.frame
        project = self.controller.project
        self.inspector.set_model(project.model)
        self.inspector.set_values(project.values)
        self.sheet.list.clear()
        self.setWindowFilePath(str(path))
        self.setWindowTitle(f"{path.name} — Fresco")
        self.empty.show_recent(self.preferences.recent)
        self._refresh()

    def _on_source_opened(self) -> None:
        """The clip's length is known: go where its user was."""
        self._show_range()
        self.viewer.set_frame(self._first_frame)
        self.filmstrip.set_frame(self.viewer.frame)

    def _on_reached(self, clip: clips.ReachedClip) -> None:
        self.status.show_clip(clip.info)
        for warning in clip.info.warnings:
            self.status.showMessage(warning, 10000)
        self._refresh()

    def _on_clip_closed(self) -> None:
        self._pages.setCurrentWidget(self.empty)
        self.setWindowFilePath("")
        self.setWindowTitle("Fresco")
        self.status.show_clip(None)
        self.empty.show_recent(self.preferences.recent)
        self.sheet.list.clear()
        self._refresh()

    def _on_project(self) -> None:
        self.inspector.set_model(self.controller.project.model)
        self.inspector.set_values(self.controller.project.values)

    def _on_frame(self, index: int) -> None:
        self.filmstrip.set_frame(index)
        self.controller.remember_frame(index)

    def _on_range(self, first: int, last: int) -> None:
        """In and out points have changed, in the viewer or in the filmstrip."""
        info = self.stage.source.info if self.stage.source else None
        is_whole = info is None or (first <= 0 and last >= info.frame_count - 1)
        self.controller.change(
            range_in=None if is_whole else first, range_out=None if is_whole else last
        )
        self._show_range()

    def _show_range(self) -> None:
        project = self.controller.project
        for view in (self.viewer, self.filmstrip):
            view.blockSignals(True)
            view.set_range(project.range_in, project.range_out)
            view.blockSignals(False)

    def _on_source_failed(self, sentence: str) -> None:
        path = Path(self.controller.project.clip)
        if not path.exists() and "%" not in path.name:
            return  # The controller tells of it, with a way to put it right.
        self.problems.add(Problem(title=self.tr("The clip cannot be shown"), message=sentence))

    def _on_result_failed(self, sentence: str) -> None:
        self.problems.add(Problem(title=self.tr("The result cannot be shown"), message=sentence))

    # Making

    def _on_inspector(self) -> None:
        model = self.inspector.model()
        self.controller.change(values=self.inspector.values(), model=model.source if model else "")
        self._refresh()

    def _on_look(self, count: int) -> None:
        self._left.setCurrentWidget(self.sheet)
        self.controller.look(self.viewer.frame, count)

    def _on_restyle(self) -> None:
        self._left.setCurrentWidget(self.jobs_panel)
        self.controller.restyle()

    def _on_looks_began(self, order: object) -> None:
        self.sheet.begin(order)  # type: ignore[arg-type]
        self._refresh()

    def _on_looks_ended(self) -> None:
        self.sheet.end()
        self._refresh()

    def _on_use(self, look: LookPicture) -> None:
        values = {**self.inspector.values(), "seed": look.seed}
        self.inspector.set_values(values)
        self._on_inspector()
        self.status.showMessage(self.tr("Seed {seed} is used.").format(seed=look.seed), 5000)

    def stop(self) -> None:
        """Stop looks that are being made, else offer to cancel the job."""
        if self.controller.looks.is_working:
            self.controller.looks.cancel()
            return
        job = self.controller.shown_job()
        if job is not None and not job.state.is_ended:
            asked = QMessageBox.question(
                self,
                self.tr("Cancel the job"),
                self.tr("Cancel this job for good? To go on later, pause it instead."),
            )
            if asked is QMessageBox.StandardButton.Yes:
                self.controller.cancel(job)

    def _on_pause(self) -> None:
        job = self.controller.shown_job()
        if job is None:
            return
        if job.state is JobState.PAUSED or job.state is JobState.FAILED:
            self.controller.resume(job)
        elif not job.state.is_ended:
            self.controller.pause(job)

    def _on_followed(self, follower: JobFollower) -> None:
        follower.connection_changed.connect(self._on_follow_connection)
        follower.warned.connect(self._on_warned)
        follower.restarted.connect(self._on_warned)
        follower.job_failed.connect(self.stage.show_failed)
        self.jobs_panel.select(follower.job_id)
        self._refresh()

    def _on_follow_connection(self, state: str) -> None:
        if state != "connected":
            self.status.showMessage(
                self.tr("The daemon is away; the job is followed again when it is back."), 8000
            )

    def _on_warned(self, message: str) -> None:
        self.status.showMessage(message, 15000)

    def _say(self, sentence: str) -> None:
        self.status.showMessage(sentence, 6000)

    def _on_jobs(self) -> None:
        job = self.controller.shown_job()
        self.status.show_job(job)
        self.stage.show_rendering(job)
        self._refresh()

    def _on_reuse(self, job: Job) -> None:
        self.controller.reuse(job)
        self._on_project()
        self._show_range()
        self._refresh()

    def _on_delete(self, job: Job) -> None:
        asked = QMessageBox.question(
            self,
            self.tr("Delete the job"),
            self.tr("Delete this job and what the daemon keeps of it? Fetched results stay."),
        )
        if asked is QMessageBox.StandardButton.Yes:
            self.controller.delete(job)

    def _on_save_result(self, job: Job) -> None:
        session = self.controller.session
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save result as"), job.result.file_name if job.result else "result.mp4"
        )
        if session is None or not name:
            return
        self.controller.workers.call(
            lambda: session.fetch_result(job.id, name, is_overwriting=True),
            lambda _: self.status.showMessage(self.tr("Saved {name}.").format(name=name), 8000),
            lambda error: self.controller.tell(error, self.tr("The result cannot be saved")),
        )

    # The daemon

    def _on_daemon(self, state: DaemonState, why: str) -> None:
        self.status.show_daemon(state, why)
        self._refresh()

    def _on_seen(self, view: DaemonView) -> None:
        if view.server.capabilities is not None:
            self.inspector.show_capabilities(view.server.capabilities, view.models)
        self.models.show_models(self.controller.session, view.models)
        self.status.show_server(view)

    def _on_sending(self, progress: TransferProgress) -> None:
        total = max(progress.total_bytes, 1)
        self.status.showMessage(
            self.tr("Sending the clip to the daemon: {share:.0%} of {size}").format(
                share=progress.done_bytes / total, size=bytes_text(progress.total_bytes)
            ),
            3000,
        )

    def _on_estimate(self, found: Estimate | None) -> None:
        if found is None:
            self.inspector.show_estimate("")
            return
        parts = [self.tr("About {count} keyframes").format(count=found.keyframes)]
        if found.seconds is not None:
            text = self.tr("{span} for them") if found.is_without_frames else self.tr("{span}")
            parts.append(text.format(span=span_text(found.seconds)))
        if found.memory_bytes:
            # Without a finished job only the model's own share is known.
            text = self.tr("{size} memory") if found.based_on else self.tr("{size} for the model")
            parts.append(text.format(size=bytes_text(found.memory_bytes)))
        if found.based_on:
            why = self.tr("Learned from {count} finished jobs here.").format(count=found.based_on)
        elif found.seconds is not None:
            why = self.tr("From your last look; frames between keyframes come on top.")
        else:
            why = self.tr("Take a look first, and the time can be told.")
        self.inspector.show_estimate(", ".join(parts) + ".", why)

    # Windows beside this one

    def _on_models(self) -> None:
        self.controller.look_at_daemon()
        self.models.show()
        self.models.raise_()

    def _on_model_problem(self, error: Exception) -> None:
        self.controller.tell(error, self.tr("Model"))

    def _on_preset_problem(self, error: Exception) -> None:
        self.controller.tell(error, self.tr("The preset cannot be kept"))

    def _on_settings(self) -> None:
        dialog = SettingsDialog(self.preferences, self.folders, self)
        if dialog.exec():
            is_other = dialog.has_other_daemon
            dialog.keep()
            if is_other:
                self.controller.start()

    def shortcuts_sheet(self) -> ShortcutsSheet:
        """All actions of the window with their keys."""
        return ShortcutsSheet(self._groups, self.preferences, self)

    def _on_shortcuts(self) -> None:
        sheet = self.shortcuts_sheet()
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.show()

    def _on_logs(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folders.state)))

    def _on_about(self) -> None:
        server = self.controller.view.server if self.controller.view else None
        version = server.version if server else self.tr("not there")
        QMessageBox.about(
            self,
            self.tr("About Fresco"),
            self.tr("Fresco restyles video by text.\n\nDaemon: {version}").format(version=version),
        )

    def _on_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _on_save_project(self) -> None:
        clip = Path(self.controller.project.clip)
        name, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Save project as"),
            str(clip.with_suffix(".fresco")),
            self.tr("Projects (*.fresco)"),
        )
        if name:
            self.controller.save_project_as(Path(name))

    # Exporting

    def export(self) -> None:
        """Ask how, and write the result."""
        if self.stage.source is None or self.stage.result is None or self.exports.is_running:
            return
        dialog = ExportDialog(self.controller.project, self.stage.result, self)
        if dialog.exec():
            self.exports.start(self.stage.source, self.stage.result, dialog.options())

    def _on_exported(self, path: str) -> None:
        self.status.showMessage(self.tr("Exported {path}").format(path=path), 15000)

    def _on_export_failed(self, sentence: str) -> None:
        self.problems.add(Problem(title=self.tr("The export failed"), message=sentence))

    def _on_export_ended(self) -> None:
        self.status.show_export(0, 0)
        self._refresh()

    # Problems

    def _on_acted(self, problem: Problem) -> None:
        controller = self.controller
        if problem.reason == CLIP_GONE:
            name, _ = QFileDialog.getOpenFileName(self, self.tr("Where is the clip?"))
            if name:
                controller.relink(Path(name))
        elif problem.reason == DAEMON_AWAY:
            controller.look_at_daemon()
        elif problem.reason == FETCH_FAILED:
            controller.fetch_again()
        elif problem.reason == AUTOSAVE_FAILED:
            controller.save_again()
        elif problem.can_resume:
            job = controller.jobs.job(problem.job_id)
            if job is not None:
                controller.resume(job)

    # What can be done now

    def _refresh(self) -> None:
        why_not = self.controller.why_not()
        self.inspector.set_possible(not why_not, why_not)
        job = self.controller.shown_job()
        is_done = job is not None and job.state is JobState.DONE
        is_open = job is not None and not job.state.is_ended
        has_clip = bool(self.controller.project.clip)
        self.look_action.setEnabled(not why_not)
        self.restyle_action.setEnabled(not why_not)
        self.use_action.setEnabled(self.sheet.chosen() is not None)
        self.stop_action.setEnabled(is_open or self.controller.looks.is_working)
        self.pause_action.setEnabled(job is not None and job.state is not JobState.DONE)
        self.save_action.setEnabled(has_clip)
        self.close_action.setEnabled(has_clip)
        self.export_action.setEnabled(self.stage.has_whole_result and not self.exports.is_running)
        offered = self.keyframes.offered()
        for made, what in (
            (self.reroll_action, KeyframeAction.REROLL),
            (self.prompt_action, KeyframeAction.EDIT_PROMPT),
            (self.lock_action, KeyframeAction.LOCK),
            (self.replace_action, KeyframeAction.REPLACE),
            (self.add_action, KeyframeAction.ADD),
            (self.move_action, KeyframeAction.MOVE_HERE),
            (self.remove_action, KeyframeAction.REMOVE),
        ):
            made.setEnabled(what in offered)
        self.reroll_all_action.setEnabled(is_done)
        self.filmstrip.set_actions(offered)


def _paths_of(data: QMimeData | None) -> list[Path]:
    if data is None:
        return []
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
