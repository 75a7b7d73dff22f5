"""The frames of a video file by index, read from its packets without decoding them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.stream
import numpy as np
from fresco_media.colour import shown_tags, tags_of

from fresco_gui.media.errors import ClipUnreadable, reading
from fresco_gui.media.source import FrameInfo

logger = logging.getLogger(__name__)

_DEFAULT_RATE = Fraction(24)
# Rates that cameras and editors use. What FFmpeg computes from a container's rounded times may lie
# beside them: 19001/317 for 60000/1001.
_COMMON_RATES = tuple(
    Fraction(rate) for rate in (24, 25, 30, 48, 50, 60, 100, 120, 12, 15)
) + tuple(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120))


@dataclass(frozen=True, kw_only=True)
class ClipIndex:
    """A video file as its packets describe it.

    `stamps` are the frames' times in ticks of the stream, ascending. `syncs` holds, for each frame
    that decoding can begin with, its index and the stamp to seek to.
    """

    info: FrameInfo
    stream_index: int
    stamps: tuple[int, ...]
    syncs: tuple[tuple[int, int], ...]
    is_timed: bool
    quarter_turns: int
    is_mirrored: bool


def open_container(path: Path) -> av.container.InputContainer:
    """Open a local media file; a play list inside cannot make FFmpeg reach for the network."""
    return av.open(
        str(path), metadata_errors="replace", container_options={"protocol_whitelist": "file"}
    )


def packets(
    container: av.container.InputContainer, *streams: av.stream.Stream
) -> Iterator[av.Packet[Any]]:
    """The packets of `streams`, up to the end or to damage at the end."""
    demuxed = container.demux(*streams)
    while True:
        try:
            yield next(demuxed)
        except StopIteration:
            return
        except av.error.FFmpegError as error:
            logger.info("reading %s stopped: %s", container.name, error)
            return


def frames_of(packet: av.Packet[Any]) -> list[av.VideoFrame]:
    """The frames that come out when `packet` goes in; none if it is damaged."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
    except av.error.FFmpegError:
        return []


def read_index(
    path: Path, *, first_index: int = 0, is_stopped: Callable[[], bool] = lambda: False
) -> ClipIndex | None:
    """Read all packets of the file once; None if `is_stopped` became true meanwhile.

    Raises:
        MediaError: it is gone, or no video.
    """
    if not path.exists():
        # FFmpeg's own words for this depend on its version.
        reading_of_missing = FileNotFoundError(path)
        with reading(path):
            raise reading_of_missing
    with reading(path), open_container(path) as container:
        stream = next((s for s in container.streams.video if not _is_still(s)), None)
        if stream is None:
            raise ClipUnreadable(path, "there is no picture in it, only sound or data")
        stream_index = stream.index
        table = _scan(container, stream, is_stopped)
        if table is None:
            return None
        if not table.stamps:
            raise ClipUnreadable(path, "it holds no frames; the recording may have been cut short")
    with reading(path), open_container(path) as container:
        first = _first_picture(container, container.streams[stream_index])
        if first is None:
            raise ClipUnreadable(path, "none of its frames can be decoded")
        return _describe(path, container, stream_index, table, first, first_index)


def _is_still(stream: av.VideoStream) -> bool:
    still = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return bool(stream.disposition & still)


@dataclass(frozen=True)
class _Table:
    stamps: tuple[int, ...]
    syncs: tuple[tuple[int, int], ...]
    is_timed: bool


def _scan(
    container: av.container.InputContainer, stream: av.VideoStream, is_stopped: Callable[[], bool]
) -> _Table | None:
    stamps: list[int | None] = []
    syncs: list[tuple[int, int]] = []
    for packet in packets(container, stream):
        if is_stopped():
            return None
        if not _is_shown(packet, stream):
            continue
        stamp = packet.dts if packet.pts is None else packet.pts
        stamps.append(stamp)
        if packet.is_keyframe and stamp is not None:
            syncs.append((stamp, stamp if packet.dts is None else packet.dts))
    timed = [stamp for stamp in stamps if stamp is not None]
    if len(timed) < len(stamps):
        return _Table(tuple(range(len(stamps))), (), False)
    # Two packets with one time stamp make one frame: fields that are stored apart.
    shown = tuple(sorted(set(timed)))
    index_of = {stamp: index for index, stamp in enumerate(shown)}
    return _Table(shown, tuple(sorted((index_of[stamp], seek) for stamp, seek in syncs)), True)


