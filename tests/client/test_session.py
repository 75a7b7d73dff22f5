"""What a session asks of a daemon."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import grpc
import pytest
from fakes.daemon import TOKEN, FakeDaemon, fail
from fakes.relay import Relay
from fakes.waiting import PATIENCE_S, until
from fresco.v1 import jobs_pb2, looks_pb2, media_pb2, models_pb2
from fresco_client import (
    AlreadyExists,
    Cancelled,
    ClipSource,
    DaemonUnreachable,
    DataLost,
    Job,
    JobState,
    KeyframeChange,
    LookProgress,
    ModelChoice,
    NotAuthorised,
    NotFound,
    OutputOptions,
    Picture,
    PictureOptions,
    RestyleSettings,
    Session,
    SessionClosed,
    TransportKind,
    VersionMismatch,
)

CLIP = ClipSource(path="/clips/a.mp4")
INK = RestyleSettings(prompt="ink")


def test_the_server_tells_what_it_is(session: Session) -> None:
    server = session.server()

    assert server.version == "0.1.0"
    assert [(device.id, device.state) for device in server.devices] == [("cpu", "ready")]


def test_a_wrong_token_is_not_let_in(daemon: FakeDaemon, kind: TransportKind) -> None:
    with pytest.raises(NotAuthorised, match="token"):
        Session.connect(daemon.address, token="wrong", transport=kind)


@pytest.mark.parametrize("token", ["tökén", "a\nb"])
def test_a_token_that_cannot_be_one_is_not_let_in(
    daemon: FakeDaemon, kind: TransportKind, token: str
) -> None:
    with pytest.raises(NotAuthorised):
        Session.connect(daemon.address, token=token, transport=kind)


@pytest.mark.parametrize(
    ("version", "advice"),
    [((2, 0), "Update this program"), ((0, 9), "Update Fresco")],
    ids=["newer", "older"],
)
def test_another_version_says_which_side_to_update(
    daemon: FakeDaemon, kind: TransportKind, version: tuple[int, int], advice: str
) -> None:
    daemon.facts.api = version

    with pytest.raises(VersionMismatch, match=advice):
        Session.connect(daemon.address, token=TOKEN, transport=kind)


def test_a_higher_minor_version_fits(daemon: FakeDaemon, kind: TransportKind) -> None:
    daemon.facts.api = (1, 7)

    with Session.connect(daemon.address, token=TOKEN, transport=kind) as session:
        assert session.server().api_minor == 7


def test_a_clip_is_described(session: Session) -> None:
    info = session.describe_clip(CLIP)

    assert (info.width, info.height, info.frame_count) == (640, 360, 48)
    assert info.frame_rate == Fraction(30000, 1001)
    assert info.duration is None


def test_a_missing_clip_is_not_found_with_its_reason(session: Session) -> None:
    with pytest.raises(NotFound, match="no such clip") as caught:
        session.describe_clip(ClipSource(path="/clips/missing.mp4"))

    assert caught.value.reason == "CLIP_NOT_FOUND"


@pytest.mark.parametrize(
    ("name", "told"),
    [("n" * 251 + ".mp4", "n" * 200), ("a\udcff.mp4", "a?.mp4"), ("50%.mp4", "50%.mp4")],
    ids=["long", "not UTF-8", "per cent"],
)
def test_a_job_may_be_called_by_the_name_of_any_file(
    daemon: FakeDaemon, session: Session, name: str, told: str
) -> None:
    session.submit(CLIP, INK, title=name, job_id="mine")

    request = jobs_pb2.CreateJobRequest.FromString(daemon.facts.requests["mine"])
    assert request.title == told


def test_a_job_is_submitted_with_all_that_was_asked_for(
    daemon: FakeDaemon, session: Session
) -> None:
    job = session.submit(
        CLIP,
        INK,
        model=ModelChoice(source="/models/a"),
        output=OutputOptions(kind="lossless", container="mov"),
        device="cpu",
        title="Ink",
        is_urgent=True,
        job_id="mine",
    )

    request = jobs_pb2.CreateJobRequest.FromString(daemon.facts.requests["mine"])
    assert job.id == "mine"
    assert job.state is JobState.QUEUED
    assert request.model.source == "/models/a"
    assert request.output.kind == jobs_pb2.OUTPUT_KIND_LOSSLESS
    assert request.output.container == jobs_pb2.CONTAINER_MOV
    assert (request.device, request.title, request.is_urgent) == ("cpu", "Ink", True)


def test_jobs_without_an_id_get_different_ones(session: Session) -> None:
    assert session.submit(CLIP, INK).id != session.submit(CLIP, INK).id


def test_a_taken_id_is_refused_for_another_request(session: Session) -> None:
    session.submit(CLIP, INK, job_id="mine")

    with pytest.raises(AlreadyExists):
        session.submit(CLIP, RestyleSettings(prompt="oil"), job_id="mine")


def test_a_job_submitted_over_a_connection_that_breaks_is_made_once(
    daemon: FakeDaemon, connect: Callable[[str], Session], relay: Relay
) -> None:
    session = connect(relay.address)
    calls = 0

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        nonlocal calls
        calls += 1
        job = daemon.facts.jobs.setdefault(
            request.job_id, jobs_pb2.Job(id=request.job_id, state=jobs_pb2.JOB_STATE_QUEUED)
        )
        if calls == 1:
            relay.cut()
        return jobs_pb2.CreateJobResponse(job=job)

    daemon.answers["CreateJob"] = answer

    job = session.submit(CLIP, INK)

    assert calls == 2
    assert list(daemon.facts.jobs) == [job.id]


def test_jobs_are_listed_page_by_page(session: Session) -> None:
    ids = [session.submit(CLIP, INK).id for _ in range(5)]
    session.pause(ids[1])

    assert [job.id for job in session.jobs()] == ids[::-1]
    assert [job.id for job in session.jobs([JobState.PAUSED])] == [ids[1]]


def test_a_job_is_paused_resumed_cancelled_and_deleted(session: Session) -> None:
    job_id = session.submit(CLIP, INK).id

    assert session.pause(job_id).state is JobState.PAUSED
    assert session.resume(job_id).state is JobState.QUEUED
    assert session.cancel(job_id).state is JobState.CANCELLED
    assert session.job(job_id).state.is_ended
    session.delete(job_id)
    with pytest.raises(NotFound):
        session.job(job_id)


def test_a_reroll_is_a_new_job(session: Session) -> None:
    job_id = session.submit(CLIP, INK).id

    again = session.reroll(job_id, [KeyframeChange(index=3, seed=7)])

    assert again.parent_id == job_id
    assert again.id not in {"", job_id}


def test_a_frame_comes_whole(daemon: FakeDaemon, session: Session) -> None:
    daemon.facts.pictures[4] = os.urandom(300_000)

    picture = session.frame("a", "result", 4, PictureOptions(encoding="png"))

    assert picture == Picture(encoding="png", width=4, height=2, data=daemon.facts.pictures[4])


def test_a_frame_that_is_not_there_yet_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="Not yet"):
        session.frame("a", "keyframe", 5)


def test_a_frame_is_asked_for_again_when_the_connection_breaks(
    daemon: FakeDaemon, kind: TransportKind
) -> None:
    daemon.facts.pictures[4] = os.urandom(300_000)
    relay = Relay(daemon.port, cuts=(150_000, 150_000))

    with Session.connect(relay.address, token=TOKEN, transport=kind) as session:
        picture = session.frame("a", "result", 4)
    relay.close()

    assert picture.data == daemon.facts.pictures[4]


def test_a_picture_with_chunks_missing_is_lost(daemon: FakeDaemon, session: Session) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        chunk = looks_pb2.LookResponse()
        chunk.chunk.size_bytes = 10
        chunk.chunk.data = b"short"
        yield chunk

    daemon.answers["Look"] = answer

    with pytest.raises(DataLost):
        list(session.look(CLIP, 0, INK))


def test_a_look_gives_progress_then_its_picture(daemon: FakeDaemon, session: Session) -> None:
    daemon.facts.pictures[9] = os.urandom(100_000)

    *progress, picture = session.look(CLIP, 9, INK, options=PictureOptions(long_side=64))

    assert progress == [LookProgress(done=1, total=2), LookProgress(done=2, total=2)]
    assert isinstance(picture, Picture)
    assert picture.data == daemon.facts.pictures[9]


def test_a_look_says_where_the_frame_is_changed(daemon: FakeDaemon, session: Session) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        for name, data in (("chunk", b"made"), ("region_chunk", b"wh"), ("region_chunk", b"ite")):
            response = looks_pb2.LookResponse()
            chunk = getattr(response, name)
            chunk.data = data
            chunk.size_bytes = 4 if name == "chunk" else 5
            chunk.encoding = media_pb2.PICTURE_ENCODING_PNG
            yield response

    daemon.answers["Look"] = answer

    picture = session.look(CLIP, 0, INK).picture()

    assert picture is not None
    assert picture.data == b"made"
    assert picture.region is not None
    assert (picture.region.data, picture.region.encoding) == (b"white", "png")


def test_only_the_picture_of_a_look_can_be_waited_for(daemon: FakeDaemon, session: Session) -> None:
    daemon.facts.pictures[9] = b"abc"

    picture = session.look(CLIP, 9, INK).picture()

    assert picture is not None
    assert picture.data == b"abc"


def test_closing_a_look_ends_it_here_and_there(daemon: FakeDaemon, session: Session) -> None:
    ended = threading.Event()

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        context.add_callback(ended.set)
        yield looks_pb2.LookResponse(progress=looks_pb2.LookProgress(done=1, total=2))
        ended.wait(PATIENCE_S)

    daemon.answers["Look"] = answer

    with session.look(CLIP, 9, INK) as look:
        assert next(look) == LookProgress(done=1, total=2)

    assert list(look) == []
    assert ended.wait(PATIENCE_S)


def test_a_look_that_a_newer_one_replaced_is_cancelled(
    daemon: FakeDaemon, session: Session
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        fail(context, grpc.StatusCode.CANCELLED, "A newer look took its place.")
        yield

    daemon.answers["Look"] = answer

    with pytest.raises(Cancelled, match="newer"):
        next(session.look(CLIP, 9, INK))


def test_models_are_listed_pulled_loaded_and_unloaded(session: Session) -> None:
    (model,) = session.models()
    (lora,) = session.model_files()
    assert lora.name == "ink"
    pulled = list(session.pull("someone/some-model"))
    session.load()
    session.unload()

    assert model.state == "bundled"
    assert [style.name for style in model.styles] == ["watercolour"]
    assert [progress.is_finished for progress in pulled] == [False, True]


def test_closing_a_pull_stops_it(daemon: FakeDaemon, session: Session) -> None:
    ended = threading.Event()

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        context.add_callback(ended.set)
        yield models_pb2.PullModelResponse(done_bytes=1, total_bytes=2)
        ended.wait(PATIENCE_S)

    daemon.answers["PullModel"] = answer
    pull = session.pull("someone/some-model")
    next(pull)

    pull.close()

    assert list(pull) == []
    assert ended.wait(PATIENCE_S)


def test_a_closed_session_says_so(session: Session) -> None:
    session.close()

    with pytest.raises(SessionClosed):
        session.models()


def test_a_daemon_that_stays_away_is_unreachable_after_patience(
    daemon: FakeDaemon, kind: TransportKind
) -> None:
    with Session.connect(daemon.address, token=TOKEN, transport=kind, patience_s=0.3) as session:
        daemon.stop()

        with pytest.raises(DaemonUnreachable):
            session.models()


def test_a_daemon_that_is_back_soon_is_waited_for(daemon: FakeDaemon, session: Session) -> None:
    daemon.stop()
    again: list[FakeDaemon] = []

    def start() -> None:
        again.append(FakeDaemon(daemon.facts, port=daemon.port))

    timer = threading.Timer(0.4, start)
    timer.start()

    jobs: list[Job] = list(session.jobs())

    timer.join()
    until(lambda: bool(again), "the daemon to start")
    again[0].stop()
    assert jobs == []


PURE_PROGRAM = """
import sys
from google.protobuf.internal import api_implementation
from fresco_client import *

with Session.connect(sys.argv[1], token=sys.argv[2], transport="pure") as session:
    job = session.submit(ClipSource(path="/a.mp4"), RestyleSettings(prompt="ink"), job_id="pure")
    kinds = [type(event).__name__ for event in session.watch(job.id)]
    picture = session.frame(job.id, "result", 1)
print(api_implementation.Type(), "grpc" in sys.modules, *kinds, len(picture.data))
"""


def test_a_host_without_anything_compiled_can_talk_to_a_daemon(daemon: FakeDaemon) -> None:
    daemon.facts.pictures[1] = os.urandom(200_000)
    daemon.facts.happen(
        "pure",
        jobs_pb2.JobEvent(analysed=jobs_pb2.Analysed(plan=jobs_pb2.Plan(keyframes=[0, 5]))),
        jobs_pb2.JobEvent(finished=jobs_pb2.Finished()),
    )

    ended = subprocess.run(
        [sys.executable, "-c", PURE_PROGRAM, daemon.address, TOKEN],
        env={**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stdout.split() == ["python", "False", "Analysed", "Finished", "200000"], ended
