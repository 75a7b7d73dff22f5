"""Exports by the dialog, of a job whose file is H.264: made from the daemon's own frames."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_client import PictureOptions
from fresco_gui.export import ExportKind
from fresco_gui.export.dialog import ExportDialog
from fresco_gui.preferences.stored import Preferences
from numpy.typing import NDArray
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QMessageBox

from tests.gui.conftest import App, answer
from tests.gui.counting import (
    SOUND_RATE,
    decoded_frames,
    number_of,
    picture,
    sound_in,
    tone,
    write_pictures,
)
from tests.integration.daemons import DaemonProcess

COUNT, IN, OUT = 30, 6, 17
RATE = Fraction(25)
Frames = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames that say their number under a noise that H.264 cannot keep, with a tone."""
    rng = np.random.default_rng(1)
    drawn = [
        np.clip(picture(number) + rng.normal(0, 12, (96, 192, 3)), 0, 255).astype(np.uint8)
        for number in range(COUNT)
    ]
    path = tmp_path_factory.mktemp("clips") / "noisy.mov"
    return write_pictures(path, drawn, rate=RATE, has_sound=True)


@pytest.fixture
def done(
    app: App, preferences: Preferences, start_daemon: Callable[..., DaemonProcess], clip: Path
) -> App:
    """A window with a finished job whose result is H.264, and a range."""
    preferences.is_lossless = False
    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("ink")
    app.restyle()
    app.wait_for_next(1)
    app.window.views.viewer.set_range(IN, OUT)
    app.wait("exports to be possible", app.window.commands.export.isEnabled)
    return app


def of_daemon(app: App) -> Frames:
    """The job's frames as the daemon has them."""
    session, job_id = app.controller.daemon.session, app.controller.shown_job.job_id
    assert session is not None
    options = PictureOptions(encoding="png")
    return [
        rgb(QImage.fromData(session.frame(job_id, "result", index, options).data))
        for index in range(COUNT)
    ]


def rgb(image: QImage) -> NDArray[np.uint8]:
    from fresco_gui.media.pictures import rgb32, to_rgb

    return to_rgb(rgb32(image))


def export(app: App, path: Path, kind: ExportKind, *, range_: int, has_sound: bool = True) -> str:
    """Press the menu entry, fill in the dialog, and wait; what the dialog says of its origin."""
    said: list[str] = []

    def fill(dialog: ExportDialog) -> None:
        dialog.kind.setCurrentIndex(dialog.kind.findData(kind))
        dialog.range.setCurrentIndex(range_)
        dialog.sound.setChecked(has_sound)
        dialog.path.setText(str(path))
        said.append(dialog.origin.text())
        dialog.export.click()

    ended: list[str] = []
    app.window.export_actions.finished_to.connect(ended.append)
    answer(ExportDialog, fill)
    app.window.commands.export.trigger()
    app.wait("the export", lambda: ended and not app.window.export_actions.is_running)
    app.window.export_actions.finished_to.disconnect(ended.append)
    return said[0]


def apart(one: Frames, other: Frames) -> float:
    """How far two rows of frames are apart, on average over their pixels."""
    pairs = zip(one, other, strict=True)
    return float(np.mean([np.abs(a.astype(int) - b.astype(int)).mean() for a, b in pairs]))


def test_pictures_are_the_very_pixels_that_the_daemon_has(done: App, tmp_path: Path) -> None:
    made = of_daemon(done)
    encoded = decoded_frames(Path(done.controller.project_store.project.made[0].result))
    assert apart(encoded, made) > 1, "H.264 has lost nothing, so that this test shows nothing"

    said = export(done, tmp_path / "out_%04d.png", ExportKind.PNG, range_=1)

    assert "daemon's own frames" in said
    names = [f"out_{index:04d}.png" for index in range(IN, OUT + 1)]
    assert sorted(path.name for path in tmp_path.glob("out_*")) == names
    for index, name in enumerate(names, IN):
        written = rgb(QImage(str(tmp_path / name)))
        np.testing.assert_array_equal(written, made[index])
        assert number_of(written, inverted=True) == index


@pytest.mark.parametrize("range_", [0, 1], ids=["whole", "range"])
def test_prores_is_made_from_the_daemons_frames_with_the_clips_sound(
    done: App, tmp_path: Path, range_: int
) -> None:
    start, stop = (IN, OUT + 1) if range_ else (0, COUNT)
    made = of_daemon(done)[start:stop]
    encoded = decoded_frames(Path(done.controller.project_store.project.made[0].result))[start:stop]

    export(done, tmp_path / "out.mov", ExportKind.PRORES, range_=range_)

    written = decoded_frames(tmp_path / "out.mov")
    numbers = [number_of(frame, inverted=True) for frame in written]
    assert numbers == list(range(start, stop))
    assert apart(written, made) < 0.7 * apart(encoded, made)
    with av.open(str(tmp_path / "out.mov")) as container:
        assert container.streams.video[0].average_rate == RATE
        assert container.streams.video[0].codec_context.name == "prores"
    begin, end = (int(place * SOUND_RATE / RATE) for place in (start, stop))
    np.testing.assert_array_equal(sound_in(tmp_path / "out.mov"), tone(end - begin, begin))


