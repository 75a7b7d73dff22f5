"""The dialog of an export, with names as people type them."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from fresco_gui.export import ExportKind
from fresco_gui.export.dialog import ExportDialog
from fresco_gui.media import FrameInfo
from fresco_gui.project import Project
from PyQt6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from tests.gui.conftest import answer

Asking = Callable[[ExportKind, str], ExportDialog]


@pytest.fixture
def asking(qtbot: QtBot, tmp_path: Path) -> Asking:
    """Types a place below the test's folder and presses Export."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    info = FrameInfo(path=clip, frame_count=9, frame_rate=Fraction(25), width=64, height=48)

    def ask(kind: ExportKind, place: str) -> ExportDialog:
        dialog = ExportDialog(Project(clip=str(clip)), info)
        qtbot.addWidget(dialog)
        dialog.kind.setCurrentIndex(dialog.kind.findData(kind))
        dialog.path.setText(place.replace("HERE", str(tmp_path)))
        dialog.export.click()
        return dialog

    return ask


@pytest.mark.parametrize("kind", ExportKind, ids=lambda kind: kind.value)
@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("~nobody-of-this-name/a", "There is no folder ~nobody-of-this-name."),
        ("HERE/" + "x" * 300, "This name is too long; choose a shorter one."),
        ("HERE/" + "ü" * 130, "This name is too long; choose a shorter one."),
        ("HERE/" + "y" * 300 + "/a", "This name is too long; choose a shorter one."),
    ],
)
def test_a_place_that_cannot_be_is_said_in_the_dialog(
    asking: Asking, kind: ExportKind, place: str, sentence: str
) -> None:
    ending = {ExportKind.H264: ".mp4", ExportKind.PRORES: ".mov", ExportKind.PNG: "_%04d.png"}

    dialog = asking(kind, place + ending[kind])

    assert dialog.note.text() == sentence
    assert not dialog.result()


@pytest.mark.parametrize("place", ["  HERE/out.mp4", "HERE/out.mp4 ", "\tHERE/out.mp4\t"])
def test_room_around_a_place_does_not_belong_to_it(
    asking: Asking, tmp_path: Path, place: str
) -> None:
    dialog = asking(ExportKind.H264, place)

    assert dialog.result()
    assert dialog.options().path == tmp_path / "out.mp4"


def test_a_folder_is_not_taken_for_the_file_to_write(asking: Asking, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()

    dialog = asking(ExportKind.H264, "HERE/out.mp4")

    assert dialog.note.text() == "That is a folder; choose another name for the file."
    assert not dialog.result()


def test_a_file_is_not_taken_for_a_folder_of_pictures(asking: Asking, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    dialog = asking(ExportKind.PNG, "HERE/notes.txt")

    assert dialog.note.text() == "That is a file; name a folder, or pictures as name_%04d.png."
    assert not dialog.result()


@pytest.mark.parametrize(
    ("kind", "place", "there"),
    [
        (ExportKind.PNG, "HERE/out_%04d.png", "out_0003.png"),
        (ExportKind.PNG, "HERE/out.png", "out_0008.png"),
        (ExportKind.PNG, "HERE/pictures", "pictures/frame_0000.png"),
        (ExportKind.H264, "HERE/link.mp4", "link.mp4"),
    ],
    ids=["pattern", "name", "folder", "link"],
)
def test_nothing_is_replaced_unasked(
    asking: Asking, tmp_path: Path, kind: ExportKind, place: str, there: str
) -> None:
    old = tmp_path / there
    old.parent.mkdir(exist_ok=True)
    if there.startswith("link"):
        os.symlink("nowhere.mp4", old)
    else:
        old.write_bytes(b"older")
    asked: list[str] = []

    def refuse(box: QMessageBox) -> None:
        asked.append(box.text())
        button = box.button(QMessageBox.StandardButton.No)
        assert button is not None
        button.click()

    answer(QMessageBox, refuse)

    dialog = asking(kind, place)

    assert asked == [f"{old.name} is there already. Replace it?"]
    assert not dialog.result()


def test_pictures_of_other_numbers_are_left_alone_and_not_asked_about(
    asking: Asking, tmp_path: Path
) -> None:
    (tmp_path / "out_0009.png").write_bytes(b"older")

    dialog = asking(ExportKind.PNG, "HERE/out_%04d.png")

    assert dialog.result()


@pytest.mark.parametrize(
    ("has_sound", "kind", "text", "is_possible"),
    [
        (True, ExportKind.H264, "With the clip's sound", True),
        (True, ExportKind.PNG, "With the clip's sound (pictures hold none)", False),
        (False, ExportKind.PRORES, "With the clip's sound (the clip has none)", False),
        (False, ExportKind.PNG, "With the clip's sound (the clip has none)", False),
    ],
)
def test_sound_can_be_ticked_only_where_there_is_any(
    qtbot: QtBot, tmp_path: Path, has_sound: bool, kind: ExportKind, text: str, is_possible: bool
) -> None:
    info = FrameInfo(path=None, frame_count=9, frame_rate=Fraction(25), width=64, height=48)
    dialog = ExportDialog(Project(clip=str(tmp_path / "clip.mp4")), info, has_sound=has_sound)
    qtbot.addWidget(dialog)

    dialog.kind.setCurrentIndex(dialog.kind.findData(kind))

    assert dialog.sound.text() == text
    assert dialog.sound.isEnabled() == is_possible
    assert dialog.options().has_sound == is_possible


def test_sound_is_wanted_again_after_a_look_at_pictures(qtbot: QtBot, tmp_path: Path) -> None:
    info = FrameInfo(path=None, frame_count=9, frame_rate=Fraction(25), width=64, height=48)
    dialog = ExportDialog(Project(clip=str(tmp_path / "clip.mp4")), info)
    qtbot.addWidget(dialog)

    dialog.kind.setCurrentIndex(dialog.kind.findData(ExportKind.PNG))
    dialog.kind.setCurrentIndex(dialog.kind.findData(ExportKind.H264))

    assert dialog.options().has_sound


def test_pictures_are_numbered_as_those_of_the_clip_are(qtbot: QtBot, tmp_path: Path) -> None:
    info = FrameInfo(
        path=tmp_path / "a_0008.png",
        frame_count=10,
        frame_rate=Fraction(25),
        width=64,
        height=64,
        first_number=8,
    )
    clip = str(tmp_path / "a_0008.png")
    dialog = ExportDialog(Project(clip=clip), info, first_number=info.first_number)
    qtbot.addWidget(dialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData(ExportKind.PNG))
    dialog.path.setText(str(tmp_path / "out_%04d.png"))

    options = dialog.options()

    assert options.picture_path(options.start) == tmp_path / "out_0008.png"
