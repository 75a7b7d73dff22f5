"""Guidance: everything one batch of frames is guided by, and which of it acts on which step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.similarity import SimilarityTarget
from fresco_engine.correspondence.trajectories import FlowPaths, flow_paths
from fresco_engine.diffusion.attention import LayerGuidance
from fresco_engine.diffusion.consistency import TemporalConsistency
from fresco_engine.diffusion.features import optimise, to_tokens
from fresco_engine.diffusion.smoothing import CarriedBackground
from fresco_engine.settings import AttentionSettings, OptimisationSettings, SmoothingSettings


@dataclass(frozen=True)
class Reference:
    """What the U-Net made of the input frames themselves (the reference pass)."""

    features: dict[int, Tensor] = field(default_factory=dict[int, Tensor], repr=False)
    """Input features (b f) c h w by decoder block; the last half is the prompt's."""
    attention: dict[str, tuple[Tensor, Tensor]] = field(
        default_factory=dict[str, tuple[Tensor, Tensor]], repr=False
    )
    """Q^r and K^r, (b f) n heads d each, by the name of the self-attention layer."""


@dataclass(frozen=True)
class MapGuidance:
    """What the flow says at one size of map; parts that one frame alone has no use for are None."""

    attended: Tensor | None
    paths: FlowPaths | None
    consistency: TemporalConsistency | None
    background: CarriedBackground | None

    @classmethod
    def of(
        cls,
        whole: BatchCorrespondence,
        height: int,
        width: int,
        smoothing: SmoothingSettings,
    ) -> MapGuidance:
        """From a batch's correspondence at the size of its pictures, for a map's size."""
        if whole.frame_count == 1:
            return cls(None, None, None, None)
        correspondence = whole.at(height, width)
        dilation = round(smoothing.dilation * height / whole.size[0])
        return cls(
            attended_tokens(correspondence),
            flow_paths(correspondence),
            TemporalConsistency.of(correspondence),
            CarriedBackground.of(correspondence, dilation) if smoothing.is_on else None,
        )


def maps_ahead(
    correspondence: BatchCorrespondence,
    sizes: Iterable[tuple[int, int]],
    smoothing: SmoothingSettings,
) -> dict[tuple[int, int], MapGuidance]:
    """What the flow says at the `sizes` (h, w) of the maps that are going to ask."""
    return {size: MapGuidance.of(correspondence, *size, smoothing) for size in sizes}


def attended_tokens(correspondence: BatchCorrespondence) -> Tensor:
    """(m,) int64: all tokens of frame 0 and, of every later frame, those its predecessor hides.

    Tokens are counted over all frames, frame by frame. Source: p_u in Eq. 8 of FRESCO.
    """
    is_new = correspondence.occluded_backward.roll(1, 0).flatten(1)  # f n
    is_new[0] = True
    return is_new.flatten().nonzero().flatten()


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """Everything the frames of one batch are guided by.

    What depends on the size of a map is worked out once for the batch: ahead for those in `maps`,
    otherwise when a layer of that size first asks. Working it out makes the host wait for the
    device; whoever minds that calls `maps_ahead`. Memory grows with frames times pixels (see
    `recording`), and on the token side of the similarity with f·n² for the maps where n < 2c: 4 MB
    a frame at 32².
    """

    correspondence: BatchCorrespondence
    reference: Reference
    attention: AttentionSettings
    optimisation: OptimisationSettings
    smoothing: SmoothingSettings = field(default_factory=lambda: SmoothingSettings(is_on=False))
    maps: dict[tuple[int, int], MapGuidance] = field(
        default_factory=dict[tuple[int, int], MapGuidance], repr=False
    )
    _targets: dict[int, SimilarityTarget] = field(
        default_factory=dict[int, SimilarityTarget], init=False, repr=False
    )

    @property
    def frame_count(self) -> int:
        """How many frames the batch has."""
        return self.correspondence.frame_count

    def at_step(
        self, *, run_index: int, run_steps: int, schedule_share: float, noise_share: float
    ) -> GuidanceStep:
        """What acts on one denoising step.

        `run_index` of `run_steps` counts the steps really executed; `schedule_share` is the
        step's place in the whole schedule, 0 to 1, counting those that SDEdit skips;
        `noise_share` is its timestep as a share of the training schedule, 1 being pure noise.
        """
        spatial_steps = max(1, round(self.attention.spatial_until * run_steps))
        return GuidanceStep(
            guidance=self,
            spatial=self.attention.spatial and run_index < spatial_steps,
            cross_frame=self.attention.cross_frame,
            temporal=self.attention.temporal and noise_share >= self.attention.temporal_until,
            features=self.optimisation.is_on and schedule_share < self.optimisation.until,
        )

    def map(self, height: int, width: int) -> MapGuidance:
        """What the flow says at a map's size."""
        size = (height, width)
        if size not in self.maps:
            self.maps[size] = MapGuidance.of(self.correspondence, height, width, self.smoothing)
        return self.maps[size]

    def target(self, block: int) -> SimilarityTarget:
        """The self-similarity that a decoder block's input features should have.

        Raises:
            KeyError: the reference pass did not keep this block's features.
        """
        if block not in self._targets:
            features = self.reference.features[block][-self.frame_count :]
            self._targets[block] = SimilarityTarget.of(to_tokens(features))
        return self._targets[block]


