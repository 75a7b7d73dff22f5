"""What a job will take on this machine: memory from shapes, time from one frame that is made."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from fresco_client.words import duration
from fresco_engine.settings import RestyleSettings
from fresco_media.files.text import sized
from fresco_server.local.engine import InProcessEngine

from fresco_cli.daemon_checks import CheckProblem

CARDS_GB = (4, 6, 8, 12, 16, 24, 32, 48, 80)
_DRIVERS_GB = 1.0
"""What a graphics card's driver and the desktop on it take for themselves."""
_STEPS = 2
_LEAST_BATCH = 3


@dataclass(frozen=True, kw_only=True)
class JobChoice:
    """The job that is asked about: of the sample clip and the bundled model where not chosen."""

    clip: Path | None = None
    model: str | None = None
    size: int = RestyleSettings(prompt="any").size
    device: str | None = None


def forecast(engine: InProcessEngine, job: JobChoice) -> str:
    """Memory of a batch, the cards it fits, and the time that the keyframes will take.

    Raises:
        CheckProblem: this machine's card is too small, with the batch that would fit.
        ClipError, ModelError: clip or model cannot be used.
    """
    clip = engine.open_clip(job.clip or engine.sample_clip())
    model = engine.load_model(
        job.model, control=None, control_source=None, loras=(), device=job.device
    )
    settings = RestyleSettings(prompt="a watercolour", size=job.size)
    count = settings.batch_size
    whole = engine.batch_cost(clip, settings, model, count)
    takes = f"{count} keyframes at once at {job.size} px take {sized(whole.peak_bytes)}"
    room = _room(model)
    if room is not None and whole.peak_bytes > room:
        least = engine.batch_cost(clip, settings, model, _LEAST_BATCH)
        a_frame = (whole.working_bytes - least.working_bytes) / (count - _LEAST_BATCH)
        fitting = int(_LEAST_BATCH + (room - least.peak_bytes) / a_frame)
        raise CheckProblem(
            f"{takes}, and {sized(room)} are free; "
            + (
                f"let {fitting} be made at once"
                if fitting >= _LEAST_BATCH
                else "use a smaller size, or the processor"
            )
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


def _room(model: object) -> int | None:
    """Free bytes of the model's graphics card; None for a processor, whose memory can be lent."""
    import torch

    device = getattr(model, "device", None)
    if not isinstance(device, torch.device) or device.type != "cuda":
        return None
    held = torch.cuda.memory_reserved(device)
    return torch.cuda.mem_get_info(device)[0] + held
