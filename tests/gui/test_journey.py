"""The whole way with the bundled model: drop a clip, look, restyle, wipe, reroll, export."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from fresco_gui.export import ExportKind, ExportOptions
from fresco_gui.timeline import KeyframeState
from fresco_gui.viewer import ViewMode
from numpy.typing import NDArray
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication

from tests.gui.conftest import App
from tests.gui.counting import decoded_frames
from tests.integration.daemons import DaemonProcess

FIRST, LAST = 4, 19
PATIENCE_MS = 480_000


def drop(app: App, path: Path) -> None:
    """Drag a file over the window and let it go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    where = app.window.rect().center()
    copy, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(app.window, QDragEnterEvent(where, copy, data, buttons, none))
    QApplication.sendEvent(app.window, QDropEvent(QPointF(where), copy, data, buttons, none))


@pytest.fixture
def small_clip(tmp_path: Path) -> Path:
    """The sample clip at a quarter of its size, with its sound."""
    from tests.gui.conftest import SAMPLE

    path = tmp_path / "town.mp4"
    with av.open(str(SAMPLE)) as source, av.open(str(path), "w") as target:
        video = target.add_stream("libx264", rate=Fraction(24))
        video.width, video.height, video.pix_fmt = 128, 128, "yuv420p"
        sound = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux():
            if packet.stream.type == "audio" and packet.dts is not None:
                packet.stream = sound
                target.mux(packet)
            elif packet.stream.type == "video":
                for frame in packet.decode():
                    assert isinstance(frame, av.VideoFrame)
                    small = frame.reformat(width=128, height=128)
                    small.pict_type = PictureType.NONE
                    target.mux(video.encode(small))
        target.mux(video.encode(None))
    return path


@pytest.mark.timeout(1800)
def test_from_a_dropped_clip_to_an_export_that_is_right_frame_by_frame(
    app: App, start_daemon: Callable[..., DaemonProcess], small_clip: Path, tmp_path: Path
) -> None:
    window, controller = app.window, app.controller
    app.connect(start_daemon(worker=None))

    # Drop.
    drop(app, small_clip)
    app.wait("the clip to be described", lambda: controller.opener.clip)
    assert controller.opener.clip is not None
    assert controller.opener.clip.info.frame_count == 108
    app.wait("the viewer to have it", app.source_info)

    # Look.
    for name, value in (("preset", "draft"), ("size", 128), ("steps", 4), ("keyframe_max", 9)):
        field = window.views.inspector.form.field(name)
        assert field is not None
        field.set_value(value)
    app.write_prompt("a watercolour painting of a toy town")
    window.views.viewer.set_frame(10)
    app.press("Ctrl+Alt+L")
    app.wait("looks", lambda: len(window.views.sheet.looks()) == 4, PATIENCE_MS)
    assert len({look.data for look in window.views.sheet.looks()}) == 4
    window.views.sheet.list.setCurrentRow(1)
    window.views.sheet.use_chosen()
    assert controller.project_store.project.values["seed"] == 1

    # Restyle a range, and watch keyframes arrive.
    window.views.viewer.set_range(FIRST, LAST)
    project = controller.project_store.project
    assert (project.range_in, project.range_out) == (FIRST, LAST)
    arrived: list[int] = []
    controller.shown_job.followed.connect(
        lambda follower: follower.keyframe_arrived.connect(lambda index, _: arrived.append(index))
    )
    app.restyle()
    result = app.wait(
        "the result", lambda: controller.project_store.project.made[0].result or None, PATIENCE_MS
    )
    plan = window.display.plan
    assert plan is not None
    assert sorted(arrived) == list(plan.keyframes)
    assert len(plan.keyframes) >= 3
    states = window.views.filmstrip.content.keyframes
    assert {states[index] for index in plan.keyframes} == {KeyframeState.DONE}
    before = decoded_frames(Path(result))
    assert len(before) == LAST - FIRST + 1

    # Wipe.
    app.wait("the result to be shown", lambda: window.display.has_whole_result)
    app.press("W")
    assert window.views.viewer.mode is ViewMode.WIPE_VERTICAL
    wipe_everywhere(app)

    # Reroll one keyframe: only what depends on it changes.
    key = plan.keyframes[-1]
    window.views.viewer.set_frame(key)
    app.press("R")
    app.wait("the second job", lambda: len(controller.project_store.project.made) == 2)
    rerolled = app.wait(
        "its result", lambda: controller.project_store.project.made[0].result or None, PATIENCE_MS
    )
    after = decoded_frames(Path(rerolled))
    kept = plan.keyframes[-2] - FIRST
    for old, new in zip(before[: kept + 1], after[: kept + 1], strict=True):
        np.testing.assert_array_equal(old, new)
    assert not np.array_equal(before[-1], after[-1])

    # Export, and check every frame of it.
    app.wait("the rerolled result to be shown", lambda: window.display.has_whole_result)
    check_pictures(app, after, tmp_path)
    check_video(app, after, tmp_path)
    assert app.problems == []


def wipe_everywhere(app: App) -> None:
    """Drag the line to the left and look on which side what is seen."""
    window = app.window
    canvas = window.views.viewer.canvas
    app.wait("a picture", lambda: window.display.result and window.display.result.frame(FIRST))
    window.views.viewer.set_frame(FIRST)
    app.bot.wait(300)
    middle = canvas.rect().center()
    before = canvas.grab().toImage()
    app.bot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    app.bot.mouseMove(canvas, middle - QPoint(60, 0))
    app.bot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle - QPoint(60, 0))
    app.bot.wait(300)
    after = canvas.grab().toImage()
    between, beyond = middle - QPoint(30, 40), middle + QPoint(40, 40)
    ratio = canvas.devicePixelRatioF()
    assert before.pixel(between * ratio) != after.pixel(between * ratio)
    assert before.pixel(beyond * ratio) == after.pixel(beyond * ratio)


def export(app: App, options: ExportOptions) -> None:
    """Write it as the dialog would have it written."""
    export_actions = app.window.export_actions
    ended: list[str] = []
    export_actions.finished_to.connect(ended.append)
    export_actions.start(options)
    app.wait("the export", lambda: ended and not export_actions.is_running)
    assert Path(ended[0]).name == options.path.name or Path(ended[0]).exists(), ended


def check_pictures(app: App, frames: list[NDArray[np.uint8]], folder: Path) -> None:
    """A PNG sequence of the range holds the result's very pixels."""
    options = ExportOptions(
        path=folder / "out_%04d.png", kind=ExportKind.PNG, start=FIRST, stop=LAST + 1
    )
    export(app, options)
    for offset, frame in enumerate(frames):
        with av.open(str(options.picture_path(FIRST + offset))) as container:
            (picture,) = container.decode(video=0)
            np.testing.assert_array_equal(picture.to_ndarray(format="rgb24"), frame)
    assert len(list(folder.glob("out_*.png"))) == len(frames)


def check_video(app: App, frames: list[NDArray[np.uint8]], folder: Path) -> None:
    """A video has each frame in its place and the sound of the range."""
    path = folder / "out.mov"
    options = ExportOptions(path=path, kind=ExportKind.PRORES, start=FIRST, stop=LAST + 1)
    export(app, options)
    written = decoded_frames(path)
    assert len(written) == len(frames)
    for index, (ours, theirs) in enumerate(zip(written, frames, strict=True)):
        apart = [np.abs(ours.astype(int) - other.astype(int)).mean() for other in frames]
        assert int(np.argmin(apart)) == index or np.array_equal(
            frames[int(np.argmin(apart))], theirs
        )
        assert apart[index] < 6
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 24
        assert container.streams.audio
