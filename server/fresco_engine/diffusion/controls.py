"""Controls that are loaded: kind, ControlNet, and what finds the structure it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fresco_engine.settings import ControlKind

if TYPE_CHECKING:
    from diffusers import ControlNetModel, T2IAdapter

    from fresco_engine.diffusion.detectors.detector import Detector


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedControl:
    """A way to bind structure; `detector` is None where pixels alone tell what to show."""

    kind: ControlKind
    network: ControlNetModel | T2IAdapter
    detector: Detector | None = None
