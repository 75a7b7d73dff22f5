"""Which models there are: the bundled one, those on this machine, and known ones on the hub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fresco_engine.diffusion.card import read_card
from fresco_engine.diffusion.sources import BUNDLED, has_weights, weight_files
from fresco_engine.diffusion.weights import WeightsKind, kind_of, read_header
from fresco_engine.errors import ModelError
from fresco_engine.settings import Style


class ModelState(Enum):
    """Whether a model can be used now; the value is what a person reads."""

    BUNDLED = "bundled"
    INSTALLED = "installed"
    AVAILABLE = "available"


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """One model; `source` is what `load_model` takes to load it.

    `size_bytes` is what its files take on disk (to download, where it is only available),
    `memory_bytes` what its weights take in memory: four bytes a number on the CPU, half of that
    on CUDA. `problem` says why an installed model cannot be used.
    """

    source: str
    name: str
    state: ModelState
    size_bytes: int
    memory_bytes: int
    styles: tuple[Style, ...] = ()
    problem: str | None = None


_HUB_MODELS = (("stable-diffusion-v1-5/stable-diffusion-v1-5", "Stable Diffusion 1.5"),)
_SD15_NUMBERS = 1_066_235_307
_PARTS = ("unet", "vae", "text_encoder", "controlnet")


def list_models(folders: Sequence[Path] = ()) -> tuple[ModelEntry, ...]:
    """All models, the bundled one first: those in `folders`, in the hub's cache, and known ones.

    A folder of models holds model folders in diffusers format and .safetensors files; files of
    other kinds, such as LoRAs, are left out. What does not exist is passed over.
    """
    found = [*_bundled(), *_in_folders(folders), *_in_cache()]
    sources = {entry.source for entry in found}
    available = [entry for entry in _available() if entry.source not in sources]
    return (*found, *available)


def _bundled() -> Iterator[ModelEntry]:
    if BUNDLED.is_dir():
        yield _folder_entry(BUNDLED, str(BUNDLED), ModelState.BUNDLED)


def _in_folders(folders: Iterable[Path]) -> Iterator[ModelEntry]:
    for folder in folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if (path / "model_index.json").is_file():
                yield _folder_entry(path, str(path), ModelState.INSTALLED)
            elif path.suffix.lower() == ".safetensors" and path.is_file():
                yield from _file_entry(path)


def _in_cache() -> Iterator[ModelEntry]:
    from huggingface_hub import constants

    for repository in sorted(Path(constants.HF_HUB_CACHE).glob("models--*--*")):
        hub_id = repository.name.removeprefix("models--").replace("--", "/", 1)
        reference = repository / "refs" / "main"
        if reference.is_file():
            folder = repository / "snapshots" / reference.read_text(encoding="utf-8").strip()
            if (folder / "model_index.json").is_file():
                yield _folder_entry(folder, hub_id, ModelState.INSTALLED)


def _available() -> Iterator[ModelEntry]:
    for hub_id, name in _HUB_MODELS:
        yield ModelEntry(
            source=hub_id,
            name=name,
            state=ModelState.AVAILABLE,
            size_bytes=4 * _SD15_NUMBERS,
            memory_bytes=4 * _SD15_NUMBERS,
        )


def _folder_entry(folder: Path, source: str, state: ModelState) -> ModelEntry:
    numbers, styles, problem = 0, (), None
    name = source if state is ModelState.INSTALLED else folder.name
    try:
        card = read_card(folder)
        name, styles = (name if card.name == folder.name else card.name), card.styles
        files = [file for part in _PARTS for file in weight_files(folder / part)]
        numbers = sum(tensor.count for file in files for tensor in read_header(file).values())
        if not has_weights(folder):
            problem = "it is incomplete; get it again"
    except ModelError as error:
        problem = error.reason
    return ModelEntry(
        source=source,
        name=name,
        state=state,
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        memory_bytes=4 * numbers,
        styles=styles,
        problem=problem,
    )


def _file_entry(path: Path) -> Iterator[ModelEntry]:
    numbers, problem = 0, None
    try:
        header = read_header(path)
        if kind_of(header) is not WeightsKind.CHECKPOINT:
            return
        numbers = sum(tensor.count for tensor in header.values())
    except ModelError as error:
        problem = error.reason
    yield ModelEntry(
        source=str(path),
        name=path.stem,
        state=ModelState.INSTALLED,
        size_bytes=path.stat().st_size,
        memory_bytes=4 * numbers,
        problem=problem,
    )
