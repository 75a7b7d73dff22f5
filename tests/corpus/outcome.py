"""How an item of the corpus fared, and how that is written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fresco_media.errors import FrescoError


@dataclass
class Outcome:
    """An item's `status`: "passes", "refused" with a sentence, "fails", or "unwritable".

    An item is unwritable where FFmpeg does not write it, or does not read back what it wrote.
    """

    name: str
    status: str = "passes"
    sentence: str = ""
    failures: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])

    def fail(self, kind: str, text: str) -> None:
        """Write down something that is wrong."""
        self.status = "fails"
        self.failures.append(f"{kind}: {text}")


@dataclass(frozen=True)
class Telling:
    """Where outcomes are written down, without the paths of this run."""

    source: Path
    folder: Path
    outcome: Outcome

    def plain(self, text: object) -> str:
        """`text` without paths."""
        return str(text).replace(str(self.source), "…").replace(str(self.folder), "…")

    def fail(self, kind: str, text: object) -> None:
        """Something is wrong."""
        self.outcome.fail(kind, self.plain(text))

    def warn(self, texts: Sequence[str]) -> None:
        """What the user is told."""
        self.outcome.warnings += [self.plain(text) for text in texts]

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """What is told here is told before the work, so it is a refusal."""
        try:
            yield
        except FrescoError as error:
            if "try another folder" in str(error):
                self.fail("unclear", f"{error}: this does not say what to do")
            elif self.outcome.status == "passes":
                self.outcome.status, self.outcome.sentence = "refused", self.plain(error)

    @contextmanager
    def at_work(self, kind: str) -> Iterator[None]:
        """Whatever goes wrong here comes too late."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whatever escapes is a fault to be reported)
            self.fail(kind, f"{type(error).__name__}: {error}")
