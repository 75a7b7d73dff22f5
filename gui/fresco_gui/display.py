"""Brings pictures to the viewer and the filmstrip: the clip's, a job's as they arrive, a look's."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from fresco_client import Job, Plan
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from fresco_gui.clips import ClipOpener
from fresco_gui.jobs.follower import JobFollower
from fresco_gui.jobs.shown import ShownJob
from fresco_gui.looks.maker import LookPicture
from fresco_gui.media import ClipFrames, FrameInfo, FrameSource, StoredFrames
from fresco_gui.project import ProjectJob
from fresco_gui.project.store import ProjectStore
from fresco_gui.timeline import Filmstrip, KeyframeState
from fresco_gui.viewer import Viewer, ViewMode


class Display(QObject):
    """What is seen.

    Signals:
        source_opened(): the clip's length is known.
        source_failed(str): the clip cannot be shown; a sentence for the user.
        result_opened(): the file of the result can be read.
        result_failed(str): the result cannot be shown.
        plan_changed(): another plan is shown, or none.
    """

    source_opened = pyqtSignal()
    source_failed = pyqtSignal(str)
    result_opened = pyqtSignal()
    result_failed = pyqtSignal(str)
    plan_changed = pyqtSignal()

    def __init__(
        self,
        viewer: Viewer,
        filmstrip: Filmstrip,
        opener: ClipOpener,
        project_store: ProjectStore,
        shown_job: ShownJob,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._filmstrip = filmstrip
        self._opener = opener
        self._project_store = project_store
        self.source: FrameSource | None = None
        self.result: FrameSource | None = None
        self.plan: Plan | None = None
        self._stored: StoredFrames | None = None
        self._follower: JobFollower | None = None
        self._from_frames: set[int] = set()
        self._states: dict[int, KeyframeState] = {}
        self._is_whole = False
        self._is_switching = False
        viewer.mode_changed.connect(self._on_mode)
        opener.opened.connect(self.show_clip)
        opener.closed.connect(self.clear)
        shown_job.followed.connect(self.follow)
        shown_job.result_here.connect(self.show_made)

    @property
    def has_whole_result(self) -> bool:
        """Whether the result is here as a file, and open."""
        return self._is_whole and self.result is not None and self.result.info is not None

    def show_clip(self, path: Path) -> None:
        """Open a clip."""
        self.clear()
        source = ClipFrames(path, frame_rate=self._project_store.project.rate)
        source.failed.connect(self.source_failed)
        source.opened.connect(self.source_opened)
        self.source = source
        self._viewer.set_source(source)
        self._filmstrip.set_source(source)
        self._show_chosen_keyframes()

    def clear(self) -> None:
        """Show nothing."""
        self._set_result(None)
        self._viewer.set_source(None)
        self._filmstrip.set_source(None)
        if self.source is not None:
            self.source.close()
            self.source = None
        self._follower = None
        self._set_plan(None)

    def close(self) -> None:
        """Free everything before the window goes."""
        self.clear()
        self._viewer.close_media()
        self._filmstrip.close_media()

    # A job

    def follow(self, follower: JobFollower) -> None:
        """Show what a job makes as it arrives."""
        is_same = self._follower is not None and self._follower.job_id == follower.job_id
        made = self._project_store.project.made
        has_file = any(one.job_id == follower.job_id and one.result for one in made)
        self._follower = follower
        if not is_same and not (has_file and self._is_whole):
            self._set_result(None)
            self._set_plan(None)
        follower.planned.connect(self._on_planned)
        follower.keyframe_arrived.connect(self._on_keyframe)
        follower.frame_arrived.connect(self._on_frame)
        follower.restarted.connect(self._on_restarted)

    def show_made(self, made: ProjectJob) -> None:
        """Show a result that is here as a file."""
        path = Path(made.result)
        result = ClipFrames(path, first_index=made.start)
        result.opened.connect(self.result_opened)
        result.failed.connect(self.result_failed)
        self._set_result(result)
        self._is_whole = True

    def show_look(self, look: LookPicture) -> None:
        """Show a look in the place of the result, at its frame."""
        stored = self._new_stored()
        if stored is None:
            return
        self._set_result(stored)
        stored.put(look.index, look.picture.data)
        self._viewer.set_frame(look.index)

    def _on_planned(self, plan: Plan) -> None:
        self._set_plan(plan)
        if self._is_whole:
            for index in plan.keyframes:
                self._set_state(index, KeyframeState.DONE)
            return
        for index in plan.keyframes:
            self._set_state(index, KeyframeState.PLANNED)

    def _on_keyframe(self, index: int, data: bytes) -> None:
        self._set_state(index, KeyframeState.DONE)
        image = QImage.fromData(data)
        if not image.isNull():
            self._filmstrip.set_keyframe_image(index, image)
        if not self._is_whole and index not in self._from_frames:
            self._put(index, data)

    def _on_frame(self, index: int, data: bytes) -> None:
        if not self._is_whole:
            self._from_frames.add(index)
            self._put(index, data)
            self._filmstrip.set_done(index)

    def _on_restarted(self, _: str) -> None:
        self._set_result(None)
        for index in self._states:
            self._set_state(index, KeyframeState.PLANNED)

    def _put(self, index: int, data: bytes) -> None:
        if self._stored is None:
            stored = self._new_stored()
            if stored is None:
                return
            self._set_result(stored)
            self._stored = stored
        self._stored.put(index, data)

    def _new_stored(self) -> StoredFrames | None:
        info = self._info()
        return StoredFrames(info) if info else None

    def _info(self) -> FrameInfo | None:
        clip = self._opener.clip
        if clip is not None:
            return FrameInfo(
                path=None,
                frame_count=clip.info.frame_count,
                frame_rate=clip.info.frame_rate or Fraction(24),
                width=clip.info.width,
                height=clip.info.height,
            )
        return self.source.info if self.source is not None else None

    def _set_result(self, result: FrameSource | None) -> None:
        before, self.result = self.result, result
        self._is_switching = True
        self._viewer.set_result(result)
        self._is_switching = False
        mode = ViewMode.__members__.get(self._project_store.project.view)
        if result is not None and mode is not None:
            self._viewer.set_mode(mode)
        self._stored = None
        self._from_frames.clear()
        self._is_whole = False
        if before is not None:
            before.close()

    def _on_mode(self, mode: ViewMode) -> None:
        """Remember how results are compared, unless there is nothing to compare."""
        if self.result is not None and not self._is_switching:
            self._project_store.change(view=mode.name)

    # Keyframes

    def _set_plan(self, plan: Plan | None) -> None:
        self.plan = plan
        self._states.clear()
        if plan is None:
            self._filmstrip.set_plan((), ())
            self._show_chosen_keyframes()
        else:
            shots = tuple((shot.start, shot.stop) for shot in plan.shots)
            self._filmstrip.set_plan(shots, plan.keyframes)
        self.plan_changed.emit()

    def _show_chosen_keyframes(self) -> None:
        """Keyframes that were chosen by hand before there is a job."""
        chosen = self._project_store.chosen_keyframes()
        if self.plan is None and chosen:
            self._filmstrip.set_plan((), chosen)

    def show_chosen_keyframes(self) -> None:
        """The choice by hand has changed."""
        if self.plan is None:
            self._filmstrip.set_plan((), ())
            self._show_chosen_keyframes()
        self.plan_changed.emit()

    def show_rendering(self, job: Job | None) -> None:
        """Mark the keyframes that are being made."""
        if job is None or self.plan is None or self._is_whole:
            return
        is_made = not job.state.is_ended
        for index, state in list(self._states.items()):
            if is_made and state is KeyframeState.PLANNED:
                self._set_state(index, KeyframeState.RENDERING)
                return

    def show_failed(self) -> None:
        """Keyframes that were being made will not come."""
        for index, state in list(self._states.items()):
            if state in (KeyframeState.RENDERING, KeyframeState.PLANNED):
                self._set_state(index, KeyframeState.FAILED)

    def refresh_lock(self, index: int) -> None:
        """A keyframe was locked or unlocked."""
        if index in self._states:
            self._set_state(index, self._states[index])

    def _set_state(self, index: int, state: KeyframeState) -> None:
        self._states[index] = state
        is_locked = state is KeyframeState.DONE and index in self._project_store.project.locked
        self._filmstrip.set_keyframe_state(index, KeyframeState.LOCKED if is_locked else state)
