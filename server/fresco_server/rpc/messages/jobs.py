"""Jobs and their events as messages, and requests as what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fresco.v1 import jobs_pb2
from fresco_engine.types import Stage
from google.protobuf import json_format

from fresco_server.errors import BadRequest
from fresco_server.jobs.job import Failure, Job, JobEvent, JobState, Result, StageDone, Values
from fresco_server.rpc.messages.basics import (
    duration,
    fits_32,
    fits_64,
    json_text,
    rational,
    text,
    timestamp,
)
from fresco_server.rpc.messages.clips import clip_info

STATES: dict[JobState, jobs_pb2.JobState.ValueType] = {
    state: jobs_pb2.JobState.Value(f"JOB_STATE_{state.name}") for state in JobState
}
_STAGES: dict[Stage, jobs_pb2.Stage.ValueType] = {
    stage: jobs_pb2.Stage.Value(f"STAGE_{stage.name}") for stage in Stage
}
CODECS = {
    jobs_pb2.OUTPUT_KIND_UNSPECIFIED: "h264",
    jobs_pb2.OUTPUT_KIND_H264: "h264",
    jobs_pb2.OUTPUT_KIND_LOSSLESS: "lossless",
    jobs_pb2.OUTPUT_KIND_FRAMES: "frames",
}
_SUFFIXES = {
    jobs_pb2.CONTAINER_UNSPECIFIED: ".mp4",
    jobs_pb2.CONTAINER_MP4: ".mp4",
    jobs_pb2.CONTAINER_MOV: ".mov",
    jobs_pb2.CONTAINER_MKV: ".mkv",
}
_REPORT_BYTES = 1 << 20
"""A longer report is left out, so that a job's message stays well below gRPC's limit."""


def output_of(options: jobs_pb2.OutputOptions) -> tuple[str, str]:
    """The engine's codec ("frames" for no file) and the file's ending.

    Raises:
        BadRequest: one of the two is unknown.
    """
    if options.kind not in CODECS:
        raise BadRequest("output.kind", f"{options.kind} is unknown; update the daemon")
    if options.container not in _SUFFIXES:
        raise BadRequest("output.container", f"{options.container} is unknown; update the daemon")
    return CODECS[options.kind], _SUFFIXES[options.container]


def states_of(states: Iterable[int]) -> tuple[JobState, ...]:
    """The states a client asks for.

    Raises:
        BadRequest: one is unknown.
    """
    known = {int(value): state for state, value in STATES.items()}
    try:
        return tuple(known[state] for state in states)
    except KeyError as error:
        raise BadRequest("states", f"{error} is unknown; leave states out for all") from error


def kept(request: jobs_pb2.CreateJobRequest) -> dict[str, Any]:
    """The request as JSON values, from which `job_message` answers what the client sent."""
    return json_format.MessageToDict(request, preserving_proto_field_name=True)


def job_message(job: Job, disk_bytes: int = 0) -> jobs_pb2.Job:
    """A job as a client sees it."""
    sent = _sent(job)
    message = jobs_pb2.Job(
        id=job.id,
        state=STATES[job.state],
        create_time=timestamp(job.created),
        update_time=timestamp(job.updated),
        title=text(job.order.title),
        clip=sent.clip,
        clip_info=clip_info(job.order.clip_info),
        settings=sent.settings,
        model=sent.model,
        output=sent.output,
        device=text(job.order.device),
        parent_id=job.order.parent_id or "",
        progress=[_stage_progress(stage) for stage in job.progress],
        remaining=duration(job.remaining_s),
        jobs_ahead=fits_32(job.jobs_ahead),
        ready_keyframes=job.ready_keyframes,
        ready_frames=job.ready_frames,
        warnings=[text(warning) for warning in job.warnings],
        last_sequence=job.last_sequence,
        disk_bytes=disk_bytes,
    )
    if job.plan is not None:
        message.plan.CopyFrom(_plan(job.plan))
    if job.result is not None:
        message.result.CopyFrom(result_message(job.result, is_fetched=job.is_fetched))
    if job.failure is not None:
        message.failure.CopyFrom(_failure(job.failure))
    return message


def _sent(job: Job) -> jobs_pb2.CreateJobRequest:
    """What the client asked for; a reroll asks for its parent's with changed keyframes."""
    request = jobs_pb2.CreateJobRequest()
    try:
        json_format.ParseDict(dict(job.order.request), request, ignore_unknown_fields=True)
    except json_format.ParseError:
        # Taken up from a record that was damaged; what there is to know is in the order.
        request.Clear()
    if job.order.parent_id:
        settings, asked = job.order.settings, request.settings
        for name in ("keyframe_seeds", "keyframe_prompts", "keyframe_pictures"):
            asked.ClearField(name)  # A keyframe that is gone or made anew has lost its own.
            getattr(asked, name).update(_by_index(settings.get(name, {})))
        asked.keyframes[:] = settings.get("keyframes", ())
    return request


