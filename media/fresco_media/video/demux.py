"""Packets of a media file, as far as it can be read."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import av
import av.container
import av.error
import av.stream
from av.video.codeccontext import VideoCodecContext

logger = logging.getLogger(__name__)


def demuxed(
    container: av.container.InputContainer, *streams: av.stream.Stream
) -> Iterator[av.Packet]:
    """The packets of `streams` (all if none is named), up to the end or to damage at the end."""
    packets = container.demux(*streams)
    while True:
        try:
            yield next(packets)
        except (StopIteration, IndexError):
            # PyAV counts streams that appear in mid-file, but has no place for them.
            return
        except av.error.FFmpegError as error:
            logger.info("reading %s stopped: %s", container.name, error)
            return


def decoded(packet: av.Packet, decoder: VideoCodecContext) -> list[av.VideoFrame]:
    """The pictures that come out of `decoder` when `packet` goes in; none if it is damaged."""
    try:
        # An empty packet, the last one, makes the decoder give what it still holds.
        return decoder.decode(packet if packet.size else None)
    except av.error.FFmpegError:
        return []
