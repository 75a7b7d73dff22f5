"""What a user can choose about a restyle. None leaves a setting to preset, model and engine.

Meanings, ranges and defaults are those of GetServer's parameters; the daemon checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

KeyframeChangeKind = Literal["reroll", "add", "remove", "replace"]


@dataclass(frozen=True, kw_only=True)
class AttentionSettings:
    """FRESCO-guided attention; each part can be off."""

    spatial: bool | None = None
    spatial_scale: float | None = None
    spatial_until: float | None = None
    """Share of the run's denoising steps, 0 to 1."""
    cross_frame: bool | None = None
    temporal: bool | None = None
    temporal_scale: float | None = None
    temporal_until: float | None = None
    """Noise level as a share of the training schedule, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class OptimisationSettings:
    """FRESCO-aware feature optimisation; either loss can be off."""

    temporal: bool | None = None
    spatial: bool | None = None
    iterations: int | None = None
    """Per denoising step."""
    learning_rate: float | None = None
    spatial_weight: float | None = None
    until: float | None = None
    """Share of the whole schedule, 0 to 1."""
    blocks: tuple[int, ...] = ()
    """Decoder blocks, each 0 to 3; empty for the preset's."""


@dataclass(frozen=True, kw_only=True)
class SmoothingSettings:
    """Smoothing of the background."""

    is_on: bool | None = None
    start: float | None = None
    """Position in the schedule, 0 to 1."""
    stop: float | None = None
    """Position in the schedule, `start` to 1."""
    dilation: int | None = None
    """Pixels by which the foreground is widened."""


@dataclass(frozen=True, kw_only=True)
class RestyleSettings:
    """Everything a user can choose about a restyle; a prompt or a style is required."""

    prompt: str | None = None
    style: str | None = None
    """A look that the model knows, by the name of one of its `styles`; settings given win."""
    negative_prompt: str | None = None
    keyframe_prompts: Mapping[int, str] = field(default_factory=dict[int, str])
    """Words added to the prompt of single keyframes, by source frame index."""
    keyframe_seeds: Mapping[int, int] = field(default_factory=dict[int, int])
    """Seeds of single keyframes, by source frame index."""
    keyframe_pictures: Mapping[int, str] = field(default_factory=dict[int, str])
    """Keyframes painted by hand, by source frame index: pictures on the daemon's machine."""
    keyframes: tuple[int, ...] = ()
    """Keyframes chosen by hand, by source frame index; chosen by content if empty."""
    seed: int | None = None
    preset: str | None = None
    """Such as "draft", "standard" or "best"; other settings given win."""
    steps: int | None = None
    strength: float | None = None
    """Share of the schedule that is denoised, above 0 to 1."""
    guidance_scale: float | None = None
    control: str | None = None
    control_scale: float | None = None
    size: int | None = None
    """Short side, in pixels, of the pictures the model works on."""
    batch_size: int | None = None
    keyframe_min: int | None = None
    keyframe_max: int | None = None
    start: int | None = None
    """First source frame."""
    stop: int | None = None
    """One past the last source frame."""
    keep_colours: float | None = None
    colourise: bool | None = None
    free_u: bool | None = None
    interpolation: str | None = None
    shared_noise: bool | None = None
    shared_step_noise: bool | None = None
    attention: AttentionSettings | None = None
    optimisation: OptimisationSettings | None = None
    smoothing: SmoothingSettings | None = None


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A LoRA and how strongly it is applied."""

    path: str
    """A .safetensors file on the daemon's machine."""
    weight: float | None = None
    """1, as trained, if None."""


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """Which model restyles, and what is added to it; empty texts choose what is bundled."""

    source: str = ""
    """A hub id, or a path on the daemon's machine."""
    control_source: str = ""
    loras: tuple[Lora, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeyframeChange:
    """What to change about one keyframe; one is moved by removing it and adding another.

    "reroll" translates it anew, "add" makes a keyframe of another frame, "remove" makes it a frame
    like the others, "replace" takes a painted picture for any frame.
    """

    index: int
    """Source frame index."""
    kind: KeyframeChangeKind = "reroll"
    seed: int | None = None
    """Drawn by the server if None."""
    prompt: str | None = None
    """New words added to the prompt; as before if None."""
    picture_path: str = ""
    """A picture on the daemon's machine, for "replace"; it is copied."""
