"""What an edit list leaves out of a track of sound, and a copy of its packets would bring back."""

from __future__ import annotations

from fractions import Fraction

import av

from fresco_media.sound.part import begin_s
from fresco_media.video.continuity import skipped_ticks

# No codec takes longer to settle. What is left out for that has to be copied, and holds nothing.
_LONGEST_DELAY_S = Fraction(1, 10)


class CutOut:
    """Looks at the packets of one track in their order.

    Results hide only what comes before their time 0, which is `offset_s` of the source: a track
    that begins later begins with the first packet that is heard whole.
    """

    def __init__(self, offset_s: Fraction) -> None:
        self._offset_s = offset_s
        self._heard_from_s: Fraction | None = None
        self._is_trimmed = False
        self._has_begun = False

    def has(self, packet: av.Packet) -> bool:
        """Whether `packet` was cut out, or holds the cut, at a time when it would be heard."""
        begin = begin_s(packet)
        if self._heard_from_s is None:
            skipped_s = skipped_ticks(packet) * packet.time_base
            self._heard_from_s = begin + skipped_s
            self._is_trimmed = skipped_s > _LONGEST_DELAY_S
        if packet.is_discard:
            ends_s = begin + (packet.duration or 0) * packet.time_base
            return (self._is_trimmed or self._has_begun) and ends_s > self._offset_s
        self._has_begun = True
        # FFmpeg keeps one or two packets more than are heard, for the codec to settle.
        is_early = begin < self._heard_from_s and self._heard_from_s > self._offset_s
        return self._is_trimmed and is_early
