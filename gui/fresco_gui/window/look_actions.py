"""The sheets of looks: the frame in every style, and what was tried, kept with the project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from fresco_client import settings_of, values_of
from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fresco_gui.controller import Controller
from fresco_gui.display import Display
from fresco_gui.looks import LookFiles, LookPart, LookPicture, LookRequest
from fresco_gui.project import ProjectLook
from fresco_gui.values import OF_ONE_CLIP
from fresco_gui.window.views import Views

_MOST_TRIED = 60
_SOON_MS = 300


class LookActions(QObject):
    """Has looks made and kept, and lets them be chosen by.

    Signals:
        looks_changed(): looks began or ended, or another one is chosen.
    """

    looks_changed = pyqtSignal()

    def __init__(
        self, window: QWidget, controller: Controller, display: Display, views: Views
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._display = display
        self._views = views
        self._files = LookFiles(controller.services.folders.looks)
        self._awaited: tuple[str, int] | None = None
        """The style and the frame that a click asked for, as long as they are not there."""
        self._style_shown: LookPicture | None = None
        """The look of the sheet that was shown last."""
        self._tried: tuple[ProjectLook, ...] = ()
        self._sheet_timer = QTimer(self)
        self._sheet_timer.setSingleShot(True)
        self._sheet_timer.setInterval(_SOON_MS)
        self._sheet_timer.timeout.connect(self.show_sheet)
        self._connect_sheet()
        self._connect_tried()

    def _connect_sheet(self) -> None:
        sheet, styles = self._views.sheet, self._controller.starter.styles
        opener, store = self._controller.opener, self._controller.project_store
        opener.reached.connect(self._on_reached)
        opener.opened.connect(self._on_opened)
        opener.leaving.connect(self._sheet_timer.stop)
        store.touched.connect(self._on_settings)
        store.replaced.connect(self._on_settings)
        store.replaced.connect(self._show_tried)
        styles.began.connect(self._on_sheet_began)
        styles.arrived.connect(self._on_style_arrived)
        sheet.sheet_wanted.connect(self.show_sheet)
        sheet.style_wanted.connect(self.choose_style)

    def _connect_tried(self) -> None:
        sheet, looks = self._views.sheet, self._controller.starter.looks
        looks.began.connect(self._on_looks_began)
        looks.moved.connect(sheet.move)
        looks.arrived.connect(self._on_look)
        looks.ended.connect(self._on_looks_ended)
        sheet.shown.connect(self._display.show_look)
        sheet.shown.connect(self.looks_changed)
        sheet.used.connect(self.use)
        sheet.pinned.connect(self.pin)
        sheet.removed.connect(self.remove)
        sheet.cancel_wanted.connect(looks.cancel)

    # The frame in every style

    def show_sheet(self) -> None:
        """Bring the frame in view in every style."""
        self._sheet_timer.stop()
        self._controller.starter.show_styles(self._views.viewer.frame)

    def choose_style(self, style: str) -> None:
        """Choose a style, and show the frame in view in it as soon as that is there."""
        inspector, frame = self._views.inspector, self._views.viewer.frame
        self._controller.project_store.history.seal()  # Each click is a step of its own.
        values = {**inspector.values(), "style": style}
        inspector.set_values(values)
        inspector.changed.emit()
        styles, look = self._controller.starter.styles, self._views.sheet.style_look(style)
        if look is not None and look.index == frame:
            self._show_style(look)
            return
        self._awaited = style, frame
        if styles.index != frame or not styles.is_at_work:
            self.show_sheet()
        styles.want_first(style)

    def _on_reached(self, _: object) -> None:
        if self._controller.services.preferences.shows_looks:
            self._sheet_timer.start()

    def _on_opened(self, _: object) -> None:
        self._awaited = None
        self._tried = ()
        self._show_tried()

    def _on_sheet_began(self, index: int) -> None:
        view, model = self._controller.daemon.view, self._controller.project_store.project.model
        models = view.models if view is not None else ()
        found = next((one for one in models if one.source == model), None)
        self._views.sheet.set_styles([one.name for one in found.styles] if found else [])
        self._views.sheet.begin_sheet(index, self._pixel_aspect())
        self._on_settings()

    def _on_style_arrived(self, style: str, look: LookPicture) -> None:
        self._views.sheet.add_style(style, look)
        if self._awaited == (style, look.index):
            self._awaited = None
            if self._views.viewer.frame == look.index:
                self._show_style(look)

    def _show_style(self, look: LookPicture) -> None:
        self._style_shown = look
        self._display.show_look(look)

    def _on_settings(self) -> None:
        style = str(self._controller.project_store.project.values.get("style") or "")
        self._views.sheet.mark_style(style)
        shown = self._style_shown
        if shown is not None and self._display.look is shown and shown.settings.style != style:
            # The choice was undone, or made elsewhere: what is seen is what is chosen.
            look = self._views.sheet.style_look(style)
            is_there = look is not None and look.index == shown.index
            self._style_shown = look if is_there else None
            self._display.show_look(self._style_shown)

    # What was tried

    def use(self, look: LookPicture) -> None:
        """Take a look's settings, whatever was chosen since it was made."""
        inspector = self._views.inspector
        self._controller.project_store.history.seal()
        of_clip = {name: one for name, one in inspector.values().items() if name in OF_ONE_CLIP}
        inspector.set_model(look.model)
        inspector.set_values({**values_of(look.settings), **of_clip})
        inspector.changed.emit()
        text = self.tr("The settings of this look are used: {caption}.")
        self._views.status.showMessage(text.format(caption=look.caption), 5000)

    def pin(self, look: LookPicture) -> None:
        """Pin a look in front of the others, or no longer."""
        self._controller.project_store.change_look(
            self.tr("pinned look"), look.file, lambda one: replace(one, is_pinned=not one.is_pinned)
        )

    def remove(self, look: LookPicture) -> None:
        """Keep a look no longer; undoing brings it back."""
        store = self._controller.project_store
        store.change_look(self.tr("removed look"), look.file, lambda _: None)
        self._display.show_look(None)

    def _show_tried(self) -> None:
        looks = _ordered(self._controller.project_store.project.looks)
        if looks == self._tried:
            return
        self._tried = looks
        found: list[LookPicture] = []
        for one in looks:
            data = self._files.kept(one.file)
            if data is not None:
                found.append(_picture(one, data))
        self._views.sheet.show_kept(found)

    def _on_looks_began(self, order: LookRequest) -> None:
        self._views.sheet.begin(order, self._pixel_aspect())
        self.looks_changed.emit()

    def _on_look(self, look: LookPicture) -> None:
        kept = look if look.part.is_control else self._kept(look)
        self._views.sheet.add(kept)

    def _kept(self, look: LookPicture) -> LookPicture:
        """Keep it with the project."""
        store = self._controller.project_store
        try:
            name = self._files.keep(look.data)
        except OSError as error:
            self._controller.services.reporter.tell(error, self.tr("The look cannot be kept"))
            return look
        values = values_of(look.settings)
        one = ProjectLook(file=name, index=look.index, values=values, model=look.model)
        others = [other for other in store.project.looks if other.file != name]
        store.change(looks=_ordered([one, *others]))
        self._tried = _ordered(store.project.looks)
        return replace(look, file=name)

    def _on_looks_ended(self) -> None:
        self._views.sheet.end()
        self.looks_changed.emit()

    def _pixel_aspect(self) -> Fraction:
        info = self._display.source.info if self._display.source else None
        return info.pixel_aspect if info else Fraction(1)


def _ordered(looks: Iterable[ProjectLook]) -> tuple[ProjectLook, ...]:
    """Pinned ones in front; of the others no more than anybody looks at."""
    listed = list(looks)
    pinned = [one for one in listed if one.is_pinned]
    others = [one for one in listed if not one.is_pinned]
    return (*pinned, *others[:_MOST_TRIED])


def _picture(one: ProjectLook, data: bytes) -> LookPicture:
    return LookPicture(
        part=LookPart(0),
        index=one.index,
        settings=settings_of(one.values),
        data=data,
        model=one.model,
        file=one.file,
        is_pinned=one.is_pinned,
    )
