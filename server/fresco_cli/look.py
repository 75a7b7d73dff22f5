"""`fresco look`: one frame restyled, for choosing prompt and strength."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from fresco_cli import destinations, options
from fresco_cli.engine import Engine
from fresco_cli.options import Choices
from fresco_cli.outcome import told
from fresco_cli.output import make_output, write_json
from fresco_cli.restyle import ModelChoice


def look(
    context: typer.Context,
    clip: options.ClipPath,
    frame: Annotated[
        int, typer.Option("--frame", metavar="N", help="Which frame, counted from 0.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PNG", help="The picture to write.")
    ],
    prompt: options.Prompt,
    frame_rate: options.FrameRate = None,
    overwrite: options.Overwrite = False,
    preset: options.Preset = "standard",
    seed: options.Seed = None,
    strength: options.Strength = None,
    negative_prompt: options.NegativePrompt = "",
    keep_colours: options.KeepColours = None,
    colourise: options.Colourise = False,
    steps: options.Steps = None,
    guidance: options.Guidance = None,
    size: options.Size = None,
    free_u: options.FreeU = False,
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
    """Restyle one frame of a clip."""
    choices = Choices(
        prompt=prompt,
        negative_prompt=negative_prompt,
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
        free_u=free_u,
    )
    channel = make_output(as_json=as_json, quiet=quiet)
    with told(channel, debug=debug):
        choice = ModelChoice(model, control, control_model, tuple(lora or ()), device)
        destinations.check_picture(output, overwrite=overwrite)
        seconds = _look(context.obj, clip, frame, output, choices, choice, frame_rate)
        if as_json:
            write_json({"event": "finished", "output": str(output), "seconds": round(seconds, 3)})
        channel.result(f"{output}: frame {frame} in {seconds:.0f} s")


def _look(
    engine: Engine,
    path: Path,
    index: int,
    output: Path,
    choices: Choices,
    choice: ModelChoice,
    frame_rate: str | None,
) -> float:
    """Writes the restyled frame; returns the seconds it took."""
    from fresco_engine.media.images import write_image

    settings = choices.settings()
    clip = engine.open_clip(path, options.parse_frame_rate(frame_rate))
    clip.frames_at([index])  # Raises at once when there is no such frame.
    began = time.perf_counter()
    picture = engine.look(clip, index, settings, choice.load(engine))
    write_image(output, picture)
    return time.perf_counter() - began
