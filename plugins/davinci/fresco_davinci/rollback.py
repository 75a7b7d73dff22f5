"""Taking back what was done when a later step fails."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from fresco_davinci.errors import HostGone, HostRefused

Step = Callable[[], object]


def retry_once(step: Step) -> bool:
    """Do something that has to be done, if need be twice; whether it was done."""
    for _ in range(2):
        with suppress(HostRefused):
            step()
            return True
    return False


@contextmanager
def rolled_back_on_failure() -> Generator[Callable[[Step], None], None, None]:
    """Gives a function that takes steps back; they are taken, last first, if the body fails."""
    steps: list[Step] = []
    try:
        yield steps.append
    except BaseException:
        with suppress(HostGone):
            for step in reversed(steps):
                retry_once(step)
        raise
