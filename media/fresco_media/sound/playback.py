"""Sound to be heard at once: the main track of a file from any time on, without gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.container

from fresco_media.sound.part import begin_s
from fresco_media.sound.samples import BlockReader, SampleFormat, Samples, Timeline
from fresco_media.sound.streams import main_sound
from fresco_media.types import Join
from fresco_media.video.channels import can_be_decoded
from fresco_media.video.containers import open_input
from fresco_media.video.continuity import demuxed_continuously

# Codecs such as AAC and MP3 need what comes before to begin well.
_PREROLL_S = Fraction(1, 2)


def played_sound(
    path: Path, start_s: Fraction, form: SampleFormat, joins: Sequence[Join] = ()
) -> Iterator[Samples]:
    """The main track of the file at `path` from `start_s` of its clock on, as `form`.

    `joins` are those of the file (`ClipProperties.joins`), where its clock starts over. Silence
    stands in for what is missing, be it before the track, in it, or damaged. A file without sound,
    or with sound that cannot be decoded, gives nothing.

    Raises:
        FFmpegError, OSError: the file cannot be read.
    """
    with open_input(path) as file:
        stream = main_sound(file)
        if stream is None or not can_be_decoded(stream):
            return
        if start_s > _PREROLL_S and not joins:
            # Where stamps start over, no stamp finds a place.
            file.seek(int((start_s - _PREROLL_S) * av.time_base), backward=True)
        reader = BlockReader(stream)
        timeline = Timeline(reader.format, start_s)
        resampler = av.AudioResampler(form.name, form.layout, form.rate)
        at = 0
        packets = _packets_from(start_s - _PREROLL_S, demuxed_continuously(file, joins, stream))
        for samples in _blocks(packets, reader, timeline):
            frame = reader.format.frame(samples, at)
            at += len(samples)
            for part in resampler.resample(frame):
                yield part.to_ndarray().reshape(-1, form.channels)
        for part in resampler.resample(None):
            yield part.to_ndarray().reshape(-1, form.channels)


def _packets_from(start_s: Fraction, packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """Those that need decoding for what is heard from `start_s` on."""
    for packet in packets:
        if not packet.size or packet.pts is None or begin_s(packet) >= start_s:
            yield packet


def _blocks(
    packets: Iterator[av.Packet], reader: BlockReader, timeline: Timeline
) -> Iterator[Samples]:
    for packet in packets:
        for block in reader.read(packet):
            yield from timeline.add(block)
    yield from timeline.finish()
