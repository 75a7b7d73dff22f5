"""Whether a result changes more at its keyframes, and from batch to batch, than elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from fresco_engine.evaluation.means import mean_of, ratio_of


@dataclass(frozen=True)
class KeyframePlan:
    """Which source frames are keyframes, and which of them begin another batch of their shot.

    A painted or single-batch result has no `batch_starts`.
    """

    keyframes: frozenset[int]
    batch_starts: frozenset[int] = frozenset()


class Flicker:
    """Collects aligned errors: of steps from frame to frame, and of jumps between keyframes."""

    def __init__(self, plan: KeyframePlan) -> None:
        self._plan = plan
        self._at_keyframes: list[float] = []
        self._elsewhere: list[float] = []
        self._across: list[float] = []
        self._within: list[float] = []

    def add_step(self, index: int, error: float) -> None:
        """Take in the error of source frame `index` against the one before."""
        keyframes = self._plan.keyframes
        touches = index in keyframes or index - 1 in keyframes
        (self._at_keyframes if touches else self._elsewhere).append(error)

    def add_jump(self, index: int, error: float) -> None:
        """Take in the error of keyframe `index` against the keyframe before."""
        (self._across if index in self._plan.batch_starts else self._within).append(error)

    @property
    def at_keyframes(self) -> float:
        """Mean error of steps into and out of keyframes over that of all others.

        `nan` where there are none of either.
        """
        return ratio_of(mean_of(self._at_keyframes), mean_of(self._elsewhere))

    @property
    def at_batches(self) -> float:
        """Mean error between keyframes of two batches over that within one.

        `nan` where there are none of either.
        """
        return ratio_of(mean_of(self._across), mean_of(self._within))
