"""What can be done about keyframes: before a job by choosing them, after it by making a new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fresco_client import JobState, KeyframeChange
from fresco_media.stills.formats import KEY_SUFFIXES
from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QWidget

from fresco_gui.controller import Controller
from fresco_gui.display import Display
from fresco_gui.preferences.shortcuts import on
from fresco_gui.timeline import KeyframeAction
from fresco_gui.window.menus import Commands
from fresco_gui.window.views import Views

_PATTERNS = " ".join(f"*{suffix}" for suffix in sorted(KEY_SUFFIXES))
_CHOOSING = frozenset({KeyframeAction.ADD, KeyframeAction.MOVE_HERE, KeyframeAction.REMOVE})


class KeyframeActions(QObject):
    """Carries out what the filmstrip and the menu ask for."""

    def __init__(
        self, window: QWidget, controller: Controller, display: Display, views: Views
    ) -> None:
        super().__init__(window)
        self._window = window
        self._project_store = controller.project_store
        self._controller = controller
        self._display = display
        self._viewer = views.viewer
        self._status = views.status
        views.filmstrip.keyframe_action.connect(self.act)
        self._choices: dict[KeyframeAction, Callable[[int], None]] = {
            KeyframeAction.REROLL: self._reroll,
            KeyframeAction.EDIT_PROMPT: self._edit_prompt,
            KeyframeAction.REPLACE: self._replace,
            KeyframeAction.LOCK: self._toggle_lock,
            KeyframeAction.ADD: self._add,
            KeyframeAction.MOVE_HERE: self._move,
            KeyframeAction.REMOVE: self._remove,
        }

    def connect(self, commands: Commands) -> None:
        """Do what these commands are for."""
        for what, command in commands.keyframe_actions().items():
            on(command, lambda what=what: self.act(self._viewer.frame, what))
        on(commands.reroll_unlocked, self.reroll_unlocked)
        on(commands.previous_key, lambda: self.go(-1))
        on(commands.next_key, lambda: self.go(1))

    def offered(self) -> frozenset[KeyframeAction]:
        """What can be done now."""
        if not self._project_store.project.clip:
            return frozenset()
        if self._display.plan is None:
            return _CHOOSING
        job = self._controller.shown_job.job()
        is_done = job is not None and job.state is JobState.DONE
        is_possible = is_done and self._controller.daemon.state.is_connected
        return frozenset(KeyframeAction) if is_possible else frozenset({KeyframeAction.LOCK})

    def act(self, index: int, what: KeyframeAction) -> None:
        """Do it to the keyframe at a frame."""
        if what in self.offered():
            self._choices[what](index)

    def go(self, step: int) -> None:
        """Go to the next keyframe, or with -1 to the one before."""
        here = self._viewer.frame
        ahead = [key for key in self._all() if (key > here if step > 0 else key < here)]
        if ahead:
            self._viewer.set_frame(ahead[0] if step > 0 else ahead[-1])

    def _all(self) -> list[int]:
        plan = self._display.plan
        return sorted(
            plan.keyframes if plan is not None else self._project_store.chosen_keyframes()
        )

    def _nearest(self, index: int) -> int | None:
        return min(self._all(), key=lambda key: abs(key - index), default=None)

    def _is_key(self, index: int) -> bool:
        if index in self._all():
            return True
        self._say(self.tr("Frame {index} is no keyframe; go to one first.").format(index=index))
        return False

    def _change(self, *changes: KeyframeChange) -> None:
        self._controller.versions.make(changes)

    def reroll_unlocked(self) -> None:
        """Reroll all keyframes of the finished job but the locked ones."""
        job = self._controller.shown_job.job()
        if job is None or job.plan is None:
            return
        locked = self._project_store.project.locked
        free = [index for index in job.plan.keyframes if index not in locked]
        if free:
            self._change(*(KeyframeChange(index=index) for index in free))

    def _say(self, sentence: str) -> None:
        self._status.showMessage(sentence, 6000)

    def _reroll(self, index: int) -> None:
        if self._is_key(index):
            self._change(KeyframeChange(index=index))

    def _edit_prompt(self, index: int) -> None:
        if not self._is_key(index):
            return
        job = self._controller.shown_job.job()
        settings = job.settings if job else None
        words = settings.keyframe_prompts.get(index, "") if settings else ""
        text, is_given = QInputDialog.getMultiLineText(
            self._window,
            self.tr("Keyframe {index}").format(index=index),
            self.tr("Words added to the prompt of this keyframe"),
            words,
        )
        if is_given:
            # The same seed, so that only the words make the difference.
            seeds = settings.keyframe_seeds if settings else {}
            seed = seeds.get(index, settings.seed if settings else None)
            self._change(KeyframeChange(index=index, prompt=text.strip(), seed=seed or 0))

    def _replace(self, index: int) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("A painted picture for frame {index}").format(index=index),
            str(Path(self._project_store.project.clip).parent),
            self.tr("Pictures ({patterns});;All files (*)").format(patterns=_PATTERNS),
        )
        if name:
            self._change(KeyframeChange(index=index, kind="replace", picture_path=name))

    def _toggle_lock(self, index: int) -> None:
        if not self._is_key(index):
            return
        is_locked = self._project_store.toggle_lock(index)
        self._display.refresh_lock(index)
        text = self.tr("Keyframe {index} is locked: it is not rerolled with the others.")
        if not is_locked:
            text = self.tr("Keyframe {index} is not locked any more.")
        self._say(text.format(index=index))

    def _add(self, index: int) -> None:
        if index in self._all():
            self._say(self.tr("Frame {index} is a keyframe already.").format(index=index))
        elif self._display.plan is None:
            self._choose({*self._all(), index})
        else:
            self._change(KeyframeChange(index=index, kind="add"))

    def _remove(self, index: int) -> None:
        if not self._is_key(index):
            return
        if self._display.plan is None:
            self._choose({*self._all()} - {index})
        else:
            self._change(KeyframeChange(index=index, kind="remove"))

    def _move(self, index: int) -> None:
        """Move the keyframe at `index` to the frame in view, or the nearest one to `index`."""
        to = self._viewer.frame
        key = index if index in self._all() else self._nearest(index)
        if key is None or key == to or to in self._all():
            self._say(self.tr("There is no keyframe that could be moved here."))
        elif self._display.plan is None:
            self._choose({*self._all(), to} - {key})
        else:
            self._change(
                KeyframeChange(index=key, kind="remove"), KeyframeChange(index=to, kind="add")
            )

    def _choose(self, indices: set[int]) -> None:
        self._project_store.choose_keyframes(tuple(sorted(indices)))
        self._display.show_chosen_keyframes()
