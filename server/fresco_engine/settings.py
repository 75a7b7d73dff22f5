"""Settings of a restyle, and how what was left open in them is filled by style and model.

What a user can choose is declared in `fresco_settings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from fresco_settings import (
    CONTROL_KINDS,
    ETA_SAMPLERS,
    FEW_STEP_SAMPLERS,
    INTERPOLATION_KINDS,
    KARRAS_SAMPLERS,
    MOST_GAP,
    NOISE_KINDS,
    PRESETS,
    AttentionSettings,
    ControlChoice,
    ControlKind,
    InterpolationKind,
    NoiseKind,
    OptimisationSettings,
    RestyleSettings,
    SamplerKind,
    SmoothingSettings,
    Spacing,
    StyleChoice,
    WeightsKept,
    chosen_settings,
    settings_from_dict,
)

from fresco_engine.errors import InvalidSettings

__all__ = [
    "CONTROL_KINDS",
    "ETA_SAMPLERS",
    "FEW_STEP_SAMPLERS",
    "INTERPOLATION_KINDS",
    "KARRAS_SAMPLERS",
    "NOISE_KINDS",
    "PRESETS",
    "AttentionSettings",
    "ControlChoice",
    "ControlKind",
    "InterpolationKind",
    "ModelDefaults",
    "NoiseKind",
    "OptimisationSettings",
    "RestyleSettings",
    "SamplerKind",
    "SmoothingSettings",
    "Spacing",
    "Style",
    "WeightsKept",
    "check_gaps",
    "chosen_settings",
    "find_style",
    "find_styles",
    "resolve",
    "settings_from_dict",
]


_ETA: Mapping[SamplerKind, float] = {"tcd": 0.3}
"""What a sampler adds of its noise where nobody says how much, if not 0 (TCD, arXiv:2402.19159)."""


def check_gaps(keyframes: Sequence[int]) -> None:
    """Insist on keyframes chosen by hand that lie near enough to each other.

    Raises:
        InvalidSettings: two neighbours are more than 1000 frames apart.
    """
    for left, right in pairwise(keyframes):
        if right - left > MOST_GAP:
            raise InvalidSettings(
                "keyframes",
                f"from {left} to {right} are more than {MOST_GAP} frames; choose one between them",
            )


@dataclass(frozen=True, kw_only=True)
class ModelDefaults:
    """What a model's maker recommends; fills the settings a user left open.

    `control` is of the form that the setting takes; `draft_steps` and `best_steps` take the place
    of `steps` with these presets. `spacing` and `eta` are for `sampler` alone; `spacing` None is
    that of the model's schedule, `eta` None the sampler's own.
    """

    guidance_scale: float = 7.5
    strength: float = 0.75
    steps: int = 20
    draft_steps: int = 8
    best_steps: int = 20
    control: str = "canny"
    control_scale: float = 0.8
    sampler: SamplerKind = "ddpm"
    spacing: Spacing | None = None
    eta: float | None = None
    guidance_rescale: float = 0.0
    clip_skip: int = 1

    def values(self, settings: RestyleSettings) -> dict[str, Any]:
        """By the names of the settings they fill, for what `settings` choose already."""
        preset = settings.preset
        sampler = settings.sampler or self.sampler
        if settings.is_edit and settings.inversion == "ddim" and settings.sampler is None:
            sampler = "ddim"
        is_own = sampler == self.sampler
        eta = self.eta if is_own else None
        return {
            "guidance_scale": self.guidance_scale,
            "strength": self.strength,
            "steps": {"draft": self.draft_steps, "best": self.best_steps}.get(preset, self.steps),
            "control": self.control,
            "control_scale": self.control_scale,
            "sampler": sampler,
            "spacing": self.spacing if is_own else None,
            "eta": _ETA.get(sampler, 0.0) if eta is None else eta,
            "guidance_rescale": self.guidance_rescale,
            "clip_skip": self.clip_skip,
        }


@dataclass(frozen=True, kw_only=True)
class Style:
    """A look the model knows: the words that call for it, and the settings that suit it.

    `words` are for people to read; `prompt` is what choosing the style adds to the prompt.
    `None` means: as the model recommends. `picture` is the path of one that shows it, or nothing.
    """

    name: str
    words: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    strength: float | None = None
    guidance_scale: float | None = None
    picture: str = ""


def find_style(name: str, styles: Sequence[Style]) -> Style:
    """The style of that name; capitals, and hyphens for spaces, do not matter.

    Raises:
        InvalidSettings: there is none.
    """

    def plain(text: str) -> str:
        return text.strip().casefold().replace("-", " ")

    for style in styles:
        if plain(style.name) == plain(name):
            return style
    if not styles:
        raise InvalidSettings(
            "style", f"this model knows no styles, so not {name!r}; say the look in the prompt"
        )
    known = ", ".join(style.name for style in styles)
    raise InvalidSettings("style", f"{name!r} is unknown to this model; use one of {known}")


def find_styles(text: str, styles: Sequence[Style]) -> Mapping[Style, float]:
    """The styles that `text` names with their shares: one by its whole name, or a `StyleChoice`.

    Raises:
        InvalidSettings: it cannot be read, or there is no such style.
    """
    try:
        return {find_style(text, styles): 1.0}
    except InvalidSettings:
        shares = StyleChoice.parse(text).shares
    found: dict[Style, float] = {}
    for name, share in shares.items():
        style = find_style(name, styles)
        found[style] = found.get(style, 0.0) + share
    return found


def resolve(
    settings: RestyleSettings, defaults: ModelDefaults, styles: Sequence[Style] = ()
) -> RestyleSettings:
    """`settings` with every `None` that style or model decide replaced by their value.

    What was set stays, the style's value wins over the model's. Resolving twice changes nothing.

    Raises:
        InvalidSettings: the style is not one of `styles`.
    """
    values = defaults.values(settings)
    if settings.style is None:
        return _filled(settings, {"negative_prompt": "", **values})
    shares = find_styles(settings.style, styles)
    settings = _filled(settings, values | _mixed(shares, defaults))
    negative = dict.fromkeys(style.negative_prompt for style in shares if style.negative_prompt)
    # Without guidance it would have no effect, and the user be warned of what they did not say.
    is_guided = (settings.guidance_scale or 0) > 1
    return _filled(settings, {"negative_prompt": ", ".join(negative) if is_guided else ""})


def _mixed(shares: Mapping[Style, float], defaults: ModelDefaults) -> dict[str, Any]:
    """What one style or several say: of numbers their mean, by their shares."""
    whole = sum(shares.values())

    def mean(values: Mapping[Style, float]) -> float:
        return sum(shares[style] / whole * value for style, value in values.items())

    words: dict[str, float] = {}
    for style, share in shares.items():
        words[style.prompt or style.name] = words.get(style.prompt or style.name, 0.0) + share
    guidance = {
        style: defaults.guidance_scale if style.guidance_scale is None else style.guidance_scale
        for style in shares
    }
    return {
        "style_prompt": next(iter(words)) if [*words.values()] == [1.0] else words,
        "strength": mean({style: style.strength or defaults.strength for style in shares}),
        "guidance_scale": mean(guidance),
    }


def _filled(settings: RestyleSettings, values: Mapping[str, Any]) -> RestyleSettings:
    missing = {name: value for name, value in values.items() if getattr(settings, name) is None}
    return replace(settings, **missing)
