"""What a video file holds: one pass over its packets, and its first picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import av.container
from av.format import Flags as ContainerFlags
from av.video.codeccontext import VideoCodecContext

from fresco_media.colour.orientation import Orientation, is_bent, orientation_of
from fresco_media.colour.picture import ALPHA_UNREAD, OVER_BLACK, has_alpha
from fresco_media.colour.tags import (
    UNSTATED,
    colour_warnings,
    container_tags,
    shown_tags,
    tags_of,
    tags_within,
    unreadable_colours,
)
from fresco_media.colour.transfer import LINEAR
from fresco_media.errors import ClipUnreadable
from fresco_media.files.faults import NOT_A_VIDEO, reading
from fresco_media.files.opening import regular_file
from fresco_media.files.state import KnownFile
from fresco_media.files.text import counted
from fresco_media.stills import film
from fresco_media.types import ClipProperties, ColourTags
from fresco_media.video.animation import AnimationCursor, is_animated_webp, show_times_ms
from fresco_media.video.containers import open_input
from fresco_media.video.decode import FrameCursor, VideoCursor
from fresco_media.video.decoder import has_alpha_beside, has_alpha_layer
from fresco_media.video.losses import index_bytes, sentence
from fresco_media.video.order import TrialDecode, decoding_order, first_by_own_decoder, try_out
from fresco_media.video.packets import (
    PacketTable,
    Scan,
    ScannedPacket,
    has_all_stamps,
    has_reordered_stamps,
    is_in_doubt,
    order_of_stamps,
    order_of_storage,
    scan_packets,
    table_in_order,
    undecodable_start,
    without_keys,
    without_pictures_from,
    without_second_fields,
    without_times,
)
from fresco_media.video.profiled import (
    BY_PROFILE,
    PROFILE_CONVERTED,
    animation_marks,
    film_profile,
    profiled,
)
from fresco_media.video.seen_part import hidden_edges_told, seen_size, stated_orientation
from fresco_media.video.side_data import marks_lost
from fresco_media.video.streams import choose_video, sounds_beside
from fresco_media.video.timing import DEFAULT_RATE, Timing, exact_timing
from fresco_media.video.transport import find_codec_change

_MOST_STRETCHED = Fraction(10)
# Keyframes of these are painted over what was there before, or refer to colours of earlier ones.
_PAINTING_OVER = {"rpza"}
# Transport and program streams: cut out of what is sent, or made as if they were.
_OF_BROADCASTS = {"mpegts", "mpeg"}


@dataclass(frozen=True)
class Probe:
    """A video file's description, with what the decoder needs and the user should know.

    `file` is what was looked at; `open_cursor` opens it to read its pictures. `colour` are the
    tags that the first picture is read by, which itself says `stated`.
    """

    info: ClipProperties
    table: PacketTable
    orientation: Orientation
    coded_size: tuple[int, int]
    colour: ColourTags
    warnings: tuple[str, ...]
    file: KnownFile
    open_cursor: Callable[[], FrameCursor]
    stated: ColourTags

    def colour_of(self, frame: av.VideoFrame) -> ColourTags:
        """The tags to read one of its pictures by: its own, where those change on the way."""
        if self.colour == BY_PROFILE:
            return self.colour
        return tags_within(frame, self.stated, self.colour)


@dataclass(frozen=True)
class _Header:
    """What the container says of the video stream, kept after the file is closed."""

    codec: str
    time_base: Fraction
    rates: tuple[Fraction | None, ...]
    codec_tag: str = ""
    transport_id: int | None = None
    is_followed: bool = False
    starts_anywhere: bool = False
    has_alpha_beside: bool = False
    has_alpha_layer: bool = False
    seen: tuple[int, int] | None = None
    orientation: Orientation | None = None
    stream_index: int = 0
    sample_aspect: Fraction = Fraction(1)
    has_audio: bool = False
    has_times: bool = True
    is_intra_only: bool = False
    paints_over: bool = False
    can_reorder: bool = False
    does_reorder: bool = False
    colour: ColourTags | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _First:
    """The first picture; `marked` is the same one with its colours' tags and its orientation."""

    frame: av.VideoFrame
    marked: av.VideoFrame


