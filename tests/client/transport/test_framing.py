"""What arrives over HTTP/2 is taken apart alike, wherever the network cuts it."""

from __future__ import annotations

import struct

import pytest
from fresco_client import (
    DaemonUnreachable,
    InternalFailure,
    InvalidRequest,
    LimitReached,
    NotFound,
    NotSupported,
)
from fresco_client.transport.base import MESSAGE_BYTES, Endpoint, method_of
from fresco_client.transport.frames import (
    FRAME_BYTES,
    WINDOW_BYTES,
    Data,
    FlowControlWindow,
    FrameError,
    FrameSplitter,
    window_update,
)
from fresco_client.transport.framing import (
    MessageDecoder,
    Status,
    error_of_reset,
    framed,
    request_headers,
    timeout_text,
)
from hyperframe.frame import DataFrame, Frame, HeadersFrame, PingFrame
from hypothesis import given
from hypothesis import strategies as st


def data_frame(stream: int, content: bytes, padding: int, ends: bool) -> DataFrame:
    frame = DataFrame(stream, content, pad_length=padding)
    if padding:
        frame.flags.add("PADDED")
    if ends:
        frame.flags.add("END_STREAM")
    return frame


data_frames = st.builds(
    data_frame, st.integers(1, 9), st.binary(max_size=40), st.integers(0, 20), st.booleans()
)
other_frames = st.one_of(
    st.builds(PingFrame, st.just(0), st.binary(min_size=8, max_size=8)),
    st.builds(HeadersFrame, st.integers(1, 9), st.binary(max_size=30)),
)


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(whole) + 1) for place in places})
    return [whole[start:end] for start, end in zip([0, *ends], [*ends, len(whole)], strict=True)]


@given(
    frames=st.lists(data_frames | other_frames, max_size=8),
    places=st.lists(st.integers(0, 500), max_size=10),
)
def test_data_and_other_frames_come_out_whole_and_in_order(
    frames: list[Frame], places: list[int]
) -> None:
    expected: list[bytes | tuple[int, bytes]] = []
    for frame in frames:
        if not isinstance(frame, DataFrame):
            expected.append(frame.serialize())
            continue
        if frame.data:
            expected.append((frame.stream_id, frame.data))
        if "END_STREAM" in frame.flags:
            end = DataFrame(frame.stream_id)
            end.flags.add("END_STREAM")
            expected.append(end.serialize())

    splitter = FrameSplitter()
    found: list[bytes | tuple[int, bytes]] = []
    is_continued = False
    for piece in cut(b"".join(frame.serialize() for frame in frames), places):
        for index, part in enumerate(splitter.split(piece)):
            if isinstance(part, bytes):
                found.append(part)
                continue
            last = found[-1] if found else b""
            joins = index == 0 and is_continued and isinstance(last, tuple)
            if joins and last[0] == part.stream:
                found[-1] = (part.stream, bytes(last[1]) + bytes(part.content))
            else:
                found.append((part.stream, bytes(part.content)))
        is_continued = True

    assert joined(found) == joined(expected)


def joined(parts: list[bytes | tuple[int, bytes]]) -> list[bytes | tuple[int, bytes]]:
    """Neighbouring data of one stream made one, as frames of it need not be kept apart."""
    result: list[bytes | tuple[int, bytes]] = []
    for part in parts:
        last = result[-1] if result else b""
        if isinstance(part, tuple) and isinstance(last, tuple) and last[0] == part[0]:
            result[-1] = (part[0], last[1] + part[1])
        else:
            result.append(part)
    return result


def test_a_frame_longer_than_allowed_is_refused() -> None:
    head = struct.pack(">I", FRAME_BYTES + 1)[1:] + bytes(6)

    with pytest.raises(FrameError, match="frame of"):
        list(FrameSplitter().split(head + bytes(10)))


def test_more_padding_than_frame_is_refused() -> None:
    head = struct.pack(">I", 2)[1:] + bytes((0, 0x8)) + bytes(4)

    with pytest.raises(FrameError, match="padding"):
        list(FrameSplitter().split(head + b"\x09a"))


