"""Folders of models as this program and others lay them out, in which files are found by name.

A folder may hold files of every kind, or be one of A1111's, ComfyUI's or Krita's plugin's, which
have a folder for each kind. Nothing is copied, and of what is found only headers are read here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fresco_media.files.opening import listed
from fresco_media.files.text import printable

from fresco_engine.diffusion.weights import WeightsKind, kind_of, read_header
from fresco_engine.errors import ModelError


class FileKind(Enum):
    """Kinds of files that are found by name, with the folders that other programs have for them."""

    CHECKPOINT = ("stable-diffusion", "checkpoints")
    LORA = ("lora", "loras", "lycoris")
    EMBEDDING = ("embeddings",)
    VAE = ("vae",)
    CONTROLNET = ("controlnet",)
    IP_ADAPTER = ("ipadapter", "ip-adapter", "controlnet")
    IMAGE_ENCODER = ("clip_vision",)


_BASES = ("", "models", "comfyui", "comfyui/models", "server/models", "server/comfyui/models")
"""Where such folders lie below the one that is pointed at."""
_DEEPEST = 3
_MOST_FILES, _MOST_FOLDERS = 20_000, 500
_WEIGHTS = (".safetensors",)
_ENDINGS = {FileKind.EMBEDDING: (".safetensors", ".pt", ".bin", ".pth")}
_CONTENTS = {
    FileKind.CHECKPOINT: {WeightsKind.CHECKPOINT, WeightsKind.SD2, WeightsKind.SDXL},
    FileKind.LORA: {WeightsKind.LORA},
    FileKind.EMBEDDING: {WeightsKind.EMBEDDING, WeightsKind.UNKNOWN},
    FileKind.VAE: {WeightsKind.VAE},
    FileKind.CONTROLNET: {WeightsKind.CONTROLNET, WeightsKind.T2I_ADAPTER},
    FileKind.IP_ADAPTER: {WeightsKind.IP_ADAPTER},
    FileKind.IMAGE_ENCODER: {WeightsKind.IMAGE_ENCODER},
}
_MOST_EMBEDDING_BYTES = 4 << 20
"""Far more than 75 vectors take; other weights in a mixed folder are far larger."""
_NEAR, _LIKENESS = 4, 0.5


@dataclass(frozen=True)
class Library:
    """Folders in which files are looked for by name; the first that has one counts."""

    folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, model: str | Path | None, folders: Sequence[str | Path] = ()) -> Library:
        """`folders`, and what lies beside a model that is a file or folder of its own."""
        found = [Path(folder).expanduser() for folder in folders]
        if model is not None and (path := Path(model).expanduser()).exists():
            found.append(path.parent)
            if path.parent.name.casefold() in FileKind.CHECKPOINT.value:
                # In models/checkpoints: loras lie beside it, and embeddings perhaps one higher.
                found += list(path.parents[1:3])
        return cls(tuple(dict.fromkeys(found)))

    def files(self, kind: FileKind) -> dict[str, Path]:
        """The files of a kind by their names, which are those of the files without endings.

        In folders of mixed kinds all that may be one is among them; `find` looks closer.
        """
        found: dict[str, Path] = {}
        for path in self.paths(kind):
            found.setdefault(path.stem, path)
        return found

    def find(self, kind: FileKind, name: str) -> Path | None:
        """The file of a kind called `name`, with or without ending or folder, in any capitals."""
        wanted = _plain(name, kind)
        paths = (path for path in self.paths(kind) if path.stem.casefold() == wanted)
        return next((path for path in paths if is_of_kind(path, kind)), None)

    def near(self, kind: FileKind, name: str) -> list[str]:
        """Names of files of a kind that are much like `name`, as they may be shown."""
        wanted = _plain(name, kind)
        names = {known.casefold(): known for known in self.files(kind)}
        like = difflib.get_close_matches(wanted, names, _NEAR, _LIKENESS)
        like += [one for one in names if len(wanted) > 2 and wanted in one and one not in like]
        return [printable(names[one]) for one in like[:_NEAR]]

    def paths(self, kind: FileKind) -> Iterator[Path]:
        """All that may be files of a kind, in order of search."""
        endings = _ENDINGS.get(kind, _WEIGHTS)
        for folder in self.folders:
            for place, depth in ((folder, 0), *((one, _DEEPEST) for one in _places(folder, kind))):
                for path in _below(place, depth):
                    if path.suffix.lower() in endings:
                        yield path


NO_LIBRARY = Library()
"""No folders: nothing is found by name."""


def is_of_kind(path: Path, kind: FileKind) -> bool:
    """Whether a file holds what is looked for; one that is damaged does, so that it is told."""
    try:
        if kind is FileKind.EMBEDDING and path.stat().st_size > _MOST_EMBEDDING_BYTES:
            return False
        if path.suffix.lower() not in _WEIGHTS:
            return True
        return kind_of(read_header(path)) in _CONTENTS[kind]
    except ModelError:
        return True
    except OSError:
        return False


def _plain(name: str, kind: FileKind) -> str:
    name = name.replace("\\", "/").rpartition("/")[2].casefold()
    for ending in _ENDINGS.get(kind, _WEIGHTS):
        name = name.removesuffix(ending)
    return name


def _places(folder: Path, kind: FileKind) -> Iterator[Path]:
    """The folders for a kind below one that another program has laid out."""
    for base in _BASES:
        place: Path | None = folder
        for part in filter(None, base.split("/")):
            place = _named(place, part) if place else None
        if place is not None:
            found = (_named(place, name) for name in kind.value)
            yield from (one for one in found if one is not None)


def _named(folder: Path, name: str) -> Path | None:
    """The folder in `folder` that has this name in any capitals."""
    found = (path for path in _entries(folder) if path.name.casefold() == name)
    return next((path for path in found if path.is_dir()), None)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """What lies in a folder, then in those below it; not more than anybody keeps."""
    waiting, seen, folders = [(folder, depth)], 0, 0
    while waiting and seen < _MOST_FILES and folders < _MOST_FOLDERS:
        place, left = waiting.pop(0)
        folders += 1
        for path in _entries(place)[: _MOST_FILES - seen]:
            seen += 1
            if left and not path.suffix and path.is_dir():
                waiting.append((path, left - 1))
            yield path


def _entries(folder: Path) -> list[Path]:
    try:
        return listed(folder)
    except OSError:
        return []
