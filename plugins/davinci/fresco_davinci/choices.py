"""What an editor chooses; the last choice is kept for "Restyle with last settings"."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from fresco_client import FileFailed, RestyleSettings
from fresco_client.files import read_object, write_object

Place = Literal["above", "track", "take"]
Conflict = Literal["new", "skip", "replace"]
Pixels = Literal["auto", "file", "render"]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How to restyle, and where the result goes.

    `place`: "above", on a track of Fresco's above the clip; "track", on the video track `track`;
    "take", as a take of the clip itself. `conflict`: what to do if something is on that track
    already. `pixels`: the media file where the clip shows it as it is ("auto"), always ("file"), or
    a render of what Resolve shows ("render").
    """

    prompt: str = ""
    style: str = ""
    negative_prompt: str = ""
    strength: float | None = None
    preset: str = ""
    seed: int | None = None
    place: Place = "above"
    track: int = 0
    conflict: Conflict = "new"
    pixels: Pixels = "auto"

    @property
    def is_complete(self) -> bool:
        """Whether they say what the clip is to look like."""
        return bool(self.prompt.strip() or self.style)

    @property
    def title(self) -> str:
        """A few words for lists, markers and names."""
        return self.style or self.prompt.strip()

    def settings(self, first: int, stop: int) -> RestyleSettings:
        """For the daemon, restyling frames `first` to `stop` - 1 of the source."""
        return RestyleSettings(
            prompt=self.prompt.strip() or None,
            style=self.style or None,
            negative_prompt=self.negative_prompt.strip() or None,
            strength=self.strength,
            preset=self.preset or None,
            seed=self.seed,
            start=first,
            stop=stop,
        )


def choices_of(content: object) -> Choices:
    """From plain values; what is unknown or unfit is left out."""
    given = cast(dict[str, Any], content) if isinstance(content, dict) else {}
    known: dict[str, Any] = {}
    for part in fields(Choices):
        value = given.get(part.name)
        if value is not None and _is_fit(part.name, value):
            known[part.name] = value
    return Choices(**known)


_ALLOWED: dict[str, tuple[str, ...]] = {
    "place": get_args(Place),
    "conflict": get_args(Conflict),
    "pixels": get_args(Pixels),
}


def _is_fit(name: str, value: object) -> bool:
    if name in _ALLOWED:
        return value in _ALLOWED[name]
    if name == "strength":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in ("seed", "track"):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


def load_choices(path: Path) -> Choices:
    """The choices kept in a file; the defaults if there are none."""
    try:
        return choices_of(read_object(path))
    except FileFailed:
        return Choices()


def save_choices(path: Path, choices: Choices) -> None:
    """Keep them."""
    write_object(path, asdict(choices))
