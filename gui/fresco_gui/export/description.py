"""What `fresco_media` has to know of an export: the clip it describes, and what is wanted of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from fresco_media.clip import Clip
from fresco_media.errors import FrescoError
from fresco_media.types import ClipProperties, ColourTags
from fresco_media.video.timing import common_time_base
from fresco_media.writing.delivery import Codec, Delivery, SoundWish

from fresco_gui.export.options import ExportKind, ExportOptions
from fresco_gui.media.source import FrameInfo

_CODECS: dict[ExportKind, Codec] = {
    ExportKind.H264: "h264",
    ExportKind.PRORES: "prores",
    ExportKind.PNG: "images",
}
_SOUND: dict[ExportKind, SoundWish] = {
    ExportKind.H264: "aac",
    ExportKind.PRORES: "pcm",
    ExportKind.PNG: "none",
}
_TICK = Fraction(1, 90_000)


def codec_of(kind: ExportKind) -> Codec:
    """The codec of a format."""
    return _CODECS[kind]


def delivery_of(options: ExportOptions) -> Delivery:
    """What is wanted of a video beside its codec."""
    return Delivery(
        quality=options.quality,
        plays_everywhere=options.kind is ExportKind.H264,
        sound=_SOUND[options.kind] if options.has_sound else "none",
    )


def described(times: FrameInfo, info: FrameInfo) -> ClipProperties:
    """The source's times and sound with the result's size, shape and colours.

    `times` is what is known of the source, `info` of the result.
    """
    return replace(
        _probed(times) or _stated(times),
        width=info.width,
        height=info.height,
        sample_aspect=info.pixel_aspect,
        colour=ColourTags(primaries=info.primaries, transfer=info.transfer),
        rotation=0,
    )


def _probed(times: FrameInfo) -> ClipProperties | None:
    """The source as its file describes it, with exact times; None where there is no such file."""
    if times.path is None or times.first_index:
        return None
    try:
        info = Clip.open(times.path, frame_rate=times.frame_rate).info
    except (FrescoError, OSError):
        return None
    return info if info.frame_count == times.frame_count else None


def _stated(times: FrameInfo) -> ClipProperties:
    base = common_time_base(1 / times.frame_rate, _TICK)
    ticks = [
        round((Fraction(times.start_s) + Fraction(times.time_s(index))) / base)
        for index in range(times.first_index, times.stop)
    ]
    path = times.path
    return ClipProperties(
        path=path or Path(),
        width=times.width,
        height=times.height,
        frame_rate=times.frame_rate,
        time_base=base,
        times=tuple(ticks),
        has_audio=times.has_sound and path is not None,
        is_sequence=path is None or not times.has_sound,
    )
