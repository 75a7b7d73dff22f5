"""What the vendor documents: classes, methods, versions, arguments, and what failure looks like."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

Version: TypeAlias = tuple[int, ...]
Failure = Literal["none", "false", "empty"]
"""What a call gives that fails: None, False, or 0, "", [] or {} where it is to give such a thing.

All three were seen behind dialogs.
"""

_INTEGERS = frozenset(
    ["frameId", "frameNum", "startFrame", "endFrame", "trackIndex", "index", "idx", "compIndex",
     "nodeIndex", "layerIdx", "duration", "renderMode", "in", "out"]
)  # fmt: skip
_TEXTS = frozenset(
    ["subTrackType", "name", "note", "color", "colorName", "customData", "timelineName",
     "timecode", "filePath", "pageName", "presetName", "metadataType", "metadataValue",
     "settingName", "settingValue", "propertyName", "propertyKey", "jobId", "jobId1", "jobId2",
     "item1", "item2", "format", "codec", "renderFormat", "generatorName", "folderName",
     "folderPath", "projectName"]
)  # fmt: skip
_SWITCHES = frozenset({"Bool", "highPriority", "isEnabled", "subframe_precision"})
_OBJECTS = {
    "clip1": "MediaPoolItem",
    "clip2": "MediaPoolItem",
    "mediaPoolItem": "MediaPoolItem",
    "MediaPoolItem": "MediaPoolItem",
    "Folder": "Folder",
    "folder": "Folder",
    "timeline": "Timeline",
}
_LISTS = {
    "[clips]": "MediaPoolItem",
    "[subfolders]": "Folder",
    "[timelineItems]": "TimelineItem",
}
_TRACKS = ("video", "audio", "subtitle")
_EMPTY: dict[str, Any] = {"switch": False, "number": 0, "text": "", "list": [], "table": {}}


@dataclass(frozen=True)
class Method:
    """A documented method."""

    since: Version
    deprecated: Version | None
    """From when on another one is to be used."""
    takes: tuple[tuple[str, ...], ...]
    gives: str
    """switch, number, text, list, table, object or nothing."""

    def accepts(self, arguments: tuple[Any, ...]) -> bool:
        """Whether some overload takes them, by number and type."""
        return any(_fits(form, arguments) for form in self.takes)

    def failed(self, failure: Failure) -> Any:
        """What it gives where it fails."""
        if failure == "false":
            return False
        empty = _EMPTY.get(self.gives) if failure == "empty" else None
        return empty.copy() if isinstance(empty, (list, dict)) else empty


def _fits(form: tuple[str, ...], arguments: tuple[Any, ...]) -> bool:
    is_open = form[-1:] == ("*",)
    names = [name for name in form if name != "*"]
    least = 1 if is_open else sum(not name.endswith("?") for name in names)
    if len(arguments) < least or (len(arguments) > len(names) and not is_open):
        return False
    return all(
        _is_of(name.rstrip("?"), value) for name, value in zip(names, arguments, strict=False)
    )


def _is_of(name: str, value: Any) -> bool:
    if name.startswith("["):
        return isinstance(value, list) and all(_is_in(name, part) for part in value)
    if name.startswith("{"):
        return isinstance(value, dict)
    if name in _OBJECTS:
        return _kind_of(value) == _OBJECTS[name]
    if name == "trackType":
        return value in _TRACKS
    if name in _SWITCHES or name.startswith("is"):
        return isinstance(value, bool)
    if name in _INTEGERS:
        # A fraction is not a misuse: the real one takes it and does nothing.
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in _TEXTS:
        return isinstance(value, str)
    return value is not None


def _is_in(form: str, value: Any) -> bool:
    """Whether something may stand in a list that is described by `form`."""
    if form.startswith("[{"):
        return isinstance(value, dict)
    if form in _LISTS:
        return _kind_of(value) == _LISTS[form]
    return isinstance(value, str)


def _kind_of(value: Any) -> str:
    """The class of an object of the interface; empty for anything else."""
    return str(getattr(type(value), "_kind", ""))


def _read() -> dict[str, dict[str, Method]]:
    content = cast(
        dict[str, dict[str, dict[str, Any]]],
        json.loads(Path(__file__).with_name("documented.json").read_text("utf-8")),
    )
    return {
        kind: {name: _method(entry) for name, entry in methods.items()}
        for kind, methods in content.items()
    }


def _method(entry: dict[str, Any]) -> Method:
    return Method(
        since=tuple(entry["since"]),
        deprecated=tuple(entry["deprecated"]) if "deprecated" in entry else None,
        takes=tuple(tuple(form) for form in entry["takes"]),
        gives=entry["gives"],
    )


DOCUMENTED = _read()
