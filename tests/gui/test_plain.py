"""Foreign text in the window is shown letter by letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_client import Device, ServerInfo
from fresco_gui.daemon.watcher import DaemonState, DaemonView
from fresco_gui.plain import PlainLabel, plain
from fresco_gui.theme import TOKENS
from fresco_gui.window.empty import EmptyState
from fresco_gui.window.status import StatusLine
from fresco_media.files.text import printable
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QTextDocument
from PyQt6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

ROOT = Path(__file__).parents[2]


def server_with(device: str) -> ServerInfo:
    """A daemon on a device of this name."""
    found = Device(
        id="cpu",
        name=device,
        memory_bytes=0,
        state="ready",
        model_source="",
        has_model=False,
        job_id="",
    )
    return ServerInfo(
        version="1",
        api_major=1,
        api_minor=0,
        devices=(found,),
        limits=None,
        capabilities=None,
        uptime_s=None,
        open_jobs=0,
        disk_bytes=0,
        free_disk_bytes=0,
        process_id=1,
    )


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


@pytest.mark.parametrize("device", ["Processor", EVIL, "a & b", "x\u202e\x1b[31m"])
@pytest.mark.parametrize("why", ["", "<b>gone</b> & lost"])
def test_the_status_line_shows_a_mark_and_no_html(qtbot: QtBot, device: str, why: str) -> None:
    status, words = StatusLine(), QTextDocument()
    qtbot.addWidget(status)
    view = DaemonView(server=server_with(device), models=())

    status.show_daemon(DaemonState.READY, why)
    status.show_server(view)

    words.setHtml(status.daemon.text())
    assert status.daemon.textFormat() is Qt.TextFormat.RichText
    assert words.toPlainText() == f"● Daemon: ready, {printable(device)}"
    words.setHtml(status.daemon.toolTip())
    assert words.toPlainText() == why
    image = status.daemon.grab().toImage()
    colours = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert QColor(TOKENS.good).rgb() in colours


def test_a_tool_tip_shows_html_as_it_is_written() -> None:
    shown = plain(EVIL)

    assert "&lt;img" in shown
    assert "<img" not in shown
    assert plain("clip.mp4") == "clip.mp4"


def test_the_app_makes_no_label_that_guesses() -> None:
    sources = (ROOT / "gui" / "fresco_gui").rglob("*.py")

    guessing = [path.name for path in sources if " QLabel(" in path.read_text("utf-8")]

    assert guessing == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("&amp;.mp4", "&&amp;.mp4"),
        ("a\u202egpj\x1b[31m.mp4", "a\\u202egpj\\x1b[31m.mp4"),
        ("x" * 251 + ".mp4", "x" * 30 + "…" + "x" * 26 + ".mp4"),
        ("a" * 29 + "&" + "b" * 40, "a" * 29 + "&&…" + "b" * 30),
    ],
)
def test_recent_clips_are_offered_by_their_names(qtbot: QtBot, name: str, shown: str) -> None:
    page = EmptyState(has_sample=True)
    qtbot.addWidget(page)

    page.show_recent([Path("/clips") / name])

    assert shown in [button.text() for button in page.findChildren(QPushButton)]
    assert page.minimumSizeHint().width() < 800
