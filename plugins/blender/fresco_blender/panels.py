"""The sidebar tab of the sequencer."""

# No `from __future__ import annotations`: Blender reads annotations of these classes.

from typing import TYPE_CHECKING, Any

import bpy
from bpy.types import Panel
from fresco_client.words import look_of

from . import language, looks, selection, timeline, vse
from .core.card import JobCard
from .core.controls import Control, controls_of, groups_of, in_its_mode
from .core.faults import NOT_RUNNING
from .drawing import draw_fault, draw_progress, draw_prop, draw_text
from .state import state, style_picture

CATEGORY = "Fresco"
_STATE_ICONS = {
    "queued": "TIME",
    "analysing": "VIEWZOOM",
    "translating keyframes": "KEYFRAME_HLT",
    "interpolating": "RENDER_ANIMATION",
    "encoding": "FILE_MOVIE",
    "paused": "PAUSE",
    "done": "CHECKMARK",
    "cancelled": "X",
    "failed": "ERROR",
}
_CONNECTION_TEXTS = {
    "away": ("No daemon", "UNLINKED"),
    "connecting": ("Looking for the daemon …", "SORTTIME"),
    "starting": ("Starting the daemon …", "SORTTIME"),
    "ready": ("Ready", "LINKED"),
    "failed": ("Not connected", "ERROR"),
}
_GONE = (
    "The file of this result is missing, so the source is seen. Find it by File > External Data > "
    "Find Missing Files."
)


class _Tab:
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = CATEGORY


class FRESCO_PT_connection(_Tab, Panel):
    """Whether the daemon is there."""

    bl_idname = "FRESCO_PT_connection"
    bl_label = "Fresco"

    def draw(self, context):
        text, icon = _CONNECTION_TEXTS[state.connection]
        row = self.layout.row(align=True)
        if state.connection == "ready" and state.server is not None:
            device = state.server.devices[0] if state.server.devices else None
            where = device.name or device.id if device else ""
            text = f"Ready: {where}" if where else "Ready"
        fault = state.connection_fault
        if fault == NOT_RUNNING:
            text, icon = _CONNECTION_TEXTS["away"]
        row.label(text=text, icon=icon, translate=False)
        if state.connection in {"away", "failed"}:
            # One click, whatever is wrong: what cannot be started says why.
            row.operator("fresco.connect", text="Start", icon="PLAY").start = True
        row.operator("fresco.preferences", text="", icon="PREFERENCES")
        if fault is not None and fault != NOT_RUNNING:
            draw_fault(self.layout, context, fault)
        if state.request_fault is not None:
            draw_fault(self.layout, context, state.request_fault)


class FRESCO_PT_restyle(_Tab, Panel):
    """What is wanted."""

    bl_idname = "FRESCO_PT_restyle"
    bl_label = "Restyle"

    def draw_header_preset(self, _context):
        from .presets import FRESCO_PT_presets

        FRESCO_PT_presets.draw_panel_header(self.layout)

    def draw(self, context):
        scene = vse.scene_of(context)
        if scene is None:
            return
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        draw_words(layout.column(), scene.fresco)
        column = layout.column()
        column.scale_y = 1.4
        row = column.row(align=True)
        row.operator("fresco.look", text="Look", icon="HIDE_OFF")
        row.operator("fresco.restyle", text=_restyle_text(context), icon="BRUSH_DATA")
        reason = selection.restyle_obstacle(context)
        if reason:
            draw_text(layout, context, reason, "INFO")
        _draw_look(layout, context)


def _restyle_text(context: Any) -> str:
    count = len(selection.targets(context))
    return f"Restyle {count} Strips" if count > 1 else "Restyle"


def draw_words(column: Any, settings: Any) -> None:
    """The settings everybody needs."""
    for control in in_its_mode(settings, controls_of()):
        if control.name == "seed":
            _draw_seed(column, settings)
        elif control.name == "style":
            row = column.row(align=True)
            draw_prop(row, settings, "style")
            row.popover("FRESCO_PT_styles", text="", icon="IMAGE_DATA")
        elif not control.parameter.is_advanced:
            _draw_control(column, settings, control)


