"""The files a command reads, which nothing it writes may replace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fresco_engine.errors import InvalidSettings
from fresco_media.writing.originals import NO_ORIGINALS, Originals
from fresco_settings import FlowChoice

if TYPE_CHECKING:
    from fresco_engine.settings import RestyleSettings
    from fresco_media.types import ClipProperties

    from fresco_cli.options import ModelOptions

_RESULTS = (".mp4", ".m4v", ".mov", ".mkv", ".json")
"""What commands write: one of these may lie among the keys and be replaced."""


def clip_inputs(info: ClipProperties) -> Originals:
    """The clip; of a sequence all its pictures and their folder."""
    from fresco_media.writing.destination import originals_of

    return originals_of(info)


def mask_inputs(info: ClipProperties) -> Originals:
    """The subject's mask, as the clip."""
    from fresco_media.writing.destination import originals_of

    return originals_of(info, "the mask is")


def painted_inputs(files: Iterable[Path | str], folder: Path | None = None) -> Originals:
    """Pictures painted by hand, and the folder they are in if it is theirs."""
    pictures = Originals.of("a painted picture is", *files)
    if folder is None:
        return pictures
    everything: list[Path] = []
    with suppress(OSError):  # What is wrong with it is told when the keys are read.
        everything += folder.iterdir() if folder.is_dir() else ()
    keys = (file for file in everything if file.suffix.lower() not in _RESULTS)
    return pictures | Originals.of("the painted keys are", folder, *keys)


def model_inputs(options: ModelOptions) -> Originals:
    """The model, its ControlNet, VAE and LoRAs, as far as they are files."""
    found = NO_ORIGINALS
    for source in filter(None, (options.model, options.control_model, options.vae)):
        found |= Originals.of("the model is", *_model_files(Path(source).expanduser()))
    return found | Originals.of("a LoRA is", *_lora_files(options.lora or ()))


def reference_inputs(settings: RestyleSettings) -> Originals:
    """The reference picture, and the IP-Adapter that reads it, where a file is named."""
    found, adapter = NO_ORIGINALS, settings.reference_model
    if settings.reference is not None:
        found |= Originals.of("the reference picture is", settings.reference)
    if adapter is not None and Path(adapter).is_file():
        found |= Originals.of("the reference model is", adapter)
    return found


def flow_inputs(flow: str) -> Originals:
    """The weights that flow is found with, where a file is named."""
    file = FlowChoice.parse(flow).file
    return Originals.of("the flow's weights are", file) if file else NO_ORIGINALS


def _model_files(place: Path) -> Iterator[Path]:
    """A file with what describes it beside it, or the parts of a folder."""
    if place.is_dir():
        yield from (*place.glob("*.json"), *place.glob("*.safetensors"), *place.glob("*/*"))
    elif place.is_file():
        yield from (place, *(place.with_suffix(end) for end in (".yaml", ".yml", ".json")))


def _lora_files(texts: Iterable[str]) -> Iterator[Path]:
    from fresco_engine.diffusion.lora import Lora

    for text in texts:
        try:
            yield Lora.parse(text).path
        except InvalidSettings:
            continue  # It is told when the model is loaded.
