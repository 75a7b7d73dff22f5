"""Jobs that were begun elsewhere or earlier: following them, and fetching what they make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fresco_client as client
from fresco_client import Job, SessionLike
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Report
from fresco_media.writing.delivery import Codec
from fresco_server.local.engine import InProcessEngine

from fresco_cli import destinations
from fresco_cli.faults import WRONG_INPUT, CommandFailed, Stopped
from fresco_cli.followed_job import FollowedJob
from fresco_cli.inputs import clip_inputs, job_inputs
from fresco_cli.options import DestinationOptions
from fresco_cli.output import Output
from fresco_cli.receiving import Receiver, clip_of
from fresco_cli.wire import report_of


def watched(session: SessionLike, job: Job, channel: Output) -> Report:
    """Follows a job to its end; its report, in which the places are the daemon's."""
    clip = clip_of(job)
    settings = _settings(job)
    followed = FollowedJob(session, job.id, clip.info, channel, prompts=settings.keyframe_prompts)
    try:
        result = followed.result()
    except KeyboardInterrupt:
        raise Stopped(f"Job {job.id} goes on; 'fresco jobs cancel {job.id}' ends it.") from None
    report = report_of(result)
    return replace(report, clip={**report.clip, "path": str(clip.info.path)}, outputs={})


def collected(
    session: SessionLike,
    job: Job,
    wanted: DestinationOptions,
    channel: Output,
    engine: InProcessEngine,
) -> Report:
    """Follows a job to its end and fetches what it has made."""
    clip, codec = clip_of(job), codec_of(job, wanted.output)
    originals = clip_inputs(clip.info) | job_inputs(job)
    destinations.check_extras(wanted, originals)
    settings = _settings(job)
    engine.check_output(
        wanted.output,
        clip,
        settings,
        codec=codec,
        overwrite=wanted.overwrite,
        originals=originals,
    )
    receiver = Receiver(session, job.id, clip, wanted, codec, channel, originals)
    try:
        return receiver.report(engine, settings.keyframe_prompts)
    except KeyboardInterrupt:
        raise Stopped(
            f"Stopped; 'fresco jobs fetch {job.id} -o OUT' goes on where it was."
        ) from None


def codec_of(job: Job, output: Path) -> Codec:
    """What the job is written as.

    Raises:
        CommandFailed: `output` names another kind of file.
    """
    kind = (job.output.kind if job.output else None) or "h264"
    if kind == "frames":
        return "images"
    container = (job.output.container if job.output else None) or "mp4"
    suffix = output.suffix.lower().lstrip(".").replace("m4v", "mp4")
    if suffix != container:
        raise CommandFailed(
            "OutputNotWritable",
            f"{output}: the job has made a video for .{container}; end the name with that",
            WRONG_INPUT,
        )
    return kind


def _settings(job: Job) -> RestyleSettings:
    """The settings that matter here: range, and words for keyframes."""
    sent = job.settings or client.RestyleSettings()
    return RestyleSettings(
        prompt=sent.prompt or "none",
        keyframe_prompts=sent.keyframe_prompts,
        start=sent.start or 0,
        stop=sent.stop,
    )
