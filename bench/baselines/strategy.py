"""What a method is given and what it makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.batch_run import KeyframeBatch
from fresco_engine.diffusion.editing.kept_inversions import NO_INVERSIONS, KeptInversions
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.sampler import translate
from fresco_engine.settings import (
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
)
from fresco_media.types import Image

NO_ATTENTION = AttentionSettings(spatial=False, cross_frame=False, temporal=False)
NO_OPTIMISATION = OptimisationSettings(temporal=False, spatial=False)
NO_SMOOTHING = SmoothingSettings(is_on=False)


@dataclass(frozen=True, eq=False)
class Keyframes:
    """Consecutive keyframes of one shot, translated together as one batch.

    `images` are at the padded working size, `indices` their source frame numbers.
    """

    indices: tuple[int, ...]
    images: tuple[Image, ...]
    correspondence: BatchCorrespondence


class Strategy(Protocol):
    """A way to translate keyframes."""

    def __call__(
        self, model: Model, keyframes: Keyframes, settings: RestyleSettings
    ) -> tuple[Image, ...]:
        """The translated keyframes; `settings` are resolved."""
        ...


def plain(settings: RestyleSettings) -> RestyleSettings:
    """The settings without any of FRESCO's adaptations; the noise stays as it is."""
    return replace(
        settings, attention=NO_ATTENTION, optimisation=NO_OPTIMISATION, smoothing=NO_SMOOTHING
    )


def translated(
    model: Model,
    keyframes: Keyframes,
    settings: RestyleSettings,
    inversions: KeptInversions = NO_INVERSIONS,
) -> tuple[Image, ...]:
    """The keyframes translated by the engine's own sampler."""
    batch = KeyframeBatch(
        indices=keyframes.indices,
        images=keyframes.images,
        prompts=(settings.prompt,) * len(keyframes.images),
    )
    steps = translate(model, batch, settings, keyframes.correspondence, inversions)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value.images
