"""Watching a job misses nothing and doubles nothing, whatever happens in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from fakes.daemon import TOKEN, Facts, FakeDaemon, fail
from fakes.relay import Relay
from fakes.waiting import PATIENCE_S, until
from fresco.v1 import jobs_pb2, media_pb2
from fresco_client import (
    DaemonUnreachable,
    Event,
    Finished,
    LimitReached,
    NotFound,
    PictureOptions,
    Session,
    TransportKind,
    Warned,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def add_job(facts: Facts, count: int, *, is_finished: bool = True) -> str:
    """A job with this many events, each a warning of its number."""
    facts.jobs["a"] = jobs_pb2.Job(id="a", state=jobs_pb2.JOB_STATE_TRANSLATING)
    warned = [jobs_pb2.Warned(message=f"{i} " + "x" * 40) for i in range(1, count + 1)]
    facts.happen("a", *[jobs_pb2.JobEvent(warned=one) for one in warned])
    if is_finished:
        finish(facts)
    return "a"


def finish(facts: Facts) -> None:
    facts.happen("a", jobs_pb2.JobEvent(finished=jobs_pb2.Finished()))


def sequences(events: list[Event]) -> list[int]:
    return [event.sequence for event in events]


def test_events_come_in_order_until_the_job_has_ended(daemon: FakeDaemon, session: Session) -> None:
    job = add_job(daemon.facts, 5)

    events = list(session.watch(job))

    assert sequences(events) == [1, 2, 3, 4, 5, 6]
    assert isinstance(events[0], Warned)
    assert isinstance(events[-1], Finished)


def test_watching_after_an_event_gives_only_later_ones(
    daemon: FakeDaemon, session: Session
) -> None:
    job = add_job(daemon.facts, 5)

    assert sequences(list(session.watch(job, after=4))) == [5, 6]


def test_a_replay_ends_with_the_events_there_are(daemon: FakeDaemon, session: Session) -> None:
    job = add_job(daemon.facts, 3, is_finished=False)

    assert sequences(list(session.watch(job, is_replay_only=True))) == [1, 2, 3]


def test_pictures_are_asked_for_as_wanted(daemon: FakeDaemon, session: Session) -> None:
    asked: list[Any] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request)
        picture = jobs_pb2.KeyframeReady(index=4)
        picture.picture.encoding = media_pb2.PICTURE_ENCODING_JPEG
        picture.picture.data = b"jpeg"
        yield jobs_pb2.WatchJobResponse(event=jobs_pb2.JobEvent(sequence=1, keyframe_ready=picture))

    daemon.answers["WatchJob"] = answer

    (event,) = session.watch("a", pictures=PictureOptions(encoding="png", long_side=256))

    assert asked[0].pictures.long_side == 256
    assert getattr(event, "picture").data == b"jpeg"  # noqa: B009


def test_an_event_arrives_as_soon_as_it_happens(daemon: FakeDaemon, session: Session) -> None:
    job = add_job(daemon.facts, 1, is_finished=False)
    watch = session.watch(job)
    next(watch)
    timer = threading.Timer(0.2, finish, [daemon.facts])
    timer.start()

    assert isinstance(next(watch), Finished)
    timer.join()


def test_a_job_that_is_not_there_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        next(session.watch("none"))


def test_closing_ends_the_watch_in_another_thread(daemon: FakeDaemon, session: Session) -> None:
    job = add_job(daemon.facts, 2, is_finished=False)
    watch = session.watch(job)
    received: list[Event] = []
    reader = threading.Thread(target=lambda: received.extend(watch), daemon=True)
    reader.start()
    until(lambda: watch.last_sequence == 2, "both events")

    watch.close()

    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert sequences(received) == [1, 2]


def test_closing_the_session_ends_the_watch(daemon: FakeDaemon, session: Session) -> None:
    job = add_job(daemon.facts, 1, is_finished=False)
    watch = session.watch(job)
    reader = threading.Thread(target=lambda: list(watch), daemon=True)
    reader.start()
    until(lambda: watch.last_sequence == 1, "the event")

    session.close()

    reader.join(PATIENCE_S)
    assert not reader.is_alive()


def test_closing_ends_a_watch_that_waits_for_the_daemon(
    daemon: FakeDaemon, session: Session
) -> None:
    job = add_job(daemon.facts, 1, is_finished=False)
    watch = session.watch(job, patience_s=60)
    reader = threading.Thread(target=lambda: list(watch), daemon=True)
    reader.start()
    until(lambda: watch.last_sequence == 1, "the event")
    daemon.stop()
    time.sleep(0.5)

    watch.close()

    reader.join(PATIENCE_S)
    assert not reader.is_alive()


def test_a_restart_of_the_daemon_loses_and_doubles_nothing(
    daemon: FakeDaemon, session: Session
) -> None:
    job = add_job(daemon.facts, 3, is_finished=False)
    states: list[str] = []
    watch = session.watch(job, on_connection=states.append)
    events = [next(watch), next(watch)]

    daemon.stop()
    again = FakeDaemon(daemon.facts, port=daemon.port)
    finish(daemon.facts)
    events += list(watch)
    again.stop()

    assert sequences(events) == [1, 2, 3, 4]
    assert states == ["reconnecting", "connected"]


def test_the_connection_is_told_to_be_back_before_the_next_event(
    daemon: FakeDaemon, connect: Callable[[str], Session], relay: Relay
) -> None:
    job = add_job(daemon.facts, 1, is_finished=False)
    states: list[str] = []
    watch = connect(relay.address).watch(job, on_connection=states.append)
    reader = threading.Thread(target=lambda: list(watch), daemon=True)
    reader.start()
    until(lambda: watch.last_sequence == 1, "the event")

    relay.cut()

    until(lambda: states == ["reconnecting", "connected"], "the connection to be back")
    watch.close()
    reader.join(PATIENCE_S)


def test_a_daemon_that_stays_away_ends_the_watch_after_patience(
    daemon: FakeDaemon, session: Session
) -> None:
    job = add_job(daemon.facts, 1, is_finished=False)
    watch = session.watch(job, patience_s=0.5)
    next(watch)
    daemon.stop()

    with pytest.raises(DaemonUnreachable):
        next(watch)


def test_too_many_streams_are_an_error_at_first(daemon: FakeDaemon, session: Session) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        fail(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many streams are open.")
        yield

    daemon.answers["WatchJob"] = answer

    with pytest.raises(LimitReached):
        next(session.watch("a"))


def test_a_stream_the_daemon_still_counts_is_waited_for(
    daemon: FakeDaemon, session: Session
) -> None:
    attempts = 0

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts == 2:
            fail(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many streams are open.")
        message = jobs_pb2.JobEvent(sequence=request.after_sequence + 1)
        message.warned.message = "w"
        yield jobs_pb2.WatchJobResponse(event=message)
        if attempts == 1:
            fail(context, grpc.StatusCode.UNAVAILABLE, "Shutting down.")

    daemon.answers["WatchJob"] = answer

    assert sequences(list(session.watch("a"))) == [1, 2]
    assert attempts == 3


def test_events_that_are_sent_twice_are_given_out_once(
    daemon: FakeDaemon, session: Session
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        for sequence in (1, 2, 2, 1, 3):
            message = jobs_pb2.JobEvent(sequence=sequence, warned=jobs_pb2.Warned(message="w"))
            yield jobs_pb2.WatchJobResponse(event=message)

    daemon.answers["WatchJob"] = answer

    assert sequences(list(session.watch("a"))) == [1, 2, 3]


def test_an_event_only_newer_clients_know_is_passed_over(
    daemon: FakeDaemon, session: Session
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        yield jobs_pb2.WatchJobResponse(event=jobs_pb2.JobEvent(sequence=1))
        message = jobs_pb2.JobEvent(sequence=2, warned=jobs_pb2.Warned(message="w"))
        yield jobs_pb2.WatchJobResponse(event=message)

    daemon.answers["WatchJob"] = answer

    assert sequences(list(session.watch("a"))) == [2]


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cuts=st.lists(st.integers(100, 6000), min_size=1, max_size=4))
def test_wherever_the_connection_breaks_no_event_is_lost_or_doubled(
    daemon: FakeDaemon, kind: TransportKind, cuts: list[int]
) -> None:
    daemon.facts.events.clear()
    job = add_job(daemon.facts, 60)
    # The first connection is left whole until the session is open.
    relay = Relay(daemon.port, cuts=(800, *cuts))

    with Session.connect(relay.address, token=TOKEN, transport=kind) as session:
        events = list(session.watch(job))
    relay.close()

    assert sequences(events) == list(range(1, 62))
    assert relay.connections >= 2


def test_a_client_that_pauses_until_the_daemon_gives_it_up_misses_nothing(
    kind: TransportKind,
) -> None:
    daemon = FakeDaemon(keepalive_ms=200)
    job = add_job(daemon.facts, 5)

    with Session.connect(daemon.address, token=TOKEN, transport=kind) as session:
        watch = session.watch(job)
        events = [next(watch)]
        time.sleep(0.8)
        events += list(watch)
        time.sleep(0.8)
        assert session.job(job).id == job
    daemon.stop()

    assert sequences(events) == [1, 2, 3, 4, 5, 6]


def announce(data: Path, daemon: FakeDaemon) -> None:
    """What a daemon writes when it has started."""
    (data / "daemon.json").write_text(
        json.dumps(
            {
                "process_id": 1,
                "address": daemon.address,
                "token": TOKEN,
                "version": "0.1.0",
                "is_secure": False,
                "certificate": None,
            }
        )
    )


def test_a_daemon_that_restarts_on_another_port_is_found_again(
    daemon: FakeDaemon, kind: TransportKind, tmp_path: Path
) -> None:
    job = add_job(daemon.facts, 2, is_finished=False)
    announce(tmp_path, daemon)
    with Session.open(tmp_path, start=False, transport=kind, patience_s=10) as session:
        watch = session.watch(job)
        events = [next(watch), next(watch)]

        daemon.stop()
        again = FakeDaemon(daemon.facts)
        announce(tmp_path, again)
        finish(daemon.facts)
        events += list(watch)

        assert session.address == again.address
        assert session.job(job).id == job
    again.stop()
    assert sequences(events) == [1, 2, 3]
