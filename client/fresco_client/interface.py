"""What every session can be asked for, whether a daemon or this process does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

from fresco_settings import Remedy, said

from fresco_client.errors import NotSupported
from fresco_client.events import Event
from fresco_client.server_info import (
    LookProgress,
    Model,
    PullProgress,
    ResolvedSettings,
    ServerInfo,
)
from fresco_client.settings import KeyframeChange, ModelChoice, RestyleSettings
from fresco_client.streams import Stream
from fresco_client.transfers import OnProgress
from fresco_client.values import (
    ClipInfo,
    ClipSource,
    FrameKind,
    Job,
    JobState,
    LookedPicture,
    OutputOptions,
    Picture,
    PictureOptions,
    ResultInfo,
)
from fresco_client.watch import ConnectionState

SelfT = TypeVar("SelfT", bound="SessionLike")


class SessionLike(Protocol):
    """The interface of `Session`, which says what its methods do and what they raise.

    What has a body here is what a session without a daemon does.
    """

    @property
    def address(self) -> str:
        return ""

    @property
    def is_delivering(self) -> bool:
        """Whether results go to their places as they are made, and jobs end with the session.

        There is nothing to fetch then, and no job that could be named later.
        """
        return False

    def __enter__(self: SelfT) -> SelfT:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None: ...

    def server(self) -> ServerInfo: ...

    def describe_clip(self, clip: ClipSource) -> ClipInfo: ...

    def upload(self, path: Path | str, on_progress: OnProgress | None = None) -> ClipSource: ...

    def submit(
        self,
        clip: ClipSource,
        settings: RestyleSettings,
        *,
        model: ModelChoice | None = None,
        output: OutputOptions | None = None,
        device: str = "",
        title: str = "",
        is_urgent: bool = False,
        job_id: str | None = None,
    ) -> Job: ...

    def job(self, job_id: str) -> Job: ...

    def jobs(self, states: Iterable[JobState] = ()) -> Iterator[Job]: ...

    def cancel(self, job_id: str) -> Job: ...

    def pause(self, job_id: str) -> Job:
        raise _not_supported()

    def resume(self, job_id: str) -> Job:
        raise _not_supported()

    def delete(self, job_id: str) -> None: ...

    def reroll(
        self, job_id: str, changes: Iterable[KeyframeChange], *, new_job_id: str | None = None
    ) -> Job:
        raise _not_supported()

    def watch(
        self,
        job_id: str,
        after: int = 0,
        pictures: PictureOptions | None = None,
        *,
        is_replay_only: bool = False,
        patience_s: float | None = None,
        on_connection: Callable[[ConnectionState], None] | None = None,
    ) -> Stream[Event]: ...

    def look(
        self,
        clip: ClipSource,
        index: int,
        settings: RestyleSettings,
        *,
        model: ModelChoice | None = None,
        options: PictureOptions | None = None,
        device: str = "",
        client_id: str = "",
        shows_control: bool = False,
    ) -> Stream[LookProgress | LookedPicture]: ...

    def frame(
        self, job_id: str, kind: FrameKind, index: int, options: PictureOptions | None = None
    ) -> Picture: ...

    def fetch_result(
        self,
        job_id: str,
        path: Path | str,
        on_progress: OnProgress | None = None,
        *,
        is_overwriting: bool = False,
        before_replacing: Callable[[Path], None] | None = None,
    ) -> ResultInfo: ...

    def confirm(self, job_id: str, sha256: str = "") -> None: ...

    def models(self) -> tuple[Model, ...]: ...

    def resolve(self, settings: RestyleSettings, source: str = "") -> ResolvedSettings:
        raise _not_supported()

    def model_files(self) -> tuple[Model, ...]: ...

    def pull(self, source: str) -> Stream[PullProgress]: ...

    def load(self, source: str = "", device: str = "", timeout_s: float = 600.0) -> None:
        raise _not_supported()

    def unload(self, device: str = "") -> None:
        raise _not_supported()

    def drain(self, node: str, *, is_over: bool = False) -> None:
        raise _not_supported()


def _not_supported() -> NotSupported:
    return NotSupported(f"This needs a daemon. {said(Remedy.START_DAEMON)}")
