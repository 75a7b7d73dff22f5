"""What the vendor documents: classes, methods, versions, arguments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

Version: TypeAlias = tuple[int, ...]

_INTEGERS = frozenset(
    [
        "frameId",
        "frameNum",
        "startFrame",
        "endFrame",
        "trackIndex",
        "index",
        "idx",
        "compIndex",
        "nodeIndex",
        "duration",
        "renderMode",
        "in",
        "out",
    ]
)
_TEXTS = frozenset(
    [
        "trackType",
        "subTrackType",
        "name",
        "note",
        "color",
        "colorName",
        "customData",
        "timelineName",
        "timecode",
        "filePath",
        "pageName",
        "presetName",
        "metadataType",
        "metadataValue",
        "settingName",
        "settingValue",
        "propertyName",
        "jobId",
        "format",
        "codec",
        "renderFormat",
        "generatorName",
        "folderName",
        "projectName",
    ]
)
_SWITCHES = frozenset({"Bool", "highPriority", "isEnabled"})


@dataclass(frozen=True)
class Method:
    """A documented method."""

    since: Version
    takes: tuple[tuple[str, ...], ...]

    def accepts(self, arguments: tuple[Any, ...]) -> bool:
        """Whether some overload takes them, by number and type."""
        return any(_fits(form, arguments) for form in self.takes)


def _fits(form: tuple[str, ...], arguments: tuple[Any, ...]) -> bool:
    is_open = form[-1:] == ("*",)
    names = [name for name in form if name != "*"]
    least = 0 if is_open else sum(not name.endswith("?") for name in names)
    if len(arguments) < least or (len(arguments) > len(names) and not is_open):
        return False
    return all(
        _is_of(name.rstrip("?"), value) for name, value in zip(names, arguments, strict=False)
    )


def _is_of(name: str, value: Any) -> bool:
    if name.startswith("["):
        return isinstance(value, list)
    if name.startswith("{"):
        return isinstance(value, dict)
    if name in _SWITCHES or name.startswith("is"):
        return isinstance(value, bool)
    if name in _INTEGERS:
        # A fraction is not a misuse: the real one takes it and does nothing.
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in _TEXTS or name.startswith("jobId"):
        return isinstance(value, str)
    return not isinstance(value, (list, dict)) if name.startswith("clip") else True


def _read() -> dict[str, dict[str, Method]]:
    content = cast(
        dict[str, dict[str, dict[str, Any]]],
        json.loads(Path(__file__).with_name("documented.json").read_text("utf-8")),
    )
    return {
        kind: {
            name: Method(tuple(entry["since"]), tuple(tuple(form) for form in entry["takes"]))
            for name, entry in methods.items()
        }
        for kind, methods in content.items()
    }


DOCUMENTED = _read()
