"""Which packet becomes which frame, found by decoding where stamps cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import av
import av.container

from fresco_media.video.decoder import decoder_of
from fresco_media.video.demux import decoded, demuxed

# So many packets show whether pictures come one for each of them, and in the order of stamps.
_TRIAL_PACKETS = 32
_Numbered = tuple[int, av.VideoFrame]


@dataclass(frozen=True)
class TrialDecode:
    """The beginning of a stream, decoded: the first picture, and the packets pictures come from.

    `numbers` are those of packets, in the order in which their pictures are shown.
    """

    first: av.VideoFrame
    numbers: tuple[int, ...]

    def is_as_expected(self, frame_of: Sequence[int]) -> bool:
        """Whether the pictures are the frames that `frame_of` has for their packets, in order."""
        indices = [frame_of[number] for number in self.numbers if number < len(frame_of)]
        indices = [index for index in indices if index >= 0]
        return _is_dense(indices) and all(early < late for early, late in pairwise(indices))

    def is_one_each(self) -> bool:
        """Whether every packet became a picture of its own."""
        return _is_dense(sorted(self.numbers))


def _is_dense(numbers: Sequence[int]) -> bool:
    # Fields that are stored apart make one picture of two packets.
    return len(numbers) < 4 or numbers[-1] - numbers[0] < 1.5 * (len(numbers) - 1)


def try_out(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    *,
    is_doubtful: Callable[[av.VideoFrame], bool],
) -> TrialDecode | None:
    """Decode the first picture, and some more where `is_doubtful` of it; None without any."""
    first: av.VideoFrame | None = None
    numbers: list[int] = []
    for number, frame in numbered_frames(container, stream):
        numbers.append(number)
        if first is None:
            first = frame
        if not is_doubtful(first) or number >= _TRIAL_PACKETS:
            break
    return None if first is None else TrialDecode(first, tuple(numbers))


def first_by_own_decoder(
    container: av.container.InputContainer, stream: av.VideoStream
) -> av.VideoFrame | None:
    """The first picture as the stream's own decoder marks it: colours, and how it is turned."""
    for packet in demuxed(container, stream):
        for frame in decoded(packet, stream.codec_context):
            return frame
    return None


def decoding_order(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[int] | None:
    """The numbers of the packets that pictures come from, in order; None once `is_stopped`."""
    stream.codec_context.thread_type = "AUTO"
    numbers: list[int] = []
    for number, _ in numbered_frames(container, stream):
        if is_stopped():
            return None
        numbers.append(number)
    return numbers


def numbered_frames(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    number_of: Callable[[av.Packet], int | None] | None = None,
) -> Iterator[_Numbered]:
    """Pictures from where the container stands, each with the number of its packet.

    `number_of` tells the numbers of packets, None for those to leave out; without it they count
    from the first one in the file.
    """
    count = 0
    decoder = decoder_of(stream)
    for packet in demuxed(container, stream):
        if packet.size:
            number = count if number_of is None else number_of(packet)
            count += 1
            if number is None:
                continue
            # Decoders hand on the stamp of a packet to its picture, whatever the stamp is.
            packet.pts = packet.dts = number
        for frame in decoded(packet, decoder):
            if frame.pts is not None:
                yield frame.pts, frame
