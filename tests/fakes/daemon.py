"""A daemon without an engine: the whole contract on a real socket, jobs made of given events."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from fresco.v1 import (
    clips_pb2,
    clips_pb2_grpc,
    frames_pb2,
    frames_pb2_grpc,
    jobs_pb2,
    jobs_pb2_grpc,
    looks_pb2,
    looks_pb2_grpc,
    media_pb2,
    models_pb2,
    models_pb2_grpc,
    server_pb2,
    server_pb2_grpc,
)

TOKEN = "a-token"
CHUNK = 64 * 1024


@dataclass
class Facts:
    """What the daemon has on disk: it survives a restart."""

    jobs: dict[str, jobs_pb2.Job] = field(default_factory=dict)
    requests: dict[str, bytes] = field(default_factory=dict)
    events: dict[str, list[jobs_pb2.JobEvent]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    results: dict[str, bytes] = field(default_factory=dict)
    pictures: dict[int, bytes] = field(default_factory=dict)
    confirmed: dict[str, str] = field(default_factory=dict)
    api: tuple[int, int] = (1, 0)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def happen(self, job_id: str, *events: jobs_pb2.JobEvent) -> None:
        """Add events to a job, each with the next sequence number."""
        with self.changed:
            known = self.events.setdefault(job_id, [])
            for event in events:
                copy = jobs_pb2.JobEvent()
                copy.CopyFrom(event)
                copy.sequence = len(known) + 1
                copy.time.FromSeconds(1_700_000_000 + copy.sequence)
                known.append(copy)
            self.changed.notify_all()


Behaviour = Callable[[Any, grpc.ServicerContext], Any]


class FakeDaemon:
    """The daemon; `answers` replaces the behaviour of single methods by their path's last part."""

    def __init__(
        self,
        facts: Facts | None = None,
        *,
        port: int = 0,
        tls: tuple[Path, Path] | None = None,
        keepalive_ms: int = 30_000,
    ) -> None:
        self.facts = facts or Facts()
        self.answers: dict[str, Behaviour] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        options = [
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_time_ms", keepalive_ms),
            ("grpc.keepalive_timeout_ms", keepalive_ms),
            ("grpc.http2.ping_timeout_ms", keepalive_ms),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.http2.min_ping_interval_without_data_ms", 10),
            ("grpc.http2.max_ping_strikes", 0),
        ]
        self._pool = ThreadPoolExecutor(16)
        self._server = grpc.server(self._pool, interceptors=[_Gate(self)], options=options)
        _add_services(self)
        address = f"localhost:{port}" if tls else f"127.0.0.1:{port}"
        if tls is None:
            self.port = self._server.add_insecure_port(address)
        else:
            certificate, key = tls
            pair = (key.read_bytes(), certificate.read_bytes())
            self.port = self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        self._server.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def server(self) -> grpc.Server:
        return self._server

    def stop(self) -> None:
        """As if it were killed: all that goes on is broken off."""
        self._server.stop(None).wait(10)
        with self.facts.changed:
            self.facts.changed.notify_all()
        self._pool.shutdown(wait=True)


def _add_services(daemon: FakeDaemon) -> None:
    facts, server = daemon.facts, daemon.server
    server_pb2_grpc.add_ServerServiceServicer_to_server(_Server(facts), server)
    clips_pb2_grpc.add_ClipServiceServicer_to_server(_Clips(facts), server)
    jobs_pb2_grpc.add_JobServiceServicer_to_server(_Jobs(facts), server)
    frames_pb2_grpc.add_FrameServiceServicer_to_server(_Frames(facts), server)
    looks_pb2_grpc.add_LookServiceServicer_to_server(_Looks(facts), server)
    models_pb2_grpc.add_ModelServiceServicer_to_server(_Models(facts), server)


class _Gate(grpc.ServerInterceptor):
    """Lets in who has the token, and puts the test's behaviours in place of ours."""

    def __init__(self, daemon: FakeDaemon) -> None:
        self._daemon = daemon

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        metadata = {key: str(value) for key, value in handler_call_details.invocation_metadata}
        method: str = handler_call_details.method
        name = method.rpartition("/")[2]
        self._daemon.seen.append((name, metadata))
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        behaviour = self._daemon.answers.get(name)
        if metadata.get("authorization") != f"Bearer {TOKEN}":
            behaviour = _refuse_stream if handler.response_streaming else _refuse
        if behaviour is None:
            return handler
        make = (
            grpc.unary_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return make(behaviour, handler.request_deserializer, handler.response_serializer)


def _refuse(request: Any, context: grpc.ServicerContext) -> Any:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "The token is wrong.")


def _refuse_stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "The token is wrong.")
    yield


