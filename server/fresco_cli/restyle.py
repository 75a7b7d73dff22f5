"""`fresco restyle` and `fresco edit`: a clip in, the changed clip out."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer
from fresco_engine.types import Report
from fresco_media.files.text import counted

from fresco_cli import options
from fresco_cli.choices import Choices, EditChoices
from fresco_cli.daemons import Tools, check_options, or_locally
from fresco_cli.faults import WRONG_INPUT, CommandFailed
from fresco_cli.grouping import grouped
from fresco_cli.job_spec import JobSpec, checked
from fresco_cli.options import DaemonOptions, DestinationOptions, ModelOptions, ReportingOptions
from fresco_cli.outcome import told
from fresco_cli.output import Output, make_output
from fresco_cli.remedies import calling

Lossless = Annotated[bool, typer.Option("--lossless", help="Lose nothing; large.")]
Detach = Annotated[
    bool,
    typer.Option(
        "--detach",
        help="Leave the job to the daemon and print its id.",
        rich_help_panel="Daemon",
    ),
]


@grouped
def restyle(
    context: typer.Context,
    clip: options.ClipPath,
    wanted: DestinationOptions,
    choices: Choices,
    model: ModelOptions,
    daemon: DaemonOptions,
    telling: ReportingOptions,
    frame_rate: options.FrameRate = None,
    lossless: Lossless = False,
    in_process: options.Local = False,
    detach: Detach = False,
) -> None:
    """Restyle a clip by a prompt; sound, timing and size stay as they are."""
    order = JobSpec(
        clip=clip,
        choices=choices,
        wanted=wanted,
        model=model,
        frame_rate=frame_rate,
        codec="lossless" if lossless else None,
    )
    _ordered(context.obj, order, daemon, telling, in_process=in_process, detach=detach)


@grouped
def edit(
    context: typer.Context,
    clip: options.ClipPath,
    wanted: DestinationOptions,
    choices: EditChoices,
    model: ModelOptions,
    daemon: DaemonOptions,
    telling: ReportingOptions,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TEXT",
            help="What it is to show instead; not needed with a style.",
            rich_help_panel="Edit",
        ),
    ] = None,
    frame_rate: options.FrameRate = None,
    lossless: Lossless = False,
    in_process: options.Local = False,
    detach: Detach = False,
) -> None:
    """Change in a clip what words change; layout, motion and detail stay as they are."""
    order = JobSpec(
        clip=clip,
        choices=choices.towards(to),
        wanted=wanted,
        model=model,
        frame_rate=frame_rate,
        codec="lossless" if lossless else None,
    )
    with calling("prompt", "--to"):
        _ordered(context.obj, order, daemon, telling, in_process=in_process, detach=detach)


def _ordered(
    tools: Tools,
    order: JobSpec,
    daemon: DaemonOptions,
    telling: ReportingOptions,
    *,
    in_process: bool,
    detach: bool,
) -> None:
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug):
        if in_process:
            _check_local(daemon, detach=detach)
        else:
            check_options(daemon)
        _carry_out(tools, daemon, order, channel, in_process=in_process, detach=detach)


def _check_local(daemon: DaemonOptions, *, detach: bool) -> None:
    if detach or daemon != DaemonOptions():
        raise CommandFailed(
            "InvalidSettings",
            "--local works without a daemon; leave it out, or the options that concern one",
            WRONG_INPUT,
        )


def _carry_out(
    tools: Tools,
    daemon: DaemonOptions,
    order: JobSpec,
    channel: Output,
    *,
    in_process: bool,
    detach: bool,
) -> None:
    ready = checked(order, tools.engine)
    from fresco_cli import running

    with or_locally():
        session = (
            running.local_session(tools.engine, ready)
            if in_process
            else tools.session(daemon, channel)
        )
    with session:
        if detach:
            job_id = uuid.uuid4().hex
            running.submit(session, daemon, ready, channel, job_id)
            channel.answer(job_id)
        else:
            seconds, report = running.run(session, daemon, ready, channel, tools.engine)
            channel.result(_summary(report, seconds))


def _summary(report: Report, seconds: float) -> str:
    frames = report.clip.get("frames", 0)
    start, stop = report.settings.get("start", 0), report.settings.get("stop")
    count = (frames if stop is None else stop) - start
    keyframes = counted(len(report.keyframes), "of them a keyframe", "of them keyframes")
    return f"{report.outputs['clip']}: {counted(count, 'frame')}, {keyframes}, in {seconds:.0f} s"
