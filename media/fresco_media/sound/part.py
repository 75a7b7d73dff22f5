"""Which part of the sound is kept, in seconds of the source."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av

# Decoders that begin with any packet give nothing, or too little, for this long: packets of MP3
# lean on the bytes of those before them, and Opus (RFC 7845, 4.2) has to converge.
_SETTLING_S = {"mp3": Fraction(3, 10), "mp3float": Fraction(3, 10), "opus": Fraction(8, 100)}

# Matroska does not say how long packets of ALAC are, of 4096 samples each.
_UNSTATED_LENGTH_S = Fraction(1, 2)


@dataclass(frozen=True)
class SoundRange:
    """The part of the sound to keep, in seconds of the source; None leaves a side open.

    `offset_s` is the time of the source that becomes 0 in the result, `pictures_end_s` the end of
    the last picture: silence is not made beyond it. A packet that begins before `start_s` is kept,
    and those before it that its codec needs to settle: the container hides what sounds too early.
    `keeps_codec_delay` says that codecs may begin early in any container: all of them store how
    much of the beginning is not meant to be heard.
    """

    start_s: Fraction | None
    stop_s: Fraction | None
    offset_s: Fraction
    pictures_end_s: Fraction
    keeps_codec_delay: bool

    def holds(self, packet: av.Packet, *, states_delay: bool) -> bool:
        """Whether `packet` sounds in this part, or its codec needs it for what does.

        `states_delay` says that what comes before the track's beginning is not meant to be heard,
        and that the source states how much that is.
        """
        begin = begin_s(packet)
        length = (packet.duration or 0) * packet.time_base or _UNSTATED_LENGTH_S
        if self.stop_s is not None and begin >= self.stop_s:
            return False
        if self.start_s is None or begin >= self.start_s or states_delay:
            return True
        # Most codecs lap their packets: each is whole only after the one before it.
        settling_s = max(length, _SETTLING_S.get(packet.stream.codec_context.name, Fraction(0)))
        return begin + length > self.start_s - settling_s


def begin_s(packet: av.Packet) -> Fraction:
    """When `packet` begins to sound."""
    stamp = packet.dts if packet.pts is None else packet.pts
    return (stamp or 0) * packet.time_base
