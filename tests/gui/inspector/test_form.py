"""The form shows whatever is declared, under the words of the declaration."""

from __future__ import annotations

import pytest
from fresco_client import Failure, Parameter
from fresco_client.messages import value_of
from fresco_gui.inspector.form import SettingsForm
from fresco_gui.problems.panel import ProblemPanel
from fresco_gui.problems.problem import Problem, problem_of_failure
from fresco_server.rpc.parameters import capabilities
from PyQt6.QtWidgets import QFileDialog, QFormLayout, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from tests.fakes.settings import MoreSettings


def test_a_setting_that_is_declared_has_a_field_with_its_title_unit_and_help(qtbot: QtBot) -> None:
    form = SettingsForm()
    qtbot.addWidget(form)

    form.build(tuple(value_of(one, Parameter) for one in capabilities(MoreSettings)), ())
    form.set_values({"paint_depth": 6.5})

    field = form.field("paint_depth")
    assert field is not None
    assert field.toolTip() == "How thick the paint lies"
    layout = next(one for one in form.findChildren(QFormLayout) if one.indexOf(field) >= 0)
    label = layout.labelForField(field)
    assert isinstance(label, QLabel)
    assert label.text() == "Paint depth (mm)"
    assert form.values() == {"paint_depth": 6.5}


def test_a_setting_that_a_daemon_tells_no_title_of_is_called_by_its_name(qtbot: QtBot) -> None:
    form = SettingsForm()
    qtbot.addWidget(form)

    form.build((Parameter(name="future.paint_depth", kind="number"),), ())

    assert [label.text() for label in form.findChildren(QLabel)] == ["Paint depth"]


def test_a_problem_that_is_about_a_setting_leads_to_its_field(qtbot: QtBot) -> None:
    form = SettingsForm()
    qtbot.addWidget(form)
    form.build(tuple(value_of(one, Parameter) for one in capabilities()), ())
    panel = ProblemPanel()
    qtbot.addWidget(panel)
    panel.setting_wanted.connect(form.reveal)
    failure = Failure(
        reason="OUT_OF_DEVICE_MEMORY",
        message="no memory",
        log_tail="",
        can_resume=True,
        field="size",
        remedy="LESS_MEMORY",
    )
    panel.add(problem_of_failure(failure, "a", "The job has failed"), "Go on")
    field = form.field("size")
    assert field is not None
    was_hidden = not field.isVisibleTo(form)

    panel.show_setting.click()

    assert panel.show_setting.text() == "Show “Working size”"
    assert was_hidden
    assert field.isVisibleTo(form)


def test_a_problem_that_is_about_no_setting_offers_none(qtbot: QtBot) -> None:
    panel = ProblemPanel()
    qtbot.addWidget(panel)

    panel.add(Problem(title="The disk is full", message="Free some room."))

    assert not panel.show_setting.isVisibleTo(panel)


def test_the_subjects_mask_is_a_file_that_is_typed_or_chosen(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = SettingsForm()
    qtbot.addWidget(form)
    form.build(tuple(value_of(one, Parameter) for one in capabilities()), ())
    field = form.field("subject_mask")
    assert field is not None
    answers = iter(["/masks/woman.mp4", ""])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (next(answers), ""))
    button = field.findChild(QToolButton)
    assert button is not None

    with qtbot.waitSignal(form.changed):
        button.click()
    button.click()

    assert form.values() == {"subject_mask": "/masks/woman.mp4"}
    form.set_values({})
    assert form.values() == {}


def test_settings_that_are_chosen_in_the_timeline_have_no_field(qtbot: QtBot) -> None:
    form = SettingsForm()
    qtbot.addWidget(form)

    form.build(tuple(value_of(one, Parameter) for one in capabilities()), ())

    assert form.field("start") is None
    assert form.field("stop") is None
