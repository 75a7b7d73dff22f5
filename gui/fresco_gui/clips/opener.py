"""Opens clips and projects, and looks after the clip that is open."""

from __future__ import annotations

import os
from dataclasses import replace
from enum import Enum
from fractions import Fraction
from itertools import count
from pathlib import Path

from fresco_client import TransferProgress, is_passing
from fresco_media.errors import ClipChanged
from fresco_media.files.state import KnownFile
from fresco_media.stills.numbered import is_pattern
from fresco_settings.rename import rename_new
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fresco_gui.clips.readable import ReadableClip, reach
from fresco_gui.daemon.connection import DaemonConnection
from fresco_gui.media import MediaError, check_readable
from fresco_gui.problems.problem import Problem, problem_of
from fresco_gui.problems.reporter import CLIP_GONE, CLIP_REPLACED, CLIP_UNREADABLE, CLIP_WAITS
from fresco_gui.project.document import SUFFIX, Project, ProjectUnreadable
from fresco_gui.project.relink import find_moved, fingerprint_of
from fresco_gui.project.store import ProjectStore
from fresco_gui.services import Services
from fresco_gui.values import OF_ONE_CLIP

_LOOK_AFTER_MS = 3000
_REACH_AGAIN_MS = 2000


class _Presence(Enum):
    THERE = "there"
    GONE = "gone"
    REPLACED = "replaced"


