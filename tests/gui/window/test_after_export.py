"""What was exported is shown in its folder and played from where the eye is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fresco_gui.export.dialog import ExportDialog
from PyQt6.QtCore import QObject, Qt, QUrl, pyqtSlot
from PyQt6.QtGui import QDesktopServices

from tests.gui.conftest import App, answer


class Desktop(QObject):
    """In place of the programs that a desktop opens files with."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[Path] = []

    @pyqtSlot(QUrl)
    def open(self, url: QUrl) -> None:
        """Note what would be opened."""
        self.opened.append(Path(url.toLocalFile()))


@pytest.fixture
def desktop(qapp: object) -> Iterator[Desktop]:
    made = Desktop()
    QDesktopServices.setUrlHandler("file", made, "open")
    yield made
    QDesktopServices.unsetUrlHandler("file")


def test_an_export_is_said_in_plain_words_shown_in_its_folder_and_played(
    done: App, desktop: Desktop, tmp_path: Path
) -> None:
    bar, bot = done.window.views.result, done.bot
    path = tmp_path / "mine" / "town & country.mp4"
    path.parent.mkdir()
    said: list[str] = []

    def accept(dialog: ExportDialog) -> None:
        dialog.path.setText(str(path))
        done.wait("the size", lambda: "about" in dialog.expected.text().lower())
        said.extend((dialog.kind.currentText(), dialog.expected.text()))
        dialog.accept()

    answer(ExportDialog, accept)
    bot.mouseClick(bar.export, Qt.MouseButton.LeftButton)
    done.wait("the export", bar.play.isVisible)

    assert "plays everywhere" in said[0]
    assert path.stat().st_size > 0
    assert bar.text.text() == f"Exported: {path.name}"
    assert not bar.export.isVisible()
    bot.mouseClick(bar.play, Qt.MouseButton.LeftButton)
    bot.mouseClick(bar.reveal, Qt.MouseButton.LeftButton)
    assert desktop.opened == [path, path.parent]
    bot.mouseClick(bar.dismiss, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()
