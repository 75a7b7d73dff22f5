"""How large a video will be, from a few of its frames."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av

from fresco_media.sound import sound_bytes_per_s
from fresco_media.stills.images import encode_image
from fresco_media.types import ClipProperties, Image
from fresco_media.writing.delivery import Codec, Delivery
from fresco_media.writing.picture_codecs import picture_codec

RUN = 8
"""Frames in a row that tell what a frame costs after the one before it."""

# x264 begins anew at least so often.
_FRAMES_PER_KEYFRAME = 250


def sample_places(start: int, stop: int, runs: int = 3) -> list[range]:
    """Where in [start, stop) to take frames from: `runs` runs of `RUN`, spread evenly."""
    count = stop - start
    if count <= runs * RUN:
        return [range(start, stop)]
    step = (count - RUN) / (runs - 1)
    return [range(start + round(n * step), start + round(n * step) + RUN) for n in range(runs)]


def expected_bytes(
    runs: Sequence[Sequence[Image]],
    info: ClipProperties,
    codec: Codec,
    delivery: Delivery,
    frame_count: int,
) -> int:
    """About how many bytes `frame_count` frames take that are like those of `runs`.

    `info` gives size, rate and sound; each run holds frames that follow each
    other. Usually right to a third.

    Raises:
        ValueError: there is no frame.
        ClipUnreadable, FFmpegError, OSError: the sound of the clip cannot be looked at.
    """
    if not any(runs):
        raise ValueError("no frame was given")
    if codec == "images":
        sizes = [len(encode_image(image, ".png")) for run in runs for image in run[:2]]
        return round(sum(sizes) / len(sizes) * frame_count)
    firsts: list[int] = []
    others: list[int] = []
    for run in runs:
        sizes = _encoded_sizes(run, info, codec, delivery)
        firsts += sizes[:1]
        others += sizes[1:]
    first = sum(firsts) / len(firsts)
    other = sum(others) / len(others) if others else first
    keyframes = -(-frame_count // _FRAMES_PER_KEYFRAME)
    pictures = keyframes * first + (frame_count - keyframes) * other
    return round(pictures + _sound_bytes(info, codec, delivery, frame_count))


def _sound_bytes(info: ClipProperties, codec: Codec, delivery: Delivery, frame_count: int) -> float:
    if not info.has_audio or delivery.sound == "none":
        return 0
    container = "mov" if codec == "prores" else "mp4"
    bytes_per_s = sound_bytes_per_s(info.path, container, delivery.sound)
    return bytes_per_s * float(frame_count / info.frame_rate)


def _encoded_sizes(
    run: Sequence[Image], info: ClipProperties, codec: Codec, delivery: Delivery
) -> list[int]:
    """Bytes of each frame of a run, the keyframe first."""
    pictures = picture_codec(info, codec, delivery)
    sizes: list[int] = []
    with av.open(io.BytesIO(), "w", format="matroska") as output:
        stream = pictures.add_stream(output, info, info.time_base)
        for index, image in enumerate(run):
            frame = pictures.frame(image)
            frame.pts = round(index / (info.frame_rate * info.time_base))
            frame.time_base = Fraction(info.time_base)
            sizes += [packet.size for packet in stream.encode(frame)]
        sizes += [packet.size for packet in stream.encode(None)]
    return sizes
