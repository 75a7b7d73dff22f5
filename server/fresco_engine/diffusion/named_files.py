"""The files that a model and settings name, whatever they are called by: paths, or names in words.

What they are is known here alone: nothing that is written may replace one of them, and a job that
waits insists on their being what they were. Files that come from the hub are named by no one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from pathlib import Path
from typing import Any

from fresco_settings import FlowChoice

from fresco_engine.diffusion.library import FileKind, Library
from fresco_engine.diffusion.prompting.files import files_in_prompts
from fresco_engine.diffusion.sources import HUB_CONTROLS, HUB_CONTROLS_XL
from fresco_engine.settings import ControlChoice, ControlKind, ModelDefaults

_MOST_FILES = 1000
"""Of one model; none has as many."""


@dataclass(frozen=True)
class NamedFile:
    """A file that is there; `field` is the setting that names it.

    `what` completes a sentence: this is where "the model is".
    """

    path: Path
    field: str
    what: str


@dataclass(frozen=True, kw_only=True)
class ModelPlaces:
    """What names a model, as `load_model` takes it; `loras` are files."""

    source: str | None = None
    control_source: str | None = None
    vae: str | None = None
    loras: Sequence[str | Path] = ()
    folders: Sequence[str | Path] = ()


def named_files(model: ModelPlaces, settings: Mapping[str, Any]) -> Iterator[NamedFile]:
    """All files that are named and there, by the model first; `settings` are plain values."""
    yield from model_files(model, settings)
    flow = settings.get("flow")
    if flow and (file := FlowChoice.parse(flow).file):
        yield from _file(file, "flow", "the flow's weights are")
    if settings.get("reference"):
        yield from _file(settings["reference"], "reference", "the reference picture is")
    for picture in (settings.get("keyframe_pictures") or {}).values():
        yield from _file(picture, "keyframe_pictures", "a painted picture is")


def model_files(model: ModelPlaces, settings: Mapping[str, Any]) -> Iterator[NamedFile]:
    """Those of which the model is made, and what prompts add to it."""
    library = Library.of(model.source, model.folders)
    vae = model.vae and (_existing(model.vae) or library.find(FileKind.VAE, model.vae))
    yield from _parts(model.source, "model.source", "the model is")
    yield from _parts(model.control_source, "model.control_source", "the ControlNet is")
    if not model.control_source:
        kinds = ControlChoice.parse(settings.get("control") or ModelDefaults().control).kinds
        # Which of them the model takes is known once it is loaded.
        for known, kind in product((HUB_CONTROLS, HUB_CONTROLS_XL), kinds):
            if kind in known:
                file = named_controlnet(kind, known[kind], library)
                yield from _parts(file, "control", "a ControlNet is")
    yield from _parts(vae, "model.vae", "the VAE is")
    if (adapter := settings.get("reference_model")) and settings.get("reference"):
        reader = _existing(adapter) or library.find(FileKind.IP_ADAPTER, adapter)
        yield from _parts(reader, "reference_model", "the reference model is")
    for lora in model.loras:
        yield from _file(lora, "model.loras.path", "a LoRA is")
    for path in files_in_prompts(settings, library):
        yield from _file(path, "prompt", "a file that a prompt names is")


def named_controlnet(kind: ControlKind, hub_id: str, library: Library) -> Path | None:
    """The ControlNet for a kind in a library, by the name it has on the hub or the kind's own."""
    name = hub_id.rpartition("/")[2]
    found = (library.find(FileKind.CONTROLNET, one) for one in (name, f"{name}_fp16", kind))
    return next((path for path in found if path is not None), None)


def _parts(source: str | Path | None, field: str, what: str) -> Iterator[NamedFile]:
    """A file with what describes it beside it, or the parts of a folder."""
    place = _existing(source) if source else None
    if place is None:
        return
    if place.is_dir():
        patterns = ("*.json", "*.safetensors", "*/*")
        found = chain.from_iterable(place.glob(pattern) for pattern in patterns)
    else:
        found = iter((place, *(place.with_suffix(end) for end in (".yaml", ".yml", ".json"))))
    for path in sorted(islice(found, _MOST_FILES)):
        yield from _file(path, field, what)


def _file(path: str | Path, field: str, what: str) -> Iterator[NamedFile]:
    file = Path(path).expanduser()
    if file.is_file():
        yield NamedFile(file, field, what)


def _existing(source: str | Path) -> Path | None:
    path = Path(source).expanduser()
    return path if path.exists() else None
