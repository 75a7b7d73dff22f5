"""How the options of the commands are given, and the groups of them that several share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fresco_cli.parsing import chosen, given_place, place, source, source_place

_MODEL = "Model"
_DAEMON = "Daemon"
_MESSAGES = "Messages"

ClipPath = Annotated[
    Path,
    typer.Argument(
        parser=given_place,
        metavar="CLIP",
        help="A video file, a folder of pictures, one picture of a sequence, or name_%04d.png.",
        show_default=False,
    ),
]
FrameRate = Annotated[
    str | None,
    typer.Option(
        parser=chosen,
        metavar="RATE",
        help="Frames per second of an image sequence: 24, 25, 30000/1001.",
    ),
]
ModelSource = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="ID|DIR|FILE",
        parser=source,
        help="A hub id, a diffusers folder or a .safetensors file; default: the bundled model.",
        rich_help_panel=_MODEL,
    ),
]
ControlModel = Annotated[
    str | None,
    typer.Option(
        metavar="ID|DIR|FILE",
        parser=source,
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
Vae = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|DIR|NAME",
        help="A VAE to use instead of the model's, or its name in a folder of models.",
        rich_help_panel=_MODEL,
    ),
]
ModelFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--models",
        parser=source_place,
        metavar="DIR",
        help="Where files that prompts name lie, also another program's; may be repeated.",
        rich_help_panel=_MODEL,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        parser=chosen,
        metavar="NAME",
        help="cpu, cuda, cuda:1 or mps; default: the best there is.",
        rich_help_panel=_MODEL,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=_MESSAGES)
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Write JSON to stdout.", rich_help_panel=_MESSAGES)
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", help="Show log lines and, after an error, where.", rich_help_panel=_MESSAGES
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
        parser=source_place,
        metavar="DIR",
        help="The daemon's data folder; default: FRESCO_DATA, else the user's own.",
        rich_help_panel=_DAEMON,
    ),
]
DaemonAddress = Annotated[
    str | None,
    typer.Option(
        "--daemon",
        parser=source,
        metavar="HOST:PORT",
        help="A daemon elsewhere, instead of this machine's.",
        rich_help_panel=_DAEMON,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        parser=source_place,
        help="Holds the daemon's token.",
        rich_help_panel=_DAEMON,
    ),
]
TlsCertificate = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert",
        parser=source_place,
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
class DestinationOptions:
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
    vae: Vae = None
    models: ModelFolders = None
    device: Device = None


@dataclass(frozen=True, kw_only=True)
class DaemonOptions:
    """Which daemon: that of a data folder of this machine, or one elsewhere."""

    data: Data = None
    daemon: DaemonAddress = None
    token_file: TokenFile = None
    tls_cert: TlsCertificate = None


@dataclass(frozen=True, kw_only=True)
class ReportingOptions:
    """What a command says while it works."""

    quiet: Quiet = False
    as_json: AsJson = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class AnswerOptions:
    """What a command says whose answer is all there is to say."""

    as_json: AsJson = False
    debug: Debug = False
