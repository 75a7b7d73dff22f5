"""How the options of the commands are given, and the groups of them that several share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fresco_cli.parsing import number, place

_LOOK = "Look"
_METHOD = "Method"
_MODEL = "Model"
_DAEMON = "Daemon"
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
    str,
    typer.Option(
        "--prompt", "-p", metavar="TEXT", help="How the clip is to look; with --style not needed."
    ),
]
Style = Annotated[
    str | None,
    typer.Option(
        "--style",
        metavar="NAME",
        help="A look the model knows, with the settings that suit it: see 'fresco models'.",
    ),
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
Painted = Annotated[
    list[str] | None,
    typer.Option(
        "--painted",
        metavar="N=FILE",
        help="A painted picture that is taken as keyframe N; may be repeated.",
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
        parser=number,
        metavar="F",
        help="How far the result may leave the clip, above 0 to 1; default: the model's.",
        rich_help_panel=_LOOK,
    ),
]
KeepColours = Annotated[
    float | None,
    typer.Option(
        parser=number,
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
        parser=number,
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
        help="Frames from one keyframe to the next, default 5:20; or the keyframes: 0,24,48.",
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
        parser=number,
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
Local = Annotated[
    bool,
    typer.Option(
        "--local", help="Work in this process, without a daemon.", rich_help_panel=_DAEMON
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The daemon's data folder; default: FRESCO_DATA, else the user's own.",
        rich_help_panel=_DAEMON,
    ),
]
DaemonAddress = Annotated[
    str | None,
    typer.Option(
        "--daemon",
        metavar="HOST:PORT",
        help="A daemon elsewhere, instead of this machine's.",
        rich_help_panel=_DAEMON,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Holds the daemon's token.", rich_help_panel=_DAEMON),
]
TlsCertificate = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert",
        metavar="FILE.pem",
        help="The daemon's certificate, or its authority's.",
        rich_help_panel=_DAEMON,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        parser=place,
        help="The result: .mp4, .mov, .mkv, or name_%04d.png for images.",
    ),
]
SaveKeyframes = Annotated[
    Path | None,
    typer.Option(metavar="DIR", parser=place, help="Save the restyled keyframes as PNG."),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.json",
        parser=place,
        help="Save settings, times, memory and metrics.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be written, and where."""

    output: Output
    overwrite: Overwrite = False
    save_keyframes: SaveKeyframes = None
    report: ReportFile = None


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which model to load; `None` takes the bundled one and what it recommends."""

    model: ModelSource = None
    control_model: ControlModel = None
    lora: Loras = None
    device: Device = None


@dataclass(frozen=True, kw_only=True)
class DaemonOptions:
    """Which daemon: that of a data folder of this machine, or one elsewhere."""

    data: Data = None
    daemon: DaemonAddress = None
    token_file: TokenFile = None
    tls_cert: TlsCertificate = None


@dataclass(frozen=True, kw_only=True)
class Telling:
    """What a command says while it works."""

    quiet: Quiet = False
    as_json: AsJson = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class ShortTelling:
    """What a command says whose answer is all there is to say."""

    as_json: AsJson = False
    debug: Debug = False
