"""Sound to be heard at once: the main track of a file from any time on, without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.container

from fresco_media.containers import open_input
from fresco_media.demux import demuxed
from fresco_media.sound.samples import BlockReader, SampleFormat, Samples, Timeline
from fresco_media.sound.streams import main_sound

# Codecs such as AAC and MP3 need what comes before to begin well.
_PREROLL_S = Fraction(1, 2)


def played_sound(path: Path, start_s: Fraction, form: SampleFormat) -> Iterator[Samples]:
    """The main track of the file at `path` from `start_s` of its clock on, as `form`.

    Silence stands in for what is missing, be it before the track, in it, or damaged. A file
    without sound gives nothing.

    Raises:
        FFmpegError, OSError: the file cannot be read.
    """
    with open_input(path) as file:
        stream = main_sound(file)
        if stream is None:
            return
        if start_s > _PREROLL_S:
            file.seek(int((start_s - _PREROLL_S) * av.time_base), backward=True)
        reader = BlockReader(stream)
        timeline = Timeline(reader.format, start_s)
        resampler = av.AudioResampler(form.name, form.layout, form.rate)
        at = 0
        for samples in _blocks(file, stream, reader, timeline):
            frame = reader.format.frame(samples, at)
            at += len(samples)
            for part in resampler.resample(frame):
                yield part.to_ndarray().reshape(-1, form.channels)
        for part in resampler.resample(None):
            yield part.to_ndarray().reshape(-1, form.channels)


def _blocks(
    file: av.container.InputContainer,
    stream: av.AudioStream,
    reader: BlockReader,
    timeline: Timeline,
) -> Iterator[Samples]:
    for packet in demuxed(file, stream):
        for block in reader.read(packet):
            yield from timeline.add(block)
    yield from timeline.finish()