def _draw_seed(column: Any, settings: Any) -> None:
    row = column.row(align=True)
    draw_prop(row, settings, "seed")
    icon = "LOCKED" if settings.is_seed_locked else "UNLOCKED"
    row.prop(settings, "is_seed_locked", text="", icon=icon)


def _draw_control(column: Any, settings: Any, control: Control) -> None:
    """A setting, with a tick where style, quality and model may decide."""
    if not control.tick:
        draw_prop(column, settings, control.name)
        return
    row = column.row(align=True, heading=control.parameter.title, translate=False)
    row.prop(settings, control.tick, text="")
    sub = row.row(align=True)
    sub.active = getattr(settings, control.tick)
    sub.prop(settings, control.name, text="")


def _draw_look(layout: Any, context: Any) -> None:
    if state.look_share is not None:
        draw_progress(layout, state.look_share, "Looking …")
    if state.look_fault is not None:
        draw_fault(layout, context, state.look_fault)
    if state.look_picture is None:
        return
    icon = looks.icon(state.look_picture)
    box = layout.box()
    if icon:
        box.template_icon(icon_value=icon, scale=7.0)
    box.operator("fresco.clear_look", icon="X")


class FRESCO_PT_styles(Panel):
    """The styles of the model, each with a picture if there is one."""

    bl_idname = "FRESCO_PT_styles"
    bl_label = "Styles"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "HEADER"
    bl_options = {"INSTANCED"}
    bl_ui_units_x = 18

    def draw(self, context):
        settings = vse.scene_of(context).fresco
        known = state.styles(settings.model)
        self.layout.operator("fresco.choose_style", text="No Style", icon="X").style = ""
        if not known:
            draw_text(self.layout, context, "This model knows no styles; use the prompt.", "INFO")
        grid = self.layout.grid_flow(row_major=True, columns=4, even_columns=True, align=True)
        for style in known:
            column = grid.column(align=True)
            icon = looks.icon(style_picture(style.name)) if not settings.model else 0
            if icon:
                column.template_icon(icon_value=icon, scale=4.0)
            chosen = settings.style == style.name
            button = column.operator("fresco.choose_style", text=style.name, depress=chosen)
            button.style = style.name


class FRESCO_PT_placing(_Tab, Panel):
    """What becomes of strips and result."""

    bl_idname = "FRESCO_PT_placing"
    bl_parent_id = "FRESCO_PT_restyle"
    bl_label = "Strips"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        settings = vse.scene_of(context).fresco
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        draw_prop(layout, settings, "output")
        draw_prop(layout, settings, "source_after", expand=True)
        draw_prop(layout, settings, "handles")
        row = layout.row(align=True)
        draw_prop(row, settings, "mask", icon="MOD_MASK")
        row.operator("fresco.pick_mask", text="", icon="EYEDROPPER")
        draw_prop(layout, settings, "use_markers")


class FRESCO_PT_advanced(_Tab, Panel):
    """What few need."""

    bl_idname = "FRESCO_PT_advanced"
    bl_parent_id = "FRESCO_PT_restyle"
    bl_label = "Advanced"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        settings = vse.scene_of(context).fresco
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        draw_prop(layout, settings, "model")
        layout.operator("fresco.unload", icon="TRASH")


class _Group(_Tab):
    """Settings of one group that few need."""

    bl_parent_id = "FRESCO_PT_advanced"
    bl_options = {"DEFAULT_CLOSED"}
    controls: tuple[Control, ...] = ()
    if TYPE_CHECKING:
        layout: Any

    def draw(self, context):
        settings = vse.scene_of(context).fresco
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        for control in in_its_mode(settings, self.controls):
            _draw_control(layout, settings, control)


def _group_panels():
    for number, (title, controls) in enumerate(groups_of(controls_of()).items()):
        name = f"FRESCO_PT_group_{number}"
        content = {"bl_idname": name, "bl_label": title, "controls": tuple(controls)}
        yield type(name, (_Group, Panel), content)


