"""Playing source and result in lock-step, at the clip's own speed, on time rather than complete."""

from __future__ import annotations

import time

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from fresco_gui.media.clock import PlaybackClock
from fresco_gui.media.sound import SoundPlayer
from fresco_gui.media.source import FrameInfo, FrameSource

_TICK_MS = 8
# How long the first frame may take before time runs without it.
_PREROLL_TICKS = 60
_RATES = (1, 2, 4)
# From this far on, the sound skips to the pictures; nearer, the pictures drift to the sound.
_SOUND_LATE_S = 0.2
_SOUND_SETTLES_S = 0.5


class Playback(QObject):
    """The frame that is looked at, and how it moves.

    One frame at a time is aimed at, in source and result alike. It is shown when both have it and
    its time has come; where that was late, the next one aimed at lies as much further on.

    Signals:
        frame_changed(int): another frame is looked at.
        shown(int): the pictures of this frame are to be drawn.
        rate_changed(int): 1 is the clip's own speed, -2 twice as fast backwards, 0 at rest.
    """

    frame_changed = pyqtSignal(int)
    shown = pyqtSignal(int)
    rate_changed = pyqtSignal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_looping = True
        self.dropped_frames = 0
        self._sources: tuple[FrameSource, ...] = ()
        self._frame = 0
        self._rate = 0
        self._target = 0
        self._is_target_shown = False
        self._first, self._last = 0, 0
        self._preroll = 0
        self._clock = PlaybackClock()
        self.sound = SoundPlayer(self)
        self._sound_settles = 0.0
        self._is_muted = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self.sound.heard.connect(self._on_heard)

    @property
    def frame(self) -> int:
        """The index of the frame that is looked at."""
        return self._frame

    @property
    def rate(self) -> int:
        """1 is the clip's own speed; negative backwards; 0 at rest."""
        return self._rate

    def set_sources(self, sources: tuple[FrameSource, ...]) -> None:
        """Show these in lock-step; the first gives times and sound."""
        self.pause()
        self._sources = sources
        self._show_at_rest()

    @property
    def has_sources(self) -> bool:
        """Whether there is anything to go to a frame of."""
        return bool(self._sources)

    def set_limits(self, first: int, last: int) -> None:
        """The frames that playing stays within."""
        self._first, self._last = first, last

    def set_sounding(self, is_on: bool) -> None:
        """Whether to play with sound."""
        self._is_muted = not is_on
        self.sound.set_volume(1.0 if is_on else 0.0)

    def set_looping(self, is_looping: bool) -> None:
        """Whether to begin anew at the end."""
        self.is_looping = is_looping

    def go_to(self, index: int) -> None:
        """Look at another frame; playing goes on from there."""
        info = self._info
        if info is None:
            return
        index = min(max(index, info.first_index), info.last_index)
        rate = self._rate
        self._move_to(index)
        if rate:
            self._start(rate)
        else:
            self._show_at_rest()

    def play(self, rate: int = 1) -> None:
        """Run; from the other end if there is nothing left to play this way."""
        info = self._info
        if info is None or not rate:
            return
        at_end = self._frame >= self._last if rate > 0 else self._frame <= self._first
        if at_end:
            self._move_to(self._first if rate > 0 else self._last)
        self._start(rate)

    def toggle(self) -> None:
        """Play, or rest."""
        if self._rate:
            self.pause()
        else:
            self.play()

    def step(self, by: int) -> None:
        """Rest, so many frames on, or back."""
        self.pause()
        self.go_to(self._frame + by)

    def to_start(self) -> None:
        """Go to the first frame that is played."""
        self.go_to(self._first)

    def to_end(self) -> None:
        """Go to the last frame that is played."""
        self.go_to(self._last)

    def shuttle(self, direction: int) -> None:
        """J and L: run this way; where it runs this way already, faster."""
        now = abs(self._rate) if self._rate * direction > 0 else 0
        faster = next((rate for rate in _RATES if rate > now), _RATES[-1])
        self.play(direction * faster)

    def pause(self) -> None:
        """Rest at the frame that is seen."""
        if not self._rate:
            return
        self._timer.stop()
        self._clock.stop()
        self.sound.stop()
        self._set_rate(0)
        self._show_at_rest()

    def close(self) -> None:
        """End the sound's thread."""
        self._timer.stop()
        self._sources = ()
        self.sound.close()

    def is_ready(self, index: int) -> bool:
        """Whether all pictures of this frame that can be had are there."""
        return all(
            source.peek(index) is not None or not source.can_have(index) for source in self._sources
        )

    @property
    def _info(self) -> FrameInfo | None:
        return self._sources[0].info if self._sources else None

    def _start(self, rate: int) -> None:
        self._set_rate(rate)
        self.sound.stop()
        self._clock.stop()
        self._target = self._frame
        self._is_target_shown = False
        self._preroll = _PREROLL_TICKS
        self._expect(self._target)
        self._timer.start()

    def _set_rate(self, rate: int) -> None:
        if rate != self._rate:
            self._rate = rate
            self.rate_changed.emit(rate)

    def _move_to(self, index: int) -> None:
        if index != self._frame:
            self._frame = index
            self.frame_changed.emit(index)

    def _show_at_rest(self) -> None:
        for source in self._sources:
            source.expect(self._frame, 0)
            source.frame(self._frame)
        if self._sources:
            self.shown.emit(self._frame)

    def _expect(self, index: int) -> None:
        for source in self._sources:
            source.expect(index, self._rate)

    def _on_heard(self, heard_s: float) -> None:
        """Follow the sound; one that began late, or was interrupted, catches up first."""
        if not self._rate or self._preroll or time.monotonic() < self._sound_settles:
            return
        late_s = self._clock.position_s - heard_s
        if late_s > _SOUND_LATE_S:
            self.sound.skip(late_s)
            self._sound_settles = time.monotonic() + _SOUND_SETTLES_S
        elif late_s > -_SOUND_LATE_S:
            self._clock.follow(heard_s)

    def _on_tick(self) -> None:
        info = self._info
        if info is None:
            return
        if self._preroll:
            self._preroll -= 1
            if self._preroll and not self.is_ready(self._target):
                return
            self._preroll = 0
            self._run_clock(info)
        if self._is_target_shown:
            if self._is_past_end(info):
                self._on_end()
            return
        due = info.index_at(self._clock.position_s)
        late = due - self._target if self._rate > 0 else self._target - due
        if late < 0 or not self.is_ready(self._target):
            return
        self._move_to(self._target)
        self.shown.emit(self._target)
        is_last = self._target == (self._last if self._rate > 0 else self._first)
        if is_last:
            self._is_target_shown = True
        else:
            self._aim(due, late)

    def _run_clock(self, info: FrameInfo) -> None:
        start_s = info.time_s(self._target)
        # Backwards, a frame's time is over where it began: it is due from its end on.
        begin_s = start_s if self._rate > 0 else info.time_s(self._target + 1) - 1e-4
        self._clock.start(begin_s, float(self._rate))
        is_heard = self._rate == 1 and not self._is_muted
        if is_heard and info.has_sound and info.path is not None:
            self._sound_settles = 0.0
            self.sound.play(info.path, start_s, info.start_s, info.joins)

    def _aim(self, due: int, late: int) -> None:
        """Choose the next frame: the following one, or one that can still be in time."""
        direction = 1 if self._rate > 0 else -1
        shown_job = self._target + self._rate
        in_time = due + direction * max(1, late)
        is_late = (shown_job - due) * direction <= 0
        chosen = in_time if is_late else shown_job
        chosen = min(max(chosen, self._first), self._last)
        self.dropped_frames += max(0, (chosen - shown_job) * direction // abs(self._rate))
        self._target = chosen
        self._expect(chosen)

    def _is_past_end(self, info: FrameInfo) -> bool:
        """Whether the last frame to play has been seen for as long as any other."""
        position = self._clock.position_s
        if self._rate > 0:
            return position >= info.time_s(self._last + 1) - _TICK_MS / 2000
        return position <= info.time_s(self._first) + _TICK_MS / 2000

    def _on_end(self) -> None:
        rate = self._rate
        if not self.is_looping:
            self.pause()
            return
        self._move_to(self._first if rate > 0 else self._last)
        self._start(rate)
