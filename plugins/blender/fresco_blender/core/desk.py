"""The network's side of the plugin: threads that talk to the daemon and fill the inbox.

Nothing here waits on the main thread. All threads are daemon threads: Blender would wait for any
other for ever when it quits.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from fresco_client import (
    ClientError,
    ClipInfo,
    ClipSource,
    DaemonUnreachable,
    Job,
    JobState,
    KeyframeChange,
    LaunchState,
    NotFound,
    Session,
    SessionClosed,
)

from . import files
from .doorway import Doorway
from .extraction import Extraction, RenderFailed
from .faults import Fault, Remedy, fault_of
from .follower import Follower
from .looking import Looker
from .news import (
    Complaint,
    Gone,
    History,
    JobFault,
    JobSeen,
    LinkChanged,
    LinkState,
    News,
    Rendered,
    RenderProgress,
    RenderWanted,
)
from .order import Order

_HISTORY = 30
_WORKERS = ("fresco-job", "fresco-look", "fresco-render")
"""Names of threads that end when what they do has ended."""
Errand = Callable[[Session], None]
Inbox = queue.SimpleQueue[News]


@dataclass(frozen=True)
class _Task:
    """Something to do with a session, and what to do if that fails."""

    errand: Errand
    on_fault: Callable[[Fault], None]
    start: bool = False
    """Whether a daemon may be started for it."""
    remedy: Remedy | None = None


class Desk:
    """One daemon's desk. Every method returns at once; answers come through `inbox`."""

    def __init__(self, doorway: Doorway) -> None:
        self.doorway = doorway
        self.inbox: Inbox = queue.SimpleQueue()
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._followers: dict[str, Follower] = {}
        self._extractions: dict[str, Extraction] = {}
        self._looker = Looker(self.inbox)
        self._is_closed = False
        self._put_count = self._done_count = 0
        threading.Thread(target=self._work, daemon=True, name="fresco-desk").start()

    def connect(self, *, start: bool) -> None:
        """Find the daemon, or start one; tells how that goes."""
        self._put(_Task(self._greet, self._link_failed, start=start))

    def submit(self, order: Order) -> None:
        """Send an order; sending it again does no harm."""
        self._put_for(order.job_id, partial(self._submit, order), "SEND", start=True)

    def render(self, order: Order, command: list[str], frame_count: int) -> None:
        """Let a Blender in the background render a strip, then tell that its order can be sent."""
        extraction = Extraction(command, order.path, frame_count)
        with self._lock:
            if self._is_closed:
                return
            self._extractions[order.job_id] = extraction
        run = partial(self._render, order, extraction)
        threading.Thread(target=run, daemon=True, name="fresco-render").start()

    def follow(self, order: Order, after: int = 0) -> None:
        """Watch a job until it has ended, and fetch what it makes."""
        self._put_for(order.job_id, partial(self._follow, order, after), "FOLLOW", start=True)

    def look(self, order: Order, command: list[str] | None = None) -> None:
        """Restyle one frame, `order.start`; the newest look takes the place of earlier ones.

        `command` renders the frame first, if the strip is more than its file.
        """
        self._put(_Task(partial(self._look, order, command), self._looker.fail, start=True))

    def cancel(self, order: Order) -> None:
        """End a job for good, wherever it is by now."""
        with self._lock:
            extraction = self._extractions.pop(order.job_id, None)
        if extraction is not None:
            extraction.close()
            return

        def errand(session: Session) -> None:
            self._seen(session.cancel(order.job_id))
            files.remove_work(Path(order.folder), order.job_id)

        self._put_for(order.job_id, errand)

    def pause(self, job_id: str) -> None:
        """Stop a job so that it can go on."""
        self._put_for(job_id, lambda session: self._seen(session.pause(job_id)))

    def resume(self, order: Order, after: int) -> None:
        """Let a paused or failed job go on."""

        def errand(session: Session) -> None:
            self._seen(session.resume(order.job_id))
            self._follow(order, after, session)

        self._put_for(order.job_id, errand, start=True)

    def reroll(self, order: Order, parent_id: str, index: int, prompt: str | None) -> None:
        """Translate one keyframe of a finished job anew, as the job of `order`."""

        def errand(session: Session) -> None:
            change = KeyframeChange(index=index, prompt=prompt)
            self._seen(session.reroll(parent_id, [change], new_job_id=order.job_id))
            self._follow(order, 0, session)

        self._put_for(order.job_id, errand, start=True)

    def delete(self, job_id: str, folder: Path) -> None:
        """Forget a job and what it has made at the daemon; of `folder` only results stay."""

        def errand(session: Session) -> None:
            session.delete(job_id)
            files.remove_work(folder, job_id)
            self.inbox.put(Gone(job_id))
            self._list(session)

        self._put(_Task(errand, self._complain))

    def list_history(self) -> None:
        """Ask for the daemon's jobs."""
        self._put(_Task(self._list, self._complain))

    def release_memory(self) -> None:
        """Free the memory of devices that are not in use."""
        self._put(_Task(lambda session: session.unload(), self._complain))

    def leave(self, job_id: str) -> None:
        """Stop following a job; it goes on."""
        with self._lock:
            follower = self._followers.pop(job_id, None)
        if follower is not None:
            follower.close()

    def hush(self) -> set[str]:
        """Stop following every job; which jobs were followed. They go on."""
        with self._lock:
            followers, self._followers = self._followers, {}
        for follower in followers.values():
            follower.close()
        return set(followers)

    @property
    def is_still(self) -> bool:
        """Whether no thread of ours does anything, now that no job is followed."""
        is_busy = any(thread.name.startswith(_WORKERS) for thread in threading.enumerate())
        return not is_busy and self._put_count == self._done_count

    def close(self) -> None:
        """End everything here at once; jobs go on at the daemon."""
        with self._lock:
            self._is_closed = True
            session, self._session = self._session, None
            extractions = list(self._extractions.values())
        self.hush()
        for extraction in extractions:
            extraction.close()
        self._looker.close()
        self._tasks.put(None)
        if session is not None:
            session.close()

    # On the desk's own thread

    def _put(self, task: _Task) -> None:
        self._put_count += 1
        self._tasks.put(task)

    def _put_for(
        self, job_id: str, errand: Errand, remedy: Remedy | None = None, *, start: bool = False
    ) -> None:
        def on_fault(fault: Fault) -> None:
            self.inbox.put(JobFault(job_id, fault))

        self._put(_Task(errand, on_fault, start, remedy))

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._do(task)
            self._done_count += 1

    def _do(self, task: _Task) -> None:
        try:
            task.errand(self._opened(start=task.start))
        except SessionClosed:
            return
        except ClientError as error:
            task.on_fault(fault_of(error, _remedy(error, task.remedy)))
        except Exception as error:
            task.on_fault(fault_of(error))

    def _opened(self, *, start: bool) -> Session:
        """The session, opened when it is first needed.

        Raises:
            ClientError: the daemon is not there or cannot be used; that is also told.
        """
        with self._lock:
            if self._is_closed:
                raise SessionClosed
            if self._session is not None:
                return self._session
        self.inbox.put(LinkChanged("connecting"))
        try:
            session = self.doorway.open(start=start, on_state=self._tell_launch)
        except ClientError as error:
            self._link_failed(fault_of(error))
            raise
        with self._lock:
            is_late = self._is_closed
            if not is_late:
                self._session = session
        if is_late:
            session.close()
            raise SessionClosed
        self._tell_ready(session)
        return session

    def _tell_launch(self, state: LaunchState) -> None:
        if self._is_closed:
            raise SessionClosed
        states: dict[LaunchState, LinkState] = {"starting": "starting", "waiting": "starting"}
        if state in states:
            self.inbox.put(LinkChanged(states[state]))

    def _tell_ready(self, session: Session) -> None:
        self.inbox.put(LinkChanged("ready", session.server(), session.models()))

    def _greet(self, session: Session) -> None:
        try:
            self._tell_ready(session)
        except DaemonUnreachable:
            self._forget(session)
            raise
        self._list(session)

    def _forget(self, session: Session) -> None:
        """The daemon is away for good: look for it anew next time."""
        with self._lock:
            if self._session is session:
                self._session = None
        session.close()

    def _link_failed(self, fault: Fault) -> None:
        self.inbox.put(LinkChanged("failed", fault=fault))

    def _complain(self, fault: Fault) -> None:
        self.inbox.put(Complaint(fault))

    def _seen(self, job: Job) -> None:
        self.inbox.put(JobSeen(job))

    def _list(self, session: Session) -> None:
        self.inbox.put(History(tuple(islice(session.jobs(), _HISTORY))))

    def _submit(self, order: Order, session: Session) -> None:
        if self.doorway.is_remote and order.is_sequence:
            self.inbox.put(RenderWanted(order))  # of many files only what is rendered can be sent
            return
        clip = self._clip(order, session)
        info = session.describe_clip(clip)
        if not order.is_rendered and _is_ambiguous(order, info):
            self.inbox.put(RenderWanted(order))
            return
        job = session.submit(
            clip,
            order.restyle_settings(info.first_number if order.is_sequence else 0),
            model=order.model_choice,
            output=order.output_options,
            title=order.title,
            job_id=order.job_id,
        )
        self._seen(job)
        self._follow(order, 0, session)

    def _clip(self, order: Order, session: Session) -> ClipSource:
        """The clip as the daemon can read it: sent, if it is on another machine."""
        return session.upload(order.path) if self.doorway.is_remote else order.clip

    def _follow(self, order: Order, after: int, session: Session) -> None:
        try:
            job = session.job(order.job_id)
        except NotFound:
            text = (
                "The daemon does not know this job: it was deleted, or never sent. Send it again."
            )
            self.inbox.put(JobFault(order.job_id, Fault(text, "SEND")))
            return
        self._seen(job)
        if job.state is JobState.CANCELLED:
            return
        if job.state is JobState.DONE:
            # Its last event says what to fetch; it may be known already, and the fetching failed.
            after = min(after, job.last_sequence - 1)
        follower = Follower(session, order, self.inbox, after=after, plan=job.plan)
        with self._lock:
            former = self._followers.pop(order.job_id, None)
            if self._is_closed:
                return
            self._followers[order.job_id] = follower
        if former is not None:
            former.close()
        follower.start()

    def _look(self, order: Order, command: list[str] | None, session: Session) -> None:
        if command is not None:
            threading.Thread(
                target=self._render_look,
                args=(order, Extraction(command, order.path, 1), session),
                daemon=True,
                name="fresco-render",
            ).start()
            return
        self._begin_look(order, session)

    def _begin_look(self, order: Order, session: Session) -> None:
        clip, first_number = self._clip(order, session), 0
        if order.is_sequence:
            first_number = session.describe_clip(clip).first_number
        self._looker.begin(session, order, clip, first_number)

    def _render_look(self, order: Order, extraction: Extraction, session: Session) -> None:
        try:
            if extraction.run(lambda done: None):
                self._begin_look(order, session)
        except RenderFailed as error:
            self._looker.fail(Fault(str(error), "", error.log_tail))
        except ClientError as error:
            self._looker.fail(fault_of(error))

    def _render(self, order: Order, extraction: Extraction) -> None:
        total = order.stop - order.start

        def tell(done: int) -> None:
            self.inbox.put(RenderProgress(order.job_id, done, total))

        try:
            if extraction.run(tell):
                self.inbox.put(Rendered(order))
            else:
                files.remove_work(Path(order.folder), order.job_id)
        except RenderFailed as error:
            self.inbox.put(JobFault(order.job_id, Fault(str(error), "SEND", error.log_tail)))
        finally:
            with self._lock:
                self._extractions.pop(order.job_id, None)


def _is_ambiguous(order: Order, info: ClipInfo) -> bool:
    """Whether Blender and Fresco may count the frames of a file differently."""
    if order.expected_frames is None:
        return info.is_variable_rate
    return info.is_variable_rate or info.frame_count != order.expected_frames


def _remedy(error: ClientError, remedy: Remedy | None) -> Remedy | None:
    """A job's own button, unless it is the connection that has to be mended first."""
    return None if fault_of(error).remedy in {"START", "PREFERENCES", "RECONNECT"} else remedy
