"""Numbers in the app: typed, pasted, turned and shown alike in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import fresco_gui
import pytest
from fresco_client import Parameter
from fresco_gui.inspector.fields import IntegerField, NumberField, SeedField
from fresco_gui.numbers import DecimalBox, IntegerBox
from PyQt6.QtCore import QLocale, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QDoubleSpinBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

_OF_QT = re.compile(r"\bQ(Double)?SpinBox\b")
LOCALES = ["en_US", "de_DE", "fr_FR", "de_CH", "pt_BR", "ar_EG", "hi_IN", "fa_IR", "C"]


@pytest.fixture(params=LOCALES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """The language of the app; Qt brings all of them."""
    former = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(former)


def _parameter(kind: str, low: float | None, high: float | None, default: str = "0.5") -> Parameter:
    return Parameter(
        name="strength",
        kind=kind,  # pyright: ignore[reportArgumentType]  of those that have a range
        description="",
        default_json=default,
        minimum=low,
        maximum=high,
        choices=(),
        is_advanced=False,
    )


def _type(qtbot: QtBot, edit: QLineEdit | QSpinBox | QDoubleSpinBox, text: str) -> None:
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def _paste(qtbot: QtBot, edit: QLineEdit, text: str) -> None:
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    clipboard.setText(text)
    edit.setFocus()
    edit.selectAll()
    edit.paste()
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def _decimal_box(qtbot: QtBot, field: NumberField) -> DecimalBox:
    qtbot.addWidget(field)
    box = field.findChild(DecimalBox)
    assert box is not None
    return box


@pytest.mark.parametrize("text", ["0.75", "0,75", ".75", ",75", "0.750"])
def test_three_quarters_are_three_quarters_in_every_language(
    text: str, language: str, qtbot: QtBot
) -> None:
    field = NumberField(_parameter("number", 0.0, 1.0))
    box = _decimal_box(qtbot, field)

    _type(qtbot, box, text)

    assert field.value() == 0.75
    assert box.text() == "0.75"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.000", 1.0),
        ("1,000", 1.0),
        ("1'000", 1000.0),
        ("1 000", 1000.0),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("٧٫٥", 7.5),
        ("७.५", 7.5),
        ("1\u202f234,5\u00a0", 1234.5),
    ],
)
def test_pasted_numbers_follow_the_one_rule(
    text: str, number: float, language: str, qtbot: QtBot
) -> None:
    field = NumberField(_parameter("number", 0.0, 5000.0))
    edit = _decimal_box(qtbot, field).lineEdit()
    assert edit is not None

    _paste(qtbot, edit, text)

    assert field.value() == number
    assert edit.text() == f"{number:.2f}"


@pytest.mark.parametrize("text", ["abc", "75", "1.2.3", "1.000,000,5", "-1", ""])
def test_what_is_no_fitting_number_changes_nothing(text: str, language: str, qtbot: QtBot) -> None:
    field = NumberField(_parameter("number", 0.0, 1.0))
    field.set_value(0.25)
    edit = _decimal_box(qtbot, field).lineEdit()
    assert edit is not None

    _paste(qtbot, edit, text)

    assert field.value() == 0.25


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.000", 1), ("1,000", 1), ("1 000", 1000), ("2048", 2048), ("0.75", 512), ("12,5", 512)],
)
def test_whole_numbers_never_lose_a_decimal_mark(
    text: str, number: int, language: str, qtbot: QtBot
) -> None:
    field = IntegerField(_parameter("integer", 1, 4096, "512"))
    field.set_value(512)
    qtbot.addWidget(field)
    box = field.findChild(IntegerBox)
    assert box is not None

    _type(qtbot, box, text)

    assert field.value() == number
    assert box.text() == str(number)


@pytest.mark.parametrize(
    ("text", "seed", "shown"),
    [
        ("1234567", 1234567, "1234567"),
        ("1 000", 1000, "1000"),
        ("12,5", None, ""),
    ],
)
def test_a_seed_is_what_is_shown_or_none(
    text: str, seed: int | None, shown: str, language: str, qtbot: QtBot
) -> None:
    field = SeedField(_parameter("integer", 0, None, "0"))
    qtbot.addWidget(field)
    edit = field.findChild(QLineEdit)
    assert edit is not None

    _type(qtbot, edit, text)

    assert field.value() == seed
    assert edit.text() == shown


def test_a_field_left_open_stays_open_until_a_number_is_given(language: str, qtbot: QtBot) -> None:
    field = NumberField(_parameter("number", 0.0, 1.0))
    box = _decimal_box(qtbot, field)

    qtbot.keyClick(box, Qt.Key.Key_Return)
    before = field.value()
    box.stepBy(2)

    assert before is None
    assert field.value() == 0.6  # two steps above its default
    assert box.text() == "0.60"


def test_the_app_has_no_number_field_of_another_kind() -> None:
    folder = Path(fresco_gui.__file__).parent
    others = [path for path in folder.rglob("*.py") if path.name != "numbers.py"]

    users = [
        path.name for path in others if re.search(r"\bQ(Double)?SpinBox\b", path.read_text("utf-8"))
    ]

    assert others
    assert users == []
