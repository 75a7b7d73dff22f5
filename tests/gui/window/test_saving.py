"""What is saved by a dialog takes the place of nothing that nobody was asked about."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QFileDialog, QMessageBox

from tests.gui.conftest import App, answer


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What the user types in the next dialog, whose own question is answered with yes."""
    names: list[Path] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(names.pop()), ""))
    return names


def test_nothing_that_is_saved_replaces_the_clip(
    done: App, choose: list[Path], clip: Path, tmp_path: Path
) -> None:
    before = clip.read_bytes()
    job = done.controller.shown_job.job()
    assert job is not None
    assert job.result is not None
    other_name = (tmp_path / "own").with_suffix(Path(job.result.file_name).suffix)
    other_name.hardlink_to(clip)

    choose.append(clip)
    done.window.export_actions.save_frame()
    written = clip.with_name(f"{clip.name}.png")
    assert QImage(str(written)).width() == 80
    written.unlink()
    choose.append(other_name)
    done.window.job_actions.save_result(job)
    done.wait("a refusal", lambda: done.problems)

    assert "clip" in done.problems[0].message
    assert clip.read_bytes() == before


def test_a_picture_of_the_clip_is_not_replaced_by_a_frame(
    app: App, choose: list[Path], tmp_path: Path
) -> None:
    for index in range(3):
        image = QImage(32, 24, QImage.Format.Format_RGB32)
        image.fill(0x202020 * index)
        image.save(str(tmp_path / f"shot_{index}.png"))
    app.window.open_actions.open_first([tmp_path / "shot_0.png"])
    app.wait("the picture", app.window.views.viewer.picture)
    before = (tmp_path / "shot_2.png").read_bytes()

    choose.append(tmp_path / "shot_2.png")
    app.window.export_actions.save_frame()

    assert "the clip itself is" in app.problems[-1].message
    assert (tmp_path / "shot_2.png").read_bytes() == before


def test_a_frame_of_a_sequence_is_named_by_the_number_of_its_file(
    app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for number in range(7, 10):
        image = QImage(32, 24, QImage.Format.Format_RGB32)
        image.fill(0x101010 * number)
        image.save(str(tmp_path / f"shot_{number:04d}.png"))
    offered: list[str] = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *given: (offered.append(given[2]) or "", "")
    )
    app.window.open_actions.open_first([tmp_path / "shot_0007.png"])
    app.wait("the picture", app.window.views.viewer.picture)

    app.window.export_actions.save_frame()

    assert offered[0].endswith("-000007.png")


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_name_that_gets_its_ending_here_is_asked_about(
    is_replaced: bool, ready: App, choose: list[Path], tmp_path: Path
) -> None:
    other = tmp_path / "wolf.fresco"
    other.write_text("another project")
    button = QMessageBox.StandardButton.Yes if is_replaced else QMessageBox.StandardButton.No

    def press(box: QMessageBox) -> None:
        found = box.button(button)
        assert found is not None
        found.click()

    choose.append(tmp_path / "wolf")
    answer(QMessageBox, press)
    ready.window.open_actions.ask_where_to_save()

    assert (other.read_text() != "another project") == is_replaced
    assert (ready.controller.project_store.path == other) == is_replaced
