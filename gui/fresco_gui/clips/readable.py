"""A clip as the daemon reaches it: by its path, or sent there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from fresco_client import (
    ClipInfo,
    ClipSource,
    Forbidden,
    InvalidRequest,
    NotFound,
    RestyleSettings,
    Session,
    TransferProgress,
)

_SAMPLE = ("fresco_engine", "sample", "fresco-sample.mp4")


@dataclass(frozen=True, kw_only=True)
class ReadableClip:
    """A clip that the daemon can read."""

    path: Path
    """On this machine."""
    source: ClipSource
    info: ClipInfo


def reach(
    session: Session,
    path: Path,
    frame_rate: Fraction | None,
    on_progress: Callable[[TransferProgress], None],
) -> ReadableClip:
    """Name the clip to the daemon by its path if it can read it there, else send it.

    Raises:
        ClientError: it is gone, no clip, or cannot be sent.
    """
    by_path = ClipSource(path=str(path.absolute()), frame_rate=frame_rate)
    capabilities = session.server().capabilities
    is_sendable = path.is_file()
    if capabilities is None or capabilities.has_file_access or not is_sendable:
        try:
            return ReadableClip(path=path, source=by_path, info=session.describe_clip(by_path))
        except (NotFound, Forbidden):
            # Another machine's daemon has no such file; ours says so of one that is gone.
            if not is_sendable:
                raise
        except InvalidRequest:
            raise
    source = session.upload(path, on_progress)
    return ReadableClip(path=path, source=source, info=session.describe_clip(source))


def with_files(
    session: Session, settings: RestyleSettings, names: Sequence[str]
) -> RestyleSettings:
    """Settings whose files of these `names` are named, or sent, so that the daemon reaches them.

    Raises:
        ClientError: as `reach`, of one of them.
    """
    named = {name: getattr(settings, name) for name in names}
    reached = {
        name: reach(session, Path(path), None, lambda sent: None).source.as_setting
        for name, path in named.items()
        if path is not None
    }
    return replace(settings, **reached)


def sample_clip() -> Path | None:
    """The clip that comes with Fresco, if the engine is installed here."""
    from importlib.util import find_spec

    package, *below = _SAMPLE
    found = find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder, *below)
        if path.is_file():
            return path
    return None
