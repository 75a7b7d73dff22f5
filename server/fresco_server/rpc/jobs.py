"""JobService."""

from __future__ import annotations

import base64
import json
import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
from fresco.v1 import jobs_pb2, jobs_pb2_grpc
from fresco_client.settings import KeyframeChange, KeyframeChangeKind
from fresco_client.values import Plan
from google.protobuf import json_format

from fresco_server.errors import BadRequest, JobExists, JobNotFound, ShuttingDown
from fresco_server.jobs.job import StoredJob
from fresco_server.jobs.path_policy import PathPolicy, check_job_id
from fresco_server.rpc.messages.jobs import job_message, kept, states_of
from fresco_server.rpc.order_builder import OrderBuilder, check_request_size
from fresco_server.rpc.pictures import Pictures, picture_format_of
from fresco_server.rpc.watch import JobWatch

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs

_LOGGER = logging.getLogger(__name__)
_PAGE = 50
_LARGEST_PAGE = 200
_PAGE_BYTES = 3 << 20
_LARGEST_SEED = 2**63 - 1
_LONGEST_PROMPT = 4000
_CHANGE_KINDS: dict[int, KeyframeChangeKind] = {
    jobs_pb2.KEYFRAME_CHANGE_KIND_UNSPECIFIED: "reroll",
    jobs_pb2.KEYFRAME_CHANGE_KIND_REROLL: "reroll",
    jobs_pb2.KEYFRAME_CHANGE_KIND_ADD: "add",
    jobs_pb2.KEYFRAME_CHANGE_KIND_REMOVE: "remove",
    jobs_pb2.KEYFRAME_CHANGE_KIND_REPLACE: "replace",
}


