"""Following one job on a thread of its own: its events, its pictures, its result."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from pathlib import Path

from fresco_client import (
    Analysed,
    ClientError,
    Event,
    Finished,
    FrameReady,
    KeyframeReady,
    NotFound,
    Plan,
    Restarted,
    Session,
    TransferProgress,
)
from fresco_client import ConnectionState as Connection
from fresco_client.files import make_folder
from fresco_client.pictures import WITH_ALPHA, fetch_picture, fetch_pictures

from . import files
from .faults import fault_of
from .messages import JobConnection, JobEvent, JobProblem, KeyframeFile, ResultFile, WorkerMessage
from .request import RestyleRequest


class _Stopped(Exception):
    """This side has no use for it any more."""


class Follower:
    """One job that is followed until it has ended."""

    def __init__(
        self,
        session: Session,
        request: RestyleRequest,
        inbox: queue.SimpleQueue[WorkerMessage],
        *,
        after: int = 0,
        plan: Plan | None = None,
    ) -> None:
        """`after`: the last event that is known; `plan`: the job's, if it has one by then."""
        self.request = request
        self._session = session
        self._inbox = inbox
        self._plan = plan
        self._is_closed = False
        self._watch = session.watch(
            request.job_id, after=after, on_connection=self._tell_connection
        )

    def start(self) -> None:
        """Begin."""
        name = f"fresco-job-{self.request.job_id[:8]}"
        threading.Thread(target=self._run, daemon=True, name=name).start()

    def close(self) -> None:
        """Stop at once; the job goes on."""
        self._is_closed = True
        self._watch.close()

    def _run(self) -> None:
        try:
            for event in self._watch:
                self._take(event)
        except _Stopped:
            return
        except ClientError as error:
            if not self._is_closed:
                self._inbox.put(JobProblem(self.request.job_id, fault_of(error, "FOLLOW")))
        except Exception as error:
            self._inbox.put(JobProblem(self.request.job_id, fault_of(error, "FOLLOW")))

    def _take(self, event: Event) -> None:
        if self._is_closed:
            raise _Stopped
        request = self.request
        if isinstance(event, KeyframeReady):
            self._fetch_keyframe(event.index)
        elif isinstance(event, FrameReady):
            self._fetch_frame(event.index)
            return  # thousands of them, and nothing to show
        elif isinstance(event, Analysed):
            self._plan = event.plan
        elif isinstance(event, Restarted):
            self._discard()
        self._inbox.put(JobEvent(request.job_id, event))
        if isinstance(event, Finished):
            self._fetch_result(event)

    def _fetch_keyframe(self, index: int) -> None:
        path = files.keyframe_file(Path(self.request.folder), self.request.job_id, index)
        # What was made before the work began again is gone, and told of again when it is made anew.
        with suppress(NotFound):
            job_id = self.request.job_id
            fetch_picture(self._session, job_id, "keyframe", index, path, WITH_ALPHA)
            self._inbox.put(KeyframeFile(self.request.job_id, index, path))

    def _fetch_frame(self, index: int) -> None:
        if self.request.output_kind != "FRAMES" or self._plan is None:
            return
        with suppress(NotFound):
            path = self._frame_file(index - self._plan.start)
            fetch_picture(self._session, self.request.job_id, "result", index, path)

    def _frame_file(self, number: int) -> Path:
        self._go_on()
        return files.frame_file(Path(self.request.folder), self.request.job_id, number)

    def _discard(self) -> None:
        """The pictures there are belong to settings that are no longer used."""
        folder = files.job_folder(Path(self.request.folder), self.request.job_id)
        for path in [*folder.glob("key_*.png"), *folder.glob("result/frame_*.png")]:
            path.unlink(missing_ok=True)

    def _fetch_result(self, event: Finished) -> None:
        base, job_id = Path(self.request.folder), self.request.job_id
        plan = self._plan or self._session.job(job_id).plan
        start, stop = (plan.start, plan.stop) if plan else (self.request.start, self.request.stop)
        if self.request.output_kind == "FRAMES":
            path = self._frame_file(0)
            # Those that were made while nobody followed, too.
            fetch_pictures(self._session, job_id, range(start, stop), self._frame_file)
        else:
            container = self.request.output_options.container or "mp4"
            path = files.result_file(base, self.request.title, job_id, container)
            if not path.exists():
                make_folder(base)
                self._session.fetch_result(job_id, path, self._go_on)
        self._inbox.put(ResultFile(job_id, path, stop - start, event.result))

    def _go_on(self, _progress: TransferProgress | None = None) -> None:
        if self._is_closed:
            raise _Stopped

    def _tell_connection(self, state: Connection) -> None:
        self._inbox.put(JobConnection(self.request.job_id, state == "connected"))


class Followers:
    """The jobs that are followed."""

    def __init__(self, inbox: queue.SimpleQueue[WorkerMessage]) -> None:
        self._inbox = inbox
        self._lock = threading.Lock()
        self._followers: dict[str, Follower] = {}
        self._is_closed = False

    def follow(
        self, session: Session, request: RestyleRequest, after: int, plan: Plan | None
    ) -> None:
        """Follow a job from an event on, in the place of whoever did before."""
        follower = Follower(session, request, self._inbox, after=after, plan=plan)
        with self._lock:
            former = self._followers.pop(request.job_id, None)
            if self._is_closed:
                return
            self._followers[request.job_id] = follower
        if former is not None:
            former.close()
        follower.start()

    def leave(self, job_id: str) -> None:
        """Stop following a job; it goes on."""
        with self._lock:
            follower = self._followers.pop(job_id, None)
        if follower is not None:
            follower.close()

    def leave_all(self) -> set[str]:
        """Stop following every job; which jobs were followed."""
        with self._lock:
            followers, self._followers = self._followers, {}
        for follower in followers.values():
            follower.close()
        return set(followers)

    def close(self) -> None:
        """Follow none any more."""
        with self._lock:
            self._is_closed = True
        self.leave_all()
