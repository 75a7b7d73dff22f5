"""How long each encoded picture is shown: encoders lose it on the way from frames to packets."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av


class PacketDurations:
    """Gives packets the durations of the frames that they are made of.

    MP4 and MOV (`counts_decoding`) hold how long each picture takes until the next one is decoded,
    and the sum of these is the length of the track.
    """

    def __init__(self, *, counts_decoding: bool) -> None:
        self._counts_decoding = counts_decoding
        self._durations_s: dict[Fraction, Fraction] = {}
        self._delay_s: Fraction | None = None
        self._end_s = Fraction(0)

    def note(self, frame: av.VideoFrame) -> None:
        """Take note of a frame before it is encoded; they come in order."""
        assert frame.pts is not None
        assert frame.time_base is not None
        begin_s, duration_s = frame.pts * frame.time_base, frame.duration * frame.time_base
        self._durations_s[begin_s] = duration_s
        self._end_s = begin_s + duration_s

    def state(self, packets: Sequence[av.Packet], *, is_end: bool = False) -> None:
        """Write the durations into packets as they leave the encoder; the last ones at the end."""
        for packet in packets:
            begin_s = (packet.pts or 0) * packet.time_base
            decoded_s = begin_s if packet.dts is None else packet.dts * packet.time_base
            if self._delay_s is None:
                self._delay_s = begin_s - decoded_s
            duration_s = self._durations_s.pop(begin_s, Fraction(0))
            if is_end and packet is packets[-1] and self._counts_decoding:
                left_s = self._end_s - self._delay_s - decoded_s
                # Decoding begins so early that nothing is left where the first frames are shown for
                # longer than the last ones; the file then ends with the frame that is shown last.
                duration_s = max(duration_s, left_s)
            packet.duration = max(0, round(duration_s / packet.time_base))
