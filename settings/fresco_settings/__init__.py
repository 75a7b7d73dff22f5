"""What a user can choose about a restyle, declared once; needs nothing but Python."""

from __future__ import annotations

from fresco_settings.control_choice import CONTROL_KINDS, ControlChoice, ControlKind
from fresco_settings.declaration import (
    Declared,
    Parameter,
    ParameterKind,
    Setting,
    Shape,
    check_plain,
    parameters_of,
    words_for,
)
from fresco_settings.errors import FrescoError, InvalidSettings, Remedy
from fresco_settings.flow_choice import FlowChoice
from fresco_settings.partial import PartialSettings, left_open
from fresco_settings.parts import AttentionSettings, OptimisationSettings, SmoothingSettings
from fresco_settings.plain_values import nested
from fresco_settings.reading import chosen_settings, settings_from_dict
from fresco_settings.remedies import marked, reworded, said, titles
from fresco_settings.restyle import (
    ETA_SAMPLERS,
    FEW_STEP_SAMPLERS,
    INTERPOLATION_KINDS,
    KARRAS_SAMPLERS,
    MOST_GAP,
    NOISE_KINDS,
    PRESETS,
    PROMPTS,
    UPLOAD_PREFIX,
    InterpolationKind,
    NoiseKind,
    RestyleSettings,
    SamplerKind,
    Spacing,
    WeightsKept,
)
from fresco_settings.style_choice import StyleChoice

__all__ = [
    "CONTROL_KINDS",
    "ETA_SAMPLERS",
    "FEW_STEP_SAMPLERS",
    "INTERPOLATION_KINDS",
    "KARRAS_SAMPLERS",
    "MOST_GAP",
    "NOISE_KINDS",
    "PRESETS",
    "PROMPTS",
    "UPLOAD_PREFIX",
    "AttentionSettings",
    "ControlChoice",
    "ControlKind",
    "Declared",
    "FlowChoice",
    "FrescoError",
    "InterpolationKind",
    "InvalidSettings",
    "NoiseKind",
    "OptimisationSettings",
    "Parameter",
    "ParameterKind",
    "PartialSettings",
    "Remedy",
    "RestyleSettings",
    "SamplerKind",
    "Setting",
    "Shape",
    "SmoothingSettings",
    "Spacing",
    "StyleChoice",
    "WeightsKept",
    "check_plain",
    "chosen_settings",
    "left_open",
    "marked",
    "nested",
    "parameters_of",
    "reworded",
    "said",
    "settings_from_dict",
    "titles",
    "words_for",
]
