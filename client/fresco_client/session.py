"""A session with a daemon: everything a front end asks of Fresco."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from fresco.v1 import (
    clips_pb2,
    frames_pb2,
    jobs_pb2,
    looks_pb2,
    media_pb2,
    models_pb2,
    server_pb2,
    settings_pb2,
)

from fresco_client import launch, transfers
from fresco_client.connection import CALL_S, Connection, RetryBackoff
from fresco_client.errors import Cancelled, DaemonNotFound, DaemonUnreachable
from fresco_client.interface import SessionLike
from fresco_client.mapping import enum_number
from fresco_client.messages import message_of, value_of
from fresco_client.places import data_folder
from fresco_client.server_info import Model, ResolvedSettings, ServerInfo
from fresco_client.settings import KeyframeChange, ModelChoice, RestyleSettings
from fresco_client.streams import Look, PictureParts, Pull
from fresco_client.transfers import OnProgress
from fresco_client.transport import TransportKind
from fresco_client.transport.base import Endpoint
from fresco_client.values import (
    ClipInfo,
    ClipSource,
    FrameKind,
    Job,
    JobState,
    OutputOptions,
    Picture,
    PictureOptions,
    ResultInfo,
)
from fresco_client.watch import ConnectionState, Watch

_CLIP_S = 120.0
_PAGE = 50
_LONGEST_TITLE = 200


class Session(SessionLike):
    """A daemon, and what can be asked of it. Safe to use from several threads.

    Every method raises a `ClientError`: `DaemonUnreachable` when the daemon is away for longer than
    patience lasts, a `CallFailed` when it refuses.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def connect(
        cls,
        address: str,
        *,
        token: str = "",
        certificate: Path | str | None = None,
        is_secure: bool = False,
        server_name: str | None = None,
        transport: TransportKind | None = None,
        patience_s: float = 60.0,
    ) -> Session:
        """A session with the daemon at HOST:PORT.

        With `certificate`, the daemon's own or its authority's in PEM, or `is_secure`, for one that
        the system's authorities know, the connection is encrypted; `server_name` is the name the
        certificate carries, if it is not HOST. `transport` None means grpcio if it is installed.
        `patience_s` is for how many seconds a lost connection is tried again.

        Raises:
            VersionMismatch, NotAuthorised, DaemonUnreachable: see there.
        """
        endpoint = Endpoint(
            address=address,
            token=token,
            is_secure=is_secure or certificate is not None,
            certificate=Path(certificate) if certificate is not None else None,
            server_name=server_name,
        )
        return cls._opened(Connection(endpoint, transport, None, patience_s))

    @classmethod
    def open(
        cls,
        data: Path | str | None = None,
        *,
        start: bool = True,
        command: Sequence[str] | None = None,
        timeout_s: float = 60.0,
        on_state: Callable[[launch.LaunchState], None] | None = None,
        transport: TransportKind | None = None,
        patience_s: float = 60.0,
    ) -> Session:
        """A session with the daemon of this machine, which is started if none runs.

        Arguments are those of `find_or_start` and `connect`. A daemon that is restarted, or crashes
        and is started again, is found again wherever it is then.

        Raises:
            DaemonNotFound: none runs, and none is to be started.
            DaemonSilent: one runs and does not answer.
            DaemonNotInstalled, DaemonFailedToStart, VersionMismatch: see there.
        """
        folder = data_folder(data)

        def locate(may_start: bool) -> Endpoint | None:
            found = launch.find(folder, transport=transport)
            if found is None and start and (may_start or launch.has_crashed(folder)):
                found = launch.find_or_start(
                    folder, command, timeout_s, on_state, transport=transport
                )
            return found.endpoint if found else None

        endpoint = locate(True)
        if endpoint is None:
            raise launch.why_silent(folder) or DaemonNotFound(folder)
        return cls._opened(Connection(endpoint, transport, locate, patience_s))

    @classmethod
    def _opened(cls, connection: Connection) -> Session:
        try:
            connection.greet()
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    @property
    def address(self) -> str:
        """HOST:PORT of where the daemon was last seen."""
        return self._connection.endpoint.address

    def close(self) -> None:
        """End all calls; iterators end."""
        self._connection.close()

    def server(self) -> ServerInfo:
        """What the daemon is, has and can do."""
        return self._connection.greet()

    def describe_clip(self, clip: ClipSource) -> ClipInfo:
        """What is known of a clip."""
        request = clips_pb2.DescribeClipRequest(clip=message_of(clip, media_pb2.ClipSource))
        response = self._connection.call(request, clips_pb2.DescribeClipResponse, _CLIP_S)
        return value_of(response.info, ClipInfo)

    def upload(self, path: Path | str, on_progress: OnProgress | None = None) -> ClipSource:
        """Send a clip to the daemon, unless it has it already, and go on where that was broken off.

        Raises:
            FileFailed: the file cannot be read.
        """
        return transfers.upload(self._connection, Path(path), on_progress)

    def delete_upload(self, sha256: str) -> None:
        """Make the daemon forget an upload."""
        request = clips_pb2.DeleteUploadRequest(sha256=sha256)
        self._connection.call(request, clips_pb2.DeleteUploadResponse)

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
    ) -> Job:
        """Put a restyle into the queue; the same id with the same request is the same job.

        `title` may be any name of a file; its first 200 characters are told. `job_id` None: a
        random one. `device` empty: any. `is_urgent`: before all jobs that wait.
        """
        request = jobs_pb2.CreateJobRequest(
            job_id=job_id or _random_id(),
            clip=message_of(clip, media_pb2.ClipSource),
            settings=message_of(settings, settings_pb2.RestyleSettings),
            model=message_of(model, settings_pb2.ModelChoice) if model else None,
            output=message_of(output, jobs_pb2.OutputOptions) if output else None,
            device=device,
            title=_carried_title(title),
            is_urgent=is_urgent,
        )
        response = self._connection.call(request, jobs_pb2.CreateJobResponse, _CLIP_S)
        return value_of(response.job, Job)

    def job(self, job_id: str) -> Job:
        """What a job is and how far it has come."""
        request = jobs_pb2.GetJobRequest(job_id=job_id)
        return value_of(self._connection.call(request, jobs_pb2.GetJobResponse).job, Job)

    def jobs(self, states: Iterable[JobState] = ()) -> Iterator[Job]:
        """Jobs in these states, or all, the newest first; asked for page by page."""
        kind = jobs_pb2.JobState.DESCRIPTOR
        request = jobs_pb2.ListJobsRequest(page_size=_PAGE)
        for state in states:
            request.states.append(jobs_pb2.JobState.ValueType(enum_number(kind, state)))
        while True:
            page = self._connection.call(request, jobs_pb2.ListJobsResponse)
            for job in page.jobs:
                yield value_of(job, Job)
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return

    def cancel(self, job_id: str) -> Job:
        """End a job for good, within two seconds."""
        request = jobs_pb2.CancelJobRequest(job_id=job_id)
        return value_of(self._connection.call(request, jobs_pb2.CancelJobResponse).job, Job)

    def pause(self, job_id: str) -> Job:
        """Stop a job, within two seconds, so that it can go on later."""
        request = jobs_pb2.PauseJobRequest(job_id=job_id)
        return value_of(self._connection.call(request, jobs_pb2.PauseJobResponse).job, Job)

    def resume(self, job_id: str) -> Job:
        """Let a paused job, or a failed one that can, go on."""
        request = jobs_pb2.ResumeJobRequest(job_id=job_id)
        return value_of(self._connection.call(request, jobs_pb2.ResumeJobResponse).job, Job)

    def delete(self, job_id: str) -> None:
        """Forget a job and remove all it has made."""
        request = jobs_pb2.DeleteJobRequest(job_id=job_id)
        self._connection.call(request, jobs_pb2.DeleteJobResponse, _CLIP_S)

    def reroll(
        self, job_id: str, changes: Iterable[KeyframeChange], *, new_job_id: str | None = None
    ) -> Job:
        """A new job from a finished one, in which these keyframes are changed."""
        request = jobs_pb2.RerollKeyframesRequest(
            job_id=job_id,
            new_job_id=new_job_id or _random_id(),
            changes=[message_of(change, jobs_pb2.KeyframeChange) for change in changes],
        )
        response = self._connection.call(request, jobs_pb2.RerollKeyframesResponse, _CLIP_S)
        return value_of(response.job, Job)

    def watch(
        self,
        job_id: str,
        after: int = 0,
        pictures: PictureOptions | None = None,
        *,
        is_replay_only: bool = False,
        patience_s: float | None = None,
        on_connection: Callable[[ConnectionState], None] | None = None,
    ) -> Watch:
        """The events of a job after a sequence number, until it has ended.

        `pictures` None: events come without pictures. `is_replay_only`: end when all events there
        are have been given out. `patience_s` None: the session's; it begins anew with each event.
        `on_connection` is told when the connection is lost and when it is there again.
        """
        return Watch(
            self._connection,
            job_id,
            after=after,
            pictures=pictures,
            is_replay_only=is_replay_only,
            patience_s=patience_s,
            on_connection=on_connection,
        )

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
    ) -> Look:
        """Restyle one frame now; progress, then the picture.

        With `shows_control` the picture is that of what of the frame's structure binds instead: one
        for each control, side by side.

        Where the settings leave a part of the frame alone, the picture says where it is changed.

        A newer look with the same `client_id`, if it is not empty, takes this one's place.
        """
        request = looks_pb2.LookRequest(
            clip=message_of(clip, media_pb2.ClipSource),
            index=index,
            settings=message_of(settings, settings_pb2.RestyleSettings),
            model=message_of(model, settings_pb2.ModelChoice) if model else None,
            options=message_of(options, media_pb2.PictureOptions) if options else None,
            device=device,
            client_id=client_id,
            is_control_picture=shows_control,
        )
        return Look(self._connection.stream(request, looks_pb2.LookResponse))

    def frame(
        self, job_id: str, kind: FrameKind, index: int, options: PictureOptions | None = None
    ) -> Picture:
        """A keyframe, or a frame of the result, by its source frame index."""
        request = frames_pb2.FetchFrameRequest(
            job_id=job_id,
            kind=frames_pb2.FrameKind.ValueType(enum_number(frames_pb2.FrameKind.DESCRIPTOR, kind)),
            index=index,
            options=message_of(options, media_pb2.PictureOptions) if options else None,
        )
        patience = RetryBackoff(self._connection.patience_s)
        while True:
            parts = PictureParts()
            try:
                for response in self._connection.stream(request, frames_pb2.FetchFrameResponse):
                    parts.add(response.chunk)
                return parts.picture()
            except (DaemonUnreachable, Cancelled) as error:
                patience.pause(error)
            self._connection.renew(may_start=True)

    def fetch_result(
        self,
        job_id: str,
        path: Path | str,
        on_progress: OnProgress | None = None,
        *,
        is_overwriting: bool = False,
        before_replacing: Callable[[Path], None] | None = None,
    ) -> ResultInfo:
        """Put a finished job's result at this path, whole and verified, and tell the daemon so.

        Goes on where fetching it to this path was broken off before. `before_replacing` is asked
        before the transfer and again before the result gets its name; what it raises keeps what
        is there.

        Raises:
            FileFailed: there is a file already, or it cannot be written.
            DataLost: it arrived damaged.
        """
        return transfers.fetch_result(
            self._connection,
            job_id,
            Path(path),
            is_overwriting=is_overwriting,
            on_progress=on_progress,
            before_replacing=before_replacing,
        )

    def confirm(self, job_id: str, sha256: str = "") -> None:
        """Tell that a result is safely here, so that it may be cleaned up when room is needed.

        `fetch_result` does so by itself; `sha256` is empty for a job whose output are frames.
        """
        request = frames_pb2.ConfirmResultRequest(job_id=job_id, sha256=sha256)
        self._connection.call(request, frames_pb2.ConfirmResultResponse)

    def models(self) -> tuple[Model, ...]:
        """Models here and on the hub, the bundled one first."""
        return tuple(model for model in self._listed() if model.kind == "whole")

    def resolve(self, settings: RestyleSettings, source: str = "") -> ResolvedSettings:
        """What a restyle with these settings and the model of this source would use.

        Raises:
            InvalidRequest: a setting is out of range, or the model knows no such style.
        """
        request = models_pb2.ResolveSettingsRequest(
            settings=message_of(settings, settings_pb2.RestyleSettings), source=source
        )
        response = self._connection.call(request, models_pb2.ResolveSettingsResponse, _CLIP_S)
        return value_of(response, ResolvedSettings)

    def model_files(self) -> tuple[Model, ...]:
        """Files in the daemon's folders that are used with models: LoRAs, embeddings and others."""
        return tuple(model for model in self._listed() if model.kind != "whole")

    def _listed(self) -> Iterator[Model]:
        response = self._connection.call(
            models_pb2.ListModelsRequest(), models_pb2.ListModelsResponse, _CLIP_S
        )
        return (value_of(model, Model) for model in response.models)

    def pull(self, source: str) -> Pull:
        """Download a model from the hub; pulling again goes on where it was stopped."""
        request = models_pb2.PullModelRequest(source=source)
        return Pull(self._connection.stream(request, models_pb2.PullModelResponse))

    def load(self, source: str = "", device: str = "", timeout_s: float = 600.0) -> None:
        """Load a model onto a device ahead of its first use; waits for a job that runs there."""
        request = models_pb2.LoadModelRequest(source=source, device=device)
        self._connection.call(request, models_pb2.LoadModelResponse, timeout_s)

    def unload(self, device: str = "") -> None:
        """Free a device's memory; empty: that of all devices that are not in use."""
        request = models_pb2.UnloadModelRequest(device=device)
        self._connection.call(request, models_pb2.UnloadModelResponse, CALL_S)

    def drain(self, node: str, *, is_over: bool = False) -> None:
        """Give a machine of the daemon's cluster nothing new to do; or let it work again."""
        request = server_pb2.DrainNodeRequest(node=node, is_over=is_over)
        self._connection.call(request, server_pb2.DrainNodeResponse)


def _carried_title(title: str) -> str:
    """A title as the contract carries it: valid UTF-8, which not every name is, and no longer."""
    return title.encode("utf-8", "replace").decode()[:_LONGEST_TITLE]


def _random_id() -> str:
    return uuid.uuid4().hex
