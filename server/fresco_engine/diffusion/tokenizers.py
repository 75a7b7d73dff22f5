"""The tokenizer for a checkpoint file, which holds none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fresco_engine.diffusion.folders import load_tokenizer
from fresco_engine.diffusion.sources import cached_folder, download
from fresco_engine.errors import ModelNotFound

HUB_TOKENIZER = "openai/clip-vit-large-patch14"
_FILES = ("vocab.json", "merges.txt")
_MODELS_WITH_IT = (
    "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "runwayml/stable-diffusion-v1-5",
    "CompVis/stable-diffusion-v1-4",
)


def find_tokenizer(path: Path, source: str | Path | None, *, offline: bool) -> Any:
    """CLIP's tokenizer, which all Stable Diffusion 1.x models share, for the checkpoint `path`.

    Looked for in the folder `source`, beside the checkpoint, in the hub's cache, on the hub.

    Raises:
        ModelNotFound: it is nowhere, with where to put it.
    """
    if source is not None:
        folder = _with_files(Path(source).expanduser())
        if folder is None:
            raise ModelNotFound(source, "there are no vocab.json and merges.txt in this folder")
        return load_tokenizer(folder)
    folder = _with_files(path.parent) or _in_cache()
    if folder is None:
        folder = _from_hub(path, offline)
    return load_tokenizer(folder)


def _with_files(folder: Path) -> Path | None:
    """`folder` or its subfolder tokenizer, whichever holds the files."""
    places = (folder / "tokenizer", folder)
    return next((p for p in places if all((p / name).is_file() for name in _FILES)), None)


def _in_cache() -> Path | None:
    ids = (HUB_TOKENIZER, *_MODELS_WITH_IT)
    cached = (cached_folder(hub_id, "tokenizer/merges.txt", "merges.txt") for hub_id in ids)
    found = (_with_files(folder) for folder in cached if folder is not None)
    return next((folder for folder in found if folder is not None), None)


def _from_hub(path: Path, offline: bool) -> Path:
    advice = (
        f"a checkpoint file holds no tokenizer; put vocab.json and merges.txt of {HUB_TOKENIZER} "
        f"into a folder 'tokenizer' beside it, or run 'hf download {HUB_TOKENIZER} "
        "vocab.json merges.txt' with network access once"
    )
    if offline:
        raise ModelNotFound(path, advice)
    try:
        return download(HUB_TOKENIZER, _FILES)
    except ModelNotFound as error:
        raise ModelNotFound(path, f"the hub cannot be reached, and {advice}") from error
