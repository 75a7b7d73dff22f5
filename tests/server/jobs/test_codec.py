"""What is stored and what processes say to each other, as JSON."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from fresco_client.events import (
    Analysed,
    Event,
    Failed,
    Finished,
    FrameReady,
    KeyframeReady,
    ProgressMade,
    Restarted,
    StateChanged,
    Warned,
)
from fresco_client.values import (
    Failure,
    FrameRange,
    JobState,
    Plan,
    ResultInfo,
    Stage,
    StageProgress,
)
from fresco_server.jobs.codec import (
    CANNOT_BE,
    EVENT_TYPES,
    from_line,
    from_plain,
    kind_of,
    to_line,
    to_plain,
)
from fresco_server.jobs.job import JobOrder, ModelOrder
from fresco_server.jobs.messages import JobMoved, Message, Order, RunJob

STORED: list[tuple[Event, dict[str, Any]]] = [
    (StateChanged(state=JobState.QUEUED), {"state": "queued", "reason": ""}),
    (
        Analysed(
            plan=Plan(
                start=0,
                stop=9,
                shots=(FrameRange(start=0, stop=4), FrameRange(start=4, stop=9)),
                keyframes=(0, 4),
                working_width=96,
                working_height=64,
            )
        ),
        {
            "start": 0,
            "stop": 9,
            "shots": [[0, 4], [4, 9]],
            "keyframes": [0, 4],
            "working_size": [96, 64],
        },
    ),
    (
        ProgressMade(progress=StageProgress(stage=Stage.TRANSLATING, done=2.5, total=8)),
        {"stage": "translating keyframes", "done": 2.5, "total": 8, "remaining_s": None},
    ),
    (KeyframeReady(index=4), {"index": 4}),
    (
        FrameReady(index=5, clip_time=Fraction(5, 24), is_keyframe=False),
        {"index": 5, "time": "5/24", "is_keyframe": False},
    ),
    (Warned(message="é"), {"message": "é"}),
    (Restarted(reason="smaller"), {"reason": "smaller"}),
    (
        Finished(
            result=ResultInfo(
                file_name="r.mp4", size_bytes=3, sha256="ab", report_json='{"x": [1]}'
            )
        ),
        {"file_name": "r.mp4", "size_bytes": 3, "sha256": "ab", "report": {"x": [1]}},
    ),
    (
        Failed(failure=Failure(reason="DISK_FULL", message="full", can_resume=True)),
        {
            "reason": "DISK_FULL",
            "message": "full",
            "log_tail": "",
            "can_resume": True,
            "field": "",
            "remedy": "",
        },
    ),
]


def test_there_is_a_stored_form_of_every_kind_of_event() -> None:
    assert {type(event) for event, _ in STORED} == set(EVENT_TYPES.values())


@pytest.mark.parametrize(("event", "stored"), STORED, ids=lambda one: type(one).__name__)
def test_events_are_stored_as_ever_and_read_from_that(event: Event, stored: dict[str, Any]) -> None:
    read = from_plain(EVENT_TYPES[kind_of(event)], stored)

    assert to_plain(event) == stored
    assert read == event


@pytest.mark.parametrize("event", [event for event, _ in STORED], ids=kind_of)
def test_an_event_comes_through_a_line_as_it_was_sent(event: Event) -> None:
    message = JobMoved(job="a", event=event)

    assert from_line(Message, to_line(message)) == message


def test_an_order_comes_through_a_line_as_it_was_sent() -> None:
    order = RunJob(
        job="a",
        folder="/data/jobs/a",
        order=JobOrder(
            clip="/clips/a\udcff.mp4",
            settings={"prompt": "ink", "keyframe_prompts": {"3": "warm"}},
            model=ModelOrder(source="/m", loras=(("/l.safetensors", 0.5),)),
        ),
        restarts=0,
    )

    assert from_line(Order, to_line(order)) == order


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"7",
        b'"Ready"',
        b"[]",
        b"{}",
        b'{"kind": "unheard of"}',
        b'{"kind": "ModelHeld"}',
        b'{"kind": "Broken", "message": 7}',
        b'{"kind": "JobMoved", "job": "a", "event": {"kind": "state", "state": "odd"}}',
        b'{"kind": "Pulled", "done": 9223372036854775808, "total": 0}',
        b'{"kind": "LookMoved", "look": "a", "done": "1", "total": 2}',
    ],
)
def test_what_is_no_message_is_not_read(line: bytes) -> None:
    with pytest.raises(CANNOT_BE):
        from_line(Message, line)


def test_what_a_newer_daemon_has_added_is_left_out() -> None:
    plain = {**to_plain(KeyframeReady(index=4)), "colour": "green"}

    assert from_plain(KeyframeReady, plain) == KeyframeReady(index=4)


def test_what_an_older_daemon_did_not_know_has_its_default() -> None:
    line = json.dumps({"reason": "DISK_FULL", "message": "full"})

    assert from_plain(Failure, json.loads(line)) == Failure(reason="DISK_FULL", message="full")
