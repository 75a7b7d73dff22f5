"""How much of a copied track is not meant to be heard, where its file says so for each codec.

MP4 and MOV hide what comes before time 0 by an edit list. Matroska does by a delay in the
description of the track (CodecDelay, RFC 9559, 5.1.4.1.25), which FFmpeg takes over from what it
copies, and PyAV gives no way to state. So the track is described in a file in memory first.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av

from fresco_media.video.containers import open_input
from fresco_media.video.ebml import CLUSTER, SEGMENT, TRACK, TRACKS, element, elements, number

_CODEC_DELAY, _TIMESTAMP = 0x56AA, 0xE7
_NANOSECONDS = 1_000_000_000


@contextmanager
def stating_delay(stream: av.AudioStream, delay_s: Fraction) -> Iterator[av.AudioStream]:
    """`stream`, or another that is described alike and begins `delay_s` before it is heard.

    Raises:
        FFmpegError, ValueError: Matroska has no place for it.
    """
    if not delay_s:
        yield stream
        return
    with open_input(io.BytesIO(_described(stream, delay_s))) as file:
        yield file.streams.audio[0]


def _described(stream: av.AudioStream, delay_s: Fraction) -> bytes:
    """A Matroska file of this track, without a packet."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as output:
        output.add_stream_from_template(stream)
        output.start_encoding()
    size = len(memory.getvalue())
    segment = next(one for one in elements(memory, 0, size) if one.name == SEGMENT)
    inside = elements(memory, segment.begin, segment.end)
    tracks = next(one for one in inside if one.name == TRACKS)
    track = next(one for one in elements(memory, tracks.begin, tracks.end) if one.name == TRACK)
    content = memory.getvalue()
    delay = element(_CODEC_DELAY, number(round(delay_s * _NANOSECONDS)))
    stated = element(TRACKS, element(TRACK, content[track.begin : track.end] + delay))
    # FFmpeg takes no file for whole that has no place for packets.
    nothing = element(CLUSTER, element(_TIMESTAMP, number(0)))
    return content[: segment.start] + element(SEGMENT, stated + nothing)
