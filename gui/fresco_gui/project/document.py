"""A project file: what it holds, how it is read and written."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from fresco_client.files import object_text, write_whole
from fresco_media.files.opening import read_file
from fresco_settings import InvalidSettings, RestyleSettings, check_plain

from fresco_gui.values import Values

FORMAT = 1
SUFFIX = ".fresco"
_MOST_BYTES = 256 << 20


class ProjectUnreadable(Exception):
    """A project file cannot be opened; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class ProjectJob:
    """A job of the project and where its result lies."""

    job_id: str
    title: str = ""
    result: str = ""
    """Path of the fetched result; empty while there is none."""
    start: int = 0
    """Source frame of the result's first frame."""
    parent: str = ""
    """The job it is another version of; empty for none."""
    changes: tuple[tuple[str, int], ...] = ()
    """What of the parent was changed: kinds as in `KeyframeChange`, and source frames."""
    remade: tuple[tuple[int, int], ...] = ()
    """Source frames that are others than the parent's, first and one past the last."""
    keyframes: tuple[int, ...] = ()
    shots: tuple[tuple[int, int], ...] = ()
    """As planned, once that is known."""

    @classmethod
    def read(cls, values: dict[str, Any]) -> ProjectJob:
        """From a project file, where rows are lists; what a newer version knows is passed over."""
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        for name, kind in (("changes", str), ("remade", int), ("shots", int)):
            known[name] = tuple((kind(one[0]), int(one[1])) for one in known.get(name, ()))
        known["keyframes"] = tuple(int(one) for one in known.get("keyframes", ()))
        return cls(**known)


@dataclass(frozen=True, kw_only=True)
class ProjectLook:
    """A look that was tried, and where its picture is."""

    file: str
    """A name in the folder of looks."""
    index: int
    """Source frame."""
    values: Values = field(default_factory=dict[str, Any])
    """The settings it was made with."""
    model: str = ""
    is_pinned: bool = False

    @classmethod
    def read(cls, values: dict[str, Any]) -> ProjectLook:
        """From a project file; what a newer version knows is passed over."""
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        return cls(**known)


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is worked on."""

    clip: str = ""
    """A path; empty for none."""
    clip_fingerprint: str = ""
    """Finds the clip again where it was moved to."""
    frame_rate: str = ""
    """Of an image sequence, as a fraction."""
    model: str = ""
    values: Values = field(default_factory=dict[str, Any])
    """Settings by parameter name."""
    frame: int = 0
    range_in: int | None = None
    range_out: int | None = None
    """The last frame of the range."""
    view: str = ""
    compared: str = ""
    """The job that is compared with what is shown; empty for the clip."""
    made: tuple[ProjectJob, ...] = ()
    """Jobs, the newest first."""
    looks: tuple[ProjectLook, ...] = ()
    """Those that were tried, the newest first."""
    locked: tuple[int, ...] = ()
    """Keyframes that are not to be rerolled with the others."""

    @property
    def rate(self) -> Fraction | None:
        """Frames per second of an image sequence."""
        return Fraction(self.frame_rate) if self.frame_rate else None

    def with_made(self, made: ProjectJob) -> Project:
        """With a job put in front, or changed where it is known."""
        if any(one.job_id == made.job_id for one in self.made):
            kept = tuple(made if one.job_id == made.job_id else one for one in self.made)
            return replace(self, made=kept)
        return replace(self, made=(made, *self.made))

    def without_made(self, job_id: str) -> Project:
        """Without a job; those made from it stay."""
        return replace(self, made=tuple(one for one in self.made if one.job_id != job_id))


def save(project: Project, path: Path) -> str:
    """Write a project; the clip's path is kept relative to it as well. Gives the file's mark back.

    Raises:
        FileFailed: it cannot be written.
    """
    content: dict[str, Any] = {"fresco_project": FORMAT, **asdict(project)}
    content["clip_beside"] = _relative(project.clip, path.parent)
    data = object_text(content)
    # Who keeps projects elsewhere and links them here wants the link to stay.
    write_whole(Path(os.path.realpath(path)), data, is_synced=True)
    return _mark(data)


def mark_of(path: Path) -> str:
    """What tells the state of a project file from every other one; empty where there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return _mark(read_file(path, _MOST_BYTES))
    except FileNotFoundError:
        return ""


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def load(path: Path) -> Project:
    """Read a project; a clip that moved together with it is found.

    Raises:
        ProjectUnreadable: it is no project, damaged, or of a newer version.
    """
    return read(path)[0]


def read(path: Path) -> tuple[Project, str]:
    """As `load`, with the mark of what was read."""
    data = _data(path)
    return _project(path, _content(path, data)), _mark(data)


def _project(path: Path, content: dict[str, Any]) -> Project:
    known = {name: content[name] for name in Project.__dataclass_fields__ if name in content}
    try:
        made = tuple(ProjectJob.read(one) for one in known.pop("made", ()))
        looks = tuple(ProjectLook.read(one) for one in known.pop("looks", ()))
        project = Project(**known, made=made, looks=looks)
        project = replace(project, locked=tuple(int(one) for one in project.locked))
        for one in (project, *made, *looks):
            _check(one)
        for one in (project, *looks):
            check_plain(RestyleSettings, one.values)
        _ = project.rate
    except InvalidSettings as error:
        raise _damaged(path, f" ({error})") from error
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        raise _damaged(path) from error
    beside = content.get("clip_beside")
    if project.clip and not Path(project.clip).exists() and isinstance(beside, str) and beside:
        moved = (path.parent / beside).resolve()
        if moved.exists():
            project = replace(project, clip=str(moved))
    return project


def _damaged(path: Path, why: str = "") -> ProjectUnreadable:
    return ProjectUnreadable(
        f"{path} is damaged{why}. Open the clip itself, or an earlier copy of the project."
    )


def _check(one: Project | ProjectJob | ProjectLook) -> None:
    """Raises `TypeError` where a field holds another kind of value than is declared."""
    for name, hint in get_type_hints(type(one)).items():
        kinds = get_args(hint) if isinstance(hint, UnionType) else (get_origin(hint) or hint,)
        if not isinstance(getattr(one, name), kinds):
            raise TypeError(f"{name} is {getattr(one, name)!r}")


def _data(path: Path) -> bytes:
    try:
        return read_file(path, _MOST_BYTES)
    except OSError as error:
        raise ProjectUnreadable(
            f"{path} cannot be read ({error.strerror or error}). Check the path and its rights."
        ) from error


def _content(path: Path, data: bytes) -> dict[str, Any]:
    try:
        content: object = json.loads(data.decode("utf-8-sig"))  # Editors of Windows add a mark.
    except (ValueError, RecursionError) as error:
        raise ProjectUnreadable(
            f"{path} is no project of Fresco, or is damaged. Open the clip itself."
        ) from error
    found = cast(dict[str, Any], content) if isinstance(content, dict) else {}
    version = found.get("fresco_project")
    if not isinstance(version, int):
        raise ProjectUnreadable(f"{path} is no project of Fresco. Open the clip itself.")
    if version > FORMAT:
        raise ProjectUnreadable(f"{path} was made by a newer Fresco. Update this one to open it.")
    return found


def _relative(clip: str, folder: Path) -> str:
    if not clip:
        return ""
    try:
        return Path(clip).resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return ""
