"""Everything a user can choose about a restyle: declared here once, for all front ends.

A new setting is a field here, a field of the same name in the contract (`settings.proto`), and the
place that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, get_args

from fresco_settings.control_choice import CONTROL_KINDS, STRONGEST_CONTROL, ControlChoice
from fresco_settings.declaration import (
    Setting,
    check_frame_range,
    check_ranges,
    check_types,
    parameters_of,
    translate,
)
from fresco_settings.errors import InvalidSettings
from fresco_settings.flow_choice import FlowChoice
from fresco_settings.parts import (
    BACKGROUND,
    AttentionSettings,
    OptimisationSettings,
    SmoothingSettings,
)
from fresco_settings.plain_values import nested, with_values

InterpolationKind = Literal["patch", "flow"]
INTERPOLATION_KINDS: tuple[InterpolationKind, ...] = get_args(InterpolationKind)
NoiseKind = Literal["flow", "shared", "own"]
NOISE_KINDS: tuple[NoiseKind, ...] = get_args(NoiseKind)
Mode = Literal["restyle", "edit"]
InversionKind = Literal["ddpm", "ddim"]
WeightsKept = Literal["full", "float8"]
Region = Literal["all", "subject", "background", "words"]
SamplerKind = Literal["ddpm", "ddim", "euler-a", "dpm++2m", "unipc", "lcm", "tcd"]
FEW_STEP_SAMPLERS: tuple[SamplerKind, ...] = ("lcm", "tcd")
"""Those for distilled models, which go through all of their steps at any strength."""
KARRAS_SAMPLERS: tuple[SamplerKind, ...] = ("dpm++2m", "unipc")
ETA_SAMPLERS: tuple[SamplerKind, ...] = ("ddim", "tcd")
Spacing = Literal["leading", "trailing", "linspace", "karras"]
PRESETS = ("draft", "standard", "best")
PROMPTS = ("prompt", "source_prompt", "negative_prompt", "keyframe_prompts")
"""Settings that are words of the user's own for the model."""
UPLOAD_PREFIX = "upload:"
"""Before the digest of an upload, where a setting may also name a path."""
MOST_GAP = 1000
"""Frames from one keyframe to the next."""
_LARGEST_SEED = 2**63 - 1
_STRONGEST_REFERENCE = 1.5
_STEEPEST = 2040
"""The greatest gradient that Canny's method can find between 8 bit levels."""
_MOST_FRAMES = 2**31 - 1

_LOOK = translate("Setting", "Look")
_STRUCTURE = translate("Setting", "Structure")
_EDIT = translate("Setting", "Edit")
_PART = translate("Setting", "Part of the clip")
_FINE_TUNING = translate("Setting", "Fine tuning")
_KEYFRAMES = translate("Setting", "Keyframes")
_NOISE_TEXTS = {
    "flow": "moves with what the clip shows",
    "shared": "the same for all keyframes, so that texture stays on the screen",
    "own": "another for each keyframe",
}
_CONTROL_TEXTS = {
    "tile": "the frame itself",
    "canny": "its hard edges",
    "hed": "its soft edges, found by a network (29 MB)",
    "depth": "how near things are, found by a network (99 MB)",
    "openpose": "how people stand, found by networks (430 MB)",
    "lineart": "a line drawing of it, made by a network (17 MB)",
}
_THE_MODELS = translate("Setting", "the model's")