@dataclass(frozen=True, kw_only=True)
class GuidanceStep:
    """The guidance of a batch as it acts on one denoising step."""

    guidance: Guidance
    spatial: bool
    cross_frame: bool
    temporal: bool
    features: bool

    @property
    def frames(self) -> int:
        """How many frames the batch has."""
        return self.guidance.frame_count

    @property
    def guides_attention(self) -> bool:
        """Whether any self-attention is changed on this step."""
        across_frames = self.guidance.frame_count > 1 and (self.cross_frame or self.temporal)
        return self.spatial or across_frames

    def layer(self, name: str, height: int, width: int) -> LayerGuidance:
        """What the self-attention layer `name` is given, working on maps of height by width.

        Raises:
            KeyError: the reference pass did not keep this layer, or kept another size of it.
        """
        settings, map_ = self.guidance.attention, self.guidance.map(height, width)
        return LayerGuidance(
            frames=self.guidance.frame_count,
            reference=self._reference(name, height * width) if self.spatial else None,
            spatial_scale=settings.spatial_scale,
            attended=map_.attended if self.cross_frame else None,
            paths=map_.paths if self.temporal else None,
            temporal_scale=settings.temporal_scale,
        )

    def _reference(self, name: str, tokens: int) -> tuple[Tensor, Tensor]:
        query, key = self.guidance.reference.attention[name]
        if query.shape[0] % self.guidance.frame_count or query.shape[1] != tokens:
            raise KeyError(f"{name}: the reference is {tuple(query.shape)}, not of {tokens} tokens")
        return query, key

    def optimises(self, block: int) -> bool:
        """Whether the decoder block's input features are optimised on this step."""
        settings = self.guidance.optimisation
        has_loss = settings.spatial or (settings.temporal and self.guidance.frame_count > 1)
        return self.features and has_loss and block in settings.blocks

    def optimise(self, block: int, features: Tensor) -> Tensor:
        """The decoder block's input features, (b f) c h w, made consistent (Eq. 4).

        Raises:
            KeyError: the reference pass did not keep this block's features.
        """
        settings = self.guidance.optimisation
        map_ = self.guidance.map(features.shape[-2], features.shape[-1])
        optimised = optimise(
            features,
            self.guidance.frame_count,
            map_.consistency if settings.temporal else None,
            self.guidance.target(block) if settings.spatial else None,
            settings,
        )
        if map_.background is None:
            return optimised
        halves = optimised.split(self.guidance.frame_count)
        return torch.cat([map_.background.carry(x) for x in halves])
