"""The files a command reads: what they are, and that nothing it writes replaces them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fresco_client as client
from fresco_engine.errors import InvalidSettings
from fresco_media.writing.originals import NO_ORIGINALS, Originals

if TYPE_CHECKING:
    from fresco_engine.diffusion.named_files import ModelPlaces
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


def named_inputs(options: ModelOptions, settings: RestyleSettings) -> Originals:
    """What model and settings name: models, LoRAs also of prompts, flow's weights, painted keys."""
    from fresco_engine.diffusion.named_files import ModelPlaces

    places = ModelPlaces(
        source=options.model,
        control_source=options.control_model,
        vae=options.vae,
        loras=tuple(_lora_files(options.lora or ())),
        folders=options.models or (),
    )
    return _named(places, settings.as_dict())


def job_inputs(job: client.Job) -> Originals:
    """What the model and the settings of a job name, which may be files of another machine's."""
    from fresco_engine.diffusion.named_files import ModelPlaces

    model, sent = job.model or client.ModelChoice(), job.settings or client.RestyleSettings()
    places = ModelPlaces(
        source=model.source or None,
        control_source=model.control_source or None,
        vae=model.vae or None,
        loras=tuple(lora.path for lora in model.loras),
        folders=model.folders,
    )
    return Originals.of("the mask is", sent.subject_mask) | _named(places, client.values_of(sent))


def _named(places: ModelPlaces, settings: Mapping[str, Any]) -> Originals:
    from fresco_engine.diffusion.named_files import named_files

    found = NO_ORIGINALS
    for what, files in groupby(named_files(places, settings), lambda one: one.what):
        found |= Originals.of(what, *(file.path for file in files))
    return found


def _lora_files(texts: Iterable[str]) -> Iterator[Path]:
    from fresco_engine.diffusion.lora import Lora

    for text in texts:
        try:
            yield Lora.parse(text).path
        except InvalidSettings:
            continue  # It is told when the model is loaded.


def check_pictures(paths: Iterable[str]) -> None:
    """Insist on pictures, before a job is made of them that would fail by one.

    What is not here may be on the daemon's machine, which looks itself.

    Raises:
        ClipUnreadable: one is no picture.
    """
    from fresco_media.stills.images import read_image

    for path in paths:
        if os.path.lexists(path):
            read_image(path)
