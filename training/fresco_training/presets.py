"""The settings that suit each look, as `fresco.json` gives them to users."""

from dataclasses import dataclass

from fresco_training.prompts import STYLE_WORDS


@dataclass(frozen=True, kw_only=True)
class StylePreset:
    """What choosing a style by name means; `None` leaves a value to the model's defaults."""

    prompt: str
    negative_prompt: str = ""
    strength: float | None = None
    guidance_scale: float | None = None


PRESETS: dict[str, StylePreset] = {
    "pencil": StylePreset(prompt="pencil drawing"),
    "oil": StylePreset(prompt="oil painting"),
    "comic": StylePreset(prompt="comic book art"),
}


def preset_of(style: str) -> StylePreset:
    """A style's preset; one that has none is called by its first word."""
    return PRESETS.get(style) or StylePreset(prompt=STYLE_WORDS[style][0])
