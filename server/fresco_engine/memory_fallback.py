"""What to lower when the device's memory is full: the batch, then the working size, once each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fresco_engine.checkpoint import Adjustments, Checkpoint
from fresco_engine.settings import RestyleSettings

_SMALLEST_SIZE = 256
_MULTIPLE = 8


class MemoryFallback:
    """The steps a run may go down, and those it has gone down already, also before it was killed.

    `settings` are those wanted; `adjusted` and `batch_size` are what is to be used.
    """

    def __init__(self, settings: RestyleSettings, checkpoint: Checkpoint) -> None:
        self._wanted = settings
        self._checkpoint = checkpoint
        self._adjustments = checkpoint.adjustments()

    @property
    def batch_size(self) -> int:
        """How many keyframes may be translated together."""
        return self._adjustments.batch_size or self._wanted.batch_size

    def adjusted(self, settings: RestyleSettings) -> RestyleSettings:
        """`settings` with what was lowered."""
        return self._adjustments.applied(settings)

    def notes(self) -> Iterator[str]:
        """What was lowered, one sentence each."""
        if self._adjustments.batch_size is not None:
            yield _batch_note(self._adjustments.batch_size)
        if self._adjustments.size is not None:
            yield _size_note(self._adjustments.size, self._wanted.size)

    def lower_batch(self, frames: int) -> str | None:
        """Go on with smaller batches after one of `frames` failed; None if that was tried."""
        lower = smaller_batch(frames)
        if self._adjustments.batch_size is not None or lower is None:
            return None
        self._save(replace(self._adjustments, batch_size=lower))
        return _batch_note(lower)

    @property
    def restart_reason(self) -> str | None:
        """Why to begin anew at a smaller size; None if that was tried."""
        lower = smaller_size(self._wanted.size)
        if self._adjustments.size is not None or lower is None:
            return None
        return _size_note(lower, self._wanted.size)

    def lower_size(self) -> None:
        """Forget what is stored and begin anew at a smaller size."""
        # In this order no moment is a bad one to die: at worst the step is taken again.
        self._checkpoint.clear()
        self._save(replace(self._adjustments, size=smaller_size(self._wanted.size)))

    def _save(self, adjustments: Adjustments) -> None:
        self._checkpoint.save_adjustments(adjustments)
        self._adjustments = adjustments


def _batch_note(batch_size: int) -> str:
    together = "keyframes are translated together" if batch_size > 1 else "keyframe at a time"
    return f"the device ran out of memory, so from now on only {batch_size} {together}"


def _size_note(lower: int, wanted: int) -> str:
    return (
        f"the device ran out of memory, so the model works at a size of {lower} instead of "
        f"{wanted}, from the beginning"
    )


def smaller_batch(frames: int) -> int | None:
    """Half as many frames; never 2, which leave no room beside two anchors. None below 2."""
    if frames < 2:
        return None
    if frames <= 3:
        return 1
    return max(3, frames // 2)


def smaller_size(size: int) -> int | None:
    """Three quarters of a short side, as a multiple of 8; None where that is too small."""
    lower = size * 3 // 4 // _MULTIPLE * _MULTIPLE
    return lower if lower >= _SMALLEST_SIZE else None
