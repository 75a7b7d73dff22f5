"""One look, how much of it, or two of them mixed."""

from __future__ import annotations

import pytest
from fresco_gui.inspector.fields import SliderField
from fresco_gui.inspector.style_field import StyleField
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox

from tests.gui.conftest import App


def _field(app: App) -> StyleField:
    field = app.window.views.inspector.form.field("style")
    assert isinstance(field, StyleField)
    return field


def _choose(box: QComboBox, name: str) -> None:
    """As by hand: a box is filled anew by what a choice leads to."""
    index = box.findData(name)
    box.setCurrentIndex(index)
    box.activated.emit(index)


def _first(field: StyleField) -> QComboBox:
    assert isinstance(field.input, QComboBox)
    return field.input


def _value(app: App) -> object:
    return app.controller.project_store.project.values.get("style")


def test_a_second_look_is_mixed_in_by_as_much_as_a_slider_says(ready: App) -> None:
    field, form = _field(ready), ready.window.views.inspector.form
    strength = form.field("strength")
    assert isinstance(strength, SliderField)
    assert not field.second.isVisibleTo(form)

    _choose(_first(field), "oil")
    assert field.second.isVisibleTo(form)
    _choose(field.second, "winter")
    assert _value(ready) == "oil:0.5,winter:0.5"
    field.amount.setFocus()
    for _ in range(4):
        ready.bot.keyClick(field.amount, Qt.Key.Key_Left)

    assert _value(ready) == "oil:0.7,winter:0.3"
    # Of oil's 0.75 and winter's 0.5.
    ready.wait("the mixture's strength", lambda: strength.in_force == pytest.approx(0.675))
    _choose(field.second, "oil")
    assert _value(ready) == "oil"
    assert field.second.currentData() is None
    ready.press("Ctrl+Z")  # All choices of one setting in a row are one step.
    assert _value(ready) is None
    assert not field.second.isVisibleTo(form)


def test_a_mixture_that_was_chosen_elsewhere_is_shown(ready: App) -> None:
    field = _field(ready)

    ready.window.views.inspector.set_values({"style": "oil:0.7,neon:0.3"})

    assert _first(field).currentData() == "oil"
    assert (field.second.currentData(), field.amount.value()) == ("neon", 30)


def test_a_look_alone_is_pushed_or_held_back(ready: App) -> None:
    field = _field(ready)
    _choose(_first(field), "oil")
    assert field.amount.value() == field.amount.mark == 100

    field.amount.setFocus()
    for _ in range(6):
        ready.bot.keyClick(field.amount, Qt.Key.Key_Right)

    assert _value(ready) == "oil:1.3"
    _choose(_first(field), "neon")
    assert _value(ready) == "neon"
    assert field.amount.value() == 100


@pytest.mark.parametrize("text", ["oil:0.5,neon:0.3,winter:0.2", "oil:0.7,neon:0.7", "oil:1.9"])
def test_what_two_looks_and_a_share_cannot_say_is_kept_as_it_is(ready: App, text: str) -> None:
    inspector = ready.window.views.inspector

    inspector.set_values({"style": text})

    assert inspector.values() == {"style": text}
    assert _first(_field(ready)).currentText() == text
    assert not _field(ready).second.isVisibleTo(inspector)


@pytest.mark.parametrize("text", ["oil:0.333,neon:0.667", "oil:1.234", "ink of another model"])
def test_what_is_shown_rounded_is_kept_exactly_until_it_is_changed(ready: App, text: str) -> None:
    inspector = ready.window.views.inspector

    inspector.set_values({"style": text})
    inspector.form.set_styles(_field(ready).styles)

    assert inspector.values() == {"style": text}
