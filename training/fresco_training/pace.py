"""How far a training has come, over all its runs, and when it saves and ends."""

import logging
import math
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

_log = logging.getLogger(__name__)


def training_device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Pace:
    """Counts steps and seconds; SIGTERM ends the training after the step under way.

    With `minutes` that time is the length of the training, whatever number of steps it holds, so
    that it can be left alone on a machine that is needed in the morning.
    """

    def __init__(self, steps: int, minutes: float | None, save_every_s: float = 120.0) -> None:
        self.step = 0
        self.seconds = 0.0
        self._steps, self._minutes = steps, minutes
        self._save_every_s = save_every_s
        self._latest = self._saved = time.monotonic()
        self._losses: list[float] = []
        self._stopped = False

    def begin(self) -> None:
        """Time counts from here on."""
        signal.signal(signal.SIGTERM, self._stop)
        self._latest = self._saved = time.monotonic()

    def _stop(self, *_: object) -> None:
        self._stopped = True

    @property
    def progress(self) -> float:
        """How much of the training is done, from 0; it ends at 1."""
        if self._minutes is not None:
            return self.seconds / (60.0 * self._minutes)
        return self.step / self._steps

    @property
    def goes_on(self) -> bool:
        """Whether another step is to be taken."""
        return self.progress < 1 and not self._stopped

    def rate(self, warm_up: int, least: float) -> float:
        """The learning rate as a share of its highest: quickly up, then down by a cosine."""
        warm = min(1.0, (self.step + 1) / warm_up)
        fall = 0.5 * (1 + math.cos(math.pi * min(self.progress, 1.0)))
        return warm * (least + (1 - least) * fall)

    def count(self, loss: float, log_every: int = 50) -> None:
        """A step is done."""
        self.step += 1
        self._latest, before = time.monotonic(), self._latest
        self.seconds += self._latest - before
        self._losses.append(loss)
        if self.step % log_every == 0:
            mean = sum(self._losses) / len(self._losses)
            done = 100 * self.progress
            _log.info("step %d, %.1f %%, loss %.4f, %.0f s", self.step, done, mean, self.seconds)
            self._losses.clear()

    @property
    def is_due(self) -> bool:
        """Whether it is time to save; says so once."""
        due = self._latest - self._saved > self._save_every_s
        if due:
            self._saved = self._latest
        return due

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"step": self.step, "seconds": self.seconds}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from where `state` was taken."""
        self.step, self.seconds = state["step"], state.get("seconds", 0.0)
        _log.info("resumed at step %d", self.step)


def save(state: Mapping[str, Any], path: Path) -> None:
    """Writes a checkpoint beside the old one, then takes its place."""
    partial = path.with_suffix(".partial")
    torch.save(dict(state), partial)
    partial.replace(path)
