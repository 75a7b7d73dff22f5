"""What the user chose about a restyle, as options and as settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fresco_engine.settings import RestyleSettings

from fresco_cli import options
from fresco_cli.parsing import (
    parse_frame_prompts,
    parse_keyframes,
    parse_pictures,
    parse_range,
)


@dataclass(frozen=True, kw_only=True)
class LookChoices:
    """What can be chosen for one frame; `None` leaves a value to the preset or the model."""

    prompt: options.Prompt = ""
    style: options.Style = None
    preset: options.Preset = "standard"
    seed: options.Seed = None
    strength: options.Strength = None
    negative_prompt: options.NegativePrompt = ""
    keep_colours: options.KeepColours = None
    colourise: options.Colourise = False
    steps: options.Steps = None
    guidance: options.Guidance = None
    size: options.Size = None
    free_u: options.FreeU = False
    control: options.Control = None
    control_scale: options.ControlScale = None

    def values(self) -> dict[str, Any]:
        """What was chosen, by the names of the settings' fields; the preset is not among it."""
        values = {
            "prompt": self.prompt,
            "style": self.style,
            "negative_prompt": self.negative_prompt or None,
            "seed": self.seed,
            "strength": self.strength,
            "keep_colours": self.keep_colours,
            "colourise": self.colourise or None,
            "steps": self.steps,
            "guidance_scale": self.guidance,
            "control": self.control,
            "control_scale": self.control_scale,
            "size": self.size,
            "free_u": self.free_u or None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def parts(self) -> dict[str, dict[str, bool]]:
        """What was chosen of the settings' parts, by the names of the parts and their fields."""
        return {}

    def settings(self) -> RestyleSettings:
        """The settings: the preset's, with what was chosen put in its place.

        Raises:
            InvalidSettings: a value is out of range or of another form.
        """
        settings = RestyleSettings(prompt=self.prompt, style=self.style).with_preset(self.preset)
        parts = {
            name: replace(getattr(settings, name), **values)
            for name, values in self.parts().items()
        }
        return replace(settings, **self.values(), **parts)


@dataclass(frozen=True, kw_only=True)
class Choices(LookChoices):
    """What can be chosen for a clip."""

    frames: options.Range = None
    frame_prompt: options.FramePrompts = None
    painted: options.Painted = None
    batch: options.Batch = None
    gaps: options.Gaps = None
    spatial_attention: options.SpatialAttention = True
    cross_frame: options.CrossFrame = True
    temporal_attention: options.TemporalAttention = True
    optimisation: options.Optimisation = True
    smoothing: options.Smoothing = None
    interpolation: options.Interpolation = None

    def values(self) -> dict[str, Any]:
        """What was chosen, by the names of the settings' fields; the preset is not among it."""
        values = super().values()
        if self.frame_prompt:
            values["keyframe_prompts"] = parse_frame_prompts(self.frame_prompt)
        if self.painted:
            values["keyframe_pictures"] = parse_pictures("painted", self.painted)
        if self.batch is not None:
            values["batch_size"] = self.batch
        if self.interpolation is not None:
            values["interpolation"] = self.interpolation
        if self.gaps is not None:
            values |= parse_keyframes(self.gaps)
        if self.frames is not None:
            start, stop = parse_range(self.frames)
            values |= {"start": start} if stop is None else {"start": start, "stop": stop}
        return values

    def parts(self) -> dict[str, dict[str, bool]]:
        """What was chosen of the settings' parts, by the names of the parts and their fields."""
        switches = {
            "spatial": self.spatial_attention,
            "cross_frame": self.cross_frame,
            "temporal": self.temporal_attention,
        }
        off = {name: False for name, is_on in switches.items() if not is_on}
        parts = {"attention": off} if off else {}
        if not self.optimisation:
            parts["optimisation"] = {"temporal": False, "spatial": False}
        if self.smoothing is not None:
            parts["smoothing"] = {"is_on": self.smoothing}
        return parts
