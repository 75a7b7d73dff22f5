"""Work of a run that is done elsewhere: whoever needs it waits until it is stored."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol

from fresco_engine.interpolation.keyframe_span import KeyframeSpan
from fresco_engine.types import RunWarned


class RemoteParts(Protocol):
    """Has the parts of a run made elsewhere and put into its checkpoint.

    The run goes through its checkpoint in order, as one does that goes on where it was, and asks
    for each part before it looks for it there.
    """

    def plan(self) -> Generator[tuple[float, float], None, None]:
        """Have the plan stored; meanwhile says how many frames were looked at, and of how many.

        Raises:
            FrescoError: whatever `planned` raises.
        """
        ...

    def batch(self, first: int) -> Generator[int | RunWarned, None, bool]:
        """Have the batch stored whose first new keyframe is `first`.

        Meanwhile says how many denoising steps were done since, of whichever batch. Returns
        whether this one was made for this run; else it had been stored before.

        Raises:
            FrescoError: whatever `translate_shot` raises.
        """
        ...

    def frames(self, span: KeyframeSpan, check: Callable[[], None]) -> int:
        """Have the frames of a span stored whose keyframes are; `check` is called meanwhile.

        Returns how many of its first frames had been stored before this run.

        Raises:
            FrescoError: whatever the interpolator raises.
        """
        ...
