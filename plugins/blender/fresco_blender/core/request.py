"""What is asked of the daemon for one strip, and where what comes back belongs.

a request is kept on the strip as JSON, so that a job is found again after Blender, the file or the
daemon was closed; the result carries it too, so that it can be done again with changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from typing import Any, Literal, cast

from fresco_client import (
    ClipSource,
    ModelChoice,
    OutputOptions,
    RestyleSettings,
    settings_of,
)

OutputChoice = Literal["MOVIE", "LOSSLESS", "FRAMES"]
OutputKind = Literal["MOVIE", "LOSSLESS", "FRAMES", "TRANSPARENT"]
_OUTPUTS: Mapping[OutputKind, OutputOptions] = {
    "TRANSPARENT": OutputOptions(kind="lossless", container="mkv"),
    "MOVIE": OutputOptions(kind="h264", container="mp4"),
    "LOSSLESS": OutputOptions(kind="lossless", container="mp4"),
    "FRAMES": OutputOptions(kind="frames"),
}


@dataclass(frozen=True, kw_only=True)
class RestyleRequest:
    """One restyle of one strip."""

    job_id: str
    title: str
    path: str
    """A video file, or the first picture of a sequence; absolute."""
    is_sequence: bool = False
    frame_rate: str = ""
    """Of a sequence, as a fraction; empty for a video."""
    is_rendered: bool = False
    """Whether `path` was rendered from the strip, because the strip is not just its file."""
    expected_frames: int | None = None
    """How many frames Blender counts in the file; None if it does not matter."""
    start: int
    """First frame to restyle: its index in a video, the number of its file in a sequence."""
    stop: int
    lead: int
    """Timeline frames from the strip's origin to the result's first frame."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Settings by path, such as "attention.spatial", that were set by hand."""
    model: str = ""
    output: OutputChoice = "MOVIE"
    folder: str = ""
    """Where what comes back is put; absolute."""
    mask: str = ""
    """Name of the strip that limits the restyle; empty for none."""
    is_source_muted: bool = False
    is_transparent: bool = False
    """Whether the source is transparent somewhere, and so is the result."""
    replaces: str = ""
    """The job whose result this one takes the place of, after a reroll; empty for none."""

    @property
    def clip(self) -> ClipSource:
        """The clip as the contract names it, on the daemon's own machine."""
        rate = Fraction(self.frame_rate) if self.frame_rate else None
        return ClipSource(path=self.path, frame_rate=rate)

    @property
    def model_choice(self) -> ModelChoice | None:
        """None for the bundled model."""
        return ModelChoice(source=self.model) if self.model else None

    @property
    def output_kind(self) -> OutputKind:
        """What the result really is: of all that can be chosen nothing keeps transparency."""
        return "TRANSPARENT" if self.is_transparent else self.output

    @property
    def output_options(self) -> OutputOptions:
        """The result as the contract names it."""
        return _OUTPUTS[self.output_kind]

    def restyle_settings(self, first_number: int = 0) -> RestyleSettings:
        """Settings for the daemon, who counts from 0 what a sequence counts from `first_number`."""
        words: Mapping[Any, str] = self.settings.get("keyframe_prompts", {})
        of_clip = {
            "keyframe_prompts": {int(index) - first_number: text for index, text in words.items()},
            "start": self.start - first_number,
            "stop": self.stop - first_number,
        }
        return settings_of({**self.settings, **of_clip})

    def to_json(self) -> str:
        """As it is kept on a strip."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> RestyleRequest | None:
        """What a strip keeps; None if that was written by a version too different, or by hand."""
        try:
            content: object = json.loads(text)
            if not isinstance(content, dict):
                return None
            known = {field.name for field in fields(cls)}
            values = cast(dict[str, Any], content)
            return cls(**{name: value for name, value in values.items() if name in known})
        except (TypeError, ValueError):
            return None
