"""Reading a written video back: what it is, and in what it is not what was wanted."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.error

from fresco_media.colour.tags import BT601, BT709, FULL_RANGE, HDR_TRANSFERS, UNSTATED
from fresco_media.files.text import counted
from fresco_media.sound.streams import sound_streams
from fresco_media.types import ColourTags
from fresco_media.video.containers import open_input
from fresco_media.video.demux import demuxed

_PROFILES = {"Baseline", "Constrained Baseline", "Main", "High"}
# The highest that phones, televisions and browsers decode: 3840x2160 at 60 frames a second.
_LEVEL = 52
# Of a pixel's width: what nobody sees.
_LEAST_STRETCH = Fraction(1, 100)


@dataclass(frozen=True, kw_only=True)
class VideoFacts:
    """What a video file holds; `last_s` is when its last picture begins.

    Where pictures are stored in another order than shown, MP4 holds no duration of a single one.
    `is_index_first` says that an MP4 or MOV file can be played while it is being loaded.
    """

    is_mp4: bool
    codec: str
    profile: str
    level: int
    pixel_format: str
    size: tuple[int, int]
    tags: ColourTags
    frame_count: int
    last_s: Fraction
    sound: tuple[str, ...]
    is_index_first: bool
    sample_aspect: Fraction


def video_facts(path: Path) -> VideoFacts:
    """Read what the file at `path` is; its packets are counted, nothing is decoded.

    Raises:
        FFmpegError, OSError, ValueError: it cannot be read, or holds no pictures.
    """
    with open_input(path) as file:
        if not file.streams.video:
            raise ValueError("there are no pictures in it")
        stream = file.streams.video[0]
        context = stream.codec_context
        if context is None:
            raise ValueError("its pictures are of an unknown kind")
        count, last_s = 0, Fraction(0)
        sound = tuple(one.codec_context.name for one in sound_streams(file))
        for packet in demuxed(file, stream):
            if packet.size and packet.pts is not None:
                count += 1
                last_s = max(last_s, packet.pts * packet.time_base)
        return VideoFacts(
            # FFmpeg reads MP4 and QuickTime by one name; the brand tells them apart.
            is_mp4="mp4" in file.format.name and file.metadata.get("major_brand") != "qt  ",
            codec=context.name,
            profile=str(stream.profile or ""),
            level=_level(context.extradata) if context.name == "h264" else 0,
            # FFmpeg has names of its own for full range, which `tags` says.
            pixel_format=(context.pix_fmt or "").replace("yuvj", "yuv"),
            size=(context.width, context.height),
            tags=ColourTags(
                primaries=int(context.color_primaries),
                transfer=int(context.color_trc),
                matrix=int(context.colorspace),
                is_full_range=int(context.color_range) == FULL_RANGE,
            ),
            frame_count=count,
            last_s=last_s,
            sound=sound,
            is_index_first=_is_index_first(path),
            sample_aspect=stream.sample_aspect_ratio or Fraction(1),
        )


def sound_tracks(path: Path) -> int:
    """How many sound tracks that can be decoded the file at `path` has.

    Raises:
        FFmpegError, OSError, ValueError: it cannot be read.
    """
    with open_input(path) as file:
        return len(sound_streams(file))


def obstacles(facts: VideoFacts) -> list[str]:
    """Why a file does not play everywhere, in words that follow "it"; nothing if it does."""
    found: list[str] = []
    if facts.codec != "h264" or facts.profile not in _PROFILES:
        found.append(f"is {facts.codec} {facts.profile}".rstrip())
    if facts.pixel_format != "yuv420p":
        found.append(f"has pixels of the kind {facts.pixel_format}")
    if any(side % 2 for side in facts.size):
        found.append("has an odd side")
    if facts.level > _LEVEL:
        found.append(f"needs a decoder of level {facts.level / 10}")
    tags = facts.tags
    is_usual = tags.matrix in {BT709, UNSTATED, 5, BT601} and tags.transfer not in HDR_TRANSFERS
    if tags.is_full_range or not is_usual:
        found.append("has colours that few players show as they are")
    if not (facts.is_mp4 and facts.is_index_first):
        found.append("is no MP4 that plays while it loads")
    if any(codec != "aac" for codec in facts.sound):
        found.append("has sound other than AAC")
    return found


@dataclass(frozen=True, kw_only=True)
class ReadbackExpectation:
    """What a written file has to be."""

    pixel_format: str
    size: tuple[int, int]
    tags: ColourTags
    frame_count: int
    last_s: Fraction
    frame_s: Fraction
    sound_tracks: int
    plays_everywhere: bool
    sample_aspect: Fraction = Fraction(1)


def shortcomings(path: Path, wanted: ReadbackExpectation) -> list[str]:
    """In what the file at `path` is not as wanted, as sentences; nothing if it is."""
    try:
        facts = video_facts(path)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        return [f"the written file cannot be read back ({error}); write it to another disk"]
    found = obstacles(facts) if wanted.plays_everywhere else []
    if facts.pixel_format != wanted.pixel_format:
        found.append(f"has pixels of the kind {facts.pixel_format}, not {wanted.pixel_format}")
    if facts.size != wanted.size:
        found.append("has the size {}x{}".format(*facts.size))
    if facts.tags != wanted.tags:
        found.append("is tagged with other colours than it was written in")
    if abs(facts.sample_aspect / wanted.sample_aspect - 1) > _LEAST_STRETCH:
        found.append(
            f"has pixels of the shape {facts.sample_aspect}, not {wanted.sample_aspect}, so that "
            "its pictures are squeezed"
        )
    if facts.frame_count != wanted.frame_count:
        found.append(f"has {facts.frame_count} of {counted(wanted.frame_count, 'frame')}")
    if abs(facts.last_s - wanted.last_s) > wanted.frame_s:
        begins, wanted_s = float(facts.last_s), float(wanted.last_s)
        found.append(f"shows its last frame at {begins:.2f} s, not {wanted_s:.2f} s")
    if len(facts.sound) < wanted.sound_tracks:
        found.append(f"has {len(facts.sound)} of {counted(wanted.sound_tracks, 'sound track')}")
    return [f"read back, the written file {what}; play it before you pass it on" for what in found]


def _level(header: bytes | None) -> int:
    """Ten times the level in the `avcC` header of H.264 (ISO 14496-15); 0 in others.

    PyAV names it only from version 18 on.
    """
    if header is None or len(header) < 4 or header[0] != 1:
        return 0
    return header[3]


def _is_index_first(path: Path) -> bool:
    """Whether `moov` comes before `mdat` in an MP4 or MOV file."""
    with path.open("rb") as file:
        while len(head := file.read(16)) >= 8:
            size, kind = struct.unpack(">I4s", head[:8])
            if kind in {b"moov", b"mdat"}:
                return kind == b"moov"
            if size == 1 and len(head) == 16:
                size = struct.unpack(">Q", head[8:])[0]
            if size < 8:
                return False
            file.seek(size - len(head), 1)
    return False
