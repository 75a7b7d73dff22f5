"""The form shows whatever is declared, under the words of the declaration."""

from __future__ import annotations

from fresco_client import Parameter
from fresco_client.messages import value_of
from fresco_gui.inspector.form import SettingsForm
from fresco_server.rpc.parameters import capabilities
from PyQt6.QtWidgets import QFormLayout, QLabel
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
