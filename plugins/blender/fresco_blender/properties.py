"""What the panel's fields hold. Kept in the scene, so that it is saved and undone with it."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

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


class FrescoSettings(bpy.types.PropertyGroup):
    """How strips of a scene are restyled."""

    style: StringProperty(
        name="Style",
        description="A look that the model knows; with one the prompt may be empty",
        search=_style_names,
    )
    prompt: StringProperty(
        name="Prompt", description="How the strip is to look, for example 'a watercolour painting'"
    )
    negative_prompt: StringProperty(
        name="Negative",
        description="What it is not to look like; without effect at a guidance of 1",
    )
    model: StringProperty(
        name="Model",
        description="A hub name, a diffusers folder or a .safetensors file; empty for the small "
        "model that comes with Fresco",
        search=_model_sources,
        search_options={"SUGGESTION"},
    )
    preset: EnumProperty(
        name="Quality",
        description="Time against quality; what is set by hand wins",
        items=(
            ("DRAFT", "Draft", "Quick: to see what comes out"),
            ("STANDARD", "Standard", "The usual"),
            ("BEST", "Best", "Slow: for the final shot"),
        ),
        default="STANDARD",
    )
    use_strength: BoolProperty(
        name="Set strength", description="Choose it here; off leaves it to style and model"
    )
    strength: FloatProperty(
        name="Strength",
        description="How far the result may leave the strip's picture",
        min=0.05,
        max=1.0,
        default=0.75,
        subtype="FACTOR",
    )
    use_guidance_scale: BoolProperty(
        name="Set guidance", description="Choose it here; off leaves it to style and model"
    )
    guidance_scale: FloatProperty(
        name="Guidance",
        description="How strictly the prompt is followed",
        min=0.0,
        max=50.0,
        soft_max=20.0,
        default=7.5,
    )
    seed: IntProperty(
        name="Seed",
        description="Another seed, another result; the same seed, the same result",
        min=0,
    )
    is_seed_locked: BoolProperty(
        name="Lock seed",
        description="Keep the seed; unlocked, every look draws a new one, and so does every "
        "restyle that does not follow a look",
    )
    use_keyframes: BoolProperty(
        name="Set keyframe spacing", description="Choose it here; off leaves it to the preset"
    )
    keyframe_min: IntProperty(
        name="Keyframes from",
        description="Least frames from one keyframe to the next",
        min=1,
        max=1000,
        default=5,
    )
    keyframe_max: IntProperty(
        name="to",
        description="Most frames from one keyframe to the next; at least twice the least, less one",
        min=1,
        max=1000,
        default=20,
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
    use_steps: BoolProperty(name="Set steps", description="Choose them here; off: the model's")
    steps: IntProperty(
        name="Steps",
        description="Denoising steps of the whole schedule",
        min=1,
        max=1000,
        default=20,
    )
    control: StringProperty(
        name="Control",
        description="How the picture's structure binds: tile, canny, hed, depth, none; empty for "
        "the model's",
        search=lambda _self, _context, typed: [c for c in state.controls() if typed in c],
    )
    use_control_scale: BoolProperty(
        name="Set control scale", description="Choose it here; off: the model's"
    )
    control_scale: FloatProperty(
        name="Control scale",
        description="How strongly the structure binds",
        min=0.0,
        max=5.0,
        soft_max=2.0,
        default=1.0,
    )
    use_size: BoolProperty(name="Set size", description="Choose it here; off: 512")
    size: IntProperty(
        name="Size",
        description="Short side in pixels of the pictures the model works on; the result has the "
        "strip's own size",
        min=64,
        max=2048,
        step=8,
        default=512,
    )
    use_batch_size: BoolProperty(name="Set batch", description="Choose it here; off: 8")
    batch_size: IntProperty(
        name="Batch", description="Keyframes translated together", min=1, max=64, default=8
    )
    use_keep_colours: BoolProperty(
        name="Keep colours", description="Keep some of the strip's colours"
    )
    keep_colours: FloatProperty(
        name="Keep colours",
        description="How much of the strip's colours is kept",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    colourise: BoolProperty(
        name="Colourise", description="Keep the strip's lightness and change only its colours"
    )
    interpolation: EnumProperty(
        name="Between keyframes",
        description="How the frames between keyframes are made",
        items=(
            ("PRESET", "As the quality says", "Patches, or with Draft motion alone"),
            ("PATCH", "Patches", "Search patches where motion alone tears the picture"),
            ("FLOW", "Motion", "Follow motion only; several times quicker"),
        ),
        default="PRESET",
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
