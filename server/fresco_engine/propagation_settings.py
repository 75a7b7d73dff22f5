"""How painted keyframes are carried over a clip. Loads neither torch nor codecs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fresco_settings.declaration import check_frame_range

from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import INTERPOLATION_KINDS, InterpolationKind


@dataclass(frozen=True, kw_only=True)
class PropagateSettings:
    """How painted keyframes are carried over a clip.

    `size` is the short side in pixels that is worked at, the clip's own unless given. `start` and
    `stop` select source frames (half open). `first_number` is the number of the clip's first frame
    in the names of the keys, seen from the names and pictures unless given.
    """

    interpolation: InterpolationKind = "patch"
    size: int | None = None
    start: int = 0
    stop: int | None = None
    first_number: int | None = None

    def __post_init__(self) -> None:
        if self.interpolation not in INTERPOLATION_KINDS:
            known = ", ".join(INTERPOLATION_KINDS)
            raise InvalidSettings(
                "interpolation", f"{self.interpolation!r} is unknown; use one of {known}"
            )
        if self.size is not None and not 64 <= self.size <= 8192:
            raise InvalidSettings("size", f"{self.size} is outside 64 to 8192")
        check_frame_range("range", self.start, self.stop)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)
