"""Looks on disk: those that were made for a project, and those of the sheet, made once."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_MOST_OF_SHEETS = 1000


class LookFiles:
    """A folder of pictures by what they are of."""

    def __init__(self, folder: Path) -> None:
        self._kept, self._sheets = folder / "kept", folder / "sheets"

    def keep(self, data: bytes) -> str:
        """Store a look of a project; its name.

        Raises:
            OSError: it cannot be stored.
        """
        name = f"{uuid.uuid4().hex}.png"
        _write(self._kept / name, data)
        return name

    def kept(self, name: str) -> bytes | None:
        """A look of a project; None if it is gone."""
        return _read(self._kept / Path(name).name)

    def cache(self, key: Mapping[str, Any], data: bytes) -> None:
        """Store a picture of a sheet; one that cannot be stored is made anew the next time."""
        with suppress(OSError):
            _write(self._sheets / _name_of(key), data)
            self._forget_oldest()

    def cached(self, key: Mapping[str, Any]) -> bytes | None:
        """The picture of a sheet that was made for the same, or None."""
        return _read(self._sheets / _name_of(key))

    def _forget_oldest(self) -> None:
        files = sorted(self._sheets.iterdir(), key=lambda file: file.stat().st_mtime)
        for file in files[:-_MOST_OF_SHEETS]:
            file.unlink(missing_ok=True)


def _name_of(key: Mapping[str, Any]) -> str:
    text = json.dumps(key, sort_keys=True, default=str)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.png"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
