"""Whether a path still leads to the file that it led to before."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fresco_media.files.opening import open_file


@dataclass(frozen=True)
class FileState:
    """What tells one file from another one, and from itself after a change."""

    identity: tuple[int, int]
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state of the file at `path` now.

        Raises:
            OSError: it cannot be opened.
        """
        with open_file(path) as file:
            facts = os.fstat(file.fileno())
        return cls((facts.st_dev, facts.st_ino), facts.st_size, facts.st_mtime_ns)

    def is_continued_by(self, later: FileState) -> bool:
        """Whether what was read in this state can still be there in a `later` one.

        A file may grow, as a recording does, or be touched. Some network drives give a file another
        number each time it is looked at, so that the number alone says nothing.
        """
        if (self.size, self.changed_ns) == (later.size, later.changed_ns):
            return True
        return self.identity == later.identity and later.size >= self.size