def fail(
    context: grpc.ServicerContext, code: grpc.StatusCode, message: str, reason: str = ""
) -> None:
    """End a call with an error as the daemon does."""
    if reason:
        context.set_trailing_metadata((("fresco-reason", reason),))
    context.abort(code, message)


@dataclass
class _Service:
    facts: Facts


class _Server(_Service, server_pb2_grpc.ServerServiceServicer):
    def GetServer(self, request: Any, context: grpc.ServicerContext) -> Any:
        major, minor = self.facts.api
        return server_pb2.GetServerResponse(
            version="0.1.0",
            api_major=major,
            api_minor=minor,
            devices=[server_pb2.Device(id="cpu", state=server_pb2.DEVICE_STATE_READY)],
        )

    def DrainNode(self, request: Any, context: grpc.ServicerContext) -> Any:
        return server_pb2.DrainNodeResponse()


class _Clips(_Service, clips_pb2_grpc.ClipServiceServicer):
    def DescribeClip(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.clip.path.endswith("missing.mp4"):
            fail(context, grpc.StatusCode.NOT_FOUND, "There is no such clip.", "CLIP_NOT_FOUND")
        rate = media_pb2.Rational(numerator=30000, denominator=1001)
        info = media_pb2.ClipInfo(width=640, height=360, frame_count=48, frame_rate=rate)
        return clips_pb2.DescribeClipResponse(info=info)

    def StartUpload(self, request: Any, context: grpc.ServicerContext) -> Any:
        received = self.facts.uploads.setdefault(request.sha256, bytearray())
        is_finished = request.sha256 in self.facts.finished
        return clips_pb2.StartUploadResponse(received_bytes=len(received), is_finished=is_finished)

    def UploadChunk(self, request: Any, context: grpc.ServicerContext) -> Any:
        received = self.facts.uploads.get(request.sha256)
        if received is None:
            fail(context, grpc.StatusCode.NOT_FOUND, "No such upload.")
            return None
        if request.offset != len(received):
            fail(context, grpc.StatusCode.OUT_OF_RANGE, "Wrong offset.")
        if not 0 < len(request.data) <= 1024 * 1024:
            fail(context, grpc.StatusCode.INVALID_ARGUMENT, "Wrong size.")
        received += request.data
        return clips_pb2.UploadChunkResponse(received_bytes=len(received))

    def FinishUpload(self, request: Any, context: grpc.ServicerContext) -> Any:
        received = self.facts.uploads[request.sha256]
        if hashlib.sha256(received).hexdigest() != request.sha256:
            del self.facts.uploads[request.sha256]
            fail(context, grpc.StatusCode.DATA_LOSS, "The bytes are wrong.")
        self.facts.finished.add(request.sha256)
        return clips_pb2.FinishUploadResponse()

    def DeleteUpload(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.facts.uploads.pop(request.sha256, None)
        self.facts.finished.discard(request.sha256)
        return clips_pb2.DeleteUploadResponse()


class _Jobs(_Service, jobs_pb2_grpc.JobServiceServicer):
    def CreateJob(self, request: Any, context: grpc.ServicerContext) -> Any:
        known = self.facts.requests.setdefault(request.job_id, request.SerializeToString())
        if known != request.SerializeToString():
            fail(context, grpc.StatusCode.ALREADY_EXISTS, "Taken.", "JOB_EXISTS")
        job = jobs_pb2.Job(
            id=request.job_id,
            state=jobs_pb2.JOB_STATE_QUEUED,
            clip=request.clip,
            settings=request.settings,
            title=request.title,
        )
        self.facts.jobs.setdefault(request.job_id, job)
        return jobs_pb2.CreateJobResponse(job=self.facts.jobs[request.job_id])

    def GetJob(self, request: Any, context: grpc.ServicerContext) -> Any:
        return jobs_pb2.GetJobResponse(job=self._job(request, context))

    def ListJobs(self, request: Any, context: grpc.ServicerContext) -> Any:
        start = int(request.page_token or 0)
        wanted = [
            job
            for job in reversed(self.facts.jobs.values())
            if not request.states or job.state in request.states
        ]
        end = start + 2
        token = str(end) if end < len(wanted) else ""
        return jobs_pb2.ListJobsResponse(jobs=wanted[start:end], next_page_token=token)

    def WatchJob(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        self._job(request, context)
        sent = request.after_sequence
        while context.is_active():
            with self.facts.changed:
                known = self.facts.events.get(request.job_id, [])
                if len(known) <= sent:
                    if request.is_replay_only:
                        return
                    self.facts.changed.wait(0.2)
                    continue
            event = known[sent]
            yield jobs_pb2.WatchJobResponse(event=event)
            sent += 1
            if event.WhichOneof("event") in {"finished", "failed"}:
                return

    def CancelJob(self, request: Any, context: grpc.ServicerContext) -> Any:
        return jobs_pb2.CancelJobResponse(job=self._moved(request, context, "CANCELLED"))

    def PauseJob(self, request: Any, context: grpc.ServicerContext) -> Any:
        return jobs_pb2.PauseJobResponse(job=self._moved(request, context, "PAUSED"))

    def ResumeJob(self, request: Any, context: grpc.ServicerContext) -> Any:
        return jobs_pb2.ResumeJobResponse(job=self._moved(request, context, "QUEUED"))

    def DeleteJob(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._job(request, context)
        del self.facts.jobs[request.job_id]
        return jobs_pb2.DeleteJobResponse()

    def RerollKeyframes(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._job(request, context)
        state = jobs_pb2.JOB_STATE_QUEUED
        job = jobs_pb2.Job(id=request.new_job_id, parent_id=request.job_id, state=state)
        return jobs_pb2.RerollKeyframesResponse(job=job)

    def _job(self, request: Any, context: grpc.ServicerContext) -> jobs_pb2.Job:
        if request.job_id not in self.facts.jobs:
            fail(context, grpc.StatusCode.NOT_FOUND, "There is no such job.", "JOB_NOT_FOUND")
        return self.facts.jobs[request.job_id]

    def _moved(self, request: Any, context: grpc.ServicerContext, state: str) -> jobs_pb2.Job:
        job = self._job(request, context)
        job.state = jobs_pb2.JobState.Value("JOB_STATE_" + state)
        return job


class _Frames(_Service, frames_pb2_grpc.FrameServiceServicer):
    def FetchFrame(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        data = self.facts.pictures.get(request.index)
        if data is None:
            fail(context, grpc.StatusCode.NOT_FOUND, "Not yet.", "PICTURE_NOT_FOUND")
            return
        for chunk in _chunks(data):
            yield frames_pb2.FetchFrameResponse(chunk=chunk)

    def FetchResult(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        data = self.facts.results[request.job_id]
        if request.offset > len(data):
            fail(context, grpc.StatusCode.OUT_OF_RANGE, "Past the end.")
        info = jobs_pb2.ResultInfo(
            file_name="a.mp4", size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
        )
        yield frames_pb2.FetchResultResponse(result=info, offset=request.offset)
        for start in range(request.offset, len(data), CHUNK):
            part = data[start : start + CHUNK]
            yield frames_pb2.FetchResultResponse(offset=start, data=part)

    def ConfirmResult(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.facts.confirmed[request.job_id] = request.sha256
        return frames_pb2.ConfirmResultResponse()


class _Looks(_Service, looks_pb2_grpc.LookServiceServicer):
    def Look(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for done in (1, 2):
            progress = looks_pb2.LookProgress(done=done, total=2)
            yield looks_pb2.LookResponse(progress=progress)
        for chunk in _chunks(self.facts.pictures[request.index]):
            yield looks_pb2.LookResponse(chunk=chunk)


class _Models(_Service, models_pb2_grpc.ModelServiceServicer):
    def ListModels(self, request: Any, context: grpc.ServicerContext) -> Any:
        style = models_pb2.Style(name="watercolour", words="a watercolour painting")
        state = models_pb2.MODEL_STATE_BUNDLED
        return models_pb2.ListModelsResponse(
            models=[
                models_pb2.Model(state=state, styles=[style], kind=models_pb2.MODEL_KIND_WHOLE),
                models_pb2.Model(state=state, name="ink", kind=models_pb2.MODEL_KIND_LORA),
            ]
        )

    def ResolveSettings(self, request: Any, context: grpc.ServicerContext) -> Any:
        return models_pb2.ResolveSettingsResponse(settings=request.settings)

    def PullModel(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for done in (1, 2):
            yield models_pb2.PullModelResponse(
                done_bytes=done, total_bytes=2, is_finished=done == 2
            )

    def LoadModel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return models_pb2.LoadModelResponse()

    def UnloadModel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return models_pb2.UnloadModelResponse()


def _chunks(data: bytes) -> Iterator[media_pb2.PictureChunk]:
    """A picture as the daemon sends it."""
    png = media_pb2.PICTURE_ENCODING_PNG
    for start in range(0, len(data), CHUNK):
        part = data[start : start + CHUNK]
        if start == 0:
            size = len(data)
            yield media_pb2.PictureChunk(
                encoding=png, width=4, height=2, size_bytes=size, data=part
            )
        else:
            yield media_pb2.PictureChunk(data=part)
