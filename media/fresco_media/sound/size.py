"""About how many bytes sound takes in a result."""

from __future__ import annotations

from pathlib import Path

import av

from fresco_media.sound.choices import COPY, Policy, TrackEncoding, choices, loses_nothing
from fresco_media.sound.rehearsal import REFUSALS
from fresco_media.sound.streams import codec_of, sound_streams
from fresco_media.video.containers import open_input

# Where nothing is stated: bytes of a sample that was compressed, the share of one without loss.
_LOSSY_BYTES = 0.2
_LOSSLESS_SHARE = 0.6


def sound_bytes_per_s(source: Path, container: str, policy: Policy) -> float:
    """Bytes a second of all sound tracks of `source` once they are in a file of this kind.

    `container` is "mp4", "mov" or "matroska". Zero without any sound.

    Raises:
        ClipUnreadable, FFmpegError, OSError: the source cannot be read.
    """
    with open_input(source) as file:
        return sum(_bytes_per_s(stream, container, policy) for stream in sound_streams(file))


def _bytes_per_s(stream: av.AudioStream, container: str, policy: Policy) -> float:
    try:
        choice = choices(stream, container, policy)[0]
        samples = choice.rate * av.AudioLayout(choice.layout).nb_channels
    except REFUSALS:  # A track that nothing is known of is not kept either.
        return 0
    if choice.bit_rate:
        return choice.bit_rate / 8
    codec = codec_of(stream) if choice.codec == COPY else choice.codec
    if codec.startswith("pcm_"):
        return samples * _bytes_of(choice)
    if choice.codec == COPY and stream.codec_context.bit_rate:
        return stream.codec_context.bit_rate / 8
    return samples * (_LOSSLESS_SHARE * _bytes_of(choice) if loses_nothing(codec) else _LOSSY_BYTES)


def _bytes_of(choice: TrackEncoding) -> int:
    """Bytes of one sample of one channel."""
    if choice.codec.startswith("pcm_"):
        return int("".join(filter(str.isdigit, choice.codec))) // 8
    return av.AudioFormat(choice.sample_format).bytes