def test_h264_of_a_range_is_made_from_the_daemons_frames(done: App, tmp_path: Path) -> None:
    made = of_daemon(done)[IN : OUT + 1]
    result = Path(done.controller.project_store.project.made[0].result)
    encoded = decoded_frames(result)[IN : OUT + 1]

    export(done, tmp_path / "out.mp4", ExportKind.H264, range_=1, has_sound=False)

    written = decoded_frames(tmp_path / "out.mp4")
    numbers = [number_of(frame, inverted=True) for frame in written]
    assert numbers == list(range(IN, OUT + 1))
    assert apart(written, made) < apart(written, encoded)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_h264_of_the_whole_is_the_jobs_own_file(done: App, tmp_path: Path) -> None:
    export(done, tmp_path / "out.mp4", ExportKind.H264, range_=0)

    result = Path(done.controller.project_store.project.made[0].result)
    assert (tmp_path / "out.mp4").read_bytes() == result.read_bytes()
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio


def test_without_the_daemon_the_file_is_exported_and_the_dialog_says_so(
    done: App, tmp_path: Path, daemons: list[DaemonProcess]
) -> None:
    encoded = decoded_frames(Path(done.controller.project_store.project.made[0].result))
    daemons[0].kill()
    done.wait("it to be missed", lambda: not done.controller.daemon.state.is_connected)

    said = export(done, tmp_path / "out_%04d.png", ExportKind.PNG, range_=1)

    assert "The daemon is away" in said
    for index in range(IN, OUT + 1):
        written = rgb(QImage(str(tmp_path / f"out_{index:04d}.png")))
        assert apart([written], [encoded[index]]) < 1


def test_the_dialog_says_what_is_wrong_and_asks_before_it_replaces_a_file(
    done: App, tmp_path: Path
) -> None:
    dialog = done.window.export_actions.dialog()
    assert dialog is not None
    there = tmp_path / "there.mp4"
    there.write_bytes(b"something")
    mistakes = {
        "": "Say where",
        str(tmp_path / "nowhere" / "out.mp4"): "There is no folder",
        str(tmp_path / "out.avi"): "ends in .mp4",
        done.controller.project_store.project.clip: "ends in .mp4",
    }

    for path, sentence in mistakes.items():
        dialog.path.setText(path)
        dialog.export.click()
        assert sentence in dialog.note.text()
        assert not dialog.result()
    dialog.path.setText(str(there))
    answer(QMessageBox, lambda box: box.button(QMessageBox.StandardButton.No).click())
    dialog.export.click()

    assert not dialog.result()
    answer(QMessageBox, lambda box: box.button(QMessageBox.StandardButton.Yes).click())
    dialog.export.click()
    assert dialog.result()
    assert dialog.options().path == there


def test_the_size_is_told_before_and_follows_format_and_quality(done: App) -> None:
    dialog = done.window.export_actions.dialog()
    assert dialog is not None

    told: list[str] = []
    for kind, quality in (
        (ExportKind.H264, "high"),
        (ExportKind.H264, "small"),
        (ExportKind.PRORES, "small"),
        (ExportKind.PNG, "small"),
    ):
        dialog.quality.setCurrentIndex(dialog.quality.findData(quality))
        dialog.kind.setCurrentIndex(dialog.kind.findData(kind))
        done.wait("the size", lambda: dialog.expected.text().startswith("About"))
        told.append(dialog.expected.text())
        assert dialog.quality.isEnabled() is (kind is ExportKind.H264)

    assert len(set(told)) == 4
    assert dialog.options().quality == "high"
    dialog.reject()


def test_sound_is_not_offered_for_pictures_and_the_name_follows_the_format(done: App) -> None:
    dialog = done.window.export_actions.dialog()
    assert dialog is not None

    endings: dict[ExportKind, str] = {}
    for kind in ExportKind:
        dialog.kind.setCurrentIndex(dialog.kind.findData(kind))
        endings[kind] = Path(dialog.path.text()).name
        assert dialog.sound.isEnabled() is (kind is not ExportKind.PNG)

    assert endings == {
        ExportKind.H264: "noisy-restyled.mp4",
        ExportKind.PRORES: "noisy-restyled.mov",
        ExportKind.PNG: "noisy-restyled_%04d.png",
    }
    dialog.reject()
