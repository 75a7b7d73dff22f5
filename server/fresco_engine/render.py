"""From a clip to a file: the pipeline's frames encoded as they come, with a report at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fresco_engine import __version__
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.models import Model
from fresco_engine.errors import OutputNotWritable
from fresco_engine.interpolation.propagate import Interpolator
from fresco_engine.media.clip import Clip
from fresco_engine.media.faults import writing
from fresco_engine.media.images import working_size, write_image
from fresco_engine.media.writer import Codec, open_writer
from fresco_engine.memory import peak_memory_bytes
from fresco_engine.metrics import pixel_mse
from fresco_engine.pace import Pace
from fresco_engine.restyle import restyle
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import (
    Analysed,
    Event,
    Finished,
    FrameReady,
    KeyframeReady,
    Report,
    Stage,
    Warned,
)

_METRIC_SHORT_SIDE = 256


def render(
    clip: Clip,
    output: Path,
    settings: RestyleSettings,
    model: Model,
    *,
    codec: Codec | None = None,
    overwrite: bool = False,
    save_keyframes: Path | None = None,
    interpolator: Interpolator | None = None,
) -> Iterator[Event]:
    """Restyle `clip` into `output`; yields the pipeline's events, `Finished` last.

    The output is checked before any work begins and appears under its name only when it is whole.
    Closing the iterator cancels and leaves nothing half-written; keyframes already saved stay.

    Raises:
        OutputError: the output exists, cannot be written, or the disk is full.
        FrescoError: whatever `restyle` raises.
    """
    keyframe_folder = _prepared_folder(save_keyframes)
    pace = Pace()
    collected = _Collected()
    stop = clip.info.frame_count if settings.stop is None else settings.stop
    with open_writer(
        output, clip, codec=codec, overwrite=overwrite, start=settings.start, stop=stop
    ) as writer:
        events = restyle(clip, settings, model, interpolator=interpolator, pace=pace)
        for event in events:
            collected.add(event)
            if isinstance(event, FrameReady):
                with pace.measured(Stage.ENCODING):
                    writer.write(event.frame)
            elif isinstance(event, KeyframeReady) and keyframe_folder is not None:
                write_image(keyframe_folder / f"{event.index:06d}.png", event.image)
            yield event
    # Decoding and encoding may have met something since the clip was opened.
    for text in (*clip.warnings, *writer.warnings):
        if text not in collected.warnings:
            collected.warnings.append(text)
            yield Warned(text)
    outputs = {"clip": str(output)}
    if keyframe_folder is not None:
        outputs["keyframes"] = str(keyframe_folder)
    yield Finished(_report(collected, clip, model, pace, outputs))


def save_report(report: Report, path: Path) -> None:
    """Write a report as JSON.

    Raises:
        OutputNotWritable: the file cannot be written.
        DiskFull: the disk has no room for it.
    """
    text = json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n"
    temporary = path.with_name(f".{path.name}.partial")
    with writing(path):
        try:
            temporary.write_text(text, "utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _prepared_folder(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(
            folder, f"cannot be used for keyframes ({error.strerror}); choose another folder"
        ) from error
    return folder


class _Collected:
    """What the report needs, gathered from the events as they pass."""

    def __init__(self) -> None:
        self.plan: Analysed | None = None
        self.warnings: list[str] = []

    def add(self, event: Event) -> None:
        """Remember what the report will say."""
        if isinstance(event, Analysed):
            self.plan = event
        elif isinstance(event, Warned):
            self.warnings.append(event.message)


def _report(
    collected: _Collected, clip: Clip, model: Model, pace: Pace, outputs: dict[str, str]
) -> Report:
    plan = collected.plan
    assert plan is not None
    result = Clip.open(outputs["clip"], frame_rate=clip.info.frame_rate)
    return Report(
        version=__version__,
        settings=plan.settings.as_dict(),
        model=model.name,
        device=str(model.device),
        clip=_clip_facts(clip),
        keyframes=plan.keyframes,
        shots=plan.shots,
        working_size=plan.working_size,
        seconds=pace.report(),
        peak_memory_bytes=peak_memory_bytes(str(model.device)),
        metrics=_metrics(clip, result, plan),
        warnings=tuple(collected.warnings),
        outputs=outputs,
    )


def _clip_facts(clip: Clip) -> dict[str, Any]:
    info = clip.info
    return {
        "path": str(info.path),
        "width": info.width,
        "height": info.height,
        "frame_rate": str(info.frame_rate),
        "frames": info.frame_count,
        "has_audio": info.has_audio,
    }


def _metrics(clip: Clip, result: Clip, plan: Analysed) -> dict[str, float]:
    """Temporal consistency of the written result beside that of the source itself."""
    info = clip.info
    size = working_size(info.width, info.height, min(_METRIC_SHORT_SIDE, plan.settings.size)).scaled

    def pixel_mse_of(other: Clip, start: int, stop: int) -> float:
        sources = clip.frames(plan.start, plan.stop, size=size)
        pairs = zip(sources, other.frames(start, stop, size=size), strict=False)
        return pixel_mse(((a.image, b.image) for a, b in pairs), DisFlow())

    return {
        "pixel_mse": pixel_mse_of(result, 0, plan.stop - plan.start),
        "pixel_mse_of_source": pixel_mse_of(clip, plan.start, plan.stop),
    }
