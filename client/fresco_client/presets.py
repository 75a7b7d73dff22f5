"""Settings that the user keeps by name, in one file that every front end can read."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from fresco_settings import InvalidSettings, RestyleSettings, check_plain

from fresco_client.errors import FileFailed
from fresco_client.files import read_object, write_object

_log = logging.getLogger(__name__)


class Presets:
    """The user's own presets: values by the path of their setting, such as "attention.spatial"."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """All of them, in the order of the alphabet."""
        return sorted(self._read(), key=str.casefold)

    def values(self, name: str) -> dict[str, Any]:
        """What one holds; empty if it is gone."""
        return dict(self._read().get(name, {}))

    def keep(self, name: str, values: Mapping[str, Any]) -> None:
        """Keep values under a name, in place of what it held.

        Raises:
            FileFailed: they cannot be written, or the file cannot be read and so may hold more.
        """
        self._write({**read_object(self._path), name: dict(values)})

    def remove(self, name: str) -> None:
        """Forget one.

        Raises:
            FileFailed: the file cannot be read or written.
        """
        kept = {known: held for known, held in read_object(self._path).items() if known != name}
        self._write(kept)

    def _write(self, content: dict[str, Any]) -> None:
        # Who keeps settings elsewhere and links them here wants the link to stay.
        write_object(Path(os.path.realpath(self._path)), content)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            content = read_object(self._path)
        except FileFailed as error:
            _log.warning("presets cannot be read: %s", error)
            return {}
        kept = {
            name: cast(dict[str, Any], one)
            for name, one in content.items()
            if isinstance(one, dict)
        }
        return {name: _of_right_types(one) for name, one in kept.items()}


def _of_right_types(values: dict[str, Any]) -> dict[str, Any]:
    """What forms can show; the file itself stays as it is."""
    right: dict[str, Any] = {}
    for name, value in values.items():
        try:
            check_plain(RestyleSettings, {name: value})
        except InvalidSettings as error:
            _log.warning("a preset's value is not used: %s", error)
        else:
            right[name] = value
    return right
