"""What holds is always seen: strength at its real value, what draft changes, what words can do."""

from __future__ import annotations

from fresco_gui.inspector.fields import Field, SliderField
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QSpinBox, QToolButton

from tests.gui.conftest import App


def field(app: App, name: str) -> Field:
    found = app.window.views.inspector.form.field(name)
    assert found is not None
    return found


def choose(app: App, name: str, value: object) -> None:
    one = field(app, name)
    one.set_value(value)
    one.changed.emit()


def test_strength_stands_at_its_real_value_and_steps_from_there(ready: App) -> None:
    strength = field(ready, "strength")
    assert isinstance(strength, SliderField)
    ready.wait("the model's strength", lambda: strength.in_force == 0.75)
    assert strength.slider.value() == strength.slider.mark == 75
    assert strength.value() is None

    choose(ready, "style", "winter")
    ready.wait("the style's strength", lambda: strength.slider.value() == 50)
    strength.slider.setFocus()
    ready.bot.keyClick(strength.slider, Qt.Key.Key_Right)
    project = ready.controller.project_store.project
    assert project.values["strength"] == 0.51

    assert strength.slider.mark == 50
    (reset,) = strength.findChildren(QToolButton)
    reset.click()
    assert strength.slider.value() == 50
    assert "strength" not in ready.controller.project_store.project.values
    ready.press("Ctrl+Z")
    assert strength.slider.value() == 51


def test_what_a_preset_changes_is_told_where_it_is_changed(ready: App) -> None:
    between = field(ready, "interpolation").findChild(QComboBox)
    steps = field(ready, "steps").findChild(QSpinBox)
    assert between is not None
    assert steps is not None
    ready.wait("the model's", lambda: steps.specialValueText() == "default: 4")
    assert between.itemText(0) == "default: patch"

    choose(ready, "preset", "draft")

    ready.wait("draft's", lambda: between.itemText(0) == "default: flow")
    assert steps.specialValueText() == "default: 3"
    steps.stepUp()
    assert ready.controller.project_store.project.values["steps"] == 4


def test_words_that_the_model_can_do_nothing_with_are_told_of_while_they_are_typed(
    ready: App,
) -> None:
    words = ready.window.views.inspector.form.words

    ready.write_prompt("an astronaut made of lego bricks on mars")
    ready.wait("the doubt", lambda: "knows looks, not things" in words.text())
    ready.write_prompt("a watercolour of a town")

    ready.wait("the style", lambda: words.text() == "The words call for: watercolour.")


def test_only_what_belongs_to_the_mode_is_seen_and_a_search_finds_the_rest(ready: App) -> None:
    form = ready.window.views.inspector.form
    for_edits = ("source_prompt", "keep", "inversion")
    assert not any(field(ready, name).isVisibleTo(form) for name in for_edits)
    assert field(ready, "prompt").isVisibleTo(form)

    (edit,) = [
        one for one in field(ready, "mode").findChildren(QToolButton) if one.text() == "Edit"
    ]
    edit.click()

    assert ready.controller.project_store.project.values["mode"] == "edit"
    assert field(ready, "source_prompt").isVisibleTo(form)
    assert field(ready, "keep").isVisibleTo(form)
    form.search.setText("way back")
    assert field(ready, "inversion").isVisibleTo(form)
    assert not field(ready, "eta").isVisibleTo(form)
    form.search.clear()
    ready.press("Ctrl+Z")
    assert not field(ready, "keep").isVisibleTo(form)
