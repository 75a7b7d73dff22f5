"""Which models there are: the bundled one, those on this machine, and known ones on the hub."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Literal

from fresco_media.files.opening import read_file
from fresco_media.files.text import printable

from fresco_engine.diffusion.beside import Beside, beside, files_beside
from fresco_engine.diffusion.card import CARD_NAME, ModelCard, read_card
from fresco_engine.diffusion.intake import read_json
from fresco_engine.diffusion.library import FileKind, Library, is_of_kind
from fresco_engine.diffusion.sources import BUNDLED, has_weights, weight_files
from fresco_engine.diffusion.weights import WeightsKind, kind_of, read_header
from fresco_engine.errors import ModelError
from fresco_engine.settings import ModelDefaults, Style

EntryKind = Literal["whole", "lora", "embedding", "vae", "controlnet"]
_KINDS: Mapping[WeightsKind, EntryKind] = {
    WeightsKind.CHECKPOINT: "whole",
    WeightsKind.SD2: "whole",
    WeightsKind.SDXL: "whole",
    WeightsKind.LORA: "lora",
    WeightsKind.EMBEDDING: "embedding",
    WeightsKind.VAE: "vae",
    WeightsKind.CONTROLNET: "controlnet",
    WeightsKind.T2I_ADAPTER: "controlnet",
}


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
    on CUDA. Other kinds than whole models are files that prompts and options name; `trigger_words`
    call what they hold, `preview_path` is a picture of it. `defaults` and `knows_only_styles` are
    what its card says. `problem` says why an installed model
    cannot be used. It and `name` are free of what steers terminals and hides letters, whatever a
    file is called; `source` is what it is.
    """

    source: str
    name: str
    state: ModelState
    size_bytes: int
    memory_bytes: int
    styles: tuple[Style, ...] = ()
    problem: str | None = None
    kind: EntryKind = "whole"
    trigger_words: tuple[str, ...] = ()
    defaults: ModelDefaults = field(default_factory=ModelDefaults)
    knows_only_styles: bool = False
    preview_path: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", printable(self.name))
        object.__setattr__(self, "problem", self.problem and printable(self.problem))


_HUB_MODELS = (("stable-diffusion-v1-5/stable-diffusion-v1-5", "Stable Diffusion 1.5"),)
_SD15_NUMBERS = 1_066_235_307
_PARTS = ("unet", "vae", "text_encoder", "text_encoder_2", "controlnet")
_MOST_ENTRIES, _MOST_SCANNED = 1000, 20_000
_PATIENCE_S = 10.0
_MOST_LETTERS = 1_000_000
_LONGEST_REFERENCE = 200
_Marks = tuple[tuple[str, int, int, int, int], ...]
# Reading a header takes a while, and lists are asked for often.
_KNOWN: dict[Path, tuple[_Marks, tuple[ModelEntry, ...]]] = {}


def list_models(folders: Sequence[Path] = ()) -> tuple[ModelEntry, ...]:
    """All models, the bundled one first: those in `folders`, in the hub's cache, and known ones.

    A folder of models holds model folders in diffusers format and files, or is laid out as other
    programs do (`library`). What does not exist is passed over.
    """
    found = [*_bundled(), *_in_folders(folders), *_in_cache()]
    sources = {entry.source for entry in found}
    available = [entry for entry in _available() if entry.source not in sources]
    return tuple(_bounded([*found, *available]))


def _bounded(entries: Iterable[ModelEntry]) -> Iterator[ModelEntry]:
    """`entries`, of which those go without styles, and at last go, that no message could hold."""
    size = 0
    for entry in entries:
        words = sum(
            len(style.name) + len(style.words) + len(style.prompt) + len(style.negative_prompt)
            for style in entry.styles
        )
        bare = len(entry.source) + len(entry.name) + len(entry.problem or "")
        bare += len(entry.preview_path) + sum(map(len, entry.trigger_words))
        if size + bare > _MOST_LETTERS:
            return
        is_whole = size + bare + words <= _MOST_LETTERS // 2
        size += bare + (words if is_whole else 0)
        yield entry if is_whole else replace(entry, styles=())


def _bundled() -> Iterator[ModelEntry]:
    if BUNDLED.is_dir():
        yield _folder_entry(BUNDLED, str(BUNDLED), ModelState.BUNDLED)


