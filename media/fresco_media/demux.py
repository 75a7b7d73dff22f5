"""Packets of a media file, as far as it can be read."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import av
import av.container
import av.error
import av.stream

logger = logging.getLogger(__name__)


def demuxed(
    container: av.container.InputContainer, *streams: av.stream.Stream
) -> Iterator[av.Packet]:
    """The packets of `streams` (all if none is named), up to the end or to damage at the end."""
    packets = container.demux(*streams)
    while True:
        try:
            yield next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError as error:
            logger.info("reading %s stopped: %s", container.name, error)
            return


def decoded(packet: av.Packet) -> list[av.VideoFrame]:
    """The pictures that come out of the decoder when `packet` goes in; none if it is damaged."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
    except av.error.FFmpegError:
        return []
