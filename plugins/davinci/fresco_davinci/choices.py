"""What an editor chooses; the last choice is kept for "Restyle with last settings"."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, cast, get_args

import fresco_settings as declared
from fresco_client import FileFailed, RestyleSettings, settings_of
from fresco_client.files import read_object, write_object
from fresco_settings import Declared, PartialSettings, left_open, parameters_of

Place = Literal["above", "track", "take"]
Conflict = Literal["new", "skip", "replace"]
Pixels = Literal["auto", "file", "render"]


def look_settings(kind: type = declared.RestyleSettings) -> tuple[Declared, ...]:
    """The settings that an editor chooses here: those that are for everybody."""
    return tuple(one for one in parameters_of(kind) if not (one.is_advanced or one.is_of_clip))


@left_open(declared.RestyleSettings, {one.name for one in look_settings()})
class StoredChoices(PartialSettings):
    """How to restyle, and where the result goes; settings that are None are left open.

    `place`: "above", on a track of Fresco's above the clip; "track", on the video track `track`;
    "take", as a take of the clip itself. `conflict`: what to do if something is on that track
    already. `pixels`: the media file where the clip shows it as it is ("auto"), always ("file"), or
    a render of what Resolve shows ("render").
    """

    place: Place = "above"
    track: int = 0
    conflict: Conflict = "new"
    pixels: Pixels = "auto"

    @property
    def is_complete(self) -> bool:
        """Whether they say what the clip is to look like."""
        return bool((self.prompt or "").strip() or self.style)

    @property
    def title(self) -> str:
        """A few words for lists, markers and names."""
        return self.style or (self.prompt or "").strip()

    def look(self) -> dict[str, Any]:
        """The settings that were chosen, by name."""
        chosen = {one.name: getattr(self, one.name) for one in look_settings()}
        return {name: value for name, value in chosen.items() if value is not None}

    def settings(self, first: int, stop: int) -> RestyleSettings:
        """For the daemon, restyling frames `first` to `stop` - 1 of the source."""
        return settings_of({**self.look(), "start": first, "stop": stop})


def choices_of(content: object) -> StoredChoices:
    """From plain values; what is unknown or unfit is left out."""
    given = cast(dict[str, Any], content) if isinstance(content, dict) else {}
    look = {
        one.name: given[one.name] for one in look_settings() if _is_fit(one, given.get(one.name))
    }
    own = {name: given[name] for name, kind in _OWN.items() if given.get(name) in get_args(kind)}
    track = given.get("track")
    return StoredChoices(**look, **own, track=track if _is_whole(track) else 0)


_OWN: dict[str, Any] = {"place": Place, "conflict": Conflict, "pixels": Pixels}


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_fit(parameter: Declared, value: object) -> bool:
    """Whether a value is of the setting's kind; its range is the daemon's to check."""
    if parameter.kind == "choice":
        return value in parameter.choices
    if parameter.kind == "switch":
        return isinstance(value, bool)
    if parameter.kind == "text":
        return isinstance(value, str) and bool(value.strip())
    return _is_whole(value) or (parameter.kind == "number" and isinstance(value, float))


def load_choices(path: Path) -> StoredChoices:
    """The choices kept in a file; the defaults if there are none."""
    try:
        return choices_of(read_object(path))
    except FileFailed:
        return StoredChoices()


def save_choices(path: Path, choices: StoredChoices) -> None:
    """Keep them."""
    write_object(path, asdict(choices))