def _is_shown(packet: av.Packet[Any], stream: av.VideoStream) -> bool:
    if not packet.size or packet.is_discard:
        return False
    # VP8 stores reference frames that are never shown as packets of their own (RFC 6386, 9.1).
    return stream.codec_context.name != "vp8" or bool(memoryview(packet)[0] & 0x10)


def _first_picture(
    container: av.container.InputContainer, stream: av.stream.Stream
) -> av.VideoFrame | None:
    for packet in packets(container, stream):
        for frame in frames_of(packet):
            return frame
    return None


def _describe(
    path: Path,
    container: av.container.InputContainer,
    stream_index: int,
    table: _Table,
    first: av.VideoFrame,
    first_index: int,
) -> ClipIndex:
    stream = container.streams.video[0]
    for candidate in container.streams.video:
        if candidate.index == stream_index:
            stream = candidate
    turns, is_mirrored = _orientation(first)
    width, height = (first.height, first.width) if turns % 2 else (first.width, first.height)
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    base = Fraction(stream.time_base or Fraction(1, 1000))
    rate, times = _timing(table, base, (stream.average_rate, stream.guessed_rate))
    tags = shown_tags(tags_of(first))
    info = FrameInfo(
        path=path,
        frame_count=len(table.stamps),
        frame_rate=rate,
        width=width,
        height=height,
        pixel_aspect=1 / aspect if turns % 2 else aspect,
        first_index=first_index,
        times=times,
        primaries=tags.primaries,
        transfer=tags.transfer,
        has_sound=bool(container.streams.audio),
        start_s=float(table.stamps[0] * base) if table.is_timed else 0.0,
    )
    return ClipIndex(
        info=info,
        stream_index=stream_index,
        stamps=table.stamps,
        syncs=table.syncs,
        is_timed=table.is_timed,
        quarter_turns=turns,
        is_mirrored=is_mirrored,
    )


def _timing(
    table: _Table, base: Fraction, stated: tuple[Fraction | None, ...]
) -> tuple[Fraction, tuple[float, ...]]:
    """The frame rate, and the frames' times where they do not follow from it.

    Containers round times (Matroska to milliseconds): a clip whose times all lie within a tick of
    a rate has that rate exactly.
    """
    rates = [Fraction(rate) for rate in stated if rate]
    common = [rate for rate in _COMMON_RATES if any(abs(rate / one - 1) < 0.01 for one in rates)]
    stamps = np.asarray(table.stamps, np.int64)
    if not table.is_timed or len(stamps) < 2:
        return (rates[0] if rates else _DEFAULT_RATE), ()
    places = np.arange(len(stamps), dtype=np.float64)
    mean = Fraction(len(stamps) - 1) / (Fraction(int(stamps[-1] - stamps[0])) * base)
    for rate in [*(rate for rate in rates if rate in _COMMON_RATES), *common, *rates, mean]:
        expected = places * float(1 / (rate * base))
        if np.abs(stamps - stamps[0] - expected).max() < 1 + 1e-6:
            return rate, ()
    return mean, tuple(float(ticks) for ticks in (stamps - stamps[0]) * float(base))


def _orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """Quarter turns clockwise after mirroring left to right, as the display matrix says."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0, False
    values = np.frombuffer(memoryview(matrix), np.int32)
    (x_right, x_down), (y_right, y_down) = values.reshape(3, 3)[:2, :2].astype(float).tolist()
    is_mirrored = x_right * y_down - x_down * y_right < 0
    if is_mirrored:
        x_right, x_down = -x_right, -x_down
    return round(math.degrees(math.atan2(x_down, x_right)) / 90) % 4, is_mirrored
