"""Keyframes: chosen before a job, changed after it, with a real daemon that makes negatives."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_client import Job, JobState
from fresco_gui.timeline import KeyframeAction, KeyframeState
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QFileDialog, QInputDialog

from tests.gui.conftest import App
from tests.integration.daemons import DaemonProcess

KEYS = (0, 5, 10, 15, 20, 25, 30, 35, 39)
"""Those that the daemon plans for the clip."""


def test_keyframes_are_shown_as_they_come(done: App) -> None:
    plan = done.window.display.plan
    assert plan is not None

    states = done.window.views.filmstrip.content.keyframes

    assert {states[index] for index in plan.keyframes} == {KeyframeState.DONE}


def test_a_locked_keyframe_is_left_out_when_the_others_are_rerolled(done: App) -> None:
    done.window.keyframes.act(10, KeyframeAction.LOCK)
    assert done.window.views.filmstrip.content.keyframes[10] is KeyframeState.LOCKED

    done.window.keyframes.reroll_unlocked()
    job = done.wait_for_next(2)

    assert job.settings is not None
    assert set(job.settings.keyframe_seeds) == set(job.plan.keyframes) - {10}


def test_words_of_one_keyframe_are_changed_and_its_seed_kept(
    done: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getMultiLineText", lambda *_: ("rain", True))

    done.window.keyframes.act(10, KeyframeAction.EDIT_PROMPT)
    job = done.wait_for_next(2)

    assert job.settings is not None
    assert job.settings.keyframe_prompts == {10: "rain"}
    assert job.settings.keyframe_seeds == {10: 0}


def test_a_painted_picture_takes_the_place_of_a_keyframe(
    done: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = QImage(80, 64, QImage.Format.Format_RGB32)
    painted.fill(Qt.GlobalColor.red)
    painted.save(str(tmp_path / "painted.png"))
    name = str(tmp_path / "painted.png")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (name, ""))

    done.window.keyframes.act(10, KeyframeAction.REPLACE)
    job = done.wait_for_next(2)

    session = done.controller.daemon.session
    assert session is not None
    image = QImage.fromData(session.frame(job.id, "keyframe", 10).data)
    colour = image.pixelColor(40, 32)
    assert colour.red() > 240
    assert colour.green() < 15


def test_keyframes_are_chosen_by_hand_before_a_job(ready: App) -> None:
    for frame in (7, 11):
        ready.window.views.viewer.set_frame(frame)
        ready.press("M")
    assert ready.controller.project_store.chosen_keyframes() == (7, 11)
    ready.window.views.viewer.set_frame(13)
    ready.press("Shift+M")
    assert ready.controller.project_store.chosen_keyframes() == (7, 13)
    ready.press("Del")
    assert ready.controller.project_store.chosen_keyframes() == (7,)

    ready.restyle()
    job = ready.wait("the job", ready.controller.shown_job.job)

    assert job.settings is not None
    assert job.settings.keyframes == (7,)


# After a job: only what depends on a change is computed again


def made_again(daemons: list[DaemonProcess], before: Job, after: Job) -> set[str]:
    """Pictures of the newer job that it did not take over from the older one."""
    (folder,) = {daemon.data / "jobs" for daemon in daemons}
    old, new = (_files(folder, job) for job in (before, after))
    return {name for name, file in new.items() if file != old.get(name)}


def _files(folder: Path, job: Job) -> dict[str, int]:
    (place,) = folder.glob(f"{job.id}-*")
    return {str(path.relative_to(place)): path.stat().st_ino for path in place.glob("*/*.png")}


def pictures(keyframes: set[int], frames: range) -> set[str]:
    """Files of these keyframes and frames."""
    keys = {f"keyframes/{index:06d}.png" for index in keyframes}
    return keys | {f"frames/{index:06d}.png" for index in frames}


def shown_job(app: App) -> Job:
    """The job that the window shows."""
    job = app.controller.shown_job.job()
    assert job is not None
    return job


def test_moving_a_keyframe_computes_what_lies_about_both_places(
    done: App, daemons: list[DaemonProcess]
) -> None:
    before = shown_job(done)
    done.window.views.viewer.set_frame(12)

    done.press("Shift+M")
    job = done.wait_for_next(2)

    assert job.plan.keyframes == (0, 5, 12, 15, 20, 25, 30, 35, 39)
    assert made_again(daemons, before, job) == pictures({12}, range(6, 15))
    assert tuple(done.window.views.filmstrip.content.keyframes) == job.plan.keyframes
    assert set(done.window.views.filmstrip.content.keyframes.values()) == {KeyframeState.DONE}


def test_adding_a_keyframe_computes_what_lies_between_its_neighbours(
    done: App, daemons: list[DaemonProcess]
) -> None:
    before = shown_job(done)
    done.window.views.viewer.set_frame(22)

    done.press("M")
    job = done.wait_for_next(2)

    assert job.plan.keyframes == tuple(sorted({*KEYS, 22}))
    assert made_again(daemons, before, job) == pictures({22}, range(21, 25))


def test_removing_a_keyframe_computes_what_it_had_a_part_in(
    done: App, daemons: list[DaemonProcess]
) -> None:
    before = shown_job(done)
    done.window.views.viewer.set_frame(30)

    done.press("Del")
    job = done.wait_for_next(2)

    assert job.plan.keyframes == tuple(key for key in KEYS if key != 30)
    assert made_again(daemons, before, job) == pictures(set(), range(26, 35))


def test_the_first_frame_of_a_shot_stays_a_keyframe_and_the_window_says_so(done: App) -> None:
    done.window.views.viewer.set_frame(0)

    done.press("Del")
    done.wait("the refusal to be told", lambda: done.problems)

    assert "the end of a shot" in done.problems[-1].message
    assert len(done.controller.project_store.project.made) == 1
    done.wait("rerolls to be possible again", done.window.commands.reroll.isEnabled)


def test_a_job_before_stays_and_is_shown_again_from_the_history(done: App) -> None:
    before = shown_job(done)
    done.window.views.viewer.set_frame(22)
    done.press("M")
    done.wait_for_next(2)

    done.window.views.jobs.opened.emit(done.controller.jobs.model.job(before.id))

    done.wait("the older job", lambda: done.controller.shown_job.job_id == before.id)
    done.wait("its plan", lambda: tuple(done.window.views.filmstrip.content.keyframes) == KEYS)
    assert done.controller.project_store.project.made[0].job_id == before.id
    assert done.is_job(JobState.DONE)
