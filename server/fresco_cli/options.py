"""Options that several commands share, and how they become settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import ControlKind, InterpolationKind, RestyleSettings

_LOOK = "Look"
_METHOD = "Method"
_MODEL = "Model"
_TELLING = "Telling"

ClipPath = Annotated[
    Path,
    typer.Argument(
        metavar="CLIP",
        help="A video file, a folder of pictures, one picture of a sequence, or name_%04d.png.",
        show_default=False,
    ),
]
FrameRate = Annotated[
    str | None,
    typer.Option(
        metavar="RATE", help="Frames per second of an image sequence: 24, 25, 30000/1001."
    ),
]
Prompt = Annotated[
    str, typer.Option("--prompt", "-p", metavar="TEXT", help="How the clip is to look.")
]
NegativePrompt = Annotated[
    str, typer.Option(metavar="TEXT", help="What it is not to look like.", rich_help_panel=_LOOK)
]
FramePrompts = Annotated[
    list[str] | None,
    typer.Option(
        "--frame-prompt",
        metavar="N=TEXT",
        help="Words added to the prompt of keyframe N; may be repeated.",
        rich_help_panel=_LOOK,
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="draft, standard or best: time against quality.", rich_help_panel=_LOOK
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Another seed gives another result; default 0.", rich_help_panel=_LOOK
    ),
]
Strength = Annotated[
    float | None,
    typer.Option(
        metavar="F",
        help="How far the result may leave the clip, above 0 to 1; default: the model's.",
        rich_help_panel=_LOOK,
    ),
]
KeepColours = Annotated[
    float | None,
    typer.Option(
        metavar="F",
        help="How much of the clip's colours is kept, 0 to 1; default 0.",
        rich_help_panel=_LOOK,
    ),
]
Colourise = Annotated[
    bool,
    typer.Option(
        "--colourise", help="Keep the clip's lightness, change only colours.", rich_help_panel=_LOOK
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Denoising steps; default: the model's.", rich_help_panel=_METHOD
    ),
]
Guidance = Annotated[
    float | None,
    typer.Option(
        metavar="F",
        help="How strictly the prompt is followed, 0 to 50; default: the model's.",
        rich_help_panel=_METHOD,
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Short side in pixels the model works at, 64 to 2048; default 512.",
        rich_help_panel=_METHOD,
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Keyframes translated together; default 8.", rich_help_panel=_METHOD
    ),
]
Gaps = Annotated[
    str | None,
    typer.Option(
        "--keyframes",
        metavar="MIN:MAX",
        help="Frames from one keyframe to the next; default 5:20.",
        rich_help_panel=_METHOD,
    ),
]
Range = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="A:B",
        help="Frames A to B-1 only, counted from 0; A: and :B leave one end open.",
    ),
]
SpatialAttention = Annotated[
    bool,
    typer.Option(
        "--spatial-attention/--no-spatial-attention",
        help="Attention that keeps the clip's self-similarity.",
        rich_help_panel=_METHOD,
    ),
]
CrossFrame = Annotated[
    bool,
    typer.Option(
        "--cross-frame/--no-cross-frame",
        help="Attention that shares appearance between keyframes.",
        rich_help_panel=_METHOD,
    ),
]
TemporalAttention = Annotated[
    bool,
    typer.Option(
        "--temporal-attention/--no-temporal-attention",
        help="Attention along the motion of every point.",
        rich_help_panel=_METHOD,
    ),
]
Optimisation = Annotated[
    bool,
    typer.Option(
        "--optimisation/--no-optimisation",
        help="Optimisation of the features.",
        rich_help_panel=_METHOD,
    ),
]
Smoothing = Annotated[
    bool | None,
    typer.Option(
        "--smoothing/--no-smoothing",
        help="Smoothing of the background; default: off with --preset draft, else on.",
        rich_help_panel=_METHOD,
    ),
]
Interpolation = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="How the frames between keyframes are made: patch, or flow, which is quicker; "
        "default: patch, with --preset draft flow.",
        rich_help_panel=_METHOD,
    ),
]
FreeU = Annotated[
    bool,
    typer.Option(
        "--free-u", help="Re-weight the decoder's features (FreeU).", rich_help_panel=_METHOD
    ),
]
ModelSource = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="ID|DIR|FILE",
        help="A hub id, a diffusers folder or a .safetensors file; default: the bundled model.",
        rich_help_panel=_MODEL,
    ),
]
Control = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="tile, canny, hed, depth or none; default: the model's.",
        rich_help_panel=_MODEL,
    ),
]
ControlScale = Annotated[
    float | None,
    typer.Option(
        metavar="F",
        help="How strongly the clip's structure binds, 0 to 5; default: the model's.",
        rich_help_panel=_MODEL,
    ),
]
ControlModel = Annotated[
    str | None,
    typer.Option(
        metavar="ID|DIR|FILE",
        help="A ControlNet to use instead of the model's.",
        rich_help_panel=_MODEL,
    ),
]
Loras = Annotated[
    list[str] | None,
    typer.Option(
        "--lora",
        metavar="FILE[:W]",
        help="A LoRA and its weight; may be repeated.",
        rich_help_panel=_MODEL,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="cpu, cuda, cuda:1 or mps; default: the best there is.",
        rich_help_panel=_MODEL,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=_TELLING)
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Write JSON to stdout.", rich_help_panel=_TELLING)
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", help="Show log lines and, after an error, where.", rich_help_panel=_TELLING
    ),
]


def parse_range(text: str | None) -> tuple[int, int | None]:
    """First frame and the frame after the last from `A:B`, `A:` or `:B`.

    Raises:
        InvalidSettings: the text has another form.
    """
    found = re.fullmatch(r"(\d*):(\d*)", text or ":")
    if found is None:
        raise InvalidSettings("range", f"{text!r} is not of the form A:B, for example 0:48 or 24:")
    return int(found[1] or 0), int(found[2]) if found[2] else None


def parse_gaps(text: str | None) -> tuple[int, int]:
    """Smallest and largest distance of keyframes from `MIN:MAX`.

    Raises:
        InvalidSettings: the text has another form.
    """
    found = re.fullmatch(r"(\d+):(\d+)", text or "5:20")
    if found is None:
        raise InvalidSettings("keyframes", f"{text!r} is not of the form MIN:MAX, for example 5:20")
    return int(found[1]), int(found[2])


def parse_frame_prompts(texts: list[str] | None) -> dict[int, str]:
    """Words by frame index from `N=TEXT`.

    Raises:
        InvalidSettings: a text has another form.
    """
    prompts: dict[int, str] = {}
    for text in texts or ():
        index, sign, words = text.partition("=")
        if not (sign and index.strip().isdecimal() and words.strip()):
            raise InvalidSettings(
                "frame-prompt", f"{text!r} is not of the form N=TEXT, for example 48='snow falls'"
            )
        prompts[int(index)] = words.strip()
    return prompts


def parse_frame_rate(text: str | None) -> Fraction | None:
    """An exact rate from `24`, `23.976` or `24000/1001`.

    Raises:
        InvalidSettings: the text is no positive number.
    """
    if text is None:
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise InvalidSettings(
            "frame-rate", f"{text!r} is no positive number; give for example 25 or 30000/1001"
        )
    return rate


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user chose of the settings; `None` leaves a value to the preset or the model."""

    prompt: str
    negative_prompt: str = ""
    frame_prompts: list[str] | None = None
    preset: str = "standard"
    seed: int | None = None
    strength: float | None = None
    keep_colours: float | None = None
    colourise: bool = False
    steps: int | None = None
    guidance: float | None = None
    control: str | None = None
    control_scale: float | None = None
    size: int | None = None
    batch: int | None = None
    gaps: str | None = None
    frames: str | None = None
    spatial_attention: bool = True
    cross_frame: bool = True
    temporal_attention: bool = True
    optimisation: bool = True
    smoothing: bool | None = None
    free_u: bool = False
    interpolation: str | None = None

    def settings(self) -> RestyleSettings:
        """The settings: the preset's, with what was chosen put in its place.

        Raises:
            InvalidSettings: a value is out of range or of another form.
        """
        start, stop = parse_range(self.frames)
        keyframe_min, keyframe_max = parse_gaps(self.gaps)
        settings = replace(
            RestyleSettings(prompt=self.prompt).with_preset(self.preset),
            negative_prompt=self.negative_prompt,
            keyframe_prompts=parse_frame_prompts(self.frame_prompts),
            start=start,
            stop=stop,
            keyframe_min=keyframe_min,
            keyframe_max=keyframe_max,
            colourise=self.colourise,
            free_u=self.free_u,
            **self._chosen_values(),
        )
        return self._with_switches(settings)

    def _chosen_values(self) -> dict[str, Any]:
        values = {
            "seed": self.seed,
            "strength": self.strength,
            "keep_colours": self.keep_colours,
            "steps": self.steps,
            "guidance_scale": self.guidance,
            "control": cast(ControlKind | None, self.control),
            "control_scale": self.control_scale,
            "size": self.size,
            "batch_size": self.batch,
            "interpolation": cast(InterpolationKind | None, self.interpolation),
        }
        return {name: value for name, value in values.items() if value is not None}

    def _with_switches(self, settings: RestyleSettings) -> RestyleSettings:
        attention = replace(
            settings.attention,
            spatial=self.spatial_attention,
            cross_frame=self.cross_frame,
            temporal=self.temporal_attention,
        )
        optimisation = settings.optimisation
        if not self.optimisation:
            optimisation = replace(optimisation, temporal=False, spatial=False)
        smoothing = settings.smoothing
        if self.smoothing is not None:
            smoothing = replace(smoothing, is_on=self.smoothing)
        return replace(
            settings, attention=attention, optimisation=optimisation, smoothing=smoothing
        )
