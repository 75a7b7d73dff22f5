"""Foreign text in the window is shown letter by letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_gui.plain import PlainLabel, plain
from PyQt6.QtCore import Qt

ROOT = Path(__file__).parents[2]

EVIL = "<img src=file:///etc/passwd><b>bold</b>"


@pytest.mark.usefixtures("qtbot")
@pytest.mark.parametrize("text", [EVIL, "a & b", "<script>", "x < y"])
def test_a_label_takes_no_text_for_html(text: str) -> None:
    label = PlainLabel(text)

    assert label.textFormat() is Qt.TextFormat.PlainText
    assert label.text() == text


@pytest.mark.usefixtures("qtbot")
def test_a_label_shows_what_would_turn_or_hide_text() -> None:
    label = PlainLabel()

    label.setText("gpj.\u202eexe\x1b\nmore")

    assert label.text() == "gpj.\\u202eexe\\x1b\nmore"


def test_a_tool_tip_shows_html_as_it_is_written() -> None:
    shown = plain(EVIL)

    assert "&lt;img" in shown
    assert "<img" not in shown
    assert plain("clip.mp4") == "clip.mp4"


def test_the_app_makes_no_label_that_guesses() -> None:
    sources = (ROOT / "gui" / "fresco_gui").rglob("*.py")

    guessing = [path.name for path in sources if " QLabel(" in path.read_text("utf-8")]

    assert guessing == []
