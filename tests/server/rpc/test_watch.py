"""Watching a job: every event once and in order, pictures for those who keep up."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import grpc
import numpy as np
import pytest
from fakes.caller import Caller, refused
from fakes.jobs import HEIGHT, PLAN, WIDTH, FakeJobs, picture
from fakes.waiting import PATIENCE_S
from fresco.v1 import jobs_pb2, media_pb2
from fresco_client.events import (
    Analysed,
    FrameReady,
    KeyframeReady,
    ProgressMade,
    Restarted,
    StateChanged,
    Warned,
)
from fresco_client.values import JobState, Stage, StageProgress
from fresco_server.jobs.codec import EVENT_TYPES
from fresco_server.rpc.server import RpcServer
from grpc import StatusCode

JPEG = media_pb2.PictureOptions()
PNG = media_pb2.PictureOptions(encoding=media_pb2.PICTURE_ENCODING_PNG)


def _watch(caller: Caller, after: int = 0, **options: Any) -> Any:
    request = jobs_pb2.WatchJobRequest(job_id="x", after_sequence=after, **options)
    return (answer.event for answer in caller.jobs.WatchJob(request))


def _until(is_so: Any, what: str) -> None:
    """Wait until something is so."""
    patience = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < patience, f"waited in vain until {what}"
        time.sleep(0.01)


def test_every_event_of_the_daemon_is_one_of_the_contract_and_has_its_name() -> None:
    parts = jobs_pb2.JobEvent.DESCRIPTOR.oneofs_by_name["event"].fields

    messages = {part.message_type.name for part in parts if part.message_type is not None}

    assert {kind.__name__ for kind in EVENT_TYPES.values()} == messages


def test_all_kinds_of_events_arrive_as_they_were_told(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.happen("x", StateChanged(state=JobState.ANALYSING, reason="the daemon was restarted"))
    jobs.happen("x", Analysed(plan=replace(PLAN, keyframes=(0, 8))))
    interpolating = StageProgress(stage=Stage.INTERPOLATING, done=3, total=24)
    jobs.happen("x", ProgressMade(progress=interpolating, remaining_s=1.5))
    encoding = StageProgress(stage=Stage.ENCODING, done=3, total=24)
    jobs.happen("x", ProgressMade(progress=encoding))
    jobs.happen("x", KeyframeReady(index=8))
    jobs.happen("x", FrameReady(index=5, clip_time=Fraction(5, 24), is_keyframe=True))
    jobs.happen("x", Warned(message="a warning"))
    jobs.happen("x", Restarted(reason="too little memory"))
    jobs.finish("x", b"film")

    events = list(_watch(caller))

    assert [event.sequence for event in events] == list(range(1, 11))
    assert [event.WhichOneof("event") for event in events[1:]] == [
        "state_changed",
        "analysed",
        "progress_made",
        "progress_made",
        "keyframe_ready",
        "frame_ready",
        "warned",
        "restarted",
        "finished",
    ]
    assert events[1].state_changed.state == jobs_pb2.JOB_STATE_ANALYSING
    assert events[1].state_changed.reason == "the daemon was restarted"
    assert list(events[2].analysed.plan.keyframes) == [0, 8]
    assert events[3].progress_made.remaining.ToTimedelta().total_seconds() == 1.5
    assert not events[4].progress_made.HasField("remaining")
    assert events[5].keyframe_ready.index == 8
    assert (events[6].frame_ready.time.numerator, events[6].frame_ready.is_keyframe) == (5, True)
    assert events[9].finished.result.size_bytes == 4


def test_events_that_are_still_to_come_are_waited_for(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    events = _watch(caller)

    first = next(events)
    jobs.happen("x", Warned(message="later"))
    second = next(events)

    assert (first.sequence, second.warned.message) == (1, "later")


def test_a_client_goes_on_from_its_last_event(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    for index in range(250):
        jobs.happen("x", Warned(message=str(index)))
    jobs.finish("x", b"")

    events = list(_watch(caller, after=100))

    assert [event.sequence for event in events] == list(range(101, 253))


@pytest.mark.parametrize("end", ["finished", "failed", "cancelled"])
def test_the_stream_ends_with_the_job(caller: Caller, jobs: FakeJobs, end: str) -> None:
    jobs.put("x")
    events = _watch(caller)
    next(events)

    if end == "finished":
        jobs.finish("x", b"film")
    elif end == "failed":
        jobs.fail("x", can_resume=False)
    else:
        jobs.cancel("x")

    assert len(list(events)) == 1


def test_a_failed_job_that_was_resumed_goes_on_after_its_failure(
    caller: Caller, jobs: FakeJobs
) -> None:
    jobs.put("x")
    jobs.fail("x", can_resume=True)
    jobs.resume("x")
    jobs.finish("x", b"film")

    kinds = [event.WhichOneof("event") for event in _watch(caller)]

    assert kinds == ["state_changed", "failed", "state_changed", "finished"]


def test_watching_an_ended_job_from_its_last_event_ends_at_once(
    caller: Caller, jobs: FakeJobs
) -> None:
    jobs.put("x")
    jobs.finish("x", b"film")

    assert list(_watch(caller, after=2)) == []


def test_a_replay_ends_without_the_job(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")

    assert len(list(_watch(caller, is_replay_only=True))) == 1


@pytest.mark.parametrize("after", [2, -1, 2**62])
def test_an_event_that_never_was_is_refused(caller: Caller, jobs: FakeJobs, after: int) -> None:
    jobs.put("x")

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        list(_watch(caller, after=after))


@pytest.mark.parametrize(
    "options",
    [
        media_pb2.PictureOptions(long_side=15),
        media_pb2.PictureOptions(long_side=-1),
        media_pb2.PictureOptions(long_side=8193),
        media_pb2.PictureOptions(encoding=9),  # type: ignore[arg-type]
    ],
    ids=["small", "negative", "large", "encoding"],
)
def test_pictures_that_cannot_be_are_refused(
    caller: Caller, jobs: FakeJobs, options: media_pb2.PictureOptions
) -> None:
    jobs.put("x")

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        list(_watch(caller, pictures=options))


def test_a_job_deleted_while_it_is_watched_ends_the_stream(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    events = _watch(caller)
    next(events)

    jobs.delete("x")

    with refused(StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        next(events)


def test_a_daemon_that_shuts_down_ends_the_stream(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    events = _watch(caller)
    next(events)

    jobs.close()

    with refused(StatusCode.UNAVAILABLE, "SHUTTING_DOWN"):
        next(events)


def test_a_client_that_goes_away_gives_its_place_back(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    limit = jobs.settings.limits.streams
    calls = [caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="x")) for _ in range(limit)]
    for call in calls:
        next(call)
    with refused(StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"):
        list(_watch(caller))

    for call in calls:
        call.cancel()

    def is_served() -> bool:
        try:
            return next(_watch(caller)).sequence == 1
        except grpc.RpcError:
            return False

    _until(is_served, "a place was free")


def _decoded(shown: media_pb2.Picture) -> Any:
    image = cv2.imdecode(np.frombuffer(shown.data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (shown.height, shown.width, 3)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def test_events_carry_previews_where_they_are_wanted(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 0, picture(70))
    jobs.make_picture("x", "frames", 0, picture(70))

    without = list(_watch(caller, is_replay_only=True))
    shown = list(_watch(caller, is_replay_only=True, pictures=JPEG))

    assert not without[1].keyframe_ready.HasField("picture")
    for preview in (shown[1].keyframe_ready.picture, shown[2].frame_ready.picture):
        assert preview.encoding == media_pb2.PICTURE_ENCODING_JPEG
        difference = np.abs(_decoded(preview).astype(int) - picture(70))
        assert difference.mean() < 4


def test_lossless_pictures_have_every_level(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 0, picture(70))

    shown = list(_watch(caller, is_replay_only=True, pictures=PNG))

    assert np.array_equal(_decoded(shown[1].keyframe_ready.picture), picture(70))


def test_pictures_are_made_as_small_as_is_wished(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.make_picture("x", "keyframes", 0, picture(70))
    options = media_pb2.PictureOptions(long_side=48)

    preview = list(_watch(caller, is_replay_only=True, pictures=options))[1].keyframe_ready.picture

    assert (preview.width, preview.height) == (48, 32)
    assert _decoded(preview).shape == (HEIGHT // 2, WIDTH // 2, 3)


def test_a_picture_that_has_gone_is_left_out(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.happen("x", KeyframeReady(index=0))

    shown = list(_watch(caller, is_replay_only=True, pictures=JPEG))

    assert not shown[1].keyframe_ready.HasField("picture")


def test_a_picture_too_large_for_an_event_is_left_out(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    jobs.make_picture("x", "keyframes", 0, noise)
    checkpoint = jobs.plan("x")
    plan = checkpoint.plan()
    assert plan is not None
    # The clip is much larger than what the model works on.
    from dataclasses import replace

    checkpoint.save_plan(replace(plan, width=WIDTH * 32, height=HEIGHT * 32))

    shown = list(_watch(caller, is_replay_only=True, pictures=PNG))

    assert shown[1].keyframe_ready.index == 0
    assert not shown[1].keyframe_ready.HasField("picture")


def test_who_is_far_behind_gets_previews_of_the_latest_only(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    for _ in range(120):
        jobs.make_picture("x", "keyframes", 0, picture(70))

    shown = list(_watch(caller, is_replay_only=True, pictures=JPEG))

    has_picture = [event.keyframe_ready.HasField("picture") for event in shown[1:]]
    assert has_picture == [False] * 69 + [True] * 51


def test_whoever_wants_every_level_gets_all_pictures(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    for _ in range(120):
        jobs.make_picture("x", "keyframes", 0, picture(70))

    shown = list(_watch(caller, is_replay_only=True, pictures=PNG))

    assert all(event.keyframe_ready.HasField("picture") for event in shown[1:])


def test_many_clients_see_the_same_events(server: RpcServer, jobs: FakeJobs) -> None:
    jobs.put("x", JobState.TRANSLATING)
    callers = [Caller(server.address) for _ in range(6)]
    seen: dict[int, list[int]] = {}

    def watch(number: int) -> None:
        seen[number] = [event.sequence for event in _watch(callers[number], pictures=JPEG)]

    threads = [threading.Thread(target=watch, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for index in range(40):
        jobs.make_picture("x", "frames", index % 24, picture(index))
    jobs.finish("x", b"film")
    for thread in threads:
        thread.join(PATIENCE_S)

    assert all(seen[number] == list(range(1, 43)) for number in range(6))
    for caller in callers:
        caller.close()
