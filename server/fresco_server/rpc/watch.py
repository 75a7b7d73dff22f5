"""A job's events as a stream, with pictures for those who keep up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fresco.v1 import jobs_pb2
from fresco_client.events import Event, FrameReady, KeyframeReady
from fresco_engine.checkpoint import Kind

from fresco_server.errors import ArtefactNotFound, BadRequest
from fresco_server.rpc.messages.jobs import event_message
from fresco_server.rpc.pictures import PictureFormat, Pictures
from fresco_server.settings import PICTURE_BYTES

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs

_POLL_S = 0.5
"""How long a client may have been gone before its stream's thread notices."""
_MOST_BEHIND = 50
"""Events by which a client may be behind and still be sent previews."""
_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class JobWatch:
    """One client's view of one job. `is_open` says whether the client is still there."""

    jobs: Jobs
    pictures: Pictures
    job_id: str
    picture_format: PictureFormat | None
    is_replay_only: bool
    is_open: Callable[[], bool]

    def events(self, after: int) -> Iterator[jobs_pb2.JobEvent]:
        """The events from the one after `after` on, until the job has ended.

        Raises:
            BadRequest: there is no event `after`.
            JobNotFound: there is no such job, or it was deleted.
            ShuttingDown: the daemon is closing.
        """
        job = self.jobs.get(self.job_id)
        if not 0 <= after <= job.last_sequence:
            raise BadRequest(
                "after_sequence", f"{after} is outside 0 to {job.last_sequence}, the job's last"
            )
        if job.state.is_ended and after == job.last_sequence:
            return
        position = after
        while self.is_open():
            page = self.jobs.events(self.job_id, position, _PAGE)
            for event in page:
                yield self._message(event)
                position = event.sequence
                # A failed job may have been resumed since.
                if event.is_last and not self._has_events_after(position):
                    return
            if not page:
                if self.is_replay_only:
                    return
                self.jobs.wait(self.job_id, position, _POLL_S)

    def _has_events_after(self, after: int) -> bool:
        return self.jobs.wait(self.job_id, after, 0)

    def _message(self, event: Event) -> jobs_pb2.JobEvent:
        message = event_message(event)
        if self.picture_format is None or not isinstance(event, KeyframeReady | FrameReady):
            return message
        # Whoever wants every level gets them all, and waits; previews must not hold up the news.
        if not self.picture_format.is_lossless and self._has_events_after(
            event.sequence + _MOST_BEHIND
        ):
            return message
        self._add_picture(message, event, self.picture_format)
        return message

    def _add_picture(
        self,
        message: jobs_pb2.JobEvent,
        event: KeyframeReady | FrameReady,
        picture_format: PictureFormat,
    ) -> None:
        folder, is_keyframe = self.jobs.folder(self.job_id), isinstance(event, KeyframeReady)
        kind: Kind = "keyframes" if is_keyframe else "frames"
        try:
            picture = self.pictures.stored(folder, kind, event.index, picture_format)
        except ArtefactNotFound:  # Void since the job began anew, or just removed.
            return
        if len(picture.data) > PICTURE_BYTES:
            return
        part = message.keyframe_ready if is_keyframe else message.frame_ready
        part.picture.CopyFrom(picture.message())