def _in_folders(folders: Iterable[Path]) -> Iterator[ModelEntry]:
    ends = time.monotonic() + _PATIENCE_S
    for folder in folders:
        try:
            paths = _some(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield _unusable(folder, f"the folder cannot be read ({error.strerror})")
            continue
        paths = list(dict.fromkeys([*paths, *_in_layout(folder)]))
        for path in paths[:_MOST_ENTRIES]:
            yield from _entry(path, ends)
        if len(paths) > _MOST_ENTRIES:
            more = f"only the first {_MOST_ENTRIES} of what lies here are listed"
            yield _unusable(folder, f"{more}; give a folder that holds nothing but models")


def _in_layout(folder: Path) -> Iterator[Path]:
    """Files in the folders of other programs' layouts; pickles count as embeddings only there."""
    library = Library((folder,))
    for kind in FileKind:
        for path in library.paths(kind):
            if path.parent != folder:
                yield path


def _some(folder: Path) -> list[Path]:
    """What lies in a folder, by name, but no more than is needed to know that it is too much."""
    with os.scandir(folder) as found:
        return sorted(Path(item.path) for item in islice(found, _MOST_SCANNED))[: _MOST_ENTRIES + 1]


def _entry(path: Path, ends: float) -> Iterator[ModelEntry]:
    """The model at `path`, if it is one; whatever is wrong with it is its own affair."""
    try:
        is_folder = (path / "model_index.json").is_file()
        if not is_folder and not _is_weights(path):
            return
        marks = _marks(path, is_folder=is_folder)
        if path in _KNOWN and _KNOWN[path][0] == marks:
            yield from _KNOWN[path][1]
            return
        if time.monotonic() > ends:
            yield _unusable(path, "it was not looked at, as there is so much; list models again")
            return
        found = [_folder_entry(path, str(path), ModelState.INSTALLED)] if is_folder else []
        entries = tuple(found or _file_entry(path))
    # One that is broken in a way nobody thought of must not hide the others.
    except Exception as error:  # noqa: BLE001
        entries, marks = (_unusable(path, f"it cannot be read ({_reason(error)})"),), None
    if marks is not None:
        _remember(path, marks, entries)
    yield from entries


def _is_weights(path: Path) -> bool:
    is_pickled = path.suffix.lower() in (".pt", ".bin") and _lies_with_embeddings(path)
    return (is_pickled or path.suffix.lower() == ".safetensors") and path.is_file()


def _lies_with_embeddings(path: Path) -> bool:
    above = {folder.name.casefold() for folder in path.parents}
    return bool(above & set(FileKind.EMBEDDING.value)) and is_of_kind(path, FileKind.EMBEDDING)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)[:200]


def _unusable(path: Path, problem: str) -> ModelEntry:
    return ModelEntry(
        source=str(path),
        name=path.name,
        state=ModelState.INSTALLED,
        size_bytes=0,
        memory_bytes=0,
        problem=problem,
    )


def _marks(path: Path, *, is_folder: bool) -> _Marks:
    """What changes when a model does: who its files are, how long, and when they were written."""
    names = ["model_index.json", CARD_NAME, *_PARTS] if is_folder else [""]
    weights = [file for part in _PARTS for file in weight_files(path / part)] if is_folder else []
    marks = []
    others = weights if is_folder else files_beside(path)
    for file in (*(path / name for name in names), *others):
        try:
            found = file.stat()
        except OSError:
            continue
        marks.append((str(file), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))
    return tuple(marks)


def _remember(path: Path, marks: _Marks, entries: tuple[ModelEntry, ...]) -> None:
    _KNOWN[path] = marks, entries
    while len(_KNOWN) > 4 * _MOST_ENTRIES:
        del _KNOWN[next(iter(_KNOWN))]


def _in_cache() -> Iterator[ModelEntry]:
    from huggingface_hub import constants

    for repository in sorted(Path(constants.HF_HUB_CACHE).glob("models--*--*")):
        hub_id = repository.name.removeprefix("models--").replace("--", "/", 1)
        try:
            reference = read_file(repository / "refs" / "main", _LONGEST_REFERENCE).decode().strip()
            folder = repository / "snapshots" / Path(reference).name
            if (folder / "model_index.json").is_file():
                yield _folder_entry(folder, hub_id, ModelState.INSTALLED)
        except (OSError, ValueError):
            continue


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
    numbers, problem, card = 0, None, ModelCard(name="")
    name = source if state is ModelState.INSTALLED else folder.name
    try:
        read_json(folder / "model_index.json")
        card = read_card(folder)
        name = name if card.name == printable(folder.name) else card.name
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
        size_bytes=_size(folder),
        memory_bytes=4 * numbers,
        styles=card.styles,
        defaults=card.defaults,
        knows_only_styles=card.knows_only_styles,
        problem=problem,
    )


def _size(folder: Path) -> int:
    """Bytes of the files in a folder and those below it, as far as they can be counted."""
    size, waiting, seen = 0, [str(folder)], 0
    while waiting and seen < _MOST_SCANNED:
        try:
            with os.scandir(waiting.pop()) as found:
                for item in islice(found, _MOST_SCANNED):
                    seen += 1
                    if item.is_dir(follow_symlinks=False):
                        waiting.append(item.path)
                    elif item.is_file():
                        size += item.stat().st_size
        except OSError:
            continue
    return size


def _file_entry(path: Path) -> Iterator[ModelEntry]:
    numbers, problem, kind = 0, None, _KINDS[WeightsKind.CHECKPOINT]
    try:
        if path.suffix.lower() == ".safetensors":
            header = read_header(path)
            found = _KINDS.get(kind_of(header))
            if found is None:
                return
            kind, numbers = found, sum(tensor.count for tensor in header.values())
        else:
            kind = "embedding"
    except ModelError as error:
        problem = error.reason
    known = Beside() if problem else beside(path)
    yield ModelEntry(
        source=str(path),
        name=path.stem,
        state=ModelState.INSTALLED,
        size_bytes=path.stat().st_size,
        memory_bytes=4 * numbers,
        problem=problem,
        kind=kind,
        trigger_words=known.trigger_words,
        preview_path=str(known.preview or ""),
    )
