"""The tokenizer for a checkpoint file, which holds none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fresco_engine.diffusion.folders import load_tokenizer
from fresco_engine.errors import ModelNotFound

CLIPS = Path(__file__).with_name("clip_tokenizer")
"""That of CLIP, which all Stable Diffusion models up to XL share, but for its padding."""
CLIPS_WORDS = 49408
_FILES = ("vocab.json", "merges.txt")


def find_tokenizer(path: Path, source: str | Path | None, words: int) -> Any:
    """The tokenizer for the checkpoint `path`, whose text encoder knows so many `words`.

    Looked for in the folder `source`, beside the checkpoint, and here, where CLIP's is.

    Raises:
        ModelNotFound: there is none for so many words, with where to put it.
    """
    if source is not None:
        folder = _with_files(Path(source).expanduser())
        if folder is None:
            raise ModelNotFound(source, "there are no vocab.json and merges.txt in this folder")
        return load_tokenizer(folder)
    beside = _with_files(path.parent)
    if beside is not None:
        return load_tokenizer(beside)
    if words != CLIPS_WORDS:
        raise ModelNotFound(
            path,
            f"its text encoder knows {words} words, CLIP's {CLIPS_WORDS}; put vocab.json and "
            "merges.txt of its own tokenizer into a folder 'tokenizer' beside it",
        )
    return load_tokenizer(CLIPS)


def _with_files(folder: Path) -> Path | None:
    """`folder` or its subfolder tokenizer, whichever holds the files."""
    places = (folder / "tokenizer", folder)
    return next((p for p in places if all((p / name).is_file() for name in _FILES)), None)
