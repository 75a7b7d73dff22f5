"""The surface that source and result are seen on."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QCursor,
    QEnterEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from fresco_gui.theme import paint_focus
from fresco_gui.viewer.camera import Camera, Point
from fresco_gui.viewer.compositor import CanvasScene, ComposedScene, Compositor
from fresco_gui.viewer.painting import CanvasPicture, paint
from fresco_gui.viewer.panes import Panes, ViewMode
from fresco_gui.viewer.rendering import GROUND
from fresco_gui.viewer.side import SideNote

_ZOOM_BY_STEP = 1.25


class Canvas(QWidget):
    """Shows one frame of source and result in a mode; zoom and pan are those of both.

    Dragging moves the wipe's line where it is grabbed, else the picture. The wheel zooms, a double
    click fits.

    Signals:
        hovered(object): the pointer is at these shares (x, y) of the picture, or None outside.
        camera_changed(): zoom or pan, or what fits is of another size.
        original_held(bool): the key that shows the original is held down.
    """

    hovered = pyqtSignal(object)
    camera_changed = pyqtSignal()
    original_held = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAccessibleName(self.tr("Viewer"))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 90)
        self._compositor = Compositor(self)
        self._compositor.composed.connect(self._on_composed)
        self._composed: ComposedScene | None = None
        self._pictures: tuple[int, QImage | None, QImage | None] = (0, None, None)
        self._picture_size = (16.0, 9.0)
        self._is_moving = False
        self._mode = ViewMode.SOURCE
        self._camera = Camera()
        self._wipe = 0.5
        self._gain, self._share = 4.0, 0.5
        self._dragged_from: QPointF | None = None
        self._is_wiping = False
        self._has_result = False
        self._first = self._note = SideNote()

    @property
    def mode(self) -> ViewMode:
        """How source and result share the canvas."""
        return self._mode

    @property
    def camera(self) -> Camera:
        """Zoom and pan."""
        return self._camera

    @property
    def wipe(self) -> float:
        """Where the line of the wipe is, as a share of the canvas."""
        return self._wipe

    @property
    def shown(self) -> ComposedScene | None:
        """What is on the screen."""
        return self._composed

    @property
    def scale(self) -> float:
        """Device pixels by pixel of the source."""
        return self._camera.scale(self._panes.size, self._picture_size)

    def sizeHint(self) -> QSize:  # noqa: N802
        """As Qt asks for it."""
        return QSize(960, 540)

    def set_picture_size(self, width: float, height: float) -> None:
        """The source's size with square pixels."""
        self._picture_size = (width, height)
        self._recompose()

    @property
    def note(self) -> SideNote:
        """What is said of B."""
        return self._note

    @property
    def first_note(self) -> SideNote:
        """What is said of A."""
        return self._first

    def set_pictures(
        self,
        index: int,
        source: QImage | None,
        result: QImage | None,
        *,
        is_moving: bool,
        first: SideNote = SideNote(),  # noqa: B008 - frozen
        note: SideNote = SideNote(),  # noqa: B008 - frozen
    ) -> None:
        """Show these two, A and B; while they move, fineness is given up for speed.

        Where there is no result the source stands in for it. `first` and `note` say so, and what
        the two are.
        """
        self._pictures = (index, source, result)
        self._first, self._note = first, note
        self._is_moving = is_moving
        self._recompose()

    def set_has_result(self, has_result: bool) -> None:
        """Whether A and B are two, one of which may miss this frame."""
        self._has_result = has_result
        self.update()

    def set_mode(self, mode: ViewMode) -> None:
        """Look at both in another way."""
        self._mode = mode
        self._recompose()
        self._show_cursor()

    def set_camera(self, camera: Camera) -> None:
        """Look at another part of both."""
        if camera != self._camera:
            self._camera = camera
            self._recompose()
            self.camera_changed.emit()

    def set_wipe(self, share: float) -> None:
        """Put the line of the wipe elsewhere (0 to 1)."""
        self._wipe = min(max(share, 0.0), 1.0)
        self.update()

    def set_mix(self, gain: float, share: float) -> None:
        """The gain of the difference, and the result's share in an onion skin."""
        self._gain, self._share = gain, share
        self._recompose()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Nearer or farther around a point of the canvas, or its middle."""
        panes = self._panes
        pane = panes.size
        point = panes.in_pane(at) if at is not None else (pane[0] / 2, pane[1] / 2)
        self.set_camera(self._camera.zoomed(factor, point, pane, self._picture_size))

    def zoom_to(self, zoom: float | None) -> None:
        """As many device pixels by pixel; None fits the picture into the canvas."""
        if zoom is None:
            self.set_camera(Camera())
        else:
            self.zoom_by(zoom / self.scale)

    def close_media(self) -> None:
        """End the thread."""
        self._compositor.close()

    @property
    def _panes(self) -> Panes:
        ratio = self.devicePixelRatioF()
        return Panes(rect=self.rect(), ratio=ratio, mode=self._mode, wipe=self._wipe)

    def _share_at(self, position: QPointF) -> Point | None:
        """A point of the canvas as shares of the picture; None outside of it."""
        panes = self._panes
        place = self._camera.place(panes.size, self._picture_size)
        x, y = place.to_picture(panes.in_pane(position))
        return (x, y) if 0 <= x < 1 and 0 <= y < 1 else None

    def _recompose(self) -> None:
        index, source, result = self._pictures
        pane = self._panes.size
        scene = CanvasScene(
            index=index,
            mode=self._mode,
            source=source if self._mode is not ViewMode.RESULT or result is None else None,
            result=result if self._mode is not ViewMode.SOURCE else None,
            place=self._camera.place(pane, self._picture_size),
            pane=pane,
            gain=self._gain,
            share=self._share,
            is_fine=not self._is_moving,
        )
        self._compositor.compose(scene)

    def _on_composed(self, composed: ComposedScene) -> None:
        self._composed = composed
        self.update()

    # Painting only copies what the compositor has made.

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Put the composed pictures on the screen, and the wipe's line over them."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(GROUND, GROUND, GROUND))
        if self._composed is not None:
            picture = CanvasPicture(
                composed=self._composed,
                panes=self._panes,
                has_result=self._has_result,
                first=self._first,
                note=self._note,
            )
            paint(painter, picture)
        if self.hasFocus():
            paint_focus(painter, self.rect())

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Compose for the new size."""
        super().resizeEvent(event)
        self._recompose()
        if self._camera.zoom is None:
            self.camera_changed.emit()

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        """Zoom around the pointer."""
        if event is None:
            return
        steps = event.angleDelta().y() / 120
        if steps:
            self.zoom_by(_ZOOM_BY_STEP**steps, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Grab the line or the picture."""
        buttons = (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton)
        if event is None or event.button() not in buttons:
            super().mousePressEvent(event)
            return
        is_left = event.button() == Qt.MouseButton.LeftButton
        self._is_wiping = is_left and self._panes.is_on_line(event.position())
        self._dragged_from = event.position()
        self._show_cursor(event.position())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Drag what is grabbed, and say what the pointer is over."""
        if event is None:
            return
        position = event.position()
        if self._is_wiping:
            self.set_wipe(self._panes.wipe_at(position))
        elif self._dragged_from is not None:
            moved = (position - self._dragged_from) * self.devicePixelRatioF()
            self._dragged_from = position
            by = (moved.x(), moved.y())
            self.set_camera(self._camera.panned(by, self._panes.size, self._picture_size))
        self._show_cursor(position)
        self.hovered.emit(self._share_at(position))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Let go."""
        self._is_wiping = False
        self._dragged_from = None
        if event is not None:
            self._show_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Fit the picture; on the line, put it back into the middle."""
        if event is not None and self._panes.is_on_line(event.position()):
            self.set_wipe(0.5)
        else:
            self.zoom_to(None)

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Nothing is under the pointer any more."""
        self.hovered.emit(None)

    def enterEvent(self, event: QEnterEvent | None) -> None:  # noqa: N802
        """Show what can be grabbed."""
        if event is not None:
            self._show_cursor(event.position())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Holding C shows the original."""
        if event is not None and _is_original_key(event):
            self.original_held.emit(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Letting go of C shows what was shown before."""
        if event is not None and _is_original_key(event):
            self.original_held.emit(False)
        else:
            super().keyReleaseEvent(event)

    def _show_cursor(self, position: QPointF | None = None) -> None:
        at = position or QPointF(self.mapFromGlobal(QCursor.pos()))
        if self._is_wiping or (self._dragged_from is None and self._panes.is_on_line(at)):
            is_vertical = self._mode is ViewMode.WIPE_VERTICAL
            split = Qt.CursorShape.SplitHCursor if is_vertical else Qt.CursorShape.SplitVCursor
            self.setCursor(split)
        elif self._dragged_from is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            self.setCursor(Qt.CursorShape.CrossCursor)


def _is_original_key(event: QKeyEvent) -> bool:
    plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
    return event.key() == Qt.Key.Key_C and plain and not event.isAutoRepeat()
