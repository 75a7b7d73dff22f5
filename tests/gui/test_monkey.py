"""Clicks in any order: no result, no setting is lost, no dialog opens by itself, nothing is black.

`FRESCO_MONKEY=2000 .venv/bin/python -m pytest -n 0 tests/gui/test_monkey.py` does so many actions.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fresco_client import JobState
from fresco_gui.media.pictures import read_pixels_of
from fresco_gui.viewer.rendering import GROUND
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QMessageBox

from tests.gui.conftest import GUARD, App, answer, choice_of
from tests.integration.daemons import DaemonProcess

ACTIONS = int(os.environ.get("FRESCO_MONKEY", "12"))
_AT_ONCE = 50
"""Actions before the window begins with the first clip again."""
STYLES = ("oil", "neon", "pencil")
EXPECTED = ("end of a shot", "keyframe", "daemon", "did not answer", "there is no", "is not done")
"""Parts of sentences that a wrong order of clicks may bring about."""


class Desk:
    """The window of now, its daemon, and what must not be lost."""

    def __init__(
        self, make_app: Callable[[], App], daemon: DaemonProcess, clips: tuple[Path, Path]
    ) -> None:
        self._make_app = make_app
        self.daemon = daemon
        self.clips = clips
        self.results: dict[str, dict[str, str]] = {}
        self.actions = 0
        self.app = self.opened()

    def opened(self) -> App:
        app = self._make_app()
        app.window.resize(1280, 720)
        app.window.start(None, choice_of(self.daemon))
        app.wait("the daemon", lambda: app.controller.daemon.state.is_connected)
        self.app = app
        return app

    def open(self, clip: Path) -> None:
        """As if it had been dropped; while another is open this one is looked at first."""
        self.app.window.open_actions.open_first([clip])
        self.app.wait("the clip", lambda: self.project.clip == str(clip))
        self.app.wait("it to be reached", lambda: self.app.controller.opener.clip)
        self.app.wait("its length", self.app.source_info)

    @property
    def project(self) -> Any:
        return self.app.controller.project_store.project

    def chosen(self) -> tuple[Any, ...]:
        """Everything that is set."""
        project = self.project
        kept = {name: one for name, one in project.values.items() if one not in (None, "")}
        return kept, project.range_in, project.range_out, project.locked, project.model

    def trigger(self, name: str) -> None:
        """A command, as a key or a menu gives it, if it can be given."""
        action = getattr(self.app.window.commands, name)
        if action.isEnabled():
            action.trigger()

    def close(self) -> None:
        """As its user closes it, who leaves running what runs."""
        window = self.app.window
        if self.app.controller.jobs.open_jobs():
            answer(QMessageBox, lambda box: box.defaultButton().click())
        assert window.close()

    def check(self) -> None:
        """Nothing is lost, and there is something to be seen."""
        project = self.project
        if not project.clip:
            return
        known = self.results.setdefault(project.clip, {})
        now = {one.job_id: one.result for one in project.made if one.result}
        assert known.items() <= now.items(), f"results are lost: {known.keys() - now.keys()}"
        assert all(Path(path).exists() for path in now.values())
        known.update(now)
        shown = self.app.window.views.inspector.values()
        values = {name: one for name, one in project.values.items() if name != "keyframes"}
        assert {name: one for name, one in shown.items() if name != "keyframes"} == values
        odd = [
            one.message
            for one in self.app.problems
            if not any(text in one.message for text in EXPECTED)
        ]
        assert not odd, odd
        assert not GUARD[-1].unawaited
        self._check_picture()

    def _check_picture(self) -> None:
        viewer = self.app.window.views.viewer

        def is_seen() -> bool:
            shown = viewer.canvas.shown
            return shown is not None and shown.scene.index == viewer.frame and not is_black(viewer)

        self.app.wait("a picture", is_seen, 60_000)


def is_black(viewer: Any) -> bool:
    """Whether the canvas shows little else than its ground."""
    image = viewer.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = read_pixels_of(image)
    middle = pixels.shape[1] // 2
    width = pixels.shape[1] // 8
    rows = slice(pixels.shape[0] // 4, -pixels.shape[0] // 4)
    sides = pixels[rows, middle - width : middle - 8], pixels[rows, middle + 8 : middle + width]
    values = [side[..., :3] for side in sides]
    # Flat alone is none: clip and negative, one over the other, are.
    return any(float(one.std()) < 3 and float(one.mean()) < GROUND + 5 for one in values)


class Monkey(RuleBasedStateMachine):
    """What a person may do, in any order."""

    desk: ClassVar[Desk]
    is_rehearsing: ClassVar[bool]
    """The first run of hypothesis's is always the simplest one, the same rule again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.reopened = 0
        self._counts, Monkey.is_rehearsing = not Monkey.is_rehearsing, False

    @property
    def app(self) -> App:
        return self.desk.app

    @initialize()
    def begin(self) -> None:
        self.desk.open(self.desk.clips[0])
        self.app.wait("fields", lambda: self.app.window.views.inspector.form.field("strength"))

    @rule(number=st.sampled_from((0, 1)))
    def open(self, number: int) -> None:
        self.desk.open(self.desk.clips[number])

    @rule()
    def close_clip(self) -> None:
        clip, before = Path(self.desk.project.clip), self.desk.chosen()
        self.desk.trigger("close_clip")
        self.desk.open(clip)
        assert self.desk.chosen() == before

    @rule(style=st.sampled_from(STYLES))
    def choose_style(self, style: str) -> None:
        self.app.window.look_actions.choose_style(style)
        assert self.desk.project.values["style"] == style

    @rule(strength=st.integers(1, 100))
    def slide(self, strength: int) -> None:
        field: Any = self.app.window.views.inspector.form.field("strength")
        if field is not None:
            field.slider.setValue(strength)

    @rule(words=st.sampled_from(("ink", "a watercolour", "an astronaut", "")))
    def write(self, words: str) -> None:
        field: Any = self.app.window.views.inspector.form.field("prompt")
        if field is not None:
            field.set_value(words)

    @rule(first=st.integers(0, 20), last=st.integers(21, 39))
    def choose_range(self, first: int, last: int) -> None:
        self.app.window.views.viewer.set_range(first, last)

    @rule(frame=st.integers(0, 39))
    def scrub(self, frame: int) -> None:
        self.app.window.views.viewer.set_frame(frame)

    @rule(keys=st.sampled_from(("1", "2", "W", "S", "N")))
    def change_mode(self, keys: str) -> None:
        self.app.press(keys)

    @rule(name=st.sampled_from(("look", "vary_strength", "use_look", "lock", "next_key")))
    def press(self, name: str) -> None:
        self.desk.trigger(name)

    @rule()
    def restyle(self) -> None:
        self.desk.trigger("restyle")
        self._handed_over()

    @rule(frame=st.integers(0, 39), name=st.sampled_from(("reroll", "remove_key", "add_key")))
    def change_keyframe(self, frame: int, name: str) -> None:
        plan = self.app.window.display.plan
        if plan is not None and name != "add_key":
            frame = min(plan.keyframes, key=lambda key: abs(key - frame))
        self.app.window.views.viewer.set_frame(frame)
        self.desk.trigger(name)
        self._handed_over()

    @rule()
    def undo_and_think_better_of_it(self) -> None:
        before = self.desk.chosen()
        if self.app.window.commands.undo.isEnabled():
            self.desk.trigger("undo")
            self.desk.trigger("redo")
            self._handed_over()
            assert self.desk.chosen() == before

    @rule(name=st.sampled_from(("undo", "redo")))
    def undo_or_redo(self, name: str) -> None:
        self.desk.trigger(name)
        self._handed_over()

    @rule()
    def cancel(self) -> None:
        job = self.app.controller.shown_job.job()
        if job is not None and not job.state.is_ended:
            self.app.controller.jobs.cancel(job)

    @rule()
    def wait(self) -> None:
        self.app.wait(
            "the end of what is shown",
            lambda: (job := self.app.controller.shown_job.job()) is None or job.state.is_ended,
        )
        if self.app.is_job(JobState.DONE):
            self.app.wait("its file", lambda: self.app.window.display.has_whole_result)

    @rule(number=st.integers(0, 5))
    def show_job(self, number: int) -> None:
        jobs = self.app.controller.jobs.model.jobs
        here = [job for job in jobs if job.clip and job.clip.path == self.desk.project.clip]
        if here:
            self.app.window.views.jobs.opened.emit(here[number % len(here)])

    @rule(number=st.integers(0, 5), side=st.sampled_from(("put_a", "put_b")))
    def compare(self, number: int, side: str) -> None:
        panel, jobs = self.app.window.views.jobs, self.app.controller.jobs.model.jobs
        if jobs:
            panel.select(jobs[number % len(jobs)].id)
            getattr(self.app.window.commands, side).trigger()

    @rule(name=st.sampled_from(("swap", "reset_sides")))
    def change_sides(self, name: str) -> None:
        self.desk.trigger(name)

    @precondition(lambda self: self.reopened < 1 + ACTIONS // 20)
    @rule(kills=st.booleans())
    def close_and_open_again(self, kills: bool) -> None:
        self.reopened += 1
        before, clip = self.desk.chosen(), self.desk.project.clip
        self.desk.close()
        if kills:
            self.desk.daemon.kill()
            self.desk.daemon.start()
        app = self.desk.opened()
        app.wait("the clip", lambda: app.controller.opener.clip and app.source_info())
        assert self.desk.project.clip == clip
        assert self.desk.chosen() == before

    @invariant()
    def nothing_is_lost(self) -> None:
        self.desk.actions += self._counts
        self.desk.check()

    def _handed_over(self) -> None:
        self.app.wait("it to be handed over", lambda: not self.app.controller.starter.is_busy)


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Path, Path]:
    """Two clips with texture everywhere."""
    from tests.engine.conftest import scene, write_clip

    return (
        write_clip(tmp_path / "one.mp4", scene(40)),
        write_clip(tmp_path / "two.mp4", scene(40, cut_at=26)),
    )


@pytest.mark.timeout(60 + 15 * ACTIONS)
def test_no_order_of_clicks_loses_a_result_or_a_setting_or_blackens_the_viewer(
    make_app: Callable[[], App],
    start_daemon: Callable[..., DaemonProcess],
    clips: tuple[Path, Path],
) -> None:
    Monkey.desk = Desk(make_app, start_daemon("--step-s", "0.02", "--frame-s", "0.01"), clips)

    steps = min(ACTIONS, _AT_ONCE)
    for number in range(-(-ACTIONS // steps)):
        seed(number)(Monkey)
        Monkey.is_rehearsing = True
        # A run that was right may differ from the one before, for the window has a past; hypothesis
        # says so only after it. What goes wrong in a run is another error.
        with suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(
                Monkey,
                _min_steps=steps,
                settings=settings(
                    max_examples=2,
                    stateful_step_count=steps,
                    deadline=None,
                    database=None,
                    phases=(Phase.generate,),
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
                ),
            )
    assert Monkey.desk.actions >= ACTIONS
