"""Brings pictures to the viewer and the filmstrip: the clip's, a job's as they arrive, a look's."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from fresco_client import FrameRange, Job, Plan
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from fresco_gui.clips import ClipOpener
from fresco_gui.comparison import Comparison
from fresco_gui.jobs.follower import JobFollower
from fresco_gui.jobs.shown import ShownJob
from fresco_gui.looks.maker import LookPicture
from fresco_gui.media import ClipFrames, FrameInfo, FrameSource, LayeredFrames, StoredFrames
from fresco_gui.project import ProjectJob
from fresco_gui.project.store import ProjectStore
from fresco_gui.timeline import Filmstrip, KeyframeState
from fresco_gui.viewer import SideNote, ViewedSide, Viewer, ViewMode

_NEAR = 20
"""Frames from which on a keyframe says little of what a frame will look like."""


class Display(QObject):
    """What is seen.

    B is made of layers: a look above what the job has made, and that above the result which it is
    another version of. So nothing that was there goes before something else takes its place.

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
        comparison: Comparison,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._filmstrip = filmstrip
        self._opener = opener
        self._project_store = project_store
        self.source: FrameSource | None = None
        self.result: FrameSource | None = None
        """What the job has made: its file, or its pictures as they come."""
        self.plan: Plan | None = None
        self._below: list[FrameSource] = []
        self._look: StoredFrames | None = None
        self._look_shown: LookPicture | None = None
        self._marks_regions = False
        self._is_marked = False
        self._layers: LayeredFrames | None = None
        self._job_id = ""
        self._whole_id = ""
        """The job whose file is the result; empty while there is none."""
        self._pending: set[int] = set()
        self._from_frames: set[int] = set()
        self._keys_here: set[int] = set()
        self._states: dict[int, KeyframeState] = {}
        self._comparison = comparison
        comparison.failed.connect(self.result_failed)
        viewer.mode_changed.connect(self._on_mode)
        opener.opened.connect(self.show_clip)
        opener.closed.connect(self.clear)
        project_store.replaced.connect(self._on_replaced)
        shown_job.followed.connect(self.follow)
        shown_job.result_here.connect(self.show_made)

    @property
    def has_whole_result(self) -> bool:
        """Whether the result is here as a file, and open."""
        return bool(self._whole_id) and self.result is not None and self.result.info is not None

    @property
    def look(self) -> LookPicture | None:
        """The look that lies above the result."""
        return self._look_shown

    @property
    def pending(self) -> frozenset[int]:
        """Frames that are being made anew, while those before are still to be seen."""
        return frozenset(self._pending)

    def show_clip(self, path: Path) -> None:
        """Open a clip."""
        self.clear()
        source = ClipFrames(path, frame_rate=self._project_store.project.rate)
        source.failed.connect(self.source_failed)
        source.opened.connect(self.source_opened)
        self.source = source
        mode = ViewMode.__members__.get(self._project_store.project.view)
        self._viewer.set_mode(mode or ViewMode.WIPE_VERTICAL)
        self._viewer.set_source(source)
        self._filmstrip.set_source(source)
        self._comparison.begin()
        self._show_chosen_keyframes()

    def clear(self) -> None:
        """Show nothing."""
        self._job_id = ""
        self._comparison.end()
        self._drop_look()
        self._begin(None)
        self._viewer.set_source(None)
        self._filmstrip.set_source(None)
        if self.source is not None:
            self.source.close()
            self.source = None
        self._set_plan(None)

    def close(self) -> None:
        """Free everything before the window goes."""
        self.clear()
        self._viewer.close_media()
        self._filmstrip.close_media()

    # A job

    def follow(self, follower: JobFollower) -> None:
        """Show what a job makes as it arrives."""
        if follower.job_id != self._job_id:
            self._job_id = follower.job_id
            made = self._project_store.made(follower.job_id)
            if self._whole_id != follower.job_id:
                self._begin(made)
        follower.planned.connect(self._on_planned)
        follower.keyframe_arrived.connect(self._on_keyframe)
        follower.frame_arrived.connect(self._on_frame)
        follower.restarted.connect(self._on_restarted)

    def _begin(self, made: ProjectJob | None) -> None:
        """Nothing of a job is there yet; what it is another version of stays to be seen."""
        is_version = made is not None and bool(made.parent) and made.parent == self._whole_id
        old = self.result if is_version else None
        doomed = [one for one in (self.result, *self._below) if one is not None and one is not old]
        self.result, self._whole_id = None, ""
        self._below = [old] if old is not None else []
        self._from_frames.clear()
        self._keys_here.clear()
        self._pending.clear()
        self._filmstrip.set_keyframe_file(None)
        if made is not None and is_version:
            self._pending = {i for start, stop in made.remade for i in range(start, stop)}
        elif made is not None:
            self._set_plan(None)
        self._filmstrip.set_pending(self._pending)
        self._show_layers(doomed)

    def show_made(self, made: ProjectJob) -> None:
        """Show a result that is here as a file."""
        if self._whole_id == made.job_id and self.result is not None:
            return
        result = ClipFrames(Path(made.result), first_index=made.start)
        result.opened.connect(self._on_result_opened)
        result.failed.connect(self.result_failed)
        # What is seen goes when the file is open, not before.
        self._below = [one for one in (self.result, *self._below) if one is not None]
        is_other = self._job_id not in ("", made.job_id)
        self._job_id = self._whole_id = made.job_id
        self.result = result
        self._pending.clear()
        self._filmstrip.set_pending(())
        self._drop_look()
        self._show_layers(())
        if made.keyframes and (self.plan is None or is_other):
            self._on_planned(_plan_of(made))

    def _on_result_opened(self) -> None:
        info = self.result.info if self.result is not None else None
        if info is None or info.path is None:
            return
        doomed, self._below = self._below, []
        self._filmstrip.set_done_span(info.first_index, info.stop)
        self._filmstrip.set_keyframe_file(info)
        self._show_layers(doomed)
        self.result_opened.emit()

    def show_look(self, look: LookPicture | None) -> None:
        """Show a look above the result, at its frame; None shows the result again."""
        info = self._info()
        if look is None or info is None:
            self._drop_look()
            self._show_layers(())
            return
        doomed = [self._look] if self._look is not None else []
        self._look, self._look_shown = StoredFrames(info), look
        marked = look.marked() if self._marks_regions else None
        self._is_marked = marked is not None
        self._look.put(look.index, marked or look.data)
        self._show_layers(doomed)
        self._viewer.set_frame(look.index)
        self._viewer.refresh()

    def mark_regions(self, is_wanted: bool) -> None:
        """Whether looks are shown with where they change the frame."""
        self._marks_regions = is_wanted
        if self._look_shown is not None:
            self.show_look(self._look_shown)

    def _drop_look(self) -> None:
        look, self._look, self._look_shown = self._look, None, None
        if look is not None:
            self._show_layers([look])

    def _show_layers(self, doomed: Iterable[FrameSource]) -> None:
        """Let the viewer see what there is now; what it does not see any more is closed."""
        before = self._layers
        listed = [one for one in (self._look, self.result, *self._below) if one is not None]
        self._layers = LayeredFrames(listed) if listed else None
        shown = ViewedSide(
            frames=self._layers,
            notes_of=self._note,
            stand_in_of=self._stand_in,
            is_outside=self._is_outside,
        )
        self._comparison.show(shown, self._job_id)
        if before is not None:
            before.close()
        for one in doomed:
            one.close()

    def _on_planned(self, plan: Plan) -> None:
        is_version = bool(self._below or self._whole_id)
        self._set_plan(plan, keeps=is_version)
        for index in plan.keyframes:
            is_done = bool(self._whole_id) or (is_version and index not in self._pending)
            self._set_state(index, KeyframeState.DONE if is_done else KeyframeState.PLANNED)

    def _on_keyframe(self, index: int, data: bytes) -> None:
        self._set_state(index, KeyframeState.DONE)
        if self._whole_id:
            return
        image = QImage.fromData(data)
        if not image.isNull():
            self._filmstrip.set_keyframe_image(index, image)
        if index not in self._from_frames:
            self._keys_here.add(index)
            self._put(index, data)
            self._viewer.refresh()  # It may be the nearest one now.

    def _on_frame(self, index: int, data: bytes) -> None:
        if self._whole_id:
            return
        self._from_frames.add(index)
        self._pending.discard(index)
        self._put(index, data)
        self._filmstrip.set_done(index)

    def _on_restarted(self, _: str) -> None:
        doomed = [self.result] if self.result is not None else []
        self.result, self._whole_id = None, ""
        self._from_frames.clear()
        self._keys_here.clear()
        self._show_layers(doomed)
        for index in self._states:
            self._set_state(index, KeyframeState.PLANNED)

    def _put(self, index: int, data: bytes) -> None:
        if not isinstance(self.result, StoredFrames):
            info = self._info()
            if info is None:
                return
            self.result = StoredFrames(info)
            self._show_layers(())
        self.result.put(index, data)
        if self._layers is not None and index == self._viewer.frame:
            # Asked for before, it was asked of the layer that had it then.
            self._layers.frame(index)

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

    def _on_mode(self, mode: ViewMode) -> None:
        """Remember how results are compared."""
        self._project_store.change(view=mode.name)

    # What is said of the result

    def _note(self, index: int) -> SideNote:
        look = self._look_shown
        if look is not None and look.index == index:
            name = self.tr("look: {title}").format(title=look.title)
            is_whole = self._marks_regions and not self._is_marked and not look.part.is_control
            return SideNote(name=name, badge=self.tr("Changes everywhere") if is_whole else "")
        if index in self._pending:
            return SideNote(badge=self.tr("Being made anew"), is_faded=True)
        return SideNote()

    def _is_outside(self, index: int) -> bool:
        return self.plan is not None and not self.plan.start <= index < self.plan.stop

    def _stand_in(self, index: int) -> int | None:
        """The nearest keyframe that is there, if it is near enough to say something."""
        near = [key for key in self._keys_here if abs(key - index) <= _NEAR]
        return min(near, key=lambda key: abs(key - index), default=None)

    # Keyframes

    def _set_plan(self, plan: Plan | None, *, keeps: bool = False) -> None:
        self.plan = plan
        self._states.clear()
        if plan is None:
            self._filmstrip.set_plan((), ())
            self._show_chosen_keyframes()
        else:
            shots = tuple((shot.start, shot.stop) for shot in plan.shots)
            self._filmstrip.set_plan(shots, plan.keyframes, keeps=keeps)
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
        if job is None or self.plan is None or self._whole_id:
            return
        is_made = not job.state.is_ended
        for index, state in list(self._states.items()):
            if is_made and state is KeyframeState.PLANNED:
                self._set_state(index, KeyframeState.RENDERING)
                return

    def _on_replaced(self) -> None:
        """Settings were chosen elsewhere: keyframes by hand and locks may be others."""
        if self.plan is None and not self._whole_id:
            self.show_chosen_keyframes()
        for index in self._states:
            self.refresh_lock(index)

    def show_failed(self) -> None:
        """Keyframes that were being made will not come; what was there before is as it was."""
        self._pending.clear()
        self._filmstrip.set_pending(())
        self._viewer.refresh()
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


def _plan_of(made: ProjectJob) -> Plan:
    """What the project knows of a plan; the size that was worked at is not among it."""
    shots = tuple(FrameRange(start=start, stop=stop) for start, stop in made.shots)
    return Plan(
        start=made.start,
        stop=shots[-1].stop if shots else made.start,
        shots=shots,
        keyframes=made.keyframes,
        working_width=0,
        working_height=0,
    )