class FRESCO_PT_jobs(_Tab, Panel):
    """What is being done."""

    bl_idname = "FRESCO_PT_jobs"
    bl_label = "Jobs"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return bool(state.open_cards)

    def draw(self, context):
        for card in state.open_cards:
            _draw_card(self.layout.box(), context, card)
        if len(state.open_cards) > 1:
            self.layout.operator("fresco.cancel_all", icon="X")


def _draw_card(box: Any, context: Any, card: JobCard) -> None:
    row = box.row(align=True)
    row.label(text=card.request.title, icon=_icon_of(card), translate=False)
    if card.can_pause:
        row.operator("fresco.pause", text="", icon="PAUSE").job_id = card.job_id
    if card.can_resume:
        row.operator("fresco.resume", text="", icon="PLAY").job_id = card.job_id
    row.operator("fresco.cancel", text="", icon="X").job_id = card.job_id
    if card.fault is None:
        text = card.progress_text
        draw_progress(box, card.share, text[:1].upper() + text[1:])
    else:
        draw_fault(box, context, card.fault, card.job_id)
    if card.note:
        draw_text(box, context, card.note, "INFO")
    for warning in card.job.warnings[-2:] if card.job else ():
        draw_text(box, context, warning, "INFO")


def _icon_of(card: JobCard) -> str:
    if card.fault is not None:
        return "ERROR"
    if not card.is_connected:
        return "UNLINKED"
    return _STATE_ICONS.get(card.state.value, "TIME") if card.state else "EXPORT"


class FRESCO_PT_result(_Tab, Panel):
    """What can be done with a result."""

    bl_idname = "FRESCO_PT_result"
    bl_label = "Result"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return timeline.request_of(vse.active_strip(context)) is not None

    def draw(self, context):
        scene, strip = vse.scene_of(context), vse.active_strip(context)
        request = timeline.request_of(strip)
        layout = self.layout
        if request is None:
            return
        chosen = request.settings
        words = ", ".join(filter(None, (chosen.get("style"), chosen.get("prompt"))))
        draw_text(layout, context, words, "BRUSH_DATA")
        made = f"Seed {chosen.get('seed', 0)}, {chosen.get('preset', 'standard')}"
        layout.label(text=made, translate=False)
        if not timeline.is_file_there(strip):
            draw_text(layout, context, _GONE, "ERROR")
        index = selection.keyframe_at_playhead(context)
        column = layout.column(align=True)
        column.operator("fresco.redo", icon="FILE_REFRESH")
        text = "Reroll Keyframe" if index is None else f"Reroll Keyframe {index}"
        column.operator("fresco.reroll", text=text, icon="KEYFRAME_HLT")
        column = layout.column(align=True)
        column.operator("fresco.compare", icon="ARROW_LEFTRIGHT")
        draw_prop(column, scene.fresco, "wipe", slider=True)


class FRESCO_PT_history(_Tab, Panel):
    """What the daemon has done."""

    bl_idname = "FRESCO_PT_history"
    bl_label = "History"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, _context):
        self.layout.operator("fresco.refresh", text="", icon="FILE_REFRESH", emboss=False)

    def draw(self, context):
        if not state.history:
            self.layout.label(text="No jobs yet", translate=False)
        for job in state.history[:12]:
            box = self.layout.box()
            row = box.row(align=True)
            name = job.title or job.id[:8]
            row.label(text=name, icon=_STATE_ICONS[job.state.value], translate=False)
            row.operator("fresco.reuse", text="", icon="COPYDOWN").job_id = job.id
            if job.state.value == "done":
                row.operator("fresco.place", text="", icon="IMPORT").job_id = job.id
            row.operator("fresco.delete", text="", icon="TRASH").job_id = job.id
            words = look_of(job)
            if words:
                draw_text(box, context, words)


CLASSES = (
    FRESCO_PT_styles,
    FRESCO_PT_connection,
    FRESCO_PT_jobs,
    FRESCO_PT_result,
    FRESCO_PT_restyle,
    FRESCO_PT_placing,
    FRESCO_PT_advanced,
    *_group_panels(),
    FRESCO_PT_history,
)

language.plain(CLASSES)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
