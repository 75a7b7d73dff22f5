"""What a job reads, so that nothing it writes takes its place under whatever name.

One file may have many names: by hard and symbolic links, mounts, capitals, other spellings of
accents, `..`. So files are compared by what they are (device and number), not by their names; no
codec is loaded for it.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fresco_media.errors import OutputNotWritable
from fresco_media.stills.numbered import NumberedName

Identity = tuple[int, int] | str


@dataclass(frozen=True)
class Originals:
    """Files and folders that no result may replace.

    Both tables say what they are ("the clip itself is"): by identity as it was in the beginning,
    and by path, as there may be another file of that name by now. `sequences` are folders with the
    names of a sequence's pictures: one more would become a frame of it.
    """

    known: Mapping[Identity, str] = field(default_factory=dict[Identity, str])
    paths: Mapping[Path, str] = field(default_factory=dict[Path, str])
    sequences: frozenset[tuple[Path, NumberedName]] = frozenset()

    @staticmethod
    def of(what: str, *paths: Path | str | None) -> Originals:
        """These paths as they are now; what is not there is passed over.

        `what` completes a sentence: this is where "the clip itself is".
        """
        given = {Path(path): what for path in paths if path}
        return Originals(_identified(given), given)

    def __or__(self, other: Originals) -> Originals:
        """Both; the first one's words win."""
        return Originals(
            {**other.known, **self.known},
            {**other.paths, **self.paths},
            self.sequences | other.sequences,
        )

    def check(self, *paths: Path) -> None:
        """Raises `OutputNotWritable` where one of `paths` is one of them, whatever its name."""
        known = {**self.known, **_identified(self.paths)}
        for path in paths:
            identity = identity_of(path)
            if identity in known:
                raise OutputNotWritable(
                    path,
                    f"this is where {known[identity]}; "
                    "choose another name or folder for the result",
                )
            if any(_is_numbered_so(path, folder, names) for folder, names in self.sequences):
                raise OutputNotWritable(
                    path,
                    "a picture of this name would become a frame of the sequence beside it; choose "
                    "another name or folder for the result",
                )


def _is_numbered_so(path: Path, folder: Path, names: NumberedName) -> bool:
    is_beside = identity_of(path.parent) == identity_of(folder)
    return is_beside and names.number_of(path.name) is not None


def _identified(paths: Mapping[Path, str]) -> dict[Identity, str]:
    found = ((identity_of(path), what) for path, what in paths.items())
    return {identity: what for identity, what in found if identity is not None}


NO_ORIGINALS = Originals()


def identity_of(path: Path) -> Identity | None:
    """What tells a file or folder from all others, links followed; None where nothing is."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return None
    if facts.st_ino:
        return facts.st_dev, facts.st_ino
    return os.path.normcase(os.path.realpath(path))


def is_same_place(one: Path, other: Path) -> bool:
    """Whether two paths lead, or would lead, to one file or folder."""
    first, second = identity_of(one), identity_of(other)
    if first is not None or second is not None:
        return first == second
    folders = identity_of(one.absolute().parent), identity_of(other.absolute().parent)
    if None in folders or folders[0] != folders[1]:
        return os.path.realpath(one) == os.path.realpath(other)
    # Some file systems know neither capitals nor how an accent is spelt.
    return _plain(one.name) == _plain(other.name)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
