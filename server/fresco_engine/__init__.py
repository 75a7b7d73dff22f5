"""FRESCO video restyling as a library: a clip goes in, events come out.

What a script needs is here: `from fresco_engine import open_clip, load_model, render`. Names load
what they need when they are first used, so that importing the package takes no time.

Letters in shape comments, everywhere in this package:
`b` classifier-free-guidance halves, `f` frames of a batch, `c` channels, `h w` height and width of
a map, `n` tokens (h * w), `d` size of one attention head, `H W` pixels of a frame.

Flow convention: `flow[i→j]` at a pixel of frame i points to where that pixel went in frame j,
in pixels of the map it is defined on, x to the right and y down.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fresco_engine.version import __version__ as __version__

if TYPE_CHECKING:
    from fresco_engine.checkpoint import FolderCheckpoint, fork
    from fresco_engine.clips import open_clip
    from fresco_engine.diffusion.execution import ExecutionChoice
    from fresco_engine.diffusion.lora import Lora
    from fresco_engine.diffusion.models import load_model
    from fresco_engine.errors import FrescoError
    from fresco_engine.looks import look
    from fresco_engine.planning import plan
    from fresco_engine.propagation import propagate
    from fresco_engine.propagation_settings import PropagateSettings
    from fresco_engine.rendering import (
        PropagationFiles,
        render,
        render_propagation,
    )
    from fresco_engine.report_file import save_report
    from fresco_engine.restyling import restyle
    from fresco_engine.settings import RestyleSettings
    from fresco_engine.types import (
        ClipAnalysed,
        Event,
        FrameMade,
        KeyframeMade,
        Progress,
        Report,
        RunFinished,
        RunRestarted,
        RunWarned,
        Stage,
    )

__all__ = [
    "ClipAnalysed",
    "Event",
    "ExecutionChoice",
    "FolderCheckpoint",
    "FrameMade",
    "FrescoError",
    "KeyframeMade",
    "Lora",
    "Progress",
    "PropagateSettings",
    "PropagationFiles",
    "Report",
    "RestyleSettings",
    "RunFinished",
    "RunRestarted",
    "RunWarned",
    "Stage",
    "fork",
    "load_model",
    "look",
    "open_clip",
    "plan",
    "propagate",
    "render",
    "render_propagation",
    "restyle",
    "save_report",
]

_HOMES = {
    "checkpoint": ("FolderCheckpoint", "fork"),
    "clips": ("open_clip",),
    "diffusion.execution": ("ExecutionChoice",),
    "diffusion.lora": ("Lora",),
    "diffusion.models": ("load_model",),
    "errors": ("FrescoError",),
    "propagation": ("propagate",),
    "propagation_settings": ("PropagateSettings",),
    "rendering": ("PropagationFiles", "render", "render_propagation"),
    "report_file": ("save_report",),
    "planning": ("plan",),
    "looks": ("look",),
    "restyling": ("restyle",),
    "settings": ("RestyleSettings",),
    "types": (
        "ClipAnalysed",
        "Event",
        "RunFinished",
        "FrameMade",
        "KeyframeMade",
        "Progress",
        "Report",
        "RunRestarted",
        "Stage",
        "RunWarned",
    ),
}


def __getattr__(name: str) -> Any:
    """A name of `__all__`, from where it lives (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
