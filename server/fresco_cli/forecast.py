"""What a job will take on this machine: memory from shapes, time from one frame that is made."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fresco_client.words import duration
from fresco_engine.settings import RestyleSettings
from fresco_media.files.text import sized
from fresco_server.local.engine import InProcessEngine

from fresco_cli.daemon_checks import CheckProblem

CARDS_GB = (4, 6, 8, 12, 16, 24, 32, 48, 80)
_DRIVERS_GB = 1.0
"""What a graphics card's driver and the desktop on it take for themselves."""
_STEPS = 2


@dataclass(frozen=True, kw_only=True)
class JobChoice:
    """The job that is asked about: of the sample clip and the bundled model where not chosen."""

    clip: Path | None = None
    model: str | None = None
    size: int = RestyleSettings(prompt="any").size
    device: str | None = None


def forecast(engine: InProcessEngine, job: JobChoice, load: Callable[[str | None], Any]) -> str:
    """Memory of a batch, the cards it fits, and the time that the keyframes will take.

    `load` gives the model of a source.

    Raises:
        CheckProblem: this machine's card is too small, with the batch that would fit.
        ClipError, ModelError: clip or model cannot be used.
    """
    clip = engine.open_clip(job.clip or engine.sample_clip())
    model = load(job.model)
    settings = RestyleSettings(prompt="a watercolour", size=job.size)
    count = settings.batch_size
    whole = engine.batch_cost(clip, settings, model, count)
    takes = f"{count} keyframes at once at {job.size} px take {sized(whole.peak_bytes)}"
    if (lowered := engine.fitting(clip, settings, model)).batch_size is not None:
        raise CheckProblem(
            f"{takes}, which is more than is free, so {lowered.batch_size} will be made at once; "
            "close other programs that use the device, or use a smaller size"
        )
    keyframes = max(2, -(-clip.info.frame_count // settings.keyframe_max) + 1)
    brief = replace(settings, steps=_STEPS, strength=1.0)
    alone = engine.batch_cost(clip, brief, model, 1).operations
    engine.look(clip, 0, brief, model)  # The first one also pays for what is made ready once.
    began = time.perf_counter()
    engine.look(clip, 0, brief, model)
    seconds = (time.perf_counter() - began) * whole.operations / alone * keyframes / count
    name = (job.clip or engine.sample_clip()).name
    return (
        f"{takes}{_cards(whole.peak_bytes)}; the keyframes of {name} "
        f"({keyframes} or more) take about {duration(seconds)}"
    )


def _cards(peak_bytes: int) -> str:
    needed = peak_bytes / 1e9 + _DRIVERS_GB
    fitting = next((size for size in CARDS_GB if size >= needed), None)
    return "" if fitting is None else f", which fits graphics cards of {fitting} GB and more"
