"""Settings kept by name, in a file of the user's."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, cast

from fresco_gui.project.files import write_atomically
from fresco_gui.values import Values

_log = logging.getLogger(__name__)


class Presets:
    """The user's own presets."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """All of them, in the order of the alphabet."""
        return sorted(self._read(), key=str.casefold)

    def values(self, name: str) -> Values:
        """What one holds; empty if it is gone."""
        return dict(self._read().get(name, {}))

    def keep(self, name: str, values: Values) -> None:
        """Keep values under a name, in place of what it held.

        Raises:
            OSError: they cannot be written.
        """
        self._write({**self._read(), name: values})

    def remove(self, name: str) -> None:
        """Forget one.

        Raises:
            OSError: the file cannot be written.
        """
        self._write({known: held for known, held in self._read().items() if known != name})

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            content: object = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _log.warning("presets in %s cannot be read: %s", self._path, error)
            return {}
        if not isinstance(content, dict):
            return {}
        held = cast(dict[str, object], content)
        return {
            name: cast(dict[str, Any], one) for name, one in held.items() if isinstance(one, dict)
        }

    def _write(self, presets: dict[str, Values]) -> None:
        write_atomically(self._path, json.dumps(presets, indent=2, ensure_ascii=False) + "\n")
