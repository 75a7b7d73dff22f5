"""Everything a user can choose about a restyle: declared here once, for all front ends.

A new setting is a field here, a field of the same name in the contract (`settings.proto`), and the
place that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal, get_args

from fresco_settings.declaration import Setting, check_fields, parameters_of, translate
from fresco_settings.errors import InvalidSettings

ControlKind = Literal["tile", "canny", "hed", "depth", "none"]
CONTROL_KINDS: tuple[ControlKind, ...] = get_args(ControlKind)
InterpolationKind = Literal["patch", "flow"]
INTERPOLATION_KINDS: tuple[InterpolationKind, ...] = get_args(InterpolationKind)
PRESETS = ("draft", "standard", "best")
MOST_GAP = 1000
"""Frames from one keyframe to the next."""
_LARGEST_SEED = 2**63 - 1
_MOST_FRAMES = 2**31 - 1

_LOOK = translate("Setting", "Look")
_STRUCTURE = translate("Setting", "Structure")
_PART = translate("Setting", "Part of the clip")
_QUALITY = translate("Setting", "Quality")
_KEYFRAMES = translate("Setting", "Keyframes")
_CONSISTENCY = translate("Setting", "Consistency between frames")
_REFINEMENT = translate("Setting", "Refinement of motion and layout")
_BACKGROUND = translate("Setting", "Background smoothing")
_THE_MODELS = translate("Setting", "the model's")


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
    (15 of 20 in the paper's setting). `blocks` are the decoder blocks it is applied to.
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
            group=_BACKGROUND,
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
            group=_BACKGROUND,
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
            group=_BACKGROUND,
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
            group=_BACKGROUND,
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


@dataclass(frozen=True, kw_only=True)
class RestyleSettings:
    """What to do with a clip. `None` means: as the style says, else as the model recommends.

    `style` names a look that the model knows; with one the prompt may be empty. `style_prompt`,
    its words, are added to the prompt by the engine and are nobody's to choose.
    `strength` is the share of the schedule that is denoised: 1 starts from pure noise. `start` and
    `stop` select source frames (half open); all indices of frames are those of the source.
    The first and the last frame of every shot always are keyframes, and so is what has a picture.
    """

    prompt: Annotated[
        str,
        Setting(
            title=translate("Setting", "Prompt"),
            help="How the clip is to look; not needed with a style",
            group=_LOOK,
            is_basic=True,
            metavar="TEXT",
        ),
    ]
    style: Annotated[
        str | None,
        Setting(
            title=translate("Setting", "Style"),
            help="A look that the model knows, with the settings that suit it",
            group=_LOOK,
            default_text=translate("Setting", "none"),
            is_basic=True,
            metavar="NAME",
        ),
    ] = None
    style_prompt: str | None = None
    negative_prompt: Annotated[
        str | None,
        Setting(
            title=translate("Setting", "Negative prompt"),
            help="What it is not to look like; no effect at a guidance of 1 or less",
            group=_LOOK,
            default_text=translate("Setting", "the style's, else none"),
            is_basic=True,
            metavar="TEXT",
        ),
    ] = None
    preset: Annotated[
        str,
        Setting(
            title=translate("Setting", "Quality"),
            help="Time against quality; settings chosen by hand win",
            group=_LOOK,
            choices=PRESETS,
            is_basic=True,
            metavar="NAME",
        ),
    ] = "standard"
    strength: Annotated[
        float | None,
        Setting(
            title=translate("Setting", "Strength"),
            help="How far the result may leave the clip",
            group=_LOOK,
            low=0,
            low_is_open=True,
            high=1,
            default_text=_THE_MODELS,
            is_basic=True,
        ),
    ] = None
    keep_colours: Annotated[
        float,
        Setting(
            title=translate("Setting", "Keep colours"),
            help="How much of the clip's colours is kept",
            group=_LOOK,
            low=0,
            high=1,
            is_basic=True,
        ),
    ] = 0.0
    colourise: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Colourise"),
            help="Keep the clip's lightness, change only its colours",
            group=_LOOK,
            is_basic=True,
        ),
    ] = False
    seed: Annotated[
        int,
        Setting(
            title=translate("Setting", "Seed"),
            help="Another seed, another result; the same seed, the same result",
            group=_LOOK,
            low=0,
            high=_LARGEST_SEED,
            is_basic=True,
        ),
    ] = 0
    control: Annotated[
        ControlKind | None,
        Setting(
            title=translate("Setting", "Structure"),
            help="What of the clip's structure binds",
            group=_STRUCTURE,
            default_text=_THE_MODELS,
            is_basic=True,
            metavar="KIND",
        ),
    ] = None
    control_scale: Annotated[
        float | None,
        Setting(
            title=translate("Setting", "Structure strength"),
            help="How strongly the clip's structure binds",
            group=_STRUCTURE,
            low=0,
            high=5,
            default_text=_THE_MODELS,
            is_basic=True,
        ),
    ] = None
    start: Annotated[
        int,
        Setting(
            title=translate("Setting", "First frame"),
            help="First frame to restyle, counted from 0",
            group=_PART,
            low=0,
            high=_MOST_FRAMES,
            is_basic=True,
            of_clip=True,
            needs_clip=True,
            option="--range",
        ),
    ] = 0
    stop: Annotated[
        int | None,
        Setting(
            title=translate("Setting", "Stop before frame"),
            help="One past the last frame to restyle, counted from 0",
            group=_PART,
            low=1,
            high=_MOST_FRAMES,
            default_text=translate("Setting", "the clip's end"),
            is_basic=True,
            of_clip=True,
            needs_clip=True,
            option="--range",
        ),
    ] = None
    steps: Annotated[
        int | None,
        Setting(
            title=translate("Setting", "Steps"),
            help="Denoising steps: more take longer",
            group=_QUALITY,
            low=1,
            high=1000,
            default_text=_THE_MODELS,
        ),
    ] = None
    guidance_scale: Annotated[
        float | None,
        Setting(
            title=translate("Setting", "Guidance"),
            help="How strictly the prompt is followed",
            group=_QUALITY,
            low=0,
            high=50,
            default_text=_THE_MODELS,
            option="--guidance",
        ),
    ] = None
    size: Annotated[
        int,
        Setting(
            title=translate("Setting", "Working size"),
            help="Short side at which the model works; the result has the clip's size",
            group=_QUALITY,
            low=64,
            high=2048,
            unit="px",
            presets={"draft": 384},
        ),
    ] = 512
    interpolation: Annotated[
        InterpolationKind,
        Setting(
            title=translate("Setting", "Frames between"),
            help="How frames between keyframes are made; flow is quicker",
            group=_QUALITY,
            presets={"draft": "flow"},
            needs_clip=True,
            metavar="KIND",
        ),
    ] = "patch"
    free_u: Annotated[
        bool,
        Setting(
            title=translate("Setting", "FreeU"),
            help="Re-weight the decoder's features (FreeU)",
            group=_QUALITY,
        ),
    ] = False
    shared_noise: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Same start noise"),
            help="Give all keyframes the same start noise",
            group=_QUALITY,
            needs_clip=True,
            option="",
        ),
    ] = True
    shared_step_noise: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Same step noise"),
            help="Give all keyframes the same noise in every denoising step",
            group=_QUALITY,
            needs_clip=True,
            option="",
        ),
    ] = True
    batch_size: Annotated[
        int,
        Setting(
            title=translate("Setting", "Keyframes at once"),
            help="Keyframes translated together; not 2",
            group=_KEYFRAMES,
            low=1,
            high=64,
            needs_clip=True,
            option="--batch",
        ),
    ] = 8
    keyframe_min: Annotated[
        int,
        Setting(
            title=translate("Setting", "Least distance"),
            help="Least frames from one keyframe to the next",
            group=_KEYFRAMES,
            low=1,
            high=MOST_GAP,
            unit="frames",
            needs_clip=True,
            option="--keyframes",
        ),
    ] = 5
    keyframe_max: Annotated[
        int,
        Setting(
            title=translate("Setting", "Largest distance"),
            help="Most frames to the next keyframe; at least twice the least, less one",
            group=_KEYFRAMES,
            low=1,
            high=_MOST_FRAMES,
            unit="frames",
            needs_clip=True,
            option="--keyframes",
        ),
    ] = 20
    keyframes: Annotated[
        tuple[int, ...],
        Setting(
            title=translate("Setting", "Keyframes"),
            help="Keyframes chosen by hand",
            group=_KEYFRAMES,
            low=0,
            high=_MOST_FRAMES,
            default_text=translate("Setting", "chosen by what the clip shows"),
            of_clip=True,
            needs_clip=True,
            option="--keyframes",
        ),
    ] = ()
    keyframe_prompts: Annotated[
        Mapping[int, str],
        Setting(
            title=translate("Setting", "Words of keyframes"),
            help="Words added to the prompt of single keyframes",
            group=_KEYFRAMES,
            default_text=translate("Setting", "none"),
            of_clip=True,
            needs_clip=True,
            option="--frame-prompt",
        ),
    ] = field(default_factory=dict[int, str])
    keyframe_seeds: Annotated[
        Mapping[int, int],
        Setting(
            title=translate("Setting", "Seeds of keyframes"),
            help="Seeds of single keyframes",
            group=_KEYFRAMES,
            low=0,
            high=_LARGEST_SEED,
            default_text=translate("Setting", "the seed"),
            of_clip=True,
            needs_clip=True,
            option="",
        ),
    ] = field(default_factory=dict[int, int])
    keyframe_pictures: Annotated[
        Mapping[int, str],
        Setting(
            title=translate("Setting", "Painted keyframes"),
            help="Pictures that are taken as they are for single keyframes",
            group=_KEYFRAMES,
            default_text=translate("Setting", "none"),
            of_clip=True,
            needs_clip=True,
            option="--painted",
        ),
    ] = field(default_factory=dict[int, str])
    attention: AttentionSettings = AttentionSettings()
    optimisation: OptimisationSettings = OptimisationSettings()
    smoothing: SmoothingSettings = SmoothingSettings()

    def __post_init__(self) -> None:
        if not self.prompt.strip() and self.style is None:
            raise InvalidSettings(
                "prompt",
                "it is empty; say how the clip should look, for example 'a watercolour', or "
                "choose a style",
            )
        if self.start < 0 or (self.stop is not None and self.stop <= self.start):
            raise InvalidSettings(
                "start", f"{self.start}:{self.stop} holds no frame; give first:last, counted from 0"
            )
        check_fields(self)
        if self.batch_size == 2:
            raise InvalidSettings(
                "batch_size", "2 leaves no room beside the two anchor frames; use 1, or 3 and more"
            )
        if self.keyframe_max < 2 * self.keyframe_min - 1 and self.keyframe_max != self.keyframe_min:
            raise InvalidSettings(
                "keyframe_max",
                f"gaps of {self.keyframe_min} to {self.keyframe_max} frames cannot always be met; "
                f"let the maximum be at least {2 * self.keyframe_min - 1}",
            )

    def with_preset(self, name: str) -> RestyleSettings:
        """These settings with the costs of a preset, which never makes them larger."""
        chosen: dict[str, Any] = {"preset": name}
        for parameter in parameters_of(type(self)):
            if name in parameter.setting.presets:
                chosen[parameter.name] = parameter.setting.presets[name]
        if "size" in chosen:
            chosen["size"] = min(self.size, chosen["size"])
        return with_values(self, nested(chosen))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path, such as "attention.spatial", as values by field and part."""
    made: dict[str, Any] = {}
    for path, value in values.items():
        part, _, name = path.rpartition(".")
        (made.setdefault(part, {}) if part else made)[name] = value
    return made


