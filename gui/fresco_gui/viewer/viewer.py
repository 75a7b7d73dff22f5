"""The viewer: a canvas, its transport and the pixel read-out."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QAction, QImage
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from fresco_gui.media.source import FrameInfo, FrameSource
from fresco_gui.viewer.actions import Actions, PlaybackCommands
from fresco_gui.viewer.canvas import Canvas
from fresco_gui.viewer.overlay import read
from fresco_gui.viewer.panes import ViewMode
from fresco_gui.viewer.playback import Playback
from fresco_gui.viewer.side import Seen, SideNote, ViewedSide
from fresco_gui.viewer.transport import TransportBar, digits_label


class Viewer(QWidget):
    """Looks at one frame of a clip in two ways, A and B, still or moving.

    Signals:
        frame_changed(int): another frame is looked at.
        range_changed(int, int): in and out points, both frames included.
        mode_changed(object): a `ViewMode` was chosen.
        failed(str): source or result cannot be read; a sentence for the user.
        playing_changed(bool): playback began or ended.
    """

    frame_changed = pyqtSignal(int)
    range_changed = pyqtSignal(int, int)
    mode_changed = pyqtSignal(object)
    failed = pyqtSignal(str)
    playing_changed = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: FrameSource | None = None
        self._a, self._b = ViewedSide(name=self.tr("source")), ViewedSide(name=self.tr("source"))
        self._range: tuple[int, int] | None = None
        # What was chosen before the clip was open, or before there was a result.
        self._awaited_frame: int | None = None
        self._awaited_range: tuple[int | None, int | None] | None = None
        self._wanted_mode = ViewMode.WIPE_VERTICAL
        self._is_original_shown = False
        self._hovered: tuple[float, float] | None = None
        self._shown: tuple[QImage | None, QImage | None] = (None, None)
        self._stand_ins: set[int | None] = set()
        self.canvas = Canvas()
        self.playback = Playback(self)
        self._actions = self._make_actions()
        self.bar = TransportBar(self._actions)
        self.readout = digits_label(self.tr("Pixel under the pointer"), is_whole=False)
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
        """How A and B are compared, as soon as they are two."""
        return self._wanted_mode

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

    def set_sides(self, a: ViewedSide, b: ViewedSide) -> None:
        """Compare these, whose indices are those of the source."""
        before = self._a.frames, self._b.frames
        self._a, self._b = a, b
        self._actions.name_sides(a.name, b.name)
        if before == (a.frames, b.frames):
            self.refresh()
            return
        for frames in before:
            self._disconnect(frames)
        for frames in (a.frames, b.frames):
            self._connect_source(frames)
        self._refresh_sources()
        self._apply_mode()

    def picture(self) -> QImage | None:
        """What is looked at, of full size: B's picture, unless A is looked at alone."""
        first, second = self._shown
        is_first = self.mode is ViewMode.SOURCE or second is None
        return first if is_first else second

    def refresh(self) -> None:
        """What is to be said of A or B has changed."""
        self._on_shown(self.frame)

    def set_frame(self, index: int) -> None:
        """Look at another frame, as soon as the clip is open."""
        if self._info is None or not self.playback.has_sources:
            self._awaited_frame = index
        elif index != self.frame:
            self.playback.go_to(index)

    def set_mode(self, mode: ViewMode) -> None:
        """Compare in another way; the source is shown until there is a result."""
        self._show_original(is_shown=False)
        if mode is self._wanted_mode:
            self._actions.modes[mode].setChecked(True)
            return
        self._wanted_mode = mode
        self._apply_mode()
        self.refresh()  # What stands in for a picture may not stand in for it in a mixture.
        self.mode_changed.emit(mode)

    def _apply_mode(self) -> None:
        wanted = self._wanted_mode
        self._actions.modes[wanted].setChecked(True)
        self.bar.show_mode(wanted)
        self.canvas.set_mode(wanted if self._is_comparing else ViewMode.SOURCE)
        self._on_camera_changed()

    def set_range(self, in_: int | None, out: int | None) -> None:
        """Choose the part from `in_` to `out`, both included; None for the clip's own ends."""
        info = self._info
        if info is None:
            self._awaited_range = (in_, out)
            return
        chosen = info.limits(in_, out)
        if chosen == info.limits(None, None):
            chosen = None
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

    @property
    def commands(self) -> Actions:
        """What can be done here by keys, for menus."""
        return self._actions

    def actions(self) -> list[QAction]:
        """All that can be done here by keys."""
        return self._actions.all()

    def close_media(self) -> None:
        """End the threads; the viewer shows nothing any more."""
        self._disconnect(self._source)
        self._disconnect(self._a.frames)
        self._disconnect(self._b.frames)
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

    def _make_actions(self) -> Actions:
        deeds = PlaybackCommands(
            set_mode=self.set_mode,
            toggle_original=self._toggle_original,
            set_in=self._set_in,
            set_out=self._set_out,
            clear_range=lambda: self.set_range(None, None),
        )
        return Actions(self, self.canvas, self.playback, deeds)

    # Sources

    @property
    def _info(self) -> FrameInfo | None:
        return self._source.info if self._source else None

    @property
    def _is_comparing(self) -> bool:
        """Whether A and B are two, and not left aside for the original."""
        return self._is_two and not self._is_original_shown

    @property
    def _is_two(self) -> bool:
        return self._a.frames is not None or self._b.frames is not None

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
        self.canvas.set_has_result(self._is_two)
        self._update_modes()
        if info is None:
            self.playback.set_sources(())
            self._shown = (None, None)
            self.canvas.set_pictures(0, None, None, is_moving=False)
        else:
            width = float(info.width * info.pixel_aspect)
            self.canvas.set_picture_size(width, float(info.height))
            self._apply_limits()
            listed = (self._source, self._a.frames, self._b.frames)
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
        for one in self._actions.modes.values():
            one.setEnabled(self._source is not None)

    # Slots

    def _on_arrived(self, index: int) -> None:
        if self.is_playing:
            return
        if index in self._stand_ins:
            self._on_shown(self.frame)
        elif index == self.frame or not self.playback.is_ready(self.frame):
            # While scrubbing faster than frames come, those that do come are shown.
            self._on_shown(index)

    def _on_shown(self, index: int) -> None:
        if self._source is None or not self.playback.is_ready(index):
            return
        clip = self._source.peek(index)
        first, second, notes = clip, None, (SideNote(name=self.tr("Source")), SideNote())
        if self._is_comparing:
            is_mixed = self.mode.is_mixed
            a = self._a.at(index, "A", is_mixed=is_mixed)
            b = self._b.at(index, "B", is_mixed=is_mixed)
            self._stand_ins = {a.stand_in, b.stand_in}
            first, second, notes = self._compared(clip, a, b)
        self._shown = first, second
        self.canvas.set_pictures(
            index, first, second, is_moving=self.is_playing, first=notes[0], note=notes[1]
        )
        self._show_reading()

    def _compared(
        self, clip: QImage | None, a: Seen, b: Seen
    ) -> tuple[QImage | None, QImage | None, tuple[SideNote, SideNote]]:
        """The pictures of A and B, with the clip where one has none; what is said of them."""
        first = clip if a.image is None else a.image
        # The clip stands in for B by itself where A is the clip.
        is_once = b.image is None and not b.is_clip and first is clip
        second = None if is_once else clip if b.image is None else b.image
        is_missing = any(one.image is None and not one.is_clip for one in (a, b))
        if self.mode.is_mixed and is_missing:
            # The difference from a picture that stands in would be taken for that of the other.
            badge = a.note.badge or b.note.badge
            return clip, None, (a.note, replace(b.note, badge=badge))
        return first, second, (a.note, b.note)

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
        self._show_original(is_shown=is_held)

    def _show_original(self, *, is_shown: bool) -> None:
        """The clip alone, whatever A and B are; or again what was chosen."""
        if is_shown is not self._is_original_shown:
            self._is_original_shown = is_shown
            self._on_shown(self.frame)
            self._apply_mode()

    def _show_reading(self) -> None:
        info = self._info
        if self._hovered is None or info is None:
            self.readout.setText("")
            return
        reading = read(self._hovered, (info.width, info.height), *self._shown)
        self.readout.setText(reading.words() if reading else "")

    # Actions

    def _set_in(self) -> None:
        out = self._range[1] if self._range else None
        self.set_range(self.frame, out if out is not None and out >= self.frame else None)

    def _set_out(self) -> None:
        in_ = self._range[0] if self._range else None
        self.set_range(in_ if in_ is not None and in_ <= self.frame else None, self.frame)

    def _toggle_original(self) -> None:
        self._show_original(is_shown=not self._is_original_shown)
