"""`fresco propagate`: keyframes painted by hand in, the whole clip in their style out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from fresco_engine.types import Report
from fresco_media.files.output_folders import prepare_folders
from fresco_media.files.text import counted
from fresco_server.local.engine import InProcessEngine, PropagationJob

from fresco_cli import destinations, hangup, options
from fresco_cli.choices import RangeChoice
from fresco_cli.daemons import Tools
from fresco_cli.grouping import grouped
from fresco_cli.inputs import clip_inputs, painted_inputs
from fresco_cli.options import ReportingOptions
from fresco_cli.outcome import told
from fresco_cli.output import Output, make_output
from fresco_cli.parsing import given_place, parse_frame_rate, place

_WORTH_TELLING = 0.05


@dataclass(frozen=True, kw_only=True)
class PropagateChoices:
    """How the painted keyframes are carried over the clip, and where what comes of it goes."""

    output: options.Output
    fast: Annotated[
        bool, typer.Option("--fast", help="Follow motion only, without searching patches.")
    ] = False
    size: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Short side in pixels to work at, 64 to 8192; default: the clip's."
        ),
    ] = None
    first_number: Annotated[
        int | None,
        typer.Option(
            "--first-number",
            metavar="N",
            min=0,
            help="The number that the keys' names give to the clip's first frame, 0 or 1 as a "
            "rule; seen from the names and pictures unless given.",
        ),
    ] = None
    frame_rate: options.FrameRate = None
    lossless: Annotated[bool, typer.Option("--lossless", help="Lose nothing; large.")] = False
    overwrite: options.Overwrite = False
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            parser=place,
            help="Save times, memory and the error of every frame.",
        ),
    ] = None
    error_maps: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", parser=place, help="Save where every frame misses its source, as PNG."
        ),
    ] = None
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", parser=place, help="Keep finished parts there, and go on with them."
        ),
    ] = None
    device: options.Device = None

    def job(self, clip: Path, keys: Path, part: RangeChoice) -> PropagationJob:
        """What is to be done with a clip and a folder of painted keyframes.

        Raises:
            InvalidSettings: a value is of another form.
        """
        frames = part.values()
        return PropagationJob(
            clip=clip,
            frame_rate=parse_frame_rate(self.frame_rate),
            keys=keys,
            output=self.output,
            interpolation="flow" if self.fast else "patch",
            size=self.size,
            start=frames.get("start", 0),
            stop=frames.get("stop"),
            first_number=self.first_number,
            codec="lossless" if self.lossless else None,
            overwrite=self.overwrite,
            error_maps=self.error_maps,
            resume=self.resume,
            device=self.device,
        )


@grouped
def propagate(
    context: typer.Context,
    clip: options.ClipPath,
    keys: Annotated[
        Path,
        typer.Argument(
            parser=given_place,
            metavar="KEYDIR",
            help="A folder of painted frames, with the frame's number in every name.",
            show_default=False,
        ),
    ],
    part: RangeChoice,
    telling: ReportingOptions,
    choices: PropagateChoices,
) -> None:
    """Carry painted keyframes over a clip; no model is needed."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug):
        job = choices.job(clip, keys, part)
        began = time.perf_counter()
        result = _run(tools.engine, job, choices.report, channel)
        channel.result(_summary(result, time.perf_counter() - began))


def _run(
    engine: InProcessEngine, job: PropagationJob, report: Path | None, channel: Output
) -> Report:
    from fresco_server.local.session import LocalSession

    from fresco_cli.followed_job import FollowedJob
    from fresco_cli.wire import report_of

    info = engine.open_clip(job.clip, job.frame_rate).info
    job = replace(job, originals=clip_inputs(info) | painted_inputs((), job.keys))
    destinations.check_not_the_daemons(job.output)
    if report is not None:
        destinations.check_report(report, job.output, job.originals, overwrite=job.overwrite)
    for folder in (job.error_maps, job.resume):
        if folder is not None:
            destinations.check_folder(folder, job.output, job.originals)
    prepare_folders(job.error_maps, job.resume)
    hangup.cancels_work()
    with LocalSession(engine) as session:
        job_id = session.propagate(job).id
        made = report_of(FollowedJob(session, job_id, info, channel).result())
    if report is not None:
        job.originals.check(report)
        engine.save_report(made, report, is_new=not job.overwrite)
    suggested = made.interpolation.get("suggested_keyframe")
    channel.finished(made)
    if suggested is not None and suggested["gain"] >= _WORTH_TELLING:
        channel.note(
            f"One more key would help most at frame {suggested['index']}: it would take away about "
            f"{suggested['gain']:.0%} of what the frames between keys miss."
        )
    return made


def _summary(report: Report, seconds: float) -> str:
    keys = len(report.keyframes)
    count = keys + len(report.interpolation["frames"])
    return (
        f"{report.outputs['clip']}: {counted(count, 'frame')} from {counted(keys, 'key')}, "
        f"in {seconds:.0f} s"
    )
