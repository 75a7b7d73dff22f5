"""Every error of reading and writing media; each message says what to do about it.

FrescoError
├── InvalidSettings         a value out of range, an unknown name, an empty prompt
└── PathError                   what is wrong with a file or folder
    ├── ClipError               a clip that cannot be used as input
    │   ├── ClipNotFound        nothing at that path
    │   ├── ClipUnreadable      empty, truncated at the start, or not a video at all
    │   ├── ClipChanged         another file, or other content, than when it was looked at
    │   ├── NoVideoStream       sound only, or nothing that decodes to pictures
    │   ├── SequenceGap         an image sequence with frames missing
    │   └── RangeOutsideClip    the wanted frames are not in the clip
    ├── KeyframesUnusable       keyframes painted by hand that are missing, damaged or misnamed
    ├── FileChanged             another file that work needs, such as a LoRA, is another or gone
    ├── MaskUnusable            a mask of the subject that is too short, empty or of another shape
    ├── NotPermitted            what nobody but another user may look at
    └── OutputError             a result that cannot be written
        ├── OutputExists        the file is there and overwriting was not asked for
        ├── OutputNotWritable   no such folder, no permission, unknown file type
        └── DiskFull            not enough room, with bytes wanted and free

The engine's own errors (`fresco_engine.errors`) go on from this tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fresco_settings import Remedy, said
from fresco_settings.errors import FrescoError
from fresco_settings.errors import InvalidSettings as InvalidSettings


def shown(path: Path | str) -> str:
    """A path as a sentence may quote it: on one line, and valid UTF-8 whatever its bytes are."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


class PathError(FrescoError):
    """Something is wrong with a file or folder; `reason` says what, and what to do."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{shown(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason


_CHANGED = (
    "it was replaced, overwritten or cut off since work with it was asked for; begin anew with "
    "what is there now, or bring back what was there"
)


class FileChanged(PathError):
    """A file that work needs, such as a LoRA or a painted keyframe, is not what it was, or gone."""

    def __init__(self, path: Path | str, *, is_gone: bool = False) -> None:
        gone = (
            "it was removed since work with it was asked for, or may not be read any more; bring "
            "it back, or begin anew without it"
        )
        super().__init__(path, gone if is_gone else _CHANGED)


class ClipError(PathError):
    """A clip cannot be used as input."""


class ClipNotFound(ClipError):
    """There is nothing at the given path."""


class ClipUnreadable(ClipError):
    """The file is empty, damaged beyond its first frame, or not a video."""


class ClipChanged(ClipError):
    """Its files are not those any more that they were when they were looked at."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, _CHANGED)


class NoVideoStream(ClipError):
    """The file holds no pictures, for example sound only."""


class SequenceGap(ClipError):
    """An image sequence lacks `count` frames; `missing` are their numbers in the file names.

    Where there are very many, `missing` holds the first of them. One that `is_of_picture` was found
    by the name of one of its pictures, which may be meant alone.
    """

    def __init__(
        self,
        path: Path | str,
        missing: Sequence[int],
        count: int | None = None,
        *,
        is_of_picture: bool = False,
    ) -> None:
        count = len(missing) if count is None else count
        alone = "; for this picture alone give it a name without a number" if is_of_picture else ""
        shown = ", ".join(str(number) for number in missing[:5])
        more = f" and {count - 5} more" if count > 5 else ""
        super().__init__(
            path,
            f"the image sequence has no frame {shown}{more}; "
            f"add the missing files or take the parts one by one{alone}",
        )
        self.missing = tuple(missing)
        self.count = count


class RangeOutsideClip(ClipError):
    """The wanted frame range does not lie inside the clip."""

    def __init__(self, path: Path | str, start: int, stop: int, frame_count: int) -> None:
        wanted = f"frame {start}" if stop == start + 1 else f"the range {start}:{stop}"
        held = f"frames 0 to {frame_count - 1}" if frame_count > 1 else "only frame 0"
        super().__init__(
            path, f"{wanted} was asked for, but the clip has {held}; choose a range inside it"
        )
        self.start = start
        self.stop = stop
        self.frame_count = frame_count


class KeyframesUnusable(PathError):
    """Keyframes painted by hand cannot be used; `path` is the folder or one of its files."""


class MaskUnusable(PathError):
    """A mask cannot be that of the clip's subject."""

    field = "subject_mask"


class NotPermitted(PathError):
    """The system does not let this user at a file or folder."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            path, "its permissions keep you from it; change them, or choose another place"
        )


class OutputError(PathError):
    """A result cannot be written."""


class OutputExists(OutputError):
    """The output is already there and overwriting was not asked for."""

    remedy = Remedy.REPLACE_OUTPUT

    def __init__(
        self, path: Path | str, problem: str = "it exists already", other: str = "name"
    ) -> None:
        super().__init__(
            path, f"{problem}; choose another {other} or {said(Remedy.REPLACE_OUTPUT)}"
        )


class OutputNotWritable(OutputError):
    """The output's folder does not exist, is read-only, or its type is unknown."""


class DiskFull(OutputError):
    """The disk has no room for the output."""

    def __init__(self, path: Path | str, free_bytes: int) -> None:
        super().__init__(
            path,
            f"the disk is full ({free_bytes / 1e6:.0f} MB free); "
            "free some room or write to another disk, then run again",
        )
        self.free_bytes = free_bytes
