"""What the panel's fields hold. Kept in the scene, so that it is saved and undone with it."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from . import language
from .core.controls import controls_of
from .state import state


def _style_names(_self, _context, typed):
    found = [style.name for style in state.styles(_self.model)]
    return [name for name in found if typed.lower() in name.lower()]


def _model_sources(_self, _context, typed):
    found = [(model.source, model.name) for model in state.models if model.source]
    return [pair for pair in found if typed.lower() in pair[0].lower()]


def _strip_names(_self, context, typed):
    from . import vse

    names = [strip.name for strip in vse.all_strips(vse.scene_of(context)) if strip.type != "SOUND"]
    return [name for name in names if typed.lower() in name.lower()]


def _wipe(settings, _context):
    from . import compare

    compare.set_position(settings.id_data, settings.wipe)


def _declared():
    """Properties of all declared settings, with a tick for each that may be left open."""
    made = {}
    for control in controls_of():
        make = getattr(bpy.props, control.kind)
        made[control.name] = make(**control.definition(), **_SEARCHES.get(control.name, {}))
        if control.tick:
            made[control.tick] = BoolProperty(
                name=f"Set {control.parameter.title.lower()}",
                description="Choose it here; off leaves it to style, quality and model "
                f"(by default: {control.parameter.default_text})",
            )
    return made


def _controls(_self, _context, typed):
    return [name for name in state.controls() if typed in name]


_SEARCHES = {"style": {"search": _style_names}, "control": {"search": _controls}}


class FrescoSettings(bpy.types.PropertyGroup):
    """How strips of a scene are restyled: what is declared for all hosts, and Blender's own."""

    model: StringProperty(
        name="Model",
        description="A hub name, a diffusers folder or a .safetensors file; empty for the small "
        "model that comes with Fresco",
        search=_model_sources,
        search_options={"SUGGESTION"},
    )
    is_seed_locked: BoolProperty(
        name="Lock seed",
        description="Keep the seed; unlocked, every look draws a new one, and so does every "
        "restyle that does not follow a look",
    )
    use_markers: BoolProperty(
        name="Prompts from markers",
        description="A marker named 'fresco: words' adds these words to the prompt until the next "
        "such marker",
        default=True,
    )
    mask: StringProperty(
        name="Mask strip",
        description="The result is seen only where this strip is white; elsewhere the source stays "
        "untouched",
        search=_strip_names,
    )
    source_after: EnumProperty(
        name="Source",
        description="What becomes of the source when the result is there; it is never deleted",
        items=(
            ("KEEP", "Keep", "Leave it as it is, below the result"),
            ("MUTE", "Mute", "Mute it when the result is placed"),
        ),
        default="KEEP",
    )
    output: EnumProperty(
        name="Result as",
        description="What the result is written as",
        items=(
            ("MOVIE", "Movie", "H.264, small"),
            ("LOSSLESS", "Lossless Movie", "H.264 in RGB without any loss, large"),
            ("FRAMES", "Image Sequence", "PNG pictures, one a frame"),
        ),
        default="MOVIE",
    )
    handles: IntProperty(
        name="Handles",
        description="Frames restyled beyond both ends of the strip, to be trimmed later",
        min=0,
        max=1000,
    )
    wipe: FloatProperty(
        name="Wipe",
        description="Where the comparison changes from the result to its source",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
        update=_wipe,
    )


FrescoSettings.__annotations__.update(_declared())
language.plain((FrescoSettings,))

PRESET_NAMES = [
    name
    for name in FrescoSettings.__annotations__
    if name not in {"seed", "is_seed_locked", "mask", "wipe"}
]


def register():
    bpy.utils.register_class(FrescoSettings)
    bpy.types.Scene.fresco = bpy.props.PointerProperty(type=FrescoSettings)


def unregister():
    del bpy.types.Scene.fresco
    bpy.utils.unregister_class(FrescoSettings)
