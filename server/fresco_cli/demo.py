"""`fresco demo`: the clip that comes with Fresco, restyled, with everything there is to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Report

from fresco_cli import destinations, options
from fresco_cli.engine import Engine
from fresco_cli.options import Choices
from fresco_cli.outcome import told
from fresco_cli.output import Output, aligned, make_output
from fresco_cli.pictures import comparison_sheet, spread
from fresco_cli.restyle import Job, ModelChoice, run_job

PROMPT = "a watercolour painting of a toy town"
SHEET_COLUMNS = 6


@dataclass(frozen=True)
class DemoFiles:
    """What the demo writes into its folder."""

    folder: Path

    @property
    def clip(self) -> Path:
        """The restyled clip."""
        return self.folder / "restyled.mp4"

    @property
    def keyframes(self) -> Path:
        """The folder of restyled keyframes."""
        return self.folder / "keyframes"

    @property
    def sheet(self) -> Path:
        """Frames before and after."""
        return self.folder / "contact-sheet.png"

    @property
    def report(self) -> Path:
        """Settings, times, memory and metrics."""
        return self.folder / "report.json"


def demo(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")
    ] = Path("fresco-demo"),
    prompt: options.Prompt = PROMPT,
    preset: options.Preset = "standard",
    seed: options.Seed = None,
    strength: options.Strength = None,
    steps: options.Steps = None,
    size: options.Size = None,
    frames: options.Range = None,
    device: options.Device = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Restyle the clip that comes with Fresco; needs no network and no GPU."""
    choices = Choices(
        prompt=prompt,
        preset=preset,
        seed=seed,
        strength=strength,
        steps=steps,
        size=size,
        frames=frames,
    )
    channel = make_output(as_json=as_json, quiet=quiet)
    with told(channel, debug=debug):
        files = DemoFiles(folder)
        seconds, _ = run_demo(context.obj, files, choices.settings(), channel, device)
        channel.result(_table(files, seconds))


def run_demo(
    engine: Engine, files: DemoFiles, settings: RestyleSettings, channel: Output, device: str | None
) -> tuple[float, Report]:
    """Restyles the sample clip into `files`; an earlier demo's results are replaced."""
    destinations.make_folder(files.folder)
    channel.note(f"Restyling the sample clip as: {settings.prompt}")
    job = Job(
        clip=engine.sample_clip(),
        output=files.clip,
        settings=settings,
        model=ModelChoice(device=device),
        overwrite=True,
        save_keyframes=files.keyframes,
        report=files.report,
    )
    seconds, report = run_job(engine, job, channel)
    before, after = engine.open_clip(job.clip), engine.open_clip(files.clip)
    shown = spread(report.keyframes, SHEET_COLUMNS)
    comparison_sheet(before, after, shown, settings.start, files.sheet)
    return seconds, report


def _table(files: DemoFiles, seconds: float) -> str:
    return aligned(
        [
            ("restyled clip", str(files.clip)),
            ("its keyframes", str(files.keyframes)),
            ("before and after", str(files.sheet)),
            ("report", str(files.report)),
            ("seconds", f"{seconds:.0f}"),
        ]
    )