def _by_index(values: Values) -> dict[int, Any]:
    return {int(index): value for index, value in values.items()}  # JSON has only texts for keys.


def _stage_progress(stage: StageDone) -> jobs_pb2.StageProgress:
    return jobs_pb2.StageProgress(stage=_STAGES[stage.stage], done=stage.done, total=stage.total)


def _plan(plan: Values) -> jobs_pb2.Plan:
    width, height = plan["working_size"]
    return jobs_pb2.Plan(
        start=plan["start"],
        stop=plan["stop"],
        shots=[jobs_pb2.FrameRange(start=start, stop=stop) for start, stop in plan["shots"]],
        keyframes=plan["keyframes"],
        working_width=width,
        working_height=height,
    )


def result_message(result: Result, *, is_fetched: bool = False) -> jobs_pb2.ResultInfo:
    """What came out of a job."""
    report = json_text(result.report)
    return jobs_pb2.ResultInfo(
        file_name=text(result.file_name),
        size_bytes=fits_64(result.size_bytes),
        sha256=result.sha256,
        report_json=text(report) if len(report.encode("utf-8", "replace")) <= _REPORT_BYTES else "",
        is_fetched=is_fetched,
    )


def _failure(failure: Failure) -> jobs_pb2.Failure:
    return jobs_pb2.Failure(
        reason=failure.reason,
        message=text(failure.message),
        log_tail=text(failure.log_tail),
        can_resume=failure.can_resume,
    )


def event_message(event: JobEvent) -> jobs_pb2.JobEvent:
    """An event without its picture."""
    message = jobs_pb2.JobEvent(sequence=event.sequence, time=timestamp(event.time))
    _FILL[event.kind](message, event.values)
    return message


def _fill_state(message: jobs_pb2.JobEvent, values: Values) -> None:
    message.state_changed.state = STATES[JobState(values["state"])]
    message.state_changed.reason = text(values.get("reason", ""))


def _fill_analysed(message: jobs_pb2.JobEvent, values: Values) -> None:
    message.analysed.plan.CopyFrom(_plan(values))


def _fill_progress(message: jobs_pb2.JobEvent, values: Values) -> None:
    stage = StageDone(stage=Stage(values["stage"]), done=values["done"], total=values["total"])
    message.progress_made.progress.CopyFrom(_stage_progress(stage))
    remaining = duration(values.get("remaining_s"))
    if remaining is not None:
        message.progress_made.remaining.CopyFrom(remaining)


def _fill_keyframe(message: jobs_pb2.JobEvent, values: Values) -> None:
    message.keyframe_ready.index = values["index"]


def _fill_frame(message: jobs_pb2.JobEvent, values: Values) -> None:
    message.frame_ready.index = values["index"]
    message.frame_ready.time.CopyFrom(rational(values["time"]))
    message.frame_ready.is_keyframe = values["is_keyframe"]


def _fill_warned(message: jobs_pb2.JobEvent, values: Values) -> None:
    message.warned.message = text(values["message"])


def _fill_restarted(message: jobs_pb2.JobEvent, values: Values) -> None:
    message.restarted.reason = text(values["reason"])


def _fill_finished(message: jobs_pb2.JobEvent, values: Values) -> None:
    result = Result(
        file_name=values["file_name"],
        size_bytes=values["size_bytes"],
        sha256=values["sha256"],
        report=values["report"],
    )
    message.finished.result.CopyFrom(result_message(result))


def _fill_failed(message: jobs_pb2.JobEvent, values: Values) -> None:
    failure = Failure(
        reason=values["reason"],
        message=values["message"],
        log_tail=values.get("log_tail", ""),
        can_resume=values.get("can_resume", False),
    )
    message.failed.failure.CopyFrom(_failure(failure))


_FILL: dict[str, Callable[[jobs_pb2.JobEvent, Values], None]] = {
    "state": _fill_state,
    "analysed": _fill_analysed,
    "progress": _fill_progress,
    "keyframe": _fill_keyframe,
    "frame": _fill_frame,
    "warned": _fill_warned,
    "restarted": _fill_restarted,
    "finished": _fill_finished,
    "failed": _fill_failed,
}
