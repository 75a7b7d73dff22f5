"""What a situation of bad or unusual input is: how it is made, what is run, what is said.

A table of situations is a module beside this one. In it, a function that makes the situation is
declared with `situation`, and one that needs no more than a clip and painted keys is declared by
`plain`. Both the tests and the page `docs/bad-input.md` follow from that.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image
from fresco_server.local.engine import InProcessEngine

from tests.cli.conftest import write_clip
from tests.fakes.engine import FakeEngine
from tests.fakes.session import FakeConnect

CLIP, KEYS = "clip.mp4", "keys"


@dataclass
class Stage:
    """The folder in which a command is run, and what stands behind the command line.

    The engine's model is a fake one that makes negatives; everything else of it is real. With
    `use_real_engine` the models are real, too.
    """

    folder: Path
    patch: pytest.MonkeyPatch
    engine: FakeEngine
    connect: FakeConnect
    real_engine: InProcessEngine | None = None
    names: dict[str, str] = field(default_factory=dict[str, str])
    """Words of the command line that are known only when it is run."""
    ends: Callable[[Callable[[], None]], object] = lambda end: None
    """Has something called when the command has ended."""

    @property
    def used_engine(self) -> InProcessEngine:
        """The engine behind the command line."""
        return self.real_engine or self.engine

    def use_real_engine(self) -> None:
        """Load models as for a user."""
        self.real_engine = InProcessEngine()

    def clip(self, name: str = CLIP, frame_count: int = 12) -> Path:
        """A clip of 64 x 48."""
        return write_clip(self.folder / name, frame_count)

    def pictures(self, numbers: Sequence[int], folder: str = "shot") -> Path:
        """A sequence of numbered pictures."""
        place = self.folder / folder
        place.mkdir()
        for number in numbers:
            write_image(place / f"{number:04d}.png", np.full((48, 64, 3), 9 * number, np.uint8))
        return place

    def keys(self, *names: str, size: tuple[int, int] = (64, 48)) -> Path:
        """A folder of painted keys."""
        place = self.folder / KEYS
        place.mkdir(exist_ok=True)
        for name in names:
            write_image(place / name, np.full((size[1], size[0], 3), (60, 90, 200), np.uint8))
        return place


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    folder: Path
    stderr: str

    def result(self, name: str = "out.mp4") -> Clip:
        """The clip that was made."""
        return Clip.open(self.folder / name)


Arrange = Callable[[Stage], None]
Then = Callable[[Ended], bool]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A row of the table.

    `run` is the command line without `fresco`, run in the folder that `make` has prepared.
    `says` are lines on standard error without "Error: " or "Warning: "; `…` in them stands for
    anything. `does` is what is done instead of a refusal, and `then` checks that.
    """

    of: str
    run: str
    says: tuple[str, ...]
    does: str
    code: int
    make: Arrange
    then: Then | None

    @property
    def name(self) -> str:
        """A name for the test."""
        return re.sub(r"\W+", "-", f"{self.of} {self.run}").strip("-")

    def arguments(self, stage: Stage) -> list[str]:
        """The words of the command line."""
        words = [stage.names.get(word, word) for word in shlex.split(self.run)]
        return [os.path.join(*word.split("/")) if "/" in word else word for word in words]

    def missing(self, stderr: str) -> list[str]:
        """The lines that should have been said and were not."""
        said = [re.sub(r"^(Error|Warning): ", "", line) for line in stderr.splitlines()]
        return [line for line in self.says if not any(_matches(line, text) for text in said)]


def _matches(pattern: str, text: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("…"))
    return re.fullmatch(".+?".join(parts), text) is not None


class Table(list[Situation]):
    """Rows in the order in which they are declared."""

    def situation(
        self,
        of: str,
        run: str,
        *says: str,
        code: int = 2,
        does: str = "",
        then: Then | None = None,
    ) -> Callable[[Arrange], Arrange]:
        """Declares a row; the function below it makes the situation."""

        def declare(make: Arrange) -> Arrange:
            self.append(
                Situation(of=of, run=run, says=says, does=does, code=code, make=make, then=then)
            )
            return make

        return declare

    def plain(
        self,
        of: str,
        run: str,
        *says: str,
        code: int = 2,
        does: str = "",
        then: Then | None = None,
    ) -> None:
        """A row that needs no more than a clip, and painted keys where `run` names them."""
        self.situation(of, run, *says, code=code, does=does, then=then)(_make_usual)


def _make_usual(stage: Stage) -> None:
    stage.clip()
    stage.keys("key_0002.png", "key_0009.png")
