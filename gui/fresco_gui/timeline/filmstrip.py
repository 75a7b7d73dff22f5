"""The filmstrip: the whole clip at a glance, its keyframes as they come, and where playback is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PyQt6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from fresco_gui.media.pictures import resized, rgb32
from fresco_gui.media.source import FrameInfo, FrameSource
from fresco_gui.media.thumbnails import FrameSpan, Thumbnails
from fresco_gui.plain import plain
from fresco_gui.theme import TOKENS, paint_focus
from fresco_gui.timeline import hover, painting
from fresco_gui.timeline.content import FilmstripContent, KeyframeAction, KeyframeState
from fresco_gui.timeline.hover import HoverPreview
from fresco_gui.timeline.menu import MenuRequest, keyframe_menu, keyframe_words
from fresco_gui.timeline.painting import CachedLayer, Strip
from fresco_gui.timeline.pointer import HitTest, Pointer
from fresco_gui.timeline.scale import Scale
from fresco_gui.timeline.thumbnails import FilmstripThumbnails, KeyframeThumbnails

_REPAINT_MS = 33


class Filmstrip(QWidget):
    """Thumbnails of a clip with its shots, keyframes, range and position.

    Clicking and dragging moves playback, hovering previews; the wheel scrolls, with Ctrl it zooms.
    Keyframes have a context menu, which the menu key opens for the one at playback.

    Signals:
        scrubbed(int): the user wants to see this frame.
        range_changed(int, int): the user has moved in or out point; both frames are included.
        keyframe_action(int, object): a `KeyframeAction` is wanted for this frame.
    """

    scrubbed = pyqtSignal(int)
    range_changed = pyqtSignal(int, int)
    keyframe_action = pyqtSignal(int, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("filmstrip")
        self.setAccessibleName(self.tr("Filmstrip"))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(painting.HEIGHT)
        self._source: FrameSource | None = None
        self._feed = FilmstripThumbnails(self)
        self._feed.arrived.connect(self._on_thumbnail)
        self._keys = KeyframeThumbnails(self)
        self._keys.arrived.connect(self._on_key_image)
        self._content = FilmstripContent()
        self._scale = Scale()
        self._frame = 0
        self._range: tuple[int, int] | None = None
        self._layer = CachedLayer(self)
        self._pointer = self._make_pointer()
        self._actions = frozenset(KeyframeAction)
        self._hover = HoverPreview(self, self._want_thumbnails)
        # Marks come by the thousand while a job streams: they are painted some times a second.
        self._repaint = QTimer(self)
        self._repaint.setSingleShot(True)
        self._repaint.setInterval(_REPAINT_MS)
        self._repaint.timeout.connect(self._repaint_all)

    def _make_pointer(self) -> Pointer:
        pointer = Pointer(self)
        pointer.scrubbed.connect(self._scrub)
        pointer.range_dragged.connect(self._choose_range)
        pointer.pointed_at.connect(self._repaint_all)
        pointer.previewed.connect(self._preview_frame)
        return pointer

    # What others set and ask

    @property
    def frame(self) -> int:
        """Where playback is."""
        return self._frame

    @property
    def content(self) -> FilmstripContent:
        """Shots, keyframes and what is done."""
        return self._content

    @property
    def scale(self) -> Scale:
        """Where frames lie."""
        return self._scale

    @property
    def range(self) -> tuple[int, int]:
        """First and last frame between in and out points."""
        return self._range or (self._scale.first, self._scale.first + self._scale.count - 1)

    @property
    def thumbnails(self) -> Thumbnails | None:
        """The small pictures of the clip that is shown."""
        return self._feed.thumbnails

    def set_source(self, source: FrameSource | None) -> None:
        """Show this clip; it may be still to open. It is not closed here."""
        if self._source is not None:
            self._source.opened.disconnect(self._on_opened)
        self.close_media()
        self._source = source
        self._range = None
        self._frame = 0
        self._content = FilmstripContent()
        self._scale = Scale(width=max(self.width(), 1))
        if source is not None:
            source.opened.connect(self._on_opened)
            self._on_opened()
        self._repaint_all()

    def set_plan(
        self,
        shots: Sequence[tuple[int, int]],
        keyframes: Sequence[int],
        *,
        keeps: bool = False,
    ) -> None:
        """Shots (first frame and one past the last) and keyframes; nothing is done yet.

        With `keeps`, pictures of keyframes that stay and frames that are done are kept.
        """
        self._content.set_plan(shots, keyframes, keeps=keeps)
        self._keys.want(keyframes)
        self._repaint_all()

    def set_keyframe_file(self, info: FrameInfo | None) -> None:
        """The result as a file: pictures of keyframes are taken from there."""
        if info is None:
            self._keys.close()
            return
        height = round(painting.KEYS_PX * self.devicePixelRatioF())
        self._keys.open(info, height, tuple(self._content.keyframes))

    def set_pending(self, indices: Iterable[int]) -> None:
        """Frames that are being made anew, of a result that is there."""
        self._content.pending = frozenset(indices)
        self._repaint_all()

    def set_done_span(self, start: int, stop: int) -> None:
        """The result has the frames from `start` to one before `stop`."""
        self._content.done = [(start, stop)]
        self._update_soon()

    def set_keyframe_state(self, index: int, state: KeyframeState) -> None:
        """A keyframe is in another state, or a frame has become a keyframe."""
        is_new = index not in self._content.keyframes
        self._content.keyframes[index] = state
        if is_new:
            self._content.keyframes = dict(sorted(self._content.keyframes.items()))
        self._update_soon()

    def set_keyframe_image(self, index: int, image: QImage) -> None:
        """The translated picture of a keyframe."""
        height = round(painting.KEYS_PX * self.devicePixelRatioF())
        width = max(1, round(height * image.width() / max(image.height(), 1)))
        self._content.images[index] = resized(rgb32(image), width, height)
        self._update_soon()

    def set_done(self, index: int) -> None:
        """The result has this frame."""
        self._content.add_done(index)
        self._content.pending -= {index}
        self._update_soon()

    def set_actions(self, actions: frozenset[KeyframeAction]) -> None:
        """What the context menu offers."""
        self._actions = actions

    def set_frame(self, index: int) -> None:
        """Playback is here."""
        if index == self._frame:
            return
        before, self._frame = self._frame, index
        if not self._pointer.is_dragging:
            shown = self._scale.showing(index)
            if shown != self._scale:
                self._set_scale(shown)
        if (before in self._content.keyframes) or (index in self._content.keyframes):
            self._repaint_all()
        self.update()

    def set_range(self, in_: int | None, out: int | None) -> None:
        """Show in and out points, both frames included; None for the clip's own ends."""
        self._range = self._clamped(in_, out)
        self._repaint_all()

    def close_media(self) -> None:
        """Close the file that thumbnails are read from."""
        self._hover.forget()
        self._feed.close()
        self._keys.close()

    def sizeHint(self) -> QSize:  # noqa: N802
        """As Qt asks for it."""
        return QSize(960, painting.HEIGHT)

    # The clip

    @property
    def _info(self) -> FrameInfo | None:
        return self._source.info if self._source else None

    def _on_opened(self) -> None:
        info = self._info
        if info is None:
            return
        self._scale = Scale(info.first_index, info.frame_count, max(self.width(), 1))
        self._range = self._clamped(*self._range) if self._range else None
        self._feed.open(info, round(hover.HEIGHT_PX * max(1.0, self.devicePixelRatioF())))
        self._want_thumbnails()
        self._repaint_all()

    def _clamped(self, in_: int | None, out: int | None) -> tuple[int, int] | None:
        info = self._info
        if info is None:
            # It counts as soon as the clip is open.
            return (in_ or 0, out) if out is not None else None
        return info.limits(in_, out)

    def _want_thumbnails(self) -> None:
        self._feed.want(self._info, self._scale, self._hover.span)

    def _on_thumbnail(self, span: FrameSpan) -> None:
        self._update_soon()
        if span == self._hover.span:
            self._show_preview()

    def _on_key_image(self, index: int, image: QImage) -> None:
        if index in self._content.keyframes:
            self._content.images[index] = image
            self._update_soon()

    def _set_scale(self, scale: Scale) -> None:
        self._scale = scale
        self._want_thumbnails()
        self._repaint_all()

    def _update_soon(self) -> None:
        if not self._repaint.isActive():
            self._repaint.start()

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint the strip."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(TOKENS.window))
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        info = self._info
        if info is not None:
            strip = self._strip(info)
            layer = self._layer.pixmap(font, lambda painter: painting.paint(painter, strip))
            painter.drawPixmap(0, 0, layer)
            painting.paint_playhead(painter, strip)
        if self.hasFocus():
            paint_focus(painter, self.rect())

    def _repaint_all(self) -> None:
        self._layer.forget()
        self.update()

    def _strip(self, info: FrameInfo) -> Strip:
        return Strip(
            info=info,
            scale=self._scale,
            content=self._content,
            thumbnails=self.thumbnails,
            frame=self._frame,
            limits=self.range,
            hovered=self._pointer.key,
            selected=self._frame if self._frame in self._content.keyframes else None,
            key_image_width=float(
                (painting.KEYS_PX - 4) * info.width * info.pixel_aspect / info.height
            ),
        )

    # Pointer

    def _hits(self) -> HitTest:
        return HitTest(self._scale, self.range, self._content.keyframes)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Grab a handle of the range, go to a keyframe, or to the frame that is pointed at."""
        if event is None or self._info is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._pointer.press(self._hits(), event.position())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Drag what is grabbed, or preview what is pointed at."""
        if event is None or self._info is None:
            return
        hits = self._hits()
        if not self._pointer.is_dragging:
            is_handle = hits.handle_at(event.position()) is not None
            self.setCursor(
                Qt.CursorShape.SizeHorCursor if is_handle else Qt.CursorShape.ArrowCursor
            )
        self._pointer.move(hits, event.position())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Let go."""
        self._pointer.release()

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Nothing is pointed at any more."""
        self._pointer.leave()

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        """Scroll; zoom with Ctrl."""
        if event is None or self._info is None:
            return
        moved = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._set_scale(self._scale.zoomed(1.25 ** (moved.y() / 120), event.position().x()))
        else:
            self._set_scale(self._scale.scrolled(-(moved.y() or moved.x()) * 0.8))
        event.accept()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Spread the clip over the new width."""
        super().resizeEvent(event)
        self._set_scale(self._scale.resized(self.width()))

    def event(self, event: QEvent | None) -> bool:
        """Say in words what a keyframe's mark means."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            key = self._hits().key_at(QPointF(event.pos()))
            if key is not None:
                QToolTip.showText(
                    event.globalPos(),
                    plain(keyframe_words(key, self._content.keyframes[key])),
                    self,
                )
                return True
        return super().event(event)

    def _scrub(self, index: int) -> None:
        self.set_frame(index)
        self.scrubbed.emit(index)

    def _choose_range(self, first: int, last: int) -> None:
        if (first, last) != self.range:
            self._range = (first, last)
            self._repaint_all()
            self.range_changed.emit(first, last)

    def _preview_frame(self, index: int | None) -> None:
        if self._hover.point_at(index):
            self._show_preview()

    def _show_preview(self) -> None:
        if self._info is not None and self.thumbnails is not None:
            self._hover.show(self._info, self.thumbnails, self._scale)

    # Keyframes

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802
        """Offer what can be done to the keyframe, or to make the frame one."""
        if event is None or self._info is None:
            return
        self._preview_frame(None)
        is_by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self._frame
        if is_by_mouse:
            key = self._hits().key_at(QPointF(event.pos()))
            index = key if key is not None else self._scale.index(event.pos().x())
        at = event.globalPos() if is_by_mouse else self._point_of(index)
        menu = self.keyframe_menu(index)
        if menu.actions():
            menu.popup(at)

    def keyframe_menu(self, index: int) -> QMenu:
        """The menu for a frame; it deletes itself when closed."""
        actions = self._actions
        if self._frame in self._content.keyframes:
            actions -= {KeyframeAction.MOVE_HERE}
        wanted = MenuRequest(index, self._content.keyframes.get(index), self._frame, actions)
        return keyframe_menu(self, wanted, lambda what: self.keyframe_action.emit(index, what))

    def _point_of(self, index: int) -> QPoint:
        x = round(painting.key_x(self._scale, index))
        return self.mapToGlobal(QPoint(x, painting.RULER_PX + painting.THUMBNAIL_PX + 10))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Plus and minus zoom around playback."""
        if event is None:
            return
        factor = {Qt.Key.Key_Plus: 1.25, Qt.Key.Key_Equal: 1.25, Qt.Key.Key_Minus: 0.8}
        if event.key() in factor and self._info is not None:
            at = self._scale.x(self._frame)
            self._set_scale(self._scale.zoomed(factor[Qt.Key(event.key())], at))
        else:
            super().keyPressEvent(event)
