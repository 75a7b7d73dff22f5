"""Trying every sound track with its own packets before the first frame is worked on."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error

from fresco_media.sound.choices import COPY, Policy, TrackEncoding, choices
from fresco_media.sound.part import SoundRange, begin_s
from fresco_media.sound.remarks import Remark, Remarks
from fresco_media.sound.streams import codec_of, is_known
from fresco_media.sound.tracks import add_track
from fresco_media.video.containers import open_input
from fresco_media.video.demux import demuxed
from fresco_media.video.streams import sounds_of_picture
from fresco_media.video.transport import CodecChange, find_sound_changes

logger = logging.getLogger(__name__)

# Enough for what muxers learn from packets: headers, durations, delays.
_PACKETS = 12
# A track that begins later than this is tried without packets.
_BYTES_READ = 1 << 28
_PACKETS_READ = 5000

_UNKNOWN = Remark(
    "is of an unknown kind, so it is left out", "are of unknown kinds, so they are left out"
)

_CHANGING = Remark(
    "is encoded anew as AAC, because its channels or its rate change on the way",
    "are encoded anew as AAC, because their channels or their rates change on the way",
)

_DISPLACED = Remark(
    "loses the places of its channels, which files of this type do not hold for its samples; name "
    "the result .mov to keep them",
    "lose the places of their channels, which files of this type do not hold for their samples; "
    "name the result .mov to keep them",
)
REFUSALS = (av.error.FFmpegError, ValueError, OverflowError, TypeError)
"""How FFmpeg and PyAV say no."""


@dataclass(frozen=True)
class SoundTarget:
    """Where sound goes: FFmpeg's name of the container, its options, and what is wanted there.

    `is_lossless` says that the pictures lose nothing, so that the sound should not either;
    `is_part` that the sound begins somewhere in the middle.
    """

    container: str
    options: dict[str, str]
    policy: Policy = "kept"
    is_lossless: bool = False
    is_part: bool = False


def rehearse(source: Path, target: SoundTarget) -> tuple[dict[int, TrackEncoding], Remarks]:
    """The way to keep each sound track of `source`, by its stream's index, and what to tell.

    The first packets of a track are muxed into a file in memory, with header and trailer, until
    a choice passes. A track that passes with none is left out.

    Raises:
        FFmpegError, OSError: the source cannot be read.
    """
    passed: dict[int, TrackEncoding] = {}
    remarks = Remarks()
    with open_input(source) as file:
        changes = _changes_of_codec(source, file)
        for number, stream in enumerate(sounds_of_picture(file), start=1):
            if not is_known(stream):
                remarks.add(_UNKNOWN, stream, number)
                continue
            is_changing = codec_of(stream) == "aac" and _changes_on_the_way(source, stream.index)
            choice = _first_to_pass(source, stream, target, may_copy=not is_changing)
            if choice is None:
                remarks.add(_impossible(codec_of(stream)), stream, number)
                continue
            change = changes.get(stream.id)
            if change is not None:
                choice = replace(choice, ends_at=change.position)
                remarks.add(_of_two_codecs(change), stream, number)
            passed[stream.index] = choice
            if not choice.is_placed:
                remarks.add(_DISPLACED, stream, number)
            if target.policy == "kept" and not choice.is_exact:
                remark = _CHANGING if is_changing else _encoded(stream, choice, target.container)
                remarks.add(remark, stream, number)
    return passed, remarks


def _changes_of_codec(source: Path, file: av.container.InputContainer) -> dict[int, CodecChange]:
    if file.format.name != "mpegts":
        return {}
    return find_sound_changes(source, [stream.id for stream in sounds_of_picture(file)])


def _of_two_codecs(change: CodecChange) -> Remark:
    on_the_way = f"from {change.before} to {change.after} on the way, and only what comes before is"
    return Remark(
        f"changes {on_the_way} kept; split the file there to keep the rest",
        f"change {on_the_way} kept; split the file there to keep the rest",
    )


def _impossible(codec: str) -> Remark:
    of_any = f"({codec}) can be neither copied nor encoded, so"
    convert = "to WAV or AAC first to keep"
    return Remark(
        f"{of_any} it is left out; convert it {convert} it",
        f"{of_any} they are left out; convert them {convert} them",
    )


def _encoded(stream: av.AudioStream, choice: TrackEncoding, container: str) -> Remark:
    codec = codec_of(stream)
    elsewhere = {"mp4": "name the result .mov or .mkv", "mov": "name the result .mkv"}
    keeps = next((name for name in ("mov", "matroska") if _is_kept(stream, name)), None)
    hint = elsewhere.get(container) if keeps and container != keeps else None
    if container == "mp4" and keeps == "matroska":
        hint = elsewhere["mov"]
    before, after = stream.codec_context.layout.nb_channels, av.AudioLayout(choice.layout)
    mixed = (
        f", with {before} channels mixed down to {after.name}" if after.nb_channels < before else ""
    )
    why = f"encoded anew as AAC{mixed}, because few players take {codec} in files of this type"
    why += f"; {hint} to lose nothing" if hint else ""
    return Remark(f"is {why}", f"are {why}")


def _is_kept(stream: av.AudioStream, container: str) -> bool:
    return choices(stream, container, "kept")[0].is_exact


def _first_to_pass(
    source: Path, stream: av.AudioStream, target: SoundTarget, *, may_copy: bool = True
) -> TrackEncoding | None:
    try:
        candidates = choices(
            stream,
            target.container,
            target.policy,
            is_lossless=target.is_lossless,
            is_part=target.is_part,
        )
    except REFUSALS as error:  # Parameters that no sound has, such as no channels at all.
        logger.info("sound of stream %d cannot be described: %s", stream.index, error)
        return None
    for choice in candidates:
        if choice.codec == COPY and not may_copy:
            continue
        try:
            _try(source, stream.index, target, choice)
        except REFUSALS as error:
            logger.info("sound of stream %d as %s: %s", stream.index, choice, error)
        else:
            return choice
    return None


def _try(source: Path, index: int, target: SoundTarget, choice: TrackEncoding) -> None:
    with open_input(source) as file:
        stream = file.streams[index]
        assert isinstance(stream, av.AudioStream)
        packets = list(_first_packets(file, index))
        first_s = begin_s(packets[0]) if packets else Fraction(0)
        part = SoundRange(None, None, first_s, first_s + 60, keeps_codec_delay=True)
        # To bring the index to the front, FFmpeg opens the file again, and memory has no name.
        options = {name: value for name, value in target.options.items() if name != "movflags"}
        output = av.open(io.BytesIO(), "w", format=target.container, options=options)
        try:
            track = add_track(stream, output, choice, part)
            output.start_encoding()
            for packet in packets:
                track.write(packet)
            track.finish()
        finally:
            output.close()


def _changes_on_the_way(source: Path, index: int) -> bool:
    """Whether AAC describes itself in each packet, and not always alike, as in television.

    Other containers hold one description for all of a track.
    """
    with open_input(source) as file:
        described = (_adts(packet) for packet in demuxed(file, file.streams[index]) if packet.size)
        first = next(described, None)
        return first is not None and any(one not in (None, first) for one in described)


def _adts(packet: av.Packet) -> int | None:
    """What the fixed header of ADTS (ISO 14496-3, 1.A.2.2.1) says; None where there is none."""
    head = int.from_bytes(bytes(packet)[:4], "big")
    # The first 12 bits find the header, the last 4 of these 28 are no description.
    return head >> 6 if head >> 20 == 0xFFF else None


def _first_packets(file: av.container.InputContainer, index: int) -> Iterator[av.Packet]:
    found = size = 0
    for read, packet in enumerate(demuxed(file)):
        size += packet.size
        if packet.stream_index == index and packet.size and packet.pts is not None:
            found += 1
            yield packet
        if found >= _PACKETS or read >= _PACKETS_READ or size >= _BYTES_READ:
            return
