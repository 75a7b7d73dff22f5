"""Painted pictures that work holds on to: one that is saved again never becomes a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fresco_media.clip import Clip
from fresco_media.errors import KeyframesUnusable
from fresco_media.files.state import FileState
from fresco_media.painted.keys import read_key
from fresco_media.types import Image


@dataclass(frozen=True)
class KnownKeys:
    """Painted pictures of `clip` by frame, and their files' states when this was made.

    Every picture is read again for each use of it, as all of them together may not fit in memory.
    """

    clip: Clip
    files: Mapping[int, Path]
    states: Mapping[int, FileState]

    @staticmethod
    def of(clip: Clip, files: Mapping[int, Path], field: str = "") -> KnownKeys:
        """Those in `files`, which the setting `field` names, as they are now.

        A file that cannot be opened has no state; what is wrong with it is told when it is read.
        """
        states: dict[int, FileState] = {}
        for index, path in files.items():
            with suppress(OSError):
                states[index] = FileState.of(path, field)
        return KnownKeys(clip, files, states)

    def read(self, index: int) -> Image:
        """The picture of frame `index` at the clip's size.

        Raises:
            FileChanged: it is another one than it was when this was made, or gone.
            KeyframesUnusable: as `read_key`.
        """
        try:
            image = read_key(self.files[index], self.clip, index)
        except KeyframesUnusable:
            self._check(index)  # One that is being written just now is not damaged.
            raise
        self._check(index)
        return image

    def _check(self, index: int) -> None:
        if index in self.states:
            self.states[index].check()
