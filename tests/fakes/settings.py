"""A declaration with one more setting, which every front end is to show without being told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fresco_settings import RestyleSettings, Setting


@dataclass(frozen=True, kw_only=True)
class MoreSettings(RestyleSettings):
    """The settings, and one that is made up."""

    paint_depth: Annotated[
        float | None,
        Setting(
            title="Paint depth",
            help="How thick the paint lies",
            group="Look",
            low=0,
            high=7,
            unit="mm",
            default_text="the model's",
            is_basic=True,
        ),
    ] = None
