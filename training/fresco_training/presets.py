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


# Looks that keep the photograph's tones are nearest to it when they start from more of it; those
# that replace them need the model's own strength.
PRESETS: dict[str, StylePreset] = {
    "photo": StylePreset(prompt="photo", strength=0.5),
    "watercolour": StylePreset(prompt="watercolour"),
    "pencil": StylePreset(prompt="pencil drawing"),
    "oil": StylePreset(prompt="oil painting"),
    "comic": StylePreset(prompt="comic book art"),
    "winter": StylePreset(prompt="winter", strength=0.5),
    "autumn": StylePreset(prompt="autumn", strength=0.5),
    "pixel art": StylePreset(prompt="pixel art", strength=0.5),
}


def preset_of(style: str) -> StylePreset:
    """A style's preset; one that has none is called by its first word."""
    return PRESETS.get(style) or StylePreset(prompt=STYLE_WORDS[style][0])
