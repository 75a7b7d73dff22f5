"""Having an order carried out by a session, wherever the work is done."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import fresco_client as client
from fresco_client import ClipSource, SessionLike
from fresco_engine.types import Report
from fresco_media.files.text import counted
from fresco_media.types import ClipProperties
from fresco_server.local.engine import InProcessEngine
from fresco_server.local.job import LocalDelivery
from fresco_server.local.session import LocalSession

from fresco_cli import hangup
from fresco_cli.faults import WRONG_INPUT, CommandFailed, Stopped
from fresco_cli.job_spec import CheckedJobSpec
from fresco_cli.options import DaemonOptions
from fresco_cli.output import Output
from fresco_cli.parsing import parse_frame_rate
from fresco_cli.receiving import Receiver
from fresco_cli.wire import device_of, model_of, output_of, settings_of


def local_session(engine: InProcessEngine, ready: CheckedJobSpec) -> LocalSession:
    """A session in which this process does the work, and the results go to their places."""
    hangup.cancels_work()
    order, wanted = ready.order, ready.order.wanted
    delivery = LocalDelivery(
        output=wanted.output,
        is_overwriting=wanted.overwrite,
        keyframes=wanted.save_keyframes,
        originals=ready.originals,
    )
    return LocalSession(engine, delivery=delivery, opened={order.clip.absolute(): ready.clip})


def run(
    session: SessionLike,
    daemon: DaemonOptions,
    ready: CheckedJobSpec,
    channel: Output,
    engine: InProcessEngine,
) -> tuple[float, Report]:
    """Has an order carried out and fetches what comes of it; its seconds and its report.

    Ctrl-C cancels the job.
    """
    began = time.perf_counter()
    job_id = uuid.uuid4().hex
    wanted = ready.order.wanted
    receiver = Receiver(session, job_id, ready.clip, wanted, ready.codec, channel, ready.originals)
    try:
        submit(session, daemon, ready, channel, job_id)
        report = receiver.report(engine, ready.settings.keyframe_prompts)
    except KeyboardInterrupt:
        if session.is_delivering:
            raise
        _cancel(session, job_id, channel)
    finally:
        receiver.discard()
    channel.finished(report)
    return time.perf_counter() - began, report


def submit(
    session: SessionLike, daemon: DaemonOptions, ready: CheckedJobSpec, channel: Output, job_id: str
) -> None:
    """Makes the job."""
    order = ready.order
    source = clip_source(session, daemon, order.clip, ready.clip.info, order.frame_rate, channel)
    settings = with_reference(session, daemon, settings_of(order.choices), channel)
    if ready.mask is not None:
        mask = ready.mask.info
        sent = clip_source(session, daemon, mask.path, mask, None, channel)
        settings = replace(settings, subject_mask=sent.as_setting)
    job = session.submit(
        source,
        settings,
        model=model_of(order.model),
        output=output_of(order.wanted.output, ready.codec),
        device=device_of(order.model.device),
        # A daemon that has the same bytes by an older name would give the job that one.
        title=order.clip.name,
        job_id=job_id,
    )
    if not session.is_delivering:
        channel.job(job_id)
    if job.jobs_ahead:
        channel.note(f"It waits for {counted(job.jobs_ahead, 'job')} before it.")


def _cancel(session: SessionLike, job_id: str, channel: Output) -> NoReturn:
    """Raises: Stopped, saying what became of the job."""
    channel.note(f"Cancelling job {job_id}.")
    try:
        with suppress(client.NotFound):
            session.cancel(job_id)
    except client.NotPossibleNow:
        raise Stopped(
            f"Stopped; nothing half-written was left behind. What job {job_id} has made can be "
            f"had with 'fresco jobs fetch {job_id} -o OUT'."
        ) from None
    except client.ClientError as error:
        raise Stopped(
            f"Stopped, but job {job_id} could not be cancelled ({error}); "
            f"'fresco jobs cancel {job_id}' does it later."
        ) from None
    raise Stopped("Stopped; nothing half-written was left behind.")


def clip_source(
    session: SessionLike,
    daemon: DaemonOptions,
    path: Path,
    info: ClipProperties,
    frame_rate: str | None,
    channel: Output,
) -> ClipSource:
    """The clip by its path where the daemon can read it, else sent to the daemon."""
    rate = parse_frame_rate(frame_rate)
    by_path = ClipSource(path=str(path.absolute()), frame_rate=rate if info.is_sequence else None)
    server = session.server()
    if server.capabilities is None or server.capabilities.has_file_access:
        with suppress(client.NotFound, client.Forbidden, client.InvalidRequest):
            found = session.describe_clip(by_path)
            if daemon.daemon is None or _is_same(found, info):
                return by_path
    is_one_file = path.is_file() and (not info.is_sequence or info.frame_count == 1)
    if not is_one_file:
        raise CommandFailed(
            "ClipOutOfReach",
            f"{path}: the daemon cannot read this folder, and only single files can be sent to it; "
            "start the daemon with --root, make a video of the pictures, or add --local",
            WRONG_INPUT,
        )
    return session.upload(
        path, lambda sent: channel.transfer(sent.stage, sent.done_bytes, sent.total_bytes)
    )


def with_reference(
    session: SessionLike,
    daemon: DaemonOptions,
    settings: client.RestyleSettings,
    channel: Output,
) -> client.RestyleSettings:
    """Settings whose reference picture is named so, or was sent, that the daemon reaches it."""
    if settings.reference is None:
        return settings
    path, server = Path(settings.reference), session.server()
    # A picture is sent in no time, and one of the same name elsewhere may be another.
    is_near = daemon.daemon is None
    if is_near and (server.capabilities is None or server.capabilities.has_file_access):
        with suppress(client.NotFound, client.Forbidden, client.InvalidRequest):
            session.describe_clip(ClipSource(path=str(path)))
            return settings
    sent = session.upload(
        path, lambda sent: channel.transfer(sent.stage, sent.done_bytes, sent.total_bytes)
    )
    return replace(settings, reference=sent.as_setting)


def _is_same(found: client.ClipInfo, info: ClipProperties) -> bool:
    """Whether what another machine has under the name of our clip can be it."""
    ours = (info.width, info.height, info.frame_count, info.frame_rate, info.duration_s)
    return ours == (
        *(found.width, found.height, found.frame_count, found.frame_rate, found.duration),
    )
