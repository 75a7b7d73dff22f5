"""`fresco demo`: the clip that comes with Fresco, restyled, with everything there is to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from fresco_engine.types import Report
from fresco_media.files.output_folders import prepare_folders
from fresco_server.local.engine import InProcessEngine

from fresco_cli import options
from fresco_cli.choices import Choices
from fresco_cli.destinations import check_not_the_daemons
from fresco_cli.grouping import grouped
from fresco_cli.job_spec import JobSpec, checked
from fresco_cli.options import DaemonOptions, DestinationOptions, ModelOptions, ReportingOptions
from fresco_cli.outcome import told
from fresco_cli.output import Output, aligned, make_output
from fresco_cli.parsing import place
from fresco_cli.pictures import comparison_sheet, spread

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


def _look(choices: Choices) -> str:
    """What was asked for, in words."""
    return ", ".join(filter(None, (choices.prompt, choices.style)))


@grouped
def demo(
    context: typer.Context,
    choices: Choices,
    telling: ReportingOptions,
    folder: Annotated[
        Path,
        typer.Option("--output", "-o", parser=place, metavar="DIR", help="Where the results go."),
    ] = Path("fresco-demo"),
    device: options.Device = None,
) -> None:
    """Restyle the clip that comes with Fresco, in this process; needs no network and no GPU."""
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug):
        files = DemoFiles(folder)
        if not _look(choices):
            choices = replace(choices, prompt=PROMPT)
        seconds, _ = run_demo(context.obj.engine, files, choices, channel, device)
        channel.result(_table(files, seconds))


def run_demo(
    engine: InProcessEngine,
    files: DemoFiles,
    choices: Choices,
    channel: Output,
    device: str | None,
) -> tuple[float, Report]:
    """Restyles the sample clip into `files`; an earlier demo's results are replaced."""
    check_not_the_daemons(files.folder)
    prepare_folders(files.folder)
    channel.note(f"Restyling the sample clip as: {_look(choices)}")
    order = JobSpec(
        clip=engine.sample_clip(),
        choices=choices,
        wanted=DestinationOptions(
            output=files.clip,
            overwrite=True,
            save_keyframes=files.keyframes,
            report=files.report,
        ),
        model=ModelOptions(device=device),
    )
    from fresco_cli.running import local_session, run

    ready = checked(order, engine)
    with local_session(engine, ready) as session:
        seconds, report = run(session, DaemonOptions(), ready, channel, engine)
    before, after = engine.open_clip(order.clip), engine.open_clip(files.clip)
    shown = spread(report.keyframes, SHEET_COLUMNS)
    comparison_sheet(before, after, shown, report.settings["start"], files.sheet)
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
