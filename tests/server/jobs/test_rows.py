"""Rows that earlier daemons have stored, word for word."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timezone
from fractions import Fraction
from typing import Any, cast

from fresco_client.events import Analysed, FrameReady
from fresco_client.values import Failure, FrameRange, JobState, Plan, ResultInfo, Stage
from fresco_server.jobs.codec import from_line
from fresco_server.jobs.messages import JobMoved, Message
from fresco_server.jobs.rows import event_of, job_of

PLAN = '{"keyframes":[0,5],"shots":[[0,6]],"start":0,"stop":6,"working_size":[96,64]}'
ROW: dict[str, Any] = {
    "id": "a",
    "state": "done",
    "job_order": '{"clip":"/c.mp4","codec":"h264","device":"","settings":{"prompt":"ink"}}',
    "created": 1700000000.25,
    "updated": 1700000009.5,
    "progress": '{"encoding":[6,6]}',
    "remaining_s": None,
    "plan": PLAN,
    "warnings": '["dark"]',
    "result": '{"file_name":"result.mp4","report":{"model":"m"},"sha256":"ab","size_bytes":3}',
    "failure": '{"can_resume":true,"log_tail":"","message":"full","reason":"DISK_FULL"}',
    "last_sequence": 7,
    "is_fetched": 1,
    "wanted": "",
    "generation": 2,
}


def test_a_job_of_an_earlier_daemon_is_read() -> None:
    row = cast(sqlite3.Row, ROW)

    job = job_of(row, jobs_ahead=0, keyframes=[5, 0], frame_count=6)

    shots = (FrameRange(start=0, stop=6),)
    assert job.state is JobState.DONE
    assert job.plan == Plan(
        start=0, stop=6, shots=shots, keyframes=(0, 5), working_width=96, working_height=64
    )
    assert job.result == ResultInfo(
        file_name="result.mp4", size_bytes=3, sha256="ab", report_json='{"model": "m"}'
    )
    assert job.failure == Failure(reason="DISK_FULL", message="full", can_resume=True)
    assert [one.stage for one in job.progress] == [Stage.ENCODING]
    assert (job.restarts, job.is_fetched, job.ready_keyframes) == (2, True, (0, 5))


def test_events_of_an_earlier_daemon_are_read_with_their_number_and_time() -> None:
    head = {"job_id": "a", "sequence": 3, "time": 1700000000.25, "key": None, "generation": 0}
    frame = '{"index":5,"is_keyframe":false,"time":"5/24"}'

    read = event_of({**head, "kind": "frame", "event_values": frame})
    analysed = event_of({**head, "kind": "analysed", "event_values": PLAN})

    moment = datetime(2023, 11, 14, 22, 13, 20, 250_000, timezone.utc)
    assert read == FrameReady(
        sequence=3, time=moment, index=5, clip_time=Fraction(5, 24), is_keyframe=False
    )
    assert isinstance(analysed, Analysed)
    assert analysed.plan.keyframes == (0, 5)


def test_a_line_of_an_earlier_worker_is_read() -> None:
    event = '{"kind":"frame","index":5,"time":"5/24","is_keyframe":true}'
    line = f'{{"kind":"JobMoved","job":"a","event":{event}}}'.encode()

    read = from_line(Message, line)

    assert read == JobMoved(
        job="a", event=FrameReady(index=5, clip_time=Fraction(5, 24), is_keyframe=True)
    )


def test_a_report_with_what_is_no_number_is_read_as_strict_json() -> None:
    result = '{"file_name":"","report":{"warp":NaN},"sha256":"","size_bytes":0}'
    row = cast(sqlite3.Row, {**ROW, "result": result})

    job = job_of(row, jobs_ahead=0, keyframes=(), frame_count=0)

    assert job.result is not None
    assert job.result.report_json == '{"warp": null}'
