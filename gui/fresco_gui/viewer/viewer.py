"""The viewer: a canvas, its transport and the pixel read-out."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction, QDragEnterEvent, QDropEvent, QImage
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from fresco_gui.media.source import FrameInfo, FrameSource
from fresco_gui.viewer import commands
from fresco_gui.viewer.canvas import Canvas
from fresco_gui.viewer.commands import Command
from fresco_gui.viewer.modes import ViewMode
from fresco_gui.viewer.playback import Playback
from fresco_gui.viewer.readout import read
from fresco_gui.viewer.transport import ShrinkingLabel, TransportBar

_FAR_STEP = 10
_WIPE_STEP = 0.05
_ZOOM_STEP = 1.25


class Viewer(QWidget):
    """Looks at one frame of a source and of its result, still or moving.

    Signals:
        frame_changed(int): another frame is looked at.
        range_changed(int, int): in and out points, both frames included.
        mode_changed(object): a `ViewMode` was chosen.
        files_dropped(list): paths were dropped here.
        failed(str): source or result cannot be read; a sentence for the user.
        playing_changed(bool): playback began or ended.
    """

    frame_changed = pyqtSignal(int)
    range_changed = pyqtSignal(int, int)
    mode_changed = pyqtSignal(object)
    files_dropped = pyqtSignal(list)
    failed = pyqtSignal(str)
    playing_changed = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self._source: FrameSource | None = None
        self._result: FrameSource | None = None
        self._range: tuple[int, int] | None = None
        # What was chosen before the clip was open, or before there was a result.
        self._awaited_frame: int | None = None
        self._awaited_range: tuple[int | None, int | None] | None = None
        self._wanted_mode = ViewMode.WIPE_VERTICAL
        self._mode_before_hold: ViewMode | None = None
        self._hovered: tuple[float, float] | None = None
        self._shown: tuple[QImage | None, QImage | None] = (None, None)
        self.canvas = Canvas()
        self.playback = Playback(self)
        self._modes = commands.add_modes(self, self.set_mode)
        self._transport = self._add_transport()
        self._options = self._add_options()
        self._others = self._add_others()
        self.bar = TransportBar(
            self._transport, self._play_action, list(self._modes.values()), self._options
        )
        self.readout = ShrinkingLabel(self.tr("Pixel under the pointer"))
        self._build()
        self._connect()
        self._update_modes()

    # What others set and ask

    @property
    def frame(self) -> int:
        """The index of the frame that is looked at."""
        return self.playback.frame

    @property
    def is_playing(self) -> bool:
        """Whether it moves."""
        return self.playback.rate != 0

    @property
    def mode(self) -> ViewMode:
        """How source and result are compared."""
        return self.canvas.mode

    @property
    def range(self) -> tuple[int, int] | None:
        """First and last frame of the chosen part; None for the whole clip."""
        return self._range

    def set_source(self, source: FrameSource | None) -> None:
        """Look at this; it may be still to open. It is not closed here."""
        self._disconnect(self._source)
        self._source = source
        self._range = None
        self._awaited_frame = self._awaited_range = None
        self._connect_source(source)
        self._refresh_sources()

    def set_result(self, result: FrameSource | None) -> None:
        """Compare with this, whose indices are those of the source. It is not closed here."""
        self._disconnect(self._result)
        self._result = result
        self._connect_source(result)
        self._refresh_sources()
        self._apply_mode()

    def set_frame(self, index: int) -> None:
        """Look at another frame, as soon as the clip is open."""
        if self._info is None:
            self._awaited_frame = index
        elif index != self.frame:
            self.playback.go_to(index)

    def set_mode(self, mode: ViewMode) -> None:
        """Compare in another way; the source is shown until there is a result."""
        self._wanted_mode = mode
        if mode is not self.canvas.mode:
            self._apply_mode()
            self.mode_changed.emit(mode)

    def _apply_mode(self) -> None:
        mode = self._wanted_mode if self._result is not None else ViewMode.SOURCE
        self._modes[mode].setChecked(True)
        self.bar.show_mode(mode)
        self.canvas.set_mode(mode)
        self._on_camera_changed()

    def set_range(self, in_: int | None, out: int | None) -> None:
        """Choose the part from `in_` to `out`, both included; None for the clip's own ends."""
        info = self._info
        if info is None:
            self._awaited_range = (in_, out)
            return
        first = info.first_index if in_ is None else max(in_, info.first_index)
        last = info.last_index if out is None else min(out, info.last_index)
        is_whole = first <= info.first_index and last >= info.last_index
        chosen = None if is_whole or first > last else (first, last)
        if chosen == self._range:
            return
        self._range = chosen
        self._apply_limits()
        self.range_changed.emit(*(chosen or (info.first_index, info.last_index)))

    def play(self) -> None:
        """Play at the clip's own speed."""
        self.playback.play()

    def pause(self) -> None:
        """Rest at the frame that is seen."""
        self.playback.pause()

    def actions(self) -> list[QAction]:
        """All that can be done here by keys, for menus and the shortcuts sheet."""
        return [*self._transport, *self._others, *self._modes.values(), *self._options]

    def close_media(self) -> None:
        """End the threads; the viewer shows nothing any more."""
        self._disconnect(self._source)
        self._disconnect(self._result)
        self.playback.close()
        self.canvas.close_media()

    # Building

    def _build(self) -> None:
        self.readout.setObjectName("faint")
        self.readout.setContentsMargins(10, 2, 10, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.readout)
        column.addWidget(self.bar)

    def _connect(self) -> None:
        self.playback.frame_changed.connect(self._on_frame_changed)
        self.playback.shown.connect(self._on_shown)
        self.playback.rate_changed.connect(self._on_rate_changed)
        self.canvas.hovered.connect(self._on_hovered)
        self.canvas.camera_changed.connect(self._on_camera_changed)
        self.canvas.original_held.connect(self._on_original_held)
        self.bar.mix_changed.connect(self.canvas.set_mix)

    def _add_transport(self) -> list[QAction]:
        playback = self.playback
        listed = (
            Command("view.start", self.tr("To the start"), ("Home",), self._to_start, "to_start"),
            Command(
                "view.back",
                self.tr("One frame back"),
                ("Left",),
                lambda: self._step(-1),
                "step_back",
            ),
            Command("view.play", self.tr("Play or pause"), ("Space",), self._toggle, "play"),
            Command(
                "view.on", self.tr("One frame on"), ("Right",), lambda: self._step(1), "step_on"
            ),
            Command("view.end", self.tr("To the end"), ("End",), self._to_end, "to_end"),
        )
        made = [commands.add(self, command) for command in listed]
        self._play_action = made[2]
        self._shuttle = [
            commands.add(self, command)
            for command in (
                Command(
                    "view.reverse", self.tr("Play backwards"), ("J",), lambda: playback.shuttle(-1)
                ),
                Command("view.pause", self.tr("Pause"), ("K",), playback.pause),
                Command(
                    "view.forward", self.tr("Play, faster"), ("L",), lambda: playback.shuttle(1)
                ),
            )
        ]
        return made

    def _add_options(self) -> list[QAction]:
        loop = Command("view.loop", self.tr("Loop"), ("Alt+L",), self._on_loop, "loop")
        sound = Command("view.sound", self.tr("Sound"), ("Alt+M",), self._on_sound, "sound")
        self._loop_action = commands.add(self, loop, is_checkable=True)
        self._sound_action = commands.add(self, sound, is_checkable=True)
        self._loop_action.setChecked(True)
        self._sound_action.setChecked(True)
        return [self._loop_action, self._sound_action]

    def _add_others(self) -> list[QAction]:
        canvas = self.canvas
        listed = (
            Command(
                "view.far_back",
                self.tr("Ten frames back"),
                ("Shift+Left",),
                lambda: self._step(-_FAR_STEP),
            ),
            Command(
                "view.far_on",
                self.tr("Ten frames on"),
                ("Shift+Right",),
                lambda: self._step(_FAR_STEP),
            ),
            Command("view.in", self.tr("Set the in point"), ("I",), self._set_in),
            Command("view.out", self.tr("Set the out point"), ("O",), self._set_out),
            Command(
                "view.whole", self.tr("Whole clip"), ("Alt+X",), lambda: self.set_range(None, None)
            ),
            Command("view.original", self.tr("Show the original"), ("\\",), self._toggle_original),
            Command("view.fit", self.tr("Fit"), ("F",), lambda: canvas.zoom_to(None)),
            Command("view.actual", self.tr("100 %"), ("Ctrl+0",), lambda: canvas.zoom_to(1.0)),
            Command(
                "view.nearer",
                self.tr("Zoom in"),
                ("+", "="),
                lambda: canvas.zoom_by(_ZOOM_STEP),
            ),
            Command(
                "view.farther",
                self.tr("Zoom out"),
                ("-",),
                lambda: canvas.zoom_by(1 / _ZOOM_STEP),
            ),
            Command(
                "view.wipe_back",
                self.tr("Wipe line back"),
                ("Alt+Left",),
                lambda: self._wipe(-_WIPE_STEP),
            ),
            Command(
                "view.wipe_on",
                self.tr("Wipe line on"),
                ("Alt+Right",),
                lambda: self._wipe(_WIPE_STEP),
            ),
        )
        return [*self._shuttle, *(commands.add(self, command) for command in listed)]

    # Sources

    @property
    def _info(self) -> FrameInfo | None:
        return self._source.info if self._source else None

    def _connect_source(self, source: FrameSource | None) -> None:
        if source is not None:
            source.opened.connect(self._refresh_sources)
            source.arrived.connect(self._on_arrived)
            source.failed.connect(self.failed)

    def _disconnect(self, source: FrameSource | None) -> None:
        if source is not None:
            source.opened.disconnect(self._refresh_sources)
            source.arrived.disconnect(self._on_arrived)
            source.failed.disconnect(self.failed)

    def _refresh_sources(self) -> None:
        """Begin anew with the sources that are open."""
        info = self._info
        self.canvas.set_has_result(self._result is not None)
        self._update_modes()
        if info is None:
            self.playback.set_sources(())
            self._shown = (None, None)
            self.canvas.set_pictures(0, None, None, is_moving=False)
        else:
            width = float(info.width * info.pixel_aspect)
            self.canvas.set_picture_size(width, float(info.height))
            self._apply_limits()
            listed = (self._source, self._result)
            open_ones = tuple(one for one in listed if one is not None and one.info is not None)
            self.playback.set_sources(open_ones)
            self._meet_awaited()
        self._on_frame_changed(self.frame)
        self._on_camera_changed()

    def _meet_awaited(self) -> None:
        frame, limits = self._awaited_frame, self._awaited_range
        self._awaited_frame = self._awaited_range = None
        if limits is not None:
            self.set_range(*limits)
        self.playback.go_to(self.frame if frame is None else frame)

    def _apply_limits(self) -> None:
        info = self._info
        if info is not None:
            first, last = self._range or (info.first_index, info.last_index)
            self.playback.set_limits(first, last)
        self.bar.show_range(self._range)

    def _update_modes(self) -> None:
        for mode, one in self._modes.items():
            one.setEnabled(self._result is not None or mode is ViewMode.SOURCE)

    # Slots

    def _on_arrived(self, index: int) -> None:
        if self.is_playing:
            return
        if index == self.frame or not self.playback.is_ready(self.frame):
            # While scrubbing faster than frames come, those that do come are shown.
            self._on_shown(index)

    def _on_shown(self, index: int) -> None:
        source, result = self._source, self._result
        if source is None or not self.playback.is_ready(index):
            return
        pictures = (source.peek(index), result.peek(index) if result is not None else None)
        self._shown = pictures
        self.canvas.set_pictures(index, *pictures, is_moving=self.is_playing)
        self._show_reading()

    def _on_frame_changed(self, index: int) -> None:
        self.bar.show_position(self._info, index)
        self.frame_changed.emit(index)

    def _on_rate_changed(self, rate: int) -> None:
        self.bar.show_rate(rate)
        self.playing_changed.emit(rate != 0)

    def _on_hovered(self, share: tuple[float, float] | None) -> None:
        self._hovered = share
        self._show_reading()

    def _on_camera_changed(self) -> None:
        is_fit = self.canvas.camera.zoom is None
        self.bar.show_zoom(self.canvas.scale, is_fit=is_fit)

    def _on_original_held(self, is_held: bool) -> None:
        if is_held:
            self._mode_before_hold = self.mode
            self.set_mode(ViewMode.SOURCE)
        elif self._mode_before_hold is not None:
            self.set_mode(self._mode_before_hold)
            self._mode_before_hold = None

    def _on_loop(self) -> None:
        self.playback.is_looping = self._loop_action.isChecked()

    def _on_sound(self) -> None:
        self.playback.set_muted(not self._sound_action.isChecked())

    def _show_reading(self) -> None:
        info = self._info
        if self._hovered is None or info is None:
            self.readout.setText("")
            return
        reading = read(self._hovered, (info.width, info.height), *self._shown)
        self.readout.setText(reading.words() if reading else "")

    # Actions

    def _toggle(self) -> None:
        if self.is_playing:
            self.pause()
        else:
            self.play()

    def _step(self, by: int) -> None:
        self.pause()
        self.playback.go_to(self.frame + by)

    def _to_start(self) -> None:
        info = self._info
        if info is not None:
            self.playback.go_to(self._range[0] if self._range else info.first_index)

    def _to_end(self) -> None:
        info = self._info
        if info is not None:
            self.playback.go_to(self._range[1] if self._range else info.last_index)

    def _set_in(self) -> None:
        out = self._range[1] if self._range else None
        self.set_range(self.frame, out if out is not None and out >= self.frame else None)

    def _set_out(self) -> None:
        in_ = self._range[0] if self._range else None
        self.set_range(in_ if in_ is not None and in_ <= self.frame else None, self.frame)

    def _toggle_original(self) -> None:
        other = ViewMode.RESULT if self.mode is ViewMode.SOURCE else ViewMode.SOURCE
        self.set_mode(other)

    def _wipe(self, by: float) -> None:
        self.canvas.set_wipe(self.canvas.wipe + by)

    # Drag and drop

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        """Take files."""
        mime = event.mimeData() if event is not None else None
        if event is not None and mime is not None and mime.hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """Hand on the files that are on this machine."""
        mime = event.mimeData() if event is not None else None
        if event is None or mime is None:
            return
        paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if paths:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.files_dropped.emit(paths)
