"""Whatever is sent, calls end with a status that the contract documents, and the server lives.

`FRESCO_FUZZ=20000 pytest tests/server/rpc/test_fuzz.py` makes that many random calls instead of the
few that are always the same.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from fakes.caller import TOKEN, Caller
from fakes.fuzzer import Method, Target, fuzz, methods
from fakes.jobs import FakeJobs, picture
from fakes.waiting import PATIENCE_S
from fresco.v1 import jobs_pb2
from fresco_client.values import JobState
from fresco_server.rpc.server import RpcServer
from grpc import StatusCode

STATES = ("running", "done", "failed", "paused")
EXAMPLES = int(os.environ.get("FRESCO_FUZZ", "0"))


def _populate(jobs: FakeJobs) -> tuple[str, ...]:
    """Jobs in all states; some of each, as they will be cancelled and deleted."""
    states = [f"{state}{number}" for state in STATES for number in range(6)]
    for job_id in states:
        jobs.put(job_id, JobState.TRANSLATING)
        jobs.make_picture(job_id, "keyframes", 0, picture(70))
        jobs.make_picture(job_id, "frames", 0, picture(70))
        if job_id.startswith("done"):
            jobs.finish(job_id, bytes(3000))
        elif job_id.startswith("failed"):
            jobs.fail(job_id, can_resume=job_id.endswith("0"))
        elif job_id.startswith("paused"):
            jobs.pause(job_id)
    return tuple(states)


@pytest.mark.timeout(max(600, 3 * EXAMPLES))
def test_no_call_ends_in_a_way_that_is_not_documented(
    server: RpcServer, jobs: FakeJobs, roots: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("clip.mp4", "broken.mp4", "crash.mp4", "lora.safetensors", "old.ckpt", "model")
    target = Target(
        job_ids=_populate(jobs),
        paths=tuple(str(roots / name) for name in names),
        slow=frozenset(),
    )
    caplog.set_level(logging.ERROR)

    fuzz(server.address, TOKEN, target, examples=EXAMPLES or 600, is_random=EXAMPLES > 0)

    assert caplog.text == ""


def test_the_places_of_streams_are_free_after_the_attacks(
    server: RpcServer, jobs: FakeJobs, caller: Caller
) -> None:
    target = Target(job_ids=_populate(jobs))
    streams = {method.name for method in methods() if method.is_stream} - {"Watch"}
    others = frozenset(method.name for method in methods()) - streams
    fuzz(server.address, TOKEN, Target(target.job_ids, skipped=others), examples=100)

    patience = time.monotonic() + PATIENCE_S
    while not _all_places_are_free(caller, jobs.settings.limits.streams):
        assert time.monotonic() < patience, "waited in vain for the places to be free"
        time.sleep(1)  # Asking again takes places, too.


def _all_places_are_free(caller: Caller, count: int) -> bool:
    request = jobs_pb2.WatchJobRequest(job_id="running0")
    calls: list[Any] = [caller.jobs.WatchJob(request) for _ in range(count)]
    try:
        return all(next(call).event.sequence == 1 for call in calls)
    except grpc.RpcError:  # A client that went away is noticed only after a while.
        return False
    finally:
        for call in calls:
            call.cancel()


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.name)
def test_every_call_is_reached_by_the_fuzzer(method: Method) -> None:
    assert method.path.count("/") == 2
    assert method.request.DESCRIPTOR.name


def test_what_the_contract_documents_is_understood() -> None:
    known = {method.name: method.documented for method in methods()}

    assert StatusCode.ALREADY_EXISTS in known["CreateJob"]
    assert known["GetJob"] == {StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND}
    assert StatusCode.CANCELLED in known["Look"]
    assert StatusCode.DATA_LOSS in known["FetchResult"]
    assert known["GetServer"] == frozenset()
