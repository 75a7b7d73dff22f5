"""The parts of the method that can be set and switched off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fresco_settings.declaration import Setting, check_fields, translate
from fresco_settings.errors import InvalidSettings

_CONSISTENCY = translate("Setting", "Consistency between frames")
_REFINEMENT = translate("Setting", "Refinement of motion and layout")
BACKGROUND = translate("Setting", "Background smoothing")


@dataclass(frozen=True, kw_only=True)
class AttentionSettings:
    """FRESCO-guided attention (Eq. 7-9); each part can be off.

    `spatial_until` is the share of the run's denoising steps that use spatial guidance, at least
    one step; the published code uses the first step only. `temporal_until` is the noise level, as
    a share of the training schedule, down to which temporal guidance is used.
    """

    spatial: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Keep the layout"),
            help="Attention that keeps what is alike in the clip alike in the result",
            group=_CONSISTENCY,
            needs_clip=True,
            option="--spatial-attention",
        ),
    ] = True
    spatial_scale: Annotated[
        float,
        Setting(
            title=translate("Setting", "Layout sharpness"),
            help="How sharply attention keeps to what is alike in the clip",
            group=_CONSISTENCY,
            low=0.1,
            high=100,
            needs_clip=True,
            option="",
        ),
    ] = 5.0
    spatial_until: Annotated[
        float,
        Setting(
            title=translate("Setting", "Layout steps"),
            help="Share of the denoising steps in which attention keeps the layout",
            group=_CONSISTENCY,
            low=0,
            high=1,
            needs_clip=True,
            option="",
        ),
    ] = 0.05
    cross_frame: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Share appearance"),
            help="Attention that shares appearance between keyframes",
            group=_CONSISTENCY,
            needs_clip=True,
            option="--cross-frame",
        ),
    ] = True
    temporal: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Follow motion"),
            help="Attention along the motion of every point",
            group=_CONSISTENCY,
            needs_clip=True,
            option="--temporal-attention",
        ),
    ] = True
    temporal_scale: Annotated[
        float,
        Setting(
            title=translate("Setting", "Motion sharpness"),
            help="How sharply attention keeps to the motion",
            group=_CONSISTENCY,
            low=0.1,
            high=100,
            needs_clip=True,
            option="",
        ),
    ] = 5.0
    temporal_until: Annotated[
        float,
        Setting(
            title=translate("Setting", "Motion until noise"),
            help="Noise level down to which attention follows motion",
            group=_CONSISTENCY,
            low=0,
            high=1,
            needs_clip=True,
            option="",
        ),
    ] = 0.35

    def __post_init__(self) -> None:
        check_fields(self, "attention")


@dataclass(frozen=True, kw_only=True)
class OptimisationSettings:
    """FRESCO-aware feature optimisation (Eq. 4-6); either loss can be off.

    `until` is the share of the whole schedule, counting the steps SDEdit skips, that is optimised
    (15 of 20 in the paper's setting). `blocks` are the decoder blocks it is applied to, of which 3
    is the finest; a model with three has 1 to 3.
    """

    temporal: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Refine motion"),
            help="Optimise features to agree along the motion",
            group=_REFINEMENT,
            needs_clip=True,
            option="--optimisation",
        ),
    ] = True
    spatial: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Refine layout"),
            help="Optimise features to keep the clip's layout",
            group=_REFINEMENT,
            needs_clip=True,
            option="--optimisation",
        ),
    ] = True
    iterations: Annotated[
        int,
        Setting(
            title=translate("Setting", "Rounds per step"),
            help="Rounds of the optimisation in each denoising step",
            group=_REFINEMENT,
            low=0,
            high=200,
            presets={"draft": 8},
            needs_clip=True,
            option="",
        ),
    ] = 20
    learning_rate: Annotated[
        float,
        Setting(
            title=translate("Setting", "Learning rate"),
            help="How far each round of the optimisation goes",
            group=_REFINEMENT,
            low=0,
            high=10,
            needs_clip=True,
            option="",
        ),
    ] = 0.4
    spatial_weight: Annotated[
        float,
        Setting(
            title=translate("Setting", "Layout weight"),
            help="Weight of the layout in the optimisation, beside the motion",
            group=_REFINEMENT,
            low=0,
            high=1_000_000,
            needs_clip=True,
            option="",
        ),
    ] = 50.0
    until: Annotated[
        float,
        Setting(
            title=translate("Setting", "Refined steps"),
            help="Share of the denoising steps that are optimised",
            group=_REFINEMENT,
            low=0,
            high=1,
            needs_clip=True,
            option="",
        ),
    ] = 0.75
    blocks: Annotated[
        tuple[int, ...],
        Setting(
            title=translate("Setting", "Decoder blocks"),
            help="Blocks of the model's decoder that are optimised",
            group=_REFINEMENT,
            low=0,
            high=3,
            default_text=translate("Setting", "all, with draft all but the last"),
            presets={"draft": (0, 1, 2)},
            needs_clip=True,
            option="",
        ),
    ] = (0, 1, 2, 3)

    def __post_init__(self) -> None:
        check_fields(self, "optimisation")

    @property
    def is_on(self) -> bool:
        """Whether anything would be optimised at all."""
        return (self.temporal or self.spatial) and self.iterations > 0 and self.until > 0


@dataclass(frozen=True, kw_only=True)
class SmoothingSettings:
    """Smoothing of the background (section 4 of the paper).

    Applied to the pictures of the denoising steps whose position in the schedule lies in
    [start, stop), and to the decoder features of every optimised step.
    """

    is_on: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Smooth background"),
            help="Smooth the background",
            group=BACKGROUND,
            presets={"draft": False},
            needs_clip=True,
            option="--smoothing",
        ),
    ] = True
    start: Annotated[
        float,
        Setting(
            title=translate("Setting", "Smooth from"),
            help="Where smoothing begins, as a share of the denoising steps",
            group=BACKGROUND,
            low=0,
            high=1,
            needs_clip=True,
            option="",
        ),
    ] = 0.8
    stop: Annotated[
        float,
        Setting(
            title=translate("Setting", "Smooth until"),
            help="Where smoothing ends, as a share of the denoising steps",
            group=BACKGROUND,
            low=0,
            high=1,
            needs_clip=True,
            option="",
        ),
    ] = 0.9
    dilation: Annotated[
        int,
        Setting(
            title=translate("Setting", "Foreground margin"),
            help="Pixels by which the foreground is widened first",
            group=BACKGROUND,
            low=0,
            high=101,
            unit="px",
            needs_clip=True,
            option="",
        ),
    ] = 9

    def __post_init__(self) -> None:
        check_fields(self, "smoothing")
        if self.stop < self.start:
            raise InvalidSettings("smoothing.stop", f"{self.stop} is outside {self.start} to 1")
