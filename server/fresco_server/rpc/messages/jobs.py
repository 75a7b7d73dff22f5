"""Jobs and their events as messages, and requests as what is kept of them."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from typing import Any

from fresco.v1 import jobs_pb2
from fresco_client.events import Event, Finished
from fresco_client.values import JobState, ResultInfo
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor

from fresco_server.errors import BadRequest
from fresco_server.jobs.job import StoredJob, Values
from fresco_server.rpc.messages.basics import message_of

STATES: dict[JobState, jobs_pb2.JobState.ValueType] = {
    state: jobs_pb2.JobState.Value(f"JOB_STATE_{state.name}") for state in JobState
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
_PARTS = {
    typing.cast(Descriptor, field.message_type).name: field.name
    for field in jobs_pb2.JobEvent.DESCRIPTOR.oneofs_by_name["event"].fields
}
"""By the message that carries it, which an event has its name from, the part of Event."""
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


def job_message(job: StoredJob, disk_bytes: int = 0) -> jobs_pb2.Job:
    """A job as a client sees it."""
    sent, order = _sent(job), job.order
    return message_of(
        job,
        jobs_pb2.Job,
        create_time=job.created,
        update_time=job.updated,
        title=order.title,
        clip=sent.clip,
        clip_info=order.clip_info,
        settings=sent.settings,
        model=sent.model,
        output=sent.output,
        device=order.device,
        parent_id=order.parent_id,
        result=job.result and result_message(job.result, is_fetched=job.is_fetched),
        disk_bytes=disk_bytes,
    )


def _sent(job: StoredJob) -> jobs_pb2.CreateJobRequest:
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


def result_message(result: ResultInfo, *, is_fetched: bool = False) -> jobs_pb2.ResultInfo:
    """What came out of a job."""
    is_short = len(result.report_json.encode("utf-8", "replace")) <= _REPORT_BYTES
    report = result.report_json if is_short else ""
    return message_of(result, jobs_pb2.ResultInfo, report_json=report, is_fetched=is_fetched)


def event_message(event: Event) -> jobs_pb2.JobEvent:
    """An event without its picture."""
    content: Any = event
    if isinstance(event, Finished):
        content = {"result": result_message(event.result)}
    part = _PARTS[type(event).__name__]
    values = {"sequence": event.sequence, "time": event.time, part: content}
    return message_of(values, jobs_pb2.JobEvent)