def test_data_is_not_waited_for_until_its_frame_is_whole() -> None:
    wire = DataFrame(1, bytes(1000)).serialize()

    (part,) = FrameSplitter().split(wire[:100])

    assert isinstance(part, Data)
    assert len(part.content) == 91


def test_the_window_is_granted_anew_in_large_steps_and_in_full() -> None:
    window = FlowControlWindow()

    granted = [window.take(WINDOW_BYTES // 8) for _ in range(8)]

    assert granted == [0, 0, 0, WINDOW_BYTES // 2] * 2
    assert len(window_update(3, 5)) == 13


@given(
    messages=st.lists(st.binary(max_size=50), max_size=6),
    places=st.lists(st.integers(0, 400), max_size=8),
)
def test_messages_come_out_whole_wherever_they_are_cut(
    messages: list[bytes], places: list[int]
) -> None:
    buffer = MessageDecoder()

    found = [
        message
        for piece in cut(b"".join(map(framed, messages)), places)
        for message in buffer.add(piece)
    ]

    assert found == messages
    assert buffer.is_between


def test_a_message_that_is_too_large_is_refused_before_it_has_come() -> None:
    with pytest.raises(LimitReached, match="more than"):
        list(MessageDecoder().add(struct.pack(">?I", False, MESSAGE_BYTES + 1)))


def test_a_compressed_message_is_refused() -> None:
    with pytest.raises(InternalFailure, match="compressed"):
        list(MessageDecoder().add(struct.pack(">?I", True, 1) + b"x"))


@pytest.mark.parametrize(
    ("timeout_s", "text"),
    [(0.0001, "1m"), (0.3, "300m"), (30, "30000m"), (99_999.999, "99999999m"), (10**6, "1000000S")],
)
def test_deadlines_are_written_as_grpc_wants(timeout_s: float, text: str) -> None:
    assert timeout_text(timeout_s) == text


def test_a_stream_has_no_deadline() -> None:
    names = [name for name, _ in request_headers(Endpoint(address="a:1"), "/s/m", None)]

    assert b"grpc-timeout" not in names
    assert b"authorization" not in names


def test_a_message_of_a_status_is_decoded_also_where_it_is_not_encoded_well() -> None:
    status = Status("a:1")
    status.add([(b":status", b"200"), (b"grpc-status", b"5")])
    status.add([(b"grpc-message", b"Gr%C3%B6%C3%9Fe 100% %zz"), (b"fresco-reason", b"A_REASON")])

    error = status.error

    assert isinstance(error, NotFound)
    assert error.message == "Größe 100% %zz"
    assert error.reason == "A_REASON"


def test_the_setting_that_a_status_names_is_known() -> None:
    status = Status("a:1")
    status.add([(b":status", b"200"), (b"grpc-status", b"3"), (b"fresco-field", b"size")])

    error = status.error

    assert isinstance(error, InvalidRequest)
    assert error.field == "size"


@pytest.mark.parametrize(
    ("http", "kind"), [(b"404", NotSupported), (b"503", DaemonUnreachable), (b"200", Exception)]
)
def test_an_answer_that_is_not_of_grpc_is_an_error(http: bytes, kind: type[Exception]) -> None:
    status = Status("a:1")
    status.add([(b":status", http)])

    assert isinstance(status.error, kind)


@pytest.mark.parametrize("code", [0, 2, 5, 7, 13])
def test_a_reset_stream_is_a_lost_connection(code: int) -> None:
    assert isinstance(error_of_reset(code, "a:1"), DaemonUnreachable)


def test_every_rpc_is_known_by_its_request() -> None:
    from fresco.v1 import jobs_pb2

    assert method_of(jobs_pb2.GetJobRequest, jobs_pb2.GetJobResponse).path == (
        "/fresco.v1.JobService/GetJob"
    )
    with pytest.raises(LookupError):
        method_of(jobs_pb2.GetJobRequest, jobs_pb2.ListJobsResponse)
    with pytest.raises(LookupError):
        method_of(jobs_pb2.Job, jobs_pb2.Job)
