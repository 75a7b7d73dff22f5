"""The bar below the canvas: where playback is, how it moves, how source and result are compared."""

from __future__ import annotations

from fresco_settings.timecode import timecode_of
from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QFontDatabase, QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QToolButton, QWidget

from fresco_gui.media.source import FrameInfo
from fresco_gui.plain import ShrinkingLabel
from fresco_gui.viewer.actions import Actions
from fresco_gui.viewer.icons import icon
from fresco_gui.viewer.panes import ViewMode

_ICON = QSize(18, 18)
LOWEST_GAIN, HIGHEST_GAIN = 1, 16
_SPACING = 2
_EXTRA = (
    "view.side_by_side",
    "view.start",
    "view.end",
    "view.loop",
    "view.sound",
    "view.difference",
    "view.onion",
    "view.wipe_horizontal",
)
"""What is left to menu and keys where there is no room for it, the most wanted first."""


class TransportBar(QWidget):
    """Buttons of actions, the time, the range and the zoom.

    Signals:
        mix_changed(float, float): gain of the difference, share of the onion skin.
    """

    mix_changed = pyqtSignal(float, float)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self._play = actions.play
        self._gain, self._share = 4.0, 0.5
        self._mode = ViewMode.SOURCE
        self.time_label = digits_label(self.tr("Position"))
        self._extra: dict[str, QToolButton] = {}
        self.range_label = digits_label(self.tr("Range"))
        self.range_label.setObjectName("faint")
        self.rate_label = digits_label(self.tr("Speed"))
        self.zoom_label = digits_label(self.tr("Zoom"))
        self.zoom_label.setObjectName("faint")
        self.mix = self._make_mix()
        row = QHBoxLayout(self)
        row.setContentsMargins(5, 4, 5, 4)
        row.setSpacing(_SPACING)
        for one in actions.transport:
            row.addWidget(self._button(one))
        row.addSpacing(4)
        for label in (self.time_label, self.rate_label):
            row.addWidget(label)
            row.addSpacing(4)
        # In a narrow window the range gives way, rather than making the window wider.
        self.range_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.range_label, 1)
        row.addWidget(self.mix)
        row.addSpacing(4)
        for one in actions.modes.values():
            row.addWidget(self._button(one))
        row.addSpacing(4)
        for one in actions.options:
            row.addWidget(self._button(one))
        row.addSpacing(4)
        row.addWidget(self.zoom_label)

    def _button(self, one: QAction) -> QToolButton:
        button = _button(one)
        if one.objectName() in _EXTRA:
            self._extra[one.objectName()] = button
        return button

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """With what is always needed; the rest is in the menu where there is no room."""
        shown = [one for one in self._extra.values() if not one.isHidden()]
        spare = sum(one.sizeHint().width() + _SPACING for one in shown)
        least = super().minimumSizeHint()
        return QSize(least.width() - spare, least.height())

    def resizeEvent(self, a0: QResizeEvent | None) -> None:  # noqa: N802
        """Leave out what is rarely wanted where there is no room for it."""
        super().resizeEvent(a0)
        self._fit()

    def _fit(self) -> None:
        room = self.width() - self.minimumSizeHint().width()
        for name in _EXTRA:
            button = self._extra[name]
            room -= button.sizeHint().width() + _SPACING
            button.setVisible(room >= 0)

    def show_position(self, info: FrameInfo | None, index: int) -> None:
        """Say where playback is."""
        if info is None:
            self.time_label.setText("")
            return
        code = timecode_of(index - info.first_index, info.frame_rate)
        position = f"{index} / {info.last_index}"
        self.time_label.least_text = f"{position}\n{code}"
        self.time_label.setText(f"{position}  ·  {code}")
        self.time_label.updateGeometry()
        self._fit()

    def show_range(self, limits: tuple[int, int] | None) -> None:
        """Say what part is chosen; None for the whole clip."""
        if limits is None:
            self.range_label.setText("")
            return
        first, last = limits
        count = last - first + 1
        text = self.tr("In {first}  Out {last}  ({count})")
        self.range_label.setText(text.format(first=first, last=last, count=count))

    def show_rate(self, rate: int) -> None:
        """Say how it moves."""
        is_playing = rate != 0
        self._play.setIcon(icon("pause" if is_playing else "play"))
        self.rate_label.setText(f"{rate}×" if rate not in (0, 1) else "")

    def show_zoom(self, scale: float, *, is_fit: bool) -> None:
        """Say how large pixels are."""
        percent = f"{scale * 100:.0f} %"
        self.zoom_label.setText(self.tr("Fit {zoom}").format(zoom=percent) if is_fit else percent)

    def show_mode(self, mode: ViewMode) -> None:
        """Offer what can be set for this mode."""
        self._mode = mode
        self.mix.setVisible(mode.is_mixed)
        self.mix.blockSignals(True)
        if mode is ViewMode.DIFFERENCE:
            self.mix.setRange(LOWEST_GAIN, HIGHEST_GAIN)
            self.mix.setValue(round(self._gain))
            self.mix.setToolTip(self.tr("How much brighter the difference is shown"))
        elif mode is ViewMode.ONION:
            self.mix.setRange(0, 100)
            self.mix.setValue(round(self._share * 100))
            self.mix.setToolTip(self.tr("How much of the result is seen"))
        self.mix.blockSignals(False)

    def _make_mix(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setMinimumWidth(60)
        slider.setMaximumWidth(110)
        slider.setAccessibleName(self.tr("Gain or share"))
        slider.valueChanged.connect(self._on_mix)
        slider.setVisible(False)
        return slider

    def _on_mix(self, value: int) -> None:
        if self._mode is ViewMode.DIFFERENCE:
            self._gain = float(value)
        else:
            self._share = value / 100
        self.mix_changed.emit(self._gain, self._share)


def _button(one: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(one)
    button.setIconSize(_ICON)
    button.setAccessibleName(one.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if one.icon().isNull():
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    return button


def digits_label(name: str, *, is_whole: bool = True) -> ShrinkingLabel:
    """Of digits that stay where they are while others change."""
    label = ShrinkingLabel(is_whole=is_whole)
    label.setAccessibleName(name)
    label.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    return label
