"""From the command line's values to the client's, and from the client's to the engine's."""

from __future__ import annotations

import json
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import fresco_client as client
from fresco_engine import types as engine

from fresco_cli.choices import LookChoices
from fresco_cli.options import ModelOptions

if TYPE_CHECKING:
    from fresco_media.writing.delivery import Codec

_CONTAINERS: dict[str, client.Container] = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "mkv",
}
_EMPTY_REPORT: dict[str, Any] = {
    "settings": {},
    "model": "",
    "device": "",
    "clip": {},
    "keyframes": (),
    "shots": (),
    "working_size": (0, 0),
    "seconds": {},
    "peak_memory_bytes": 0,
    "metrics": {},
    "warnings": (),
}


def settings_of(choices: LookChoices) -> client.RestyleSettings:
    """What was chosen by hand; all else is left to the daemon."""
    return client.settings_of(choices.values())


def model_of(options: ModelOptions) -> client.ModelChoice:
    """The model; what is a file or folder here is named by its whole path."""
    from fresco_engine.diffusion.lora import Lora

    loras = [Lora.parse(text) for text in options.lora or ()]
    return client.ModelChoice(
        source=place_of(options.model),
        control_source=place_of(options.control_model),
        loras=tuple(
            client.Lora(path=str(lora.path.absolute()), weight=lora.weight) for lora in loras
        ),
        vae=place_of(options.vae),
        folders=tuple(str(folder.expanduser().absolute()) for folder in options.models or ()),
    )


def place_of(source: str | None) -> str:
    """A model as a daemon names it: by its whole path if it is here."""
    if not source:
        return ""
    path = Path(source).expanduser()
    return str(path.absolute()) if path.exists() else source


def output_of(path: Path, codec: Codec) -> client.OutputOptions:
    """How a result at `path` is wanted."""
    if codec == "images":
        return client.OutputOptions(kind="frames")
    # Daemons make what players play; ProRes is the desktop app's, for editors.
    kind = "lossless" if codec == "lossless" else "h264"
    return client.OutputOptions(kind=kind, container=_CONTAINERS[path.suffix.lower()])


def info_of(job: client.Job) -> engine.ClipProperties:
    """The clip of a job as far as the daemon describes it; the frames' times are even ones."""
    info, source = job.clip_info, job.clip
    rate = (info.frame_rate if info else None) or Fraction(24)
    return engine.ClipProperties(
        path=Path((source.path if source else None) or job.title),
        width=info.width if info else 0,
        height=info.height if info else 0,
        frame_rate=rate,
        time_base=1 / rate,
        times=tuple(range(info.frame_count if info else 0)),
        has_audio=info.has_audio if info else False,
        is_sequence=info.is_sequence if info else False,
    )


def report_of(result: client.ResultInfo) -> engine.Report:
    """The report of a job; one that was too long to be sent is left empty."""
    known = {field.name for field in fields(engine.Report)}
    sent = cast(dict[str, Any], json.loads(result.report_json or "{}"))
    values = _EMPTY_REPORT | {name: value for name, value in sent.items() if name in known}
    for name in ("keyframes", "working_size", "warnings"):
        values[name] = tuple(values[name])
    values["shots"] = tuple(tuple(shot) for shot in values["shots"])
    return engine.Report(**values)


def device_of(name: str | None) -> str:
    """A device as daemons name it; the first one of a kind may be named by the kind alone."""
    return "cuda:0" if name == "cuda" else name or ""