class ClipOpener(QObject):
    """What clip is open, whether its file is there, and whether the daemon can read it.

    Signals:
        leaving(): the clip that was open is let go of.
        opened(Path): this clip is to be shown; the project is set.
        settled(): it is shown, and so its results can be.
        reached(ReadableClip): the daemon can read it.
        closed(): there is no clip any more.
        presence_changed(): its file is gone, or there again.
        sending(TransferProgress): the clip is on its way to the daemon.
    """

    leaving = pyqtSignal()
    opened = pyqtSignal(object)
    settled = pyqtSignal()
    reached = pyqtSignal(object)
    closed = pyqtSignal()
    presence_changed = pyqtSignal()
    sending = pyqtSignal(object)

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
        self.clip: ReadableClip | None = None
        """What the daemon can read; None until it has looked at it."""
        self.is_gone = False
        self.is_replaced = False
        """Whether another film lies where the one was that is shown."""
        self.is_shown = False
        """Whether it was found; it may be gone again since."""
        self._file: KnownFile | None = None
        self._is_waiting = False
        self._before: tuple[Project, Path] | None = None
        self._candidate: Path | None = None
        self._recent: Path | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_AFTER_MS)
        self._timer.timeout.connect(self._look_after)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_REACH_AGAIN_MS)
        self._again.timeout.connect(self.reach)

    @property
    def _path(self) -> Path:
        return Path(self._project_store.project.clip)

    def start(self) -> None:
        """Look after the clip's file from now on."""
        self._timer.start()

    def stop(self) -> None:
        """Do not look after it any more."""
        self._timer.stop()
        self._again.stop()

    # Opening

    def restore(self) -> None:
        """Open what was open when the app was last closed."""
        preferences = self._services.preferences
        path = preferences.last_project
        if path is not None and path.exists() and preferences.restores_session:
            self.open_project(path)

    def open(self, path: Path) -> None:
        """Open a project, or a clip with the project that was autosaved for it."""
        if path.suffix == SUFFIX:
            self.open_project(path)
        else:
            self.open_clip(path)

    def open_clip(self, path: Path, frame_rate: Fraction | None = None) -> None:
        """Open a clip; what was chosen for it before is there again.

        While another one is open this one is looked at first, so that what turns out to be no clip
        takes nothing away.
        """
        path = path.expanduser().absolute()
        self._services.reporter.over.emit(CLIP_UNREADABLE)
        self._candidate = path
        if not self.is_shown:
            self.open_known(path, frame_rate)
            return

        def fits(_: object) -> None:
            if self._candidate == path:
                self.open_known(path, frame_rate)

        def fails(error: Exception) -> None:
            if self._candidate == path:
                self._tell_unreadable(error)

        self._services.workers.call(lambda: check_readable(path), fits, fails)

    def open_known(self, path: Path, frame_rate: Fraction | None = None) -> None:
        """Open at once what is known to be a clip."""
        self._project_store.save()  # It may be the clip that is open.
        project, place = self._project_of(self._project_store.autosaved_path(path))
        rate = str(frame_rate) if frame_rate else project.frame_rate
        self._remember()
        self._recent = path
        self._open(replace(project, clip=str(path), frame_rate=rate), place)

    def open_project(self, path: Path) -> None:
        """Open a project file."""
        self._services.reporter.over.emit(CLIP_UNREADABLE)
        self._candidate = path
        self._project_store.save()  # It may be the project that is open.
        try:
            project = self._project_store.files.load(path)
        except ProjectUnreadable as error:
            self._services.reporter.tell(error, self.tr("The project cannot be opened"))
            return
        self._remember()
        self._recent = path
        self._open(project, path)

    def keep_recent(self) -> None:
        """What is open can be shown: offer it again the next time."""
        if self._recent is not None:
            self._services.preferences.add_recent(self._recent)

    def _remember(self) -> None:
        """Keep what is open, so that something which turns out to be no clip does not close it."""
        place = self._project_store.path
        if self.clip is not None and place is not None:
            self._before = self._project_store.project, place

    def _go_back(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            self._open(*before)

    def close_clip(self) -> None:
        """Go back to the empty window."""
        self._before = None
        self._project_store.save()
        self._let_go()
        self._project_store.end()
        self.closed.emit()

    def relink(self, path: Path) -> None:
        """The clip is elsewhere now."""
        self._let_go()
        self._project_store.change(clip=str(path))
        self._show(path)

    def _project_of(self, autosaved: Path) -> tuple[Project, Path]:
        """What was autosaved for a clip, else one with the look of the clip before; its place.

        One that cannot be read is kept beside the new one, for the Fresco that can.
        """
        if os.path.lexists(autosaved):
            try:
                return self._project_store.files.load(autosaved), autosaved
            except ProjectUnreadable as error:
                kept, place = _kept_aside(autosaved)
                what = self.tr("What it held is kept as {file}.").format(file=kept)
                title = self.tr("The autosaved project cannot be read")
                self._services.reporter.tell(ProjectUnreadable(f"{error} {what}"), title)
                return Project(), place
        # The look is carried on to the next clip; what belongs to a clip is not.
        now = self._project_store.project
        carried = {name: one for name, one in now.values.items() if name not in OF_ONE_CLIP}
        return Project(values=carried, model=now.model), autosaved

    def _open(self, project: Project, place: Path) -> None:
        self._let_go()
        self._project_store.begin(project, place)
        path = Path(project.clip)
        if path.exists() or is_pattern(path):
            self._show(path)
        else:
            self._look_for_moved(path)

    def _show(self, path: Path) -> None:
        self.is_shown = True
        self.opened.emit(path)
        self.reach()
        self._keep_fingerprint(path)
        self.settled.emit()
        self._project_store.touch()

    def _let_go(self) -> None:
        self.leaving.emit()
        self.clip = self._file = None
        self.is_gone = self.is_replaced = self.is_shown = False
        self._stop_waiting()
        for reason in (CLIP_GONE, CLIP_REPLACED, CLIP_WAITS):
            self._services.reporter.over.emit(reason)

    # At the daemon

    def reach(self) -> None:
        """Have the daemon look at the clip, unless its file is gone or still looked for."""
        session, path = self._daemon.session, self._path
        if session is None or self.is_gone or not self.is_shown:
            return
        rate = self._project_store.project.rate
        self._services.workers.call(
            lambda: reach(session, path, rate, self._on_transfer),
            self._on_reached,
            lambda error: self._on_unreachable(path, error),
        )

    def _on_transfer(self, progress: TransferProgress) -> None:
        # On the worker's thread; the signal brings it to the GUI thread.
        self.sending.emit(progress)

    def _on_reached(self, clip: object) -> None:
        assert isinstance(clip, ReadableClip)
        if str(clip.path) == self._project_store.project.clip:
            self.clip, self._before = clip, None
            self._stop_waiting()
            self._services.reporter.over.emit(CLIP_WAITS)
            self.reached.emit(clip)

    def _on_unreachable(self, path: Path, error: Exception) -> None:
        if path != self._path:
            return
        if is_passing(error):
            self._wait(error)
        elif path.exists():
            self._tell_unreadable(error)
            if self._recent is not None:
                self._services.preferences.drop_recent(self._recent)
            self._go_back()
        else:
            self._tell_gone()

    def _tell_unreadable(self, error: Exception) -> None:
        title = self.tr("The clip cannot be opened")
        is_told = isinstance(error, MediaError)
        problem = Problem(title=title, message=str(error)) if is_told else problem_of(error, title)
        self._services.reporter.report(replace(problem, reason=CLIP_UNREADABLE))

    def _wait(self, error: Exception) -> None:
        """Say that the daemon does not answer yet, and ask it again soon."""
        self._again.start()
        if self._is_waiting:
            return
        self._is_waiting = True
        message = f"{error} {self.tr('Fresco keeps trying by itself.')}"
        title = self.tr("The clip waits for the daemon")
        problem = Problem(title=title, message=message, reason=CLIP_WAITS)
        self._services.reporter.report(problem)

    def _stop_waiting(self) -> None:
        self._again.stop()
        self._is_waiting = False

    # Its file

    def _keep_fingerprint(self, path: Path) -> None:
        def known(fingerprint: object) -> None:
            if str(path) == self._project_store.project.clip and fingerprint:
                self._project_store.change(clip_fingerprint=str(fingerprint))

        def opened(file: object) -> None:
            if str(path) == self._project_store.project.clip and isinstance(file, KnownFile):
                self._file = file

        self._services.workers.call(lambda: fingerprint_of(path), known)
        self._services.workers.call(lambda: _known(path), opened)

    def _look_for_moved(self, path: Path) -> None:
        place, fingerprint = self._project_store.path, self._project_store.project.clip_fingerprint
        recent = self._services.preferences.recent
        folders = [path.parent, path.parent.parent, *(one.parent for one in recent)]
        if place is not None:
            folders.insert(0, place.parent)

        def found(moved: object) -> None:
            if self._project_store.project.clip != str(path):
                return
            if isinstance(moved, Path):
                self.relink(moved)
            else:
                self._tell_gone()

        self._services.workers.call(lambda: find_moved(path, fingerprint, folders), found)

    def _look_after(self) -> None:
        """Tell when the clip's file is gone or another one, and when it is back."""
        path, file = self._path, self._file
        if not self._project_store.project.clip or is_pattern(path):
            return

        def known(found: object) -> None:
            if str(path) != self._project_store.project.clip or file is not self._file:
                return
            is_gone = found is _Presence.GONE
            if is_gone is not self.is_gone:
                self._tell_gone() if is_gone else self._welcome_back(path)
            else:
                self._note_replaced(found is _Presence.REPLACED)

        self._services.workers.call(lambda: _presence(path, file), known)

    def _note_replaced(self, is_replaced: bool) -> None:
        if is_replaced is self.is_replaced:
            return
        self.is_replaced = is_replaced
        if is_replaced:
            self._tell_replaced()
        else:
            self._services.reporter.over.emit(CLIP_REPLACED)
        self.presence_changed.emit()

    def _tell_replaced(self) -> None:
        message = self.tr(
            "{name} was written anew since it was opened; what is shown is what it was then. "
            "Reload it to go on with what it is now; results and settings are kept."
        ).format(name=self._path.name)
        problem = Problem(
            title=self.tr("The clip is another one now"),
            message=message,
            details=self._project_store.project.clip,
            reason=CLIP_REPLACED,
        )
        self._services.reporter.report(problem, self.tr("Reload"))

    def reload(self) -> None:
        """Go on with what lies where the clip was."""
        self.relink(self._path)

    def _welcome_back(self, path: Path) -> None:
        self.is_gone = False
        self._services.reporter.over.emit(CLIP_GONE)
        self.presence_changed.emit()
        if self.is_shown:
            self.reach()
        else:
            # It was gone already when its project was opened.
            self._show(path)

    def _tell_gone(self) -> None:
        self.is_gone = True
        message = self.tr(
            "{name} is not where it was. Put it back, or say where it is now; results and settings "
            "are kept."
        ).format(name=self._path.name)
        problem = Problem(
            title=self.tr("The clip is gone"),
            message=message,
            details=self._project_store.project.clip,
            reason=CLIP_GONE,
        )
        self._services.reporter.report(problem, self.tr("Locate…"))
        self.presence_changed.emit()


def _known(path: Path) -> KnownFile | None:
    """The file of a clip as it is now; of a folder of pictures, or what cannot be read, nothing."""
    try:
        return KnownFile(path) if path.is_file() else None
    except OSError:
        return None


def _presence(path: Path, file: KnownFile | None) -> _Presence:
    """What lies at `path`, where `file` was when it was opened."""
    if not path.exists():
        return _Presence.GONE
    try:
        if file is not None:
            file.check()
    except ClipChanged:
        return _Presence.REPLACED
    except OSError:
        # It may come back; what needs it says so.
        return _Presence.THERE
    return _Presence.THERE


def _kept_aside(autosaved: Path) -> tuple[Path, Path]:
    """Where a project that cannot be read is kept, and where the new one goes: never over it."""
    for number in count(1):
        aside = autosaved.with_stem(f"{autosaved.stem} (unread {number})")
        try:
            rename_new(autosaved, aside)
        except FileExistsError:
            continue
        except OSError:
            return autosaved, aside
        return aside, autosaved
    raise AssertionError("numbers have no end")