def probe(path: Path, is_stopped: Callable[[], bool] = lambda: False) -> Probe | None:
    """Describe the video in the file at `path`; None once `is_stopped`.

    Raises:
        ClipNotFound: there is no such file.
        ClipUnreadable: it is empty, damaged or not a video.
        NoVideoStream: it holds no moving pictures.
    """
    with reading(path):
        if regular_file(path).st_size == 0:
            raise ClipUnreadable(path, "the file is empty; copy or export it again")
        file = KnownFile(path)
        if is_animated_webp(path):
            return _animation(file)
        with open_input(path) as container:
            stream, warnings = choose_video(container, path)
            header = replace(
                _header_of(container, stream, warnings),
                seen=seen_size(path, stream),
                orientation=stated_orientation(path, stream),
            )
            scan = scan_packets(container, stream, is_stopped, index_bytes=index_bytes(path))
        if scan is None:
            return None
        if not scan.packets:
            raise ClipUnreadable(
                path,
                "it holds no pictures; if it refers to other files, save it self-contained, "
                "else copy or export it again",
            )
        header, scan = _of_one_codec(path, header, scan)
        return _described(file, header, _trusted(scan, header), is_stopped)


def _of_one_codec(path: Path, header: _Header, scan: Scan) -> tuple[_Header, Scan]:
    """The scan up to where the codec changes, and the header with a word about that."""
    change = None
    if header.transport_id is not None:
        change = find_codec_change(path, header.transport_id)
    if change is None:
        return header, scan
    said = (
        f"the video changes from {change.before} to {change.after} in mid-file, as where different "
        "recordings were joined; only what comes before is used, so split the file there, or "
        "convert all of it to one codec, to get the rest"
    )
    kept = without_pictures_from(scan, change.position)
    if not any(packet.is_shown for packet in kept.packets):
        return header, scan
    return replace(header, is_followed=True, warnings=(*header.warnings, said)), kept


def _trusted(scan: Scan, header: _Header) -> Scan:
    """The scan without what this kind of file has wrong where pictures need each other."""
    if not (header.has_times or header.is_intra_only):
        return without_times(scan)
    return without_keys(scan) if header.paints_over else scan


def _animation(file: KnownFile) -> Probe:
    """Describe an animated WebP."""
    path = file.path
    *times_ms, end_ms = show_times_ms(path)
    millisecond = Fraction(1, 1000)
    scan = Scan(
        millisecond, packets=[ScannedPacket.shown_at(time) for time in times_ms], end=end_ms
    )
    header = _Header(
        codec="webp", time_base=millisecond, rates=(len(times_ms) / Fraction(end_ms, 1000),)
    )
    cursor = AnimationCursor(path)
    _, frame = cursor.at(0)
    cursor.close()
    first = _First(frame, frame)
    table = table_in_order(scan, order_of_storage(scan))
    return _describe(file, header, table, first, lambda: AnimationCursor(path))


def _described(
    file: KnownFile, header: _Header, scan: Scan, is_stopped: Callable[[], bool]
) -> Probe | None:
    """Find out which packet becomes which frame, and describe the file."""
    path = file.path
    is_suspicious = (
        scan.has_made_up_times
        or not has_all_stamps(scan)
        or (header.does_reorder and not has_reordered_stamps(scan))
    )
    with open_input(path) as container:
        trial = try_out(
            container,
            _video(container, header),
            is_doubtful=lambda first: (
                header.can_reorder and (is_suspicious or first.interlaced_frame)
            ),
        )
    if trial is None:
        raise ClipUnreadable(path, f"none of its frames can be decoded; {NOT_A_VIDEO}")
    first = _as_marked(path, header, trial.first)
    if scan.is_timed:
        scan = without_second_fields(scan, trial.numbers)
    table = _table(header, scan, trial)
    if table is None:
        with open_input(path) as container:
            order = decoding_order(container, _video(container, header), is_stopped)
        if order is None:
            return None
        # Raw streams cannot be sought in, so that their frames are counted anyway.
        is_read = [packet.size > 0 for packet in scan.packets]
        table = table_in_order(scan, [n for n in order if n < len(is_read) and is_read[n]])
    if not table.stamps:
        raise ClipUnreadable(path, f"none of its frames can be decoded; {NOT_A_VIDEO}")
    reason = unreadable_colours(first.marked, header.codec_tag, header.colour)
    if reason is not None:
        raise ClipUnreadable(path, reason)
    return _describe(
        file,
        header,
        table,
        first,
        lambda: VideoCursor(path, header.stream_index, table, file),
    )