@dataclass(frozen=True, kw_only=True)
class RestyleSettings:
    """What to do with a clip. `None` means: as the style says, else as the model recommends.

    `style_prompt`, the words of a style, or those of several with their shares, are added by the
    engine and are nobody's to choose.
    `strength` is the share of the schedule that is denoised: 1 starts from pure noise. `start` and
    `stop` select source frames (half open); all indices of frames are those of the source.
    The first and the last frame of every shot always are keyframes, and so is what has a picture.
    """

    mode: Annotated[
        Mode,
        Setting(
            title=translate("Setting", "Mode"),
            help="Paint the whole picture anew, or change only what the words change",
            group=_LOOK,
            choice_texts={
                translate("Setting", "restyle"): "another look for the whole picture",
                translate(
                    "Setting", "edit"
                ): "what words change is changed; layout, motion and detail stay",
            },
            is_basic=True,
            metavar="MODE",
        ),
    ] = "restyle"
    source_prompt: Annotated[
        str,
        Setting(
            title=translate("Setting", "What the clip shows"),
            help="In an edit, the prompt's words as they are true of the clip",
            group=_LOOK,
            default_text=translate("Setting", "nothing is said"),
            is_basic=True,
            of_mode="edit",
            metavar="TEXT",
            option="--from",
        ),
    ] = ""
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
            help="A look that the model knows, or several mixed, with what suits it",
            group=_LOOK,
            default_text=translate("Setting", "none"),
            details="it adds its words to the prompt; what is set by hand wins. Several have a "
            "share each, as oil:0.7,neon:0.3; a single share above 1, as oil:1.3, pushes a look",
            is_basic=True,
            metavar="NAME",
        ),
    ] = None
    style_prompt: str | Mapping[str, float] | None = None
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
            choice_texts={
                "draft": "quick, to see what comes out",
                "standard": "the usual",
                "best": "slow, for the final shot",
            },
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
    reference: Annotated[
        str | None,
        Setting(
            title=translate("Setting", "Reference"),
            help="A picture whose look is taken, beside the prompt or in its place",
            group=_LOOK,
            default_text=translate("Setting", "none"),
            details="read by networks, an IP-Adapter and CLIP's image encoder (45 MB and 2.5 GB), "
            "which are fetched when they are first wanted, for Stable Diffusion 1.5; only the "
            "middle square of the picture is seen",
            is_basic=True,
            metavar="PICTURE",
        ),
    ] = None
    reference_scale: Annotated[
        float,
        Setting(
            title=translate("Setting", "Reference strength"),
            help="How much the reference picture counts beside the prompt",
            group=_LOOK,
            low=0,
            high=_STRONGEST_REFERENCE,
            is_basic=True,
        ),
    ] = 0.6
    control: Annotated[
        str | None,
        Setting(
            title=translate("Setting", "Structure"),
            help="What of the clip's structure binds",
            group=_STRUCTURE,
            suggestions=CONTROL_KINDS,
            choice_texts=_CONTROL_TEXTS,
            details="several bind at once as depth:0.6,canny:0.4, where each number takes the "
            "place of the structure strength",
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
            high=STRONGEST_CONTROL,
            default_text=_THE_MODELS,
            is_basic=True,
        ),
    ] = None
    canny_low: Annotated[
        int,
        Setting(
            title=translate("Setting", "Faint edges"),
            help="Contrast from which canny goes on along an edge",
            group=_STRUCTURE,
            low=0,
            high=_STEEPEST,
        ),
    ] = 50
    canny_high: Annotated[
        int,
        Setting(
            title=translate("Setting", "Clear edges"),
            help="Contrast from which canny begins an edge; less finds more",
            group=_STRUCTURE,
            low=0,
            high=_STEEPEST,
        ),
    ] = 100
    keep: Annotated[
        float,
        Setting(
            title=translate("Setting", "Keep"),
            help="In an edit, how much of the clip's detail stays",
            group=_EDIT,
            low=0,
            high=1,
            is_basic=True,
            of_mode="edit",
        ),
    ] = 1.0
    inversion: Annotated[
        InversionKind,
        Setting(
            title=translate("Setting", "Inversion"),
            help="In an edit, how the way back to the clip is found",
            group=_EDIT,
            choice_texts={
                "ddpm": "exact, with every sampler",
                "ddim": "nearly exact, smoother, four times as slow; wants 20 steps or more",
            },
            of_mode="edit",
            metavar="KIND",
        ),
    ] = "ddpm"
    hold_layout: Annotated[
        float,
        Setting(
            title=translate("Setting", "Hold layout"),
            help="In an edit, share of the steps that keep the clip's own layout",
            group=_EDIT,
            low=0,
            high=1,
            details="the clip's own self-attention and features (plug-and-play); each such step "
            "takes half as long again, or more",
            of_mode="edit",
        ),
    ] = 0.0
    hold_words: Annotated[
        float,
        Setting(
            title=translate("Setting", "Hold shared words"),
            help="In an edit, share of the steps in which words of both prompts stay put",
            group=_EDIT,
            low=0,
            high=1,
            details="the clip's own cross-attention to them (prompt-to-prompt)",
            of_mode="edit",
        ),
    ] = 0.0
    region: Annotated[
        Region,
        Setting(
            title=translate("Setting", "Where"),
            help="Where the clip is changed; elsewhere it keeps its own pixels",
            group=_PART,
            choice_texts={
                "all": "everywhere",
                "subject": "the subject, by its mask, its name or its motion",
                "background": "what surrounds the subject",
                "words": "where the words of an edit differ; a mask goes before it",
            },
            is_basic=True,
            metavar="WHERE",
        ),
    ] = "all"
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
            group=_FINE_TUNING,
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
            group=_FINE_TUNING,
            low=0,
            high=50,
            default_text=_THE_MODELS,
            option="--guidance",
        ),
    ] = None
    guidance_rescale: Annotated[
        float | None,
        Setting(
            title=translate("Setting", "Guidance rescale"),
            help="How far guidance is kept from making contrasts harsh",
            group=_FINE_TUNING,
            low=0,
            high=1,
            default_text=translate("Setting", "0, for models that end in pure noise 0.7"),
        ),
    ] = None
    sampler: Annotated[
        SamplerKind | None,
        Setting(
            title=translate("Setting", "Sampler"),
            help="How denoising steps follow each other; the bundled model knows ddpm",
            group=_FINE_TUNING,
            default_text=_THE_MODELS,
            choice_texts={
                "ddpm": "as the method was published",
                "ddim": "the same, with as much noise as eta says",
                "euler-a": "noise in every step, fewer steps do",
                "dpm++2m": "no noise in the steps, 10 to 25 do",
                "unipc": "no noise in the steps, 5 to 20 do",
                "lcm": "for LCM models and LoRAs, 2 to 8 steps",
                "tcd": "for TCD and one-step Hyper-SD LoRAs, 1 to 8 steps",
            },
            metavar="NAME",
        ),
    ] = None
    spacing: Annotated[
        Spacing | None,
        Setting(
            title=translate("Setting", "Step spacing"),
            help="How steps are spread over the noise schedule",
            group=_FINE_TUNING,
            default_text=_THE_MODELS,
            choice_texts={
                "trailing": "from the very end of the schedule",
                "karras": "finer where there is little noise, for dpm++2m and unipc",
            },
            details="lcm and tcd have their own",
            metavar="NAME",
        ),
    ] = None
    eta: Annotated[
        float | None,
        Setting(
            title=translate("Setting", "Eta"),
            help="Noise that steps add, for ddim and tcd: 0 none, 1 all",
            group=_FINE_TUNING,
            low=0,
            high=1,
            default_text=translate("Setting", "0, with tcd 0.3"),
        ),
    ] = None
    clip_skip: Annotated[
        int | None,
        Setting(
            title=translate("Setting", "Clip skip"),
            help="Layer of the text encoder, from its end, that reads the prompt",
            group=_FINE_TUNING,
            low=1,
            high=12,
            default_text=_THE_MODELS,
            details="1 is the last; many models for drawn looks want 2",
        ),
    ] = None
    size: Annotated[
        int,
        Setting(
            title=translate("Setting", "Working size"),
            help="Short side at which the model works; the result has the clip's size",
            group=_FINE_TUNING,
            low=64,
            high=2048,
            unit="px",
            presets={"draft": 384},
            details="less for clips longer than 8:1",
        ),
    ] = 512
    interpolation: Annotated[
        InterpolationKind,
        Setting(
            title=translate("Setting", "Frames between"),
            help="How frames between keyframes are made; flow is quicker",
            group=_FINE_TUNING,
            presets={"draft": "flow"},
            choice_texts={
                "patch": "search patches where motion alone tears the picture",
                "flow": "follow motion only, several times quicker",
            },
            needs_clip=True,
            metavar="KIND",
        ),
    ] = "patch"
    flow: Annotated[
        str,
        Setting(
            title=translate("Setting", "Optical flow"),
            help="How motion is found: dis, or gmflow, a network for wide motion",
            group=_FINE_TUNING,
            needs_clip=True,
            metavar="dis|gmflow[:FILE]",
            details="gmflow wants its weights, gmflow_sintel-0c07dcb3.pth, and a GPU to be quick; "
            "without FILE they are taken from the hub's cache, or fetched",
        ),
    ] = "dis"
    reference_model: Annotated[
        str | None,
        Setting(
            title=translate("Setting", "Reference model"),
            help="IP-Adapter that reads the reference: a file, or its name in a folder",
            group=_FINE_TUNING,
            default_text=translate("Setting", "ip-adapter_sd15 where it is found, else fetched"),
            details="ip-adapter-plus_sd15 keeps more of the picture, ip-adapter_sd15_light less",
            metavar="FILE",
        ),
    ] = None
    free_u: Annotated[
        bool,
        Setting(
            title=translate("Setting", "FreeU"),
            help="Re-weight the decoder's features (FreeU)",
            group=_FINE_TUNING,
        ),
    ] = False
    weights: Annotated[
        WeightsKept,
        Setting(
            title=translate("Setting", "Weights in memory"),
            help="How the model's weights are kept on the device",
            group=_FINE_TUNING,
            choice_texts={
                translate("Setting", "full"): "as the device works with them",
                translate("Setting", "float8"): "in 8 bits: less memory, a trace coarser, slower",
            },
            metavar="KIND",
        ),
    ] = "full"
    compile: Annotated[
        bool,
        Setting(
            title=translate("Setting", "Compile the networks"),
            help="Compile first, which takes minutes: for long clips on graphics cards",
            group=_FINE_TUNING,
        ),
    ] = False
    start_noise: Annotated[
        NoiseKind,
        Setting(
            title=translate("Setting", "Start noise"),
            help="Whose noise a keyframe starts from",
            group=_FINE_TUNING,
            choice_texts=_NOISE_TEXTS,
            needs_clip=True,
            metavar="KIND",
        ),
    ] = "flow"
    step_noise: Annotated[
        NoiseKind,
        Setting(
            title=translate("Setting", "Step noise"),
            help="Whose noise every denoising step adds",
            group=_FINE_TUNING,
            choice_texts=_NOISE_TEXTS,
            needs_clip=True,
            metavar="KIND",
        ),
    ] = "flow"
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
    anchors_first: Annotated[
        int,
        Setting(
            title=translate("Setting", "Anchors first"),
            help="One keyframe of every N batches first: devices can share a shot",
            group=_KEYFRAMES,
            low=0,
            high=16,
            unit="batches",
            needs_clip=True,
            default_text=translate("Setting", "0: one batch after the other"),
            metavar="N",
        ),
    ] = 0
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
    attention: AttentionSettings = field(default_factory=AttentionSettings)
    optimisation: OptimisationSettings = field(default_factory=OptimisationSettings)
    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)
    subject: Annotated[
        str | None,
        Setting(
            title=translate("Setting", "Subject"),
            help="What the clip is about, in words, as: the train",
            group=BACKGROUND,
            default_text=translate("Setting", "found by motion"),
            details="found by a network (603 MB), which is fetched when it is first wanted; takes "
            "the place of what is found by motion; a mask goes before it",
            of_clip=True,
            metavar="WORDS",
        ),
    ] = None
    subject_mask: Annotated[
        str | None,
        Setting(
            title=translate("Setting", "Subject mask"),
            help="A clip, or one picture, that is white where the subject is",
            group=BACKGROUND,
            default_text=translate("Setting", "found by motion"),
            details="takes the place of what is found by motion; it may have another size or frame "
            "rate, and soft edges",
            of_clip=True,
            metavar="CLIP",
        ),
    ] = None

    def __post_init__(self) -> None:
        check_types(self)
        if not self.prompt.strip() and self.style is None:
            wanted = (
                "what the clip is to show instead, for example 'a snowy road'"
                if self.is_edit
                else "how the clip should look, for example 'a watercolour'"
            )
            raise InvalidSettings("prompt", f"it is empty; say {wanted}, or choose a style")
        check_frame_range("start", self.start, self.stop)
        check_ranges(self)
        FlowChoice.parse(self.flow)
        if self.control is not None:
            ControlChoice.parse(self.control)
        if self.subject is not None and not self.subject.strip():
            raise InvalidSettings(
                "subject", "it is empty; name the subject, for example 'the train', or leave it out"
            )
        if self.is_edit and self.inversion == "ddim" and self.sampler not in (None, "ddim"):
            raise InvalidSettings(
                "inversion",
                f"ddim goes back along the steps of the sampler ddim, not of {self.sampler}; "
                "choose that sampler, or the inversion ddpm",
            )
        if self.region == "words" and not self.is_edit:
            raise InvalidSettings(
                "region", "words differ only in an edit; choose that mode, or another region"
            )
        for name in ("reference", "reference_model"):
            if getattr(self, name) == "":
                raise InvalidSettings(name, "it is empty; name a file, or leave it out")
        if self.canny_low > self.canny_high:
            raise InvalidSettings(
                "canny_low",
                f"{self.canny_low} is more than the {self.canny_high} at which edges begin; "
                f"use at most {self.canny_high}",
            )
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

    @property
    def is_edit(self) -> bool:
        """Whether what the words do not change is kept."""
        return self.mode == "edit"

    @property
    def is_region_of_words(self) -> bool:
        """Whether words decide where the clip is changed: a mask would go before them."""
        return self.region == "words" and self.subject_mask is None

    @property
    def needs_subject(self) -> bool:
        """Whether it matters what of the clip is its subject."""
        return self.smoothing.is_on or self.region in ("subject", "background")

    @property
    def texts(self) -> tuple[str, ...]:
        """All words of the user's own for the model, see `PROMPTS`."""
        once = (self.prompt, self.source_prompt, self.negative_prompt or "")
        return (*once, *self.keyframe_prompts.values())

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
