"""What a video file holds: one pass over its packets, and its first picture."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
from av.stream import Disposition

from fresco_media.colour import colour_warnings, shown_tags, tags_of, unreadable_colours
from fresco_media.decoder import decoder_of, has_alpha_beside
from fresco_media.errors import ClipUnreadable, NoVideoStream
from fresco_media.faults import NOT_A_VIDEO, reading
from fresco_media.orientation import Orientation, orientation_of
from fresco_media.packets import PacketTable, demuxed, scan_packets
from fresco_media.picture import ALPHA_UNREAD, OVER_BLACK, has_alpha
from fresco_media.timing import DEFAULT_RATE, Timing, exact_timing
from fresco_media.types import ClipInfo, ColourTags

# Text files, which FFmpeg would render as character art.
_TEXT_CODECS = {"ansi", "bintext", "xbin", "idf"}
_STILL = Disposition.attached_pic | Disposition.timed_thumbnails


@dataclass(frozen=True)
class Probe:
    """A video file's description, with what the decoder needs and the user should know."""

    info: ClipInfo
    stream_index: int
    table: PacketTable
    orientation: Orientation
    coded_size: tuple[int, int]
    colour: ColourTags
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Header:
    """What the container says of the video stream, kept after the file is closed."""

    stream_index: int
    codec: str
    codec_tag: str
    has_alpha_beside: bool
    time_base: Fraction
    rates: tuple[Fraction | None, ...]
    sample_aspect: Fraction
    has_audio: bool


def open_input(path: Path) -> av.container.InputContainer:
    """Open a local media file; a play list inside cannot make FFmpeg reach for the network."""
    return av.open(
        str(path),
        metadata_errors="replace",
        container_options={"protocol_whitelist": "file"},
    )


def probe(path: Path) -> Probe:
    """Describe the video in the file at `path`.

    Raises:
        ClipNotFound: there is no such file.
        ClipUnreadable: it is empty, damaged or not a video.
        NoVideoStream: it holds no moving pictures.
    """
    with reading(path):
        if path.stat().st_size == 0:
            raise ClipUnreadable(path, "the file is empty; copy or export it again")
        with open_input(path) as container:
            stream = _video_stream(container, path)
            header = _header_of(container, stream)
            table = scan_packets(container, stream)
        with open_input(path) as container:
            first = _first_picture(container, header.stream_index)
        if first is None or not table.stamps:
            raise ClipUnreadable(path, f"none of its frames can be decoded; {NOT_A_VIDEO}")
        if (reason := unreadable_colours(first, header.codec_tag)) is not None:
            raise ClipUnreadable(path, reason)
        return _describe(path, header, table, first)


def _video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    moving = [stream for stream in container.streams.video if not stream.disposition & _STILL]
    if not moving:
        held = "sound but no video" if container.streams.audio else "no video"
        raise NoVideoStream(path, f"the file holds {held}; choose a video or an image sequence")
    # A stream whose codec is unknown has no decoder, hence no context.
    if moving[0].codec_context is None:
        raise ClipUnreadable(path, "its video codec is unknown; convert it to H.264 or ProRes")
    if moving[0].codec_context.name in _TEXT_CODECS:
        raise ClipUnreadable(path, "it is a text file, not a video")
    return moving[0]


def _header_of(container: av.container.InputContainer, stream: av.VideoStream) -> _Header:
    return _Header(
        stream_index=stream.index,
        codec=stream.codec_context.name,
        codec_tag=stream.codec_context.codec_tag,
        has_alpha_beside=has_alpha_beside(stream),
        time_base=stream.time_base or Fraction(1, 90000),
        rates=(stream.average_rate, stream.guessed_rate, stream.base_rate),
        sample_aspect=stream.sample_aspect_ratio or Fraction(1),
        has_audio=bool(container.streams.audio),
    )


def _first_picture(
    container: av.container.InputContainer, stream_index: int
) -> av.VideoFrame | None:
    stream = container.streams[stream_index]
    decoder = decoder_of(stream)
    for packet in demuxed(container, stream):
        try:
            frames = decoder.decode(packet if packet.size else None)
        except av.error.FFmpegError:
            continue
        if frames:
            return frames[0]
    return None


def _describe(path: Path, header: _Header, table: PacketTable, first: av.VideoFrame) -> Probe:
    orientation = orientation_of(first)
    coded_size = (first.width, first.height)
    width, height = orientation.shown_size(coded_size)
    timing = _timing(header, table)
    aspect = header.sample_aspect
    components = first.format.components
    colour = tags_of(first)
    info = ClipInfo(
        path=path,
        width=width,
        height=height,
        frame_rate=timing.frame_rate,
        time_base=timing.time_base,
        times=timing.times,
        rotation=90 * orientation.quarter_turns,
        bit_depth=max(component.bits for component in components),
        has_alpha=has_alpha(first),
        has_audio=header.has_audio,
        is_variable_rate=timing.is_variable,
        sample_aspect=1 / aspect if orientation.swaps_sides else aspect,
        colour=shown_tags(colour),
        codec=header.codec,
    )
    warnings = _warnings(info, table, is_interlaced=first.interlaced_frame)
    warnings += colour_warnings(colour)
    if header.has_alpha_beside and not info.has_alpha:
        warnings += (ALPHA_UNREAD,)
    return Probe(info, header.stream_index, table, orientation, coded_size, colour, warnings)


def _timing(header: _Header, table: PacketTable) -> Timing:
    if table.is_timed:
        return exact_timing(table.stamps, header.time_base, header.rates)
    rate = next((rate for rate in header.rates if rate), DEFAULT_RATE)
    return Timing(table.stamps, 1 / rate, rate, False)


def _warnings(info: ClipInfo, table: PacketTable, *, is_interlaced: bool) -> tuple[str, ...]:
    warnings: list[str] = []
    if table.is_cut_short:
        warnings.append(
            f"the file ends early, as an interrupted copy does; the {info.frame_count} frames "
            "that are there are used"
        )
    if info.has_alpha:
        warnings.append(OVER_BLACK)
    if is_interlaced:
        warnings.append("the clip is interlaced; deinterlace it first if motion shows combs")
    if not table.is_timed:
        warnings.append(f"the file holds no times; {info.frame_rate} frames a second are assumed")
    return tuple(warnings)