def _as_marked(path: Path, header: _Header, frame: av.VideoFrame) -> _First:
    if not header.has_alpha_beside:
        return _First(frame, frame)
    # What reads alpha beside the picture does not hand on what the container says of it.
    with open_input(path) as container:
        marked = first_by_own_decoder(container, _video(container, header))
    return _First(frame, marked or frame)


def _table(header: _Header, scan: Scan, trial: TrialDecode) -> PacketTable | None:
    """The frames as packets tell them; None where only decoding tells."""
    if not header.can_reorder:
        order = order_of_storage(scan)
    elif scan.is_timed and is_in_doubt(scan, has_reordering=header.does_reorder):
        return None
    else:
        order = order_of_stamps(scan)
    missing = undecodable_start(scan, order, trial.numbers[0])
    is_known = scan.is_timed or not header.can_reorder
    table = table_in_order(scan, order[missing:], left_out=missing, is_known=is_known)
    is_right = trial.is_as_expected(table.frame_of) if is_known else trial.is_one_each()
    return table if is_right else None


def _video(container: av.container.InputContainer, header: _Header) -> av.VideoStream:
    stream = container.streams[header.stream_index]
    if not isinstance(stream, av.VideoStream):
        raise OSError("the file was replaced while it was read")
    return stream


def _header_of(
    container: av.container.InputContainer, stream: av.VideoStream, warnings: tuple[str, ...]
) -> _Header:
    context = stream.codec_context
    aspect, told = _pixel_aspect(stream)
    return _Header(
        stream_index=stream.index,
        codec=context.name,
        codec_tag=_codec_tag(context),
        transport_id=stream.id if container.format.name == "mpegts" else None,
        starts_anywhere=container.format.name in _OF_BROADCASTS,
        has_alpha_beside=has_alpha_beside(stream),
        has_alpha_layer=has_alpha_layer(stream),
        time_base=stream.time_base or Fraction(1, 90000),
        rates=(stream.average_rate, stream.guessed_rate, stream.base_rate),
        sample_aspect=aspect,
        has_audio=bool(sounds_beside(container, stream)),
        has_times=_has_times(container),
        is_intra_only=context.codec.intra_only,
        paints_over=context.name in _PAINTING_OVER,
        can_reorder=context.codec.reorder,
        does_reorder=bool(context.has_b_frames),
        colour=container_tags(context),
        warnings=(*warnings, *told),
    )


def _codec_tag(context: VideoCodecContext) -> str:
    """The container's four letters for the codec; nothing where they are no letters."""
    try:
        return context.codec_tag
    except UnicodeDecodeError:
        return ""


def _pixel_aspect(stream: av.VideoStream) -> tuple[Fraction, tuple[str, ...]]:
    """A pixel's width by its height, and what is to be said where what is stated cannot be one."""
    stated = stream.sample_aspect_ratio or Fraction(1)
    if 1 / _MOST_STRETCHED <= stated <= _MOST_STRETCHED:
        return stated, ()
    return Fraction(1), (
        f"the file says that its pixels are {float(stated):g} times as wide as high, which cannot "
        "be meant; they are taken for square",
    )


def _has_times(container: av.container.InputContainer) -> bool:
    """Whether it is more than coded pictures in a row, for which FFmpeg makes times up."""
    is_bare = bool(container.format.flags & int(ContainerFlags.no_timestamps.value))
    return not (is_bare or container.format.name.endswith("_pipe"))