class JobServicer(jobs_pb2_grpc.JobServiceServicer):
    """Restyles that take their time."""

    def __init__(self, jobs: Jobs, order_builder: OrderBuilder, pictures: Pictures) -> None:
        self._jobs = jobs
        self._order_builder = order_builder
        self._pictures = pictures
        self._sizes = _Sizes(jobs)

    def CreateJob(  # noqa: N802
        self, request: jobs_pb2.CreateJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.CreateJobResponse:
        """Puts a restyle at the end of the queue."""
        job = self._same(request)
        if job is None:
            if self._jobs.is_closing:
                raise ShuttingDown
            order = self._order_builder.job(request, context.is_active)
            job = self._jobs.create(request.job_id, order, is_urgent=request.is_urgent)
            _LOGGER.info("job %s: created for %s", job.id, order.clip)
        return jobs_pb2.CreateJobResponse(job=self._message(job))

    def _same(self, request: jobs_pb2.CreateJobRequest) -> StoredJob | None:
        """The job that the same request has made before, even if its clip has gone since."""
        try:
            job = self._jobs.get(check_job_id(request.job_id))
        except JobNotFound:
            return None
        if job.order.request != kept(request):
            raise JobExists(request.job_id)
        return job

    def GetJob(  # noqa: N802
        self, request: jobs_pb2.GetJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.GetJobResponse:
        """What a job is and how far it has come."""
        job = self._jobs.get(check_job_id(request.job_id))
        return jobs_pb2.GetJobResponse(job=self._message(job))

    def ListJobs(  # noqa: N802
        self, request: jobs_pb2.ListJobsRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.ListJobsResponse:
        """Jobs, the newest first."""
        if not 0 <= request.page_size <= _LARGEST_PAGE:
            raise BadRequest("page_size", f"{request.page_size} is outside 0 to {_LARGEST_PAGE}")
        wanted = request.page_size or _PAGE
        before = _position(request.page_token)
        jobs = self._jobs.list(states_of(request.states), wanted + 1, before)
        answer, size = jobs_pb2.ListJobsResponse(), 0
        for job in jobs[:wanted]:
            message = self._message(job)
            size += message.ByteSize()
            if answer.jobs and size > _PAGE_BYTES:
                break
            answer.jobs.append(message)
        if len(answer.jobs) < len(jobs):
            answer.next_page_token = _page_token(jobs[len(answer.jobs) - 1])
        return answer

    def WatchJob(  # noqa: N802
        self, request: jobs_pb2.WatchJobRequest, context: grpc.ServicerContext
    ) -> Iterator[jobs_pb2.WatchJobResponse]:
        """Streams what happens to a job."""
        watch = JobWatch(
            jobs=self._jobs,
            pictures=self._pictures,
            job_id=check_job_id(request.job_id),
            picture_format=picture_format_of(request.pictures)
            if request.HasField("pictures")
            else None,
            is_replay_only=request.is_replay_only,
            is_open=context.is_active,
        )
        for event in watch.events(request.after_sequence):
            yield jobs_pb2.WatchJobResponse(event=event)

    def CancelJob(  # noqa: N802
        self, request: jobs_pb2.CancelJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.CancelJobResponse:
        """Ends a job for good."""
        job = self._jobs.cancel(check_job_id(request.job_id))
        return jobs_pb2.CancelJobResponse(job=self._message(job))

    def PauseJob(  # noqa: N802
        self, request: jobs_pb2.PauseJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.PauseJobResponse:
        """Stops a job so that it can go on."""
        job = self._jobs.pause(check_job_id(request.job_id))
        return jobs_pb2.PauseJobResponse(job=self._message(job))

    def ResumeJob(  # noqa: N802
        self, request: jobs_pb2.ResumeJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.ResumeJobResponse:
        """Puts a job back into the queue."""
        job = self._jobs.resume(check_job_id(request.job_id))
        return jobs_pb2.ResumeJobResponse(job=self._message(job))

    def DeleteJob(  # noqa: N802
        self, request: jobs_pb2.DeleteJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.DeleteJobResponse:
        """Forgets a job and removes all it has made."""
        self._jobs.delete(check_job_id(request.job_id))
        _LOGGER.info("job %s: deleted", request.job_id)
        return jobs_pb2.DeleteJobResponse()

    def RerollKeyframes(  # noqa: N802
        self, request: jobs_pb2.RerollKeyframesRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.RerollKeyframesResponse:
        """Makes a new job in which some keyframes are translated anew."""
        check_request_size(request.ByteSize())
        parent = self._jobs.get(check_job_id(request.job_id))
        new_id = check_job_id(request.new_job_id, "new_job_id")
        changes = _changes(request, parent, self._order_builder.path_policy)
        asked = json_format.MessageToDict(request, preserving_proto_field_name=True)
        sent = {**parent.order.request, "job_id": new_id, "reroll": asked}
        job = self._jobs.reroll(parent.id, new_id, changes, sent)
        _LOGGER.info("job %s: %d keyframes of job %s anew", job.id, len(changes), parent.id)
        return jobs_pb2.RerollKeyframesResponse(job=self._message(job))

    def _message(self, job: StoredJob) -> jobs_pb2.Job:
        return _receivable(job_message(job, self._sizes.of(job)))


def _receivable(job: jobs_pb2.Job) -> jobs_pb2.Job:
    """The job, without what makes it too large to be received: it must be seen to be deleted."""
    for name in ("settings", "ready_keyframes", "plan", "warnings"):
        if job.ByteSize() <= _PAGE_BYTES:
            break
        job.ClearField(name)
    return job


def _changes(
    request: jobs_pb2.RerollKeyframesRequest, parent: StoredJob, path_policy: PathPolicy
) -> list[KeyframeChange]:
    """The wanted changes.

    Raises:
        BadRequest: there are none, or one cannot be made.
        Forbidden, ClipNotFound, ClipUnreadable: a picture cannot be used.
    """
    if not request.changes:
        raise BadRequest("changes", "no keyframe is given; give at least one")
    indices = [change.index for change in request.changes]
    if len(set(indices)) < len(indices):
        raise BadRequest("changes", "a keyframe is given twice; give each once")
    return [_change(change, parent, path_policy) for change in request.changes]


def _change(
    change: jobs_pb2.KeyframeChange, parent: StoredJob, path_policy: PathPolicy
) -> KeyframeChange:
    index, kind = change.index, _CHANGE_KINDS.get(change.kind)
    if kind is None:
        raise BadRequest("changes.kind", f"{change.kind} is none; see KeyframeChangeKind")
    if parent.plan is not None:
        _check_index(index, kind, parent.plan)
    if kind in ("remove", "replace") and (change.HasField("seed") or change.HasField("prompt")):
        raise BadRequest("changes", f"to {kind} a keyframe takes neither seed nor prompt")
    if not 0 <= change.seed <= _LARGEST_SEED:
        raise BadRequest("changes", f"the seed {change.seed} is outside 0 to {_LARGEST_SEED}")
    if len(change.prompt) > _LONGEST_PROMPT:
        raise BadRequest("changes", f"a prompt has more than {_LONGEST_PROMPT} characters")
    if bool(change.picture_path) != (kind == "replace"):
        raise BadRequest("changes.picture_path", "a picture goes with replace, and only with that")
    picture = change.picture_path and path_policy.picture(
        change.picture_path, "changes.picture_path"
    )
    return KeyframeChange(
        index=index,
        kind=kind,
        seed=change.seed if change.HasField("seed") else None,
        prompt=change.prompt if change.HasField("prompt") else None,
        picture_path=str(picture),
    )


def _check_index(index: int, kind: KeyframeChangeKind, plan: Plan) -> None:
    is_keyframe = index in plan.keyframes
    if kind in ("reroll", "remove") and not is_keyframe:
        raise BadRequest("changes", f"frame {index} is not a keyframe of the job")
    if kind == "add" and is_keyframe:
        raise BadRequest("changes", f"frame {index} is a keyframe already; reroll it instead")
    if not plan.start <= index < plan.stop:
        first, last = plan.start, plan.stop - 1
        raise BadRequest("changes", f"frame {index} is not one of the job's, {first} to {last}")
    ends = {end for shot in plan.shots for end in (shot.start, shot.stop - 1)}
    if kind == "remove" and index in ends:
        raise BadRequest("changes", f"frame {index} is the end of a shot and stays a keyframe")


def _page_token(last: StoredJob) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.created, last.id]).encode()).decode()


def _position(token: str) -> tuple[float, str] | None:
    """Creation time and id of the last job of the page before.

    Raises:
        BadRequest: the token is not one that was handed out.
    """
    if not token:
        return None
    try:
        created, job_id = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
        before = float(created), check_job_id(job_id, "page_token")
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadRequest("page_token", "it is not one of this daemon's; begin anew") from error
    if not math.isfinite(before[0]):
        raise BadRequest("page_token", "it is not one of this daemon's; begin anew")
    return before


@dataclass
class _Sizes:
    """Bytes that jobs take on disk. Those of a job that has ended are counted once."""

    jobs: Jobs
    most: int = 10_000
    _known: OrderedDict[tuple[str, float, int], int] = field(
        default_factory=OrderedDict[tuple[str, float, int], int]
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, job: StoredJob) -> int:
        """Bytes of one job; 0 where it has just been deleted."""
        key = (job.id, job.created, job.last_sequence)
        with self._lock:
            if key in self._known:
                return self._known[key]
        try:
            size = self.jobs.disk_bytes(job.id)
        except JobNotFound:
            return 0
        if job.state.is_ended:
            with self._lock:
                self._known[key] = size
                while len(self._known) > self.most:
                    self._known.popitem(last=False)
        return size
