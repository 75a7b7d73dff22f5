"""The time at which playback stands: a monotonic clock that follows the sound, if there is any."""

from __future__ import annotations

import time
from collections.abc import Callable

# How much of the distance to the sound is made up for at each report: too little to be seen.
_GAIN = 0.1


class PlaybackClock:
    """Seconds of the clip against seconds of the day; pictures are dropped to keep to it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._rate = 0.0
        self._position_s = 0.0
        self._since = now()

    @property
    def rate(self) -> float:
        """Clip seconds per second; negative backwards, 0 while it rests."""
        return self._rate

    @property
    def position_s(self) -> float:
        """Where playback stands now."""
        return self._position_s + (self._now() - self._since) * self._rate

    def start(self, position_s: float, rate: float) -> None:
        """Run from `position_s` at `rate` from now on."""
        self._position_s, self._rate, self._since = position_s, rate, self._now()

    def stop(self) -> None:
        """Rest where it is."""
        self.start(self.position_s, 0.0)

    def follow(self, heard_s: float) -> None:
        """The sound that is heard right now is that of `heard_s`: move towards it."""
        if not self._rate:
            return
        distance = heard_s - self.position_s
        self.start(self.position_s + distance * _GAIN, self._rate)
