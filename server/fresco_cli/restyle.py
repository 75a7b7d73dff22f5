"""`fresco restyle`: a clip in, the restyled clip out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Analysed, Event, Finished, Report, Warned

from fresco_cli import destinations, options
from fresco_cli.engine import Codec, Engine
from fresco_cli.options import Choices
from fresco_cli.outcome import told
from fresco_cli.output import Output, make_output

_NO_DAEMON = "No daemon is part of this version, so the clip is restyled in this process."


def restyle(
    context: typer.Context,
    clip: options.ClipPath,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="The result: .mp4, .mov, .mkv, or name_%04d.png for images.",
        ),
    ],
    prompt: options.Prompt,
    frames: options.Range = None,
    frame_rate: options.FrameRate = None,
    lossless: Annotated[bool, typer.Option("--lossless", help="Lose nothing; large.")] = False,
    overwrite: options.Overwrite = False,
    save_keyframes: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save the restyled keyframes as PNG.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="Save settings, times, memory and metrics."),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Work in this process, without a daemon.")
    ] = False,
    preset: options.Preset = "standard",
    seed: options.Seed = None,
    strength: options.Strength = None,
    negative_prompt: options.NegativePrompt = "",
    frame_prompt: options.FramePrompts = None,
    keep_colours: options.KeepColours = None,
    colourise: options.Colourise = False,
    steps: options.Steps = None,
    guidance: options.Guidance = None,
    size: options.Size = None,
    batch: options.Batch = None,
    gaps: options.Gaps = None,
    spatial_attention: options.SpatialAttention = True,
    cross_frame: options.CrossFrame = True,
    temporal_attention: options.TemporalAttention = True,
    optimisation: options.Optimisation = True,
    smoothing: options.Smoothing = None,
    free_u: options.FreeU = False,
    interpolation: options.Interpolation = None,
    model: options.ModelSource = None,
    control: options.Control = None,
    control_scale: options.ControlScale = None,
    control_model: options.ControlModel = None,
    lora: options.Loras = None,
    device: options.Device = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Restyle a clip by a prompt; sound, timing and size stay as they are."""
    choices = Choices(
        prompt=prompt,
        negative_prompt=negative_prompt,
        frame_prompts=frame_prompt,
        preset=preset,
        seed=seed,
        strength=strength,
        keep_colours=keep_colours,
        colourise=colourise,
        steps=steps,
        guidance=guidance,
        control=control,
        control_scale=control_scale,
        size=size,
        batch=batch,
        gaps=gaps,
        frames=frames,
        spatial_attention=spatial_attention,
        cross_frame=cross_frame,
        temporal_attention=temporal_attention,
        optimisation=optimisation,
        smoothing=smoothing,
        free_u=free_u,
        interpolation=interpolation,
    )
    channel = make_output(as_json=as_json, quiet=quiet)
    with told(channel, debug=debug):
        if not local:
            channel.note(_NO_DAEMON)
        job = Job(
            clip=clip,
            frame_rate=frame_rate,
            output=output,
            settings=choices.settings(),
            codec="lossless" if lossless else None,
            overwrite=overwrite,
            save_keyframes=save_keyframes,
            report=report,
            model=ModelChoice(model, control, control_model, tuple(lora or ()), device),
        )
        seconds, result = run_job(context.obj, job, channel)
        channel.result(_summary(result, seconds))


@dataclass(frozen=True)
class ModelChoice:
    """Which model to load; `None` takes the bundled one and what it recommends."""

    source: str | None = None
    control: str | None = None
    control_source: str | None = None
    loras: tuple[str, ...] = ()
    device: str | None = None

    def load(self, engine: Engine) -> Any:
        """The model."""
        return engine.load_model(
            self.source,
            control=cast(Any, self.control),
            control_source=self.control_source,
            loras=self.loras,
            device=self.device,
        )


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything about one run of the engine that is not a setting."""

    clip: Path
    output: Path
    settings: RestyleSettings
    model: ModelChoice = ModelChoice()
    frame_rate: str | None = None
    codec: Codec | None = None
    overwrite: bool = False
    save_keyframes: Path | None = None
    report: Path | None = None


def run_job(engine: Engine, job: Job, channel: Output) -> tuple[float, Report]:
    """Runs a job, passing its events on; returns its seconds and its report.

    What can be found wrong at once is found before the model is loaded.
    """
    clip = engine.open_clip(job.clip, options.parse_frame_rate(job.frame_rate))
    if job.report is not None:
        destinations.check_report(job.report, job.clip, job.output)
    if job.save_keyframes is not None:
        destinations.check_keyframe_folder(job.save_keyframes, clip.info, overwrite=job.overwrite)
    engine.check_output(job.output, clip, job.settings, codec=job.codec, overwrite=job.overwrite)
    began = time.perf_counter()
    model = job.model.load(engine)
    if job.save_keyframes is not None:
        destinations.clear_keyframes(job.save_keyframes)
    events = engine.render(
        clip,
        job.output,
        job.settings,
        model,
        codec=job.codec,
        overwrite=job.overwrite,
        save_keyframes=job.save_keyframes,
    )
    with closing(cast(Any, events)):
        report = _follow(events, channel)
    if job.report is not None:
        engine.save_report(report, job.report)
    return time.perf_counter() - began, report


def _follow(events: Iterator[Event], channel: Output) -> Report:
    told_already: set[str] = set()
    for event in events:
        if isinstance(event, Warned):
            if event.message in told_already:
                continue
            told_already.add(event.message)
        channel.event(event)
        if isinstance(event, Analysed):
            _warn_of_unused_words(event, channel)
        if isinstance(event, Finished):
            return event.report
    raise RuntimeError("the engine ended without a report")


def _warn_of_unused_words(plan: Analysed, channel: Output) -> None:
    unused = sorted(set(plan.settings.keyframe_prompts) - set(plan.keyframes))
    if unused:
        frames = ", ".join(map(str, unused))
        channel.event(
            Warned(
                f"the words for frame {frames} are not used, as only keyframes have words of their "
                "own; 'fresco keyframes' lists them"
            )
        )


def _summary(report: Report, seconds: float) -> str:
    frames = report.clip.get("frames")
    start, stop = report.settings.get("start", 0), report.settings.get("stop")
    count = (frames if stop is None else stop) - start
    return (
        f"{report.outputs['clip']}: {count} frames, {len(report.keyframes)} of them keyframes, "
        f"in {seconds:.0f} s"
    )