def with_values(settings: RestyleSettings, values: Mapping[str, Any]) -> RestyleSettings:
    """`settings` with plain values in the place of its own; those of a part are a mapping.

    Raises:
        InvalidSettings: a value is out of range.
        TypeError: there is no such field.
    """
    made = dict(values)
    for name in ("attention", "optimisation", "smoothing"):
        if name in made:
            made[name] = replace(getattr(settings, name), **_tuples(made[name]))
    return replace(settings, **_tuples(made))


def chosen_settings(values: Mapping[str, Any]) -> RestyleSettings:
    """Settings of which `values` were chosen by hand; the rest is the preset's.

    Raises:
        InvalidSettings: a value is out of range, or the prompt is missing.
    """
    prompt, style = values.get("prompt", ""), values.get("style")
    first = RestyleSettings(prompt=prompt, style=style)
    return with_values(first.with_preset(values.get("preset", first.preset)), values)


def settings_from_dict(values: Mapping[str, Any]) -> RestyleSettings:
    """The settings `as_dict` was made from.

    Raises:
        InvalidSettings: a key is unknown or a value is out of range.
    """
    try:
        first = RestyleSettings(prompt=values["prompt"], style=values.get("style"))
        return with_values(first, values)
    except (KeyError, TypeError) as error:
        raise InvalidSettings(
            "settings", f"{error}; remove what this version does not know"
        ) from error


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as fields hold them: JSON has only lists, and only texts for keys."""
    made = dict(values)
    for name, value in values.items():
        if name.startswith("keyframe_") and isinstance(value, Mapping):
            made[name] = {int(index): one for index, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        elif isinstance(value, (list, tuple)):
            made[name] = tuple(sorted(set(value)))  # pyright: ignore[reportUnknownArgumentType]
    return made
