"""The decoder that gets everything out of a stream, its transparency too."""

from __future__ import annotations

import av
import av.codec
import av.error
import av.stream
from av.video.codeccontext import VideoCodecContext

_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
# An SEI unit that tells of an alpha channel: payload 165, four bytes long (ITU-T H.265, F.14).
_TELLS_OF_ALPHA = b"\x4e\x01\xa5\x04"


def has_alpha_beside(stream: av.stream.Stream) -> bool:
    """Whether the transparency of the video `stream` is stored beside it, as WebM does it."""
    is_marked = stream.metadata.get("alpha_mode") == "1"
    return is_marked and stream.codec_context.name in _WITH_ALPHA


def has_alpha_layer(stream: av.stream.Stream) -> bool:
    """Whether the HEVC `stream` has its transparency in a layer, which PyAV does not ask for.

    Editors of Apple's and others write so what is to play over something else.
    """
    context = stream.codec_context
    return context.name == "hevc" and _TELLS_OF_ALPHA in (context.extradata or b"")


def decoder_of(stream: av.stream.Stream) -> VideoCodecContext:
    """What decodes the video `stream`: its own decoder, or one that reads alpha beside it.

    It is to be flushed after a seek.
    """
    assert isinstance(stream, av.VideoStream)
    if not has_alpha_beside(stream):
        return stream.codec_context
    try:
        decoder = av.CodecContext.create(_WITH_ALPHA[stream.codec_context.name], "r")
    except (av.error.FFmpegError, av.codec.codec.UnknownCodecError):
        return stream.codec_context
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = stream.codec_context.extradata
    return decoder