def _describe(
    file: KnownFile,
    header: _Header,
    table: PacketTable,
    first: _First,
    open_cursor: Callable[[], FrameCursor],
) -> Probe:
    path, frame = file.path, first.frame
    marks = animation_marks(path)
    orientation = header.orientation or orientation_of(first.marked)
    if header.orientation is None and orientation == Orientation():
        orientation = marks.orientation
    coded_size = (frame.width, frame.height)
    width, height = orientation.shown_size(coded_size)
    timing = _timing(header, table)
    aspect = header.sample_aspect
    components = frame.format.components
    colour = _colour(path, header, first.marked)
    profile = marks.profile or film_profile(first.marked, colour)
    if profile is not None:
        open_cursor = profiled(open_cursor, colour, profile)
        colour = BY_PROFILE
    info = ClipProperties(
        path=path,
        width=width,
        height=height,
        frame_rate=timing.frame_rate,
        time_base=timing.time_base,
        times=timing.times,
        rotation=90 * orientation.quarter_turns,
        bit_depth=max(component.bits for component in components),
        has_alpha=has_alpha(frame),
        has_audio=header.has_audio,
        is_variable_rate=timing.is_variable,
        sample_aspect=1 / aspect if orientation.swaps_sides else aspect,
        colour=shown_tags(colour),
        codec=header.codec,
        last_frame_s=_last_frame_s(header, timing, table),
        sound_start_s=table.sound_start_s,
        joins=table.joins,
        is_followed=header.is_followed,
        starts_anywhere=header.starts_anywhere,
    )
    warnings = [*header.warnings, *_warnings(info, table, is_interlaced=frame.interlaced_frame)]
    warnings += (PROFILE_CONVERTED,) if profile is not None else colour_warnings(colour)
    warnings += marks_lost(first.marked)
    warnings += hidden_edges_told(header.seen, coded_size)
    if is_bent(first.marked, header.sample_aspect):
        warnings.append(
            "the file wants its picture stretched or turned by less than a quarter, which is not "
            "done; do that in your editor first if players show it so"
        )
    if (header.has_alpha_beside or header.has_alpha_layer) and not info.has_alpha:
        warnings.append(ALPHA_UNREAD)
    if not (table.is_timed and header.has_times):
        warnings.append(f"the file holds no times; {info.frame_rate} frames a second are assumed")
    notes = tuple(warnings)
    stated = tags_of(frame)
    return Probe(info, table, orientation, coded_size, colour, notes, file, open_cursor, stated)


def _colour(path: Path, header: _Header, frame: av.VideoFrame) -> ColourTags:
    """What stream and container say of the colours of `frame`, the first."""
    tags = tags_of(frame, header.colour)
    if header.codec == "dpx" and tags.transfer == LINEAR:
        # FFmpeg writes so of every picture, and then believes it.
        with open_input(path) as container:
            packet = next(container.demux(_video(container, header)))
            if not film.is_linear(film.dpx_header(bytes(packet))):
                return replace(tags, transfer=UNSTATED)
    return tags


def _timing(header: _Header, table: PacketTable) -> Timing:
    if table.is_timed and header.has_times:
        return exact_timing(table.stamps, header.time_base, header.rates)
    rate = next((rate for rate in header.rates if rate), DEFAULT_RATE)
    return Timing(tuple(range(len(table.stamps))), 1 / rate, rate, False)


def _last_frame_s(header: _Header, timing: Timing, table: PacketTable) -> Fraction | None:
    """How long the last frame is shown; None if that is as long as others are."""
    if len(timing.times) < 2 or not (table.is_timed and header.has_times):
        return None
    *_, before, stated = (0, 0, *table.durations)
    if timing.is_variable:
        return (stated or timing.times[-1] - timing.times[-2]) * timing.time_base
    # At a constant rate, what is stated may be rounded, guessed or that of a field.
    stated_s = stated * header.time_base
    is_held = stated != before and 2 * stated_s * timing.frame_rate > 3
    return stated_s if is_held else None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _warnings(info: ClipProperties, table: PacketTable, *, is_interlaced: bool) -> tuple[str, ...]:
    warnings: list[str] = []
    if table.is_cut_short:
        warnings.append(
            f"the file ends early, as an interrupted copy does; the "
            f"{counted(info.frame_count, 'frame that is there is', 'frames that are there are')} "
            "used"
        )
    if table.loss is not None:
        warnings.append(sentence(table.loss))
    if table.joins:
        warnings.append(
            f"the time stamps start over {_times(len(table.joins))}, as where recordings were "
            "joined; the parts follow each other without a gap"
        )
    if table.is_rearranged and info.is_variable_rate:
        # FFmpeg counts the delay of reordered frames anew in each part of an edit list.
        warnings.append(
            "the file shows parts of its pictures in an order of its own (an edit list); where "
            "they meet, times may be some frames off, so export it anew if that can be seen or "
            "heard"
        )
    if table.mended:
        warnings.append(
            f"the time stamps of {counted(table.mended, 'frame')} repeat, step back or are "
            "missing; such frames are shown at even distances between the others"
        )
    if table.left_out:
        warnings.append(
            f"the recording begins in mid-scene: "
            f"{counted(table.left_out, 'frame at its start needs', 'frames at its start need')} "
            "others that are not in the file and cannot be used"
        )
    if info.has_alpha:
        warnings.append(OVER_BLACK)
    if is_interlaced:
        warnings.append("the clip is interlaced; deinterlace it first if motion shows combs")
    return tuple(warnings)
