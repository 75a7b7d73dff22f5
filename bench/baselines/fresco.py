"""FRESCO (arXiv:2403.12962), whole or in part."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fresco_engine.diffusion.model import Model
from fresco_engine.settings import (
    AttentionSettings,
    NoiseKind,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
)
from fresco_media.types import Image

from baselines.strategy import (
    NO_ATTENTION,
    NO_OPTIMISATION,
    NO_SMOOTHING,
    Keyframes,
    translated,
)


@dataclass(frozen=True, kw_only=True)
class Adaptations:
    """The engine with some of its adaptations; the noise is that of the settings, or `noise`."""

    attention: AttentionSettings = NO_ATTENTION
    optimisation: OptimisationSettings = NO_OPTIMISATION
    smoothing: SmoothingSettings = NO_SMOOTHING
    noise: NoiseKind | None = None

    def __call__(
        self, model: Model, keyframes: Keyframes, settings: RestyleSettings
    ) -> tuple[Image, ...]:
        """The keyframes translated with these adaptations."""
        chosen = replace(
            settings,
            attention=self.attention,
            optimisation=self.optimisation,
            smoothing=self.smoothing,
            start_noise=self.noise or settings.start_noise,
            step_noise=self.noise or settings.step_noise,
        )
        return translated(model, keyframes, chosen)


FRESCO = Adaptations(
    attention=AttentionSettings(),
    optimisation=OptimisationSettings(),
    smoothing=SmoothingSettings(),
)
"""All of them."""
