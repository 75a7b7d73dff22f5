"""What is known of daemon and jobs while Blender runs; nothing of it is saved."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fresco_client import Job, Model, ServerInfo, Style

from .core.card import JobCard
from .core.faults import PluginFault
from .core.messages import DaemonState

if TYPE_CHECKING:
    from .core.daemon_worker import DaemonWorker

_USUAL_CONTROLS = ("tile", "canny", "hed", "depth", "none")


_STYLES = Path(__file__).parent / "styles.json"


@cache
def _bundled_styles() -> tuple[Style, ...]:
    """Looks of the model that comes with Fresco, as they were when the plugin was built."""
    try:
        return tuple(Style(**one) for one in json.loads(_STYLES.read_text("utf-8")))
    except (OSError, TypeError, ValueError):
        return ()


def style_picture(name: str) -> Path:
    """What a style of the bundled model looks like, if there is a picture of it."""
    return Path(__file__).parent / "styles" / f"{name}.jpg"


@dataclass
class State:
    """Everything the panel draws that is not in the file."""

    daemon_worker: DaemonWorker | None = None
    connection: DaemonState = "away"
    connection_fault: PluginFault | None = None
    server: ServerInfo | None = None
    models: tuple[Model, ...] = ()
    cards: dict[str, JobCard] = field(default_factory=dict[str, JobCard])
    history: tuple[Job, ...] = ()
    look_share: float | None = None
    """How far the look that is being made is; None while there is none."""
    look_picture: Path | None = None
    look_fault: PluginFault | None = None
    request_fault: PluginFault | None = None

    def styles(self, source: str) -> tuple[Style, ...]:
        """Looks a model knows; those of the bundled one are known before any daemon is there."""
        found = next((model.styles for model in self.models if model.source == source), None)
        if found is None:
            return () if source else _bundled_styles()
        return found

    def controls(self) -> tuple[str, ...]:
        """Ways in which structure can bind."""
        server = self.server
        if server is None or server.capabilities is None:
            return _USUAL_CONTROLS
        return server.capabilities.controls

    @property
    def open_cards(self) -> list[JobCard]:
        """Jobs of this file that something is still to come of, or that ended badly."""
        return [card for card in self.cards.values() if card.is_open or card.fault]


state = State()
