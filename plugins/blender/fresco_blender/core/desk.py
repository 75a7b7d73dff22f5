"""The network's side of the plugin: threads that talk to the daemon and fill the inbox.

Nothing here waits on the main thread. All threads are daemon threads: Blender would wait for any
other for ever when it quits.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fresco_client import ClipInfo, ClipSource, Job, JobState, KeyframeChange, NotFound, Session

from . import files
from .doorway import Doorway
from .faults import Fault, Remedy
from .follower import Followers
from .link import Link, Task
from .looking import Looker
from .news import Complaint, Gone, JobFault, JobSeen, News, RenderWanted
from .order import Order
from .rendering import Renders, render_frame

_WORKERS = ("fresco-job", "fresco-look", "fresco-render")
"""Names of threads that end when what they do has ended."""


class Desk:
    """One daemon's desk. Every method returns at once; answers come through `inbox`."""

    def __init__(self, doorway: Doorway) -> None:
        self.doorway = doorway
        self.inbox: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._link = Link(doorway, self.inbox)
        self._followers = Followers(self.inbox)
        self._renders = Renders(self.inbox)
        self._looker = Looker(self.inbox)

    def connect(self, *, start: bool) -> None:
        """Find the daemon, or start one; tells how that goes."""
        self._link.put(Task(self._link.greet, self._link.fail, may_start=start))

    def submit(self, order: Order) -> None:
        """Send an order; sending it again does no harm."""
        self._put_for(order.job_id, partial(self._submit, order), "SEND", is_work=True)

    def render(self, order: Order, command: list[str], frame_count: int) -> None:
        """Let a Blender in the background render a strip; tells when its order can be sent."""
        self._renders.begin(order, command, frame_count)

    def follow(self, order: Order, after: int = 0) -> None:
        """Watch a job until it has ended, and fetch what it makes."""
        self._put_for(order.job_id, partial(self._follow, order, after), "FOLLOW", is_work=True)

    def look(self, order: Order, command: list[str] | None = None) -> None:
        """Restyle one frame, `order.start`; the newest look takes the place of earlier ones.

        `command` renders the frame first, if the strip is more than its file.
        """
        work = partial(self._look, order, command)
        self._link.put(Task(work, self._looker.fail, self.doorway.starts_daemon))

    def cancel(self, order: Order) -> None:
        """End a job for good, wherever it is by now."""
        if self._renders.cancel(order):
            return

        def work(session: Session) -> None:
            self._seen(session.cancel(order.job_id))
            files.remove_work(Path(order.folder), order.job_id)

        self._put_for(order.job_id, work)

    def pause(self, job_id: str) -> None:
        """Stop a job so that it can go on."""
        self._put_for(job_id, lambda session: self._seen(session.pause(job_id)))

    def resume(self, order: Order, after: int) -> None:
        """Let a paused or failed job go on."""

        def work(session: Session) -> None:
            self._seen(session.resume(order.job_id))
            self._follow(order, after, session)

        self._put_for(order.job_id, work, is_work=True)

    def reroll(self, order: Order, parent_id: str, index: int, prompt: str | None) -> None:
        """Translate one keyframe of a finished job anew, as the job of `order`."""

        def work(session: Session) -> None:
            change = KeyframeChange(index=index, prompt=prompt)
            self._seen(session.reroll(parent_id, [change], new_job_id=order.job_id))
            self._follow(order, 0, session)

        self._put_for(order.job_id, work, is_work=True)

    def delete(self, job_id: str, folder: Path) -> None:
        """Forget a job and what it has made at the daemon; of `folder` only results stay."""

        def work(session: Session) -> None:
            session.delete(job_id)
            files.remove_work(folder, job_id)
            self.inbox.put(Gone(job_id))
            self._link.list_jobs(session)

        self._link.put(Task(work, self._complain))

    def list_history(self) -> None:
        """Ask for the daemon's jobs."""
        self._link.put(Task(self._link.list_jobs, self._complain))

    def release_memory(self) -> None:
        """Free the memory of devices that are not in use."""
        self._link.put(Task(lambda session: session.unload(), self._complain))

    def leave(self, job_id: str) -> None:
        """Stop following a job; it goes on."""
        self._followers.leave(job_id)

    def hush(self) -> set[str]:
        """Stop following every job; which jobs were followed. They go on."""
        return self._followers.leave_all()

    @property
    def is_still(self) -> bool:
        """Whether no thread of ours does anything, now that no job is followed."""
        is_busy = any(thread.name.startswith(_WORKERS) for thread in threading.enumerate())
        return not is_busy and self._link.is_idle

    def close(self) -> None:
        """End everything here at once; jobs go on at the daemon."""
        self._followers.close()
        self._renders.close()
        self._looker.close()
        self._link.close()

    def _put_for(
        self,
        job_id: str,
        work: Callable[[Session], None],
        remedy: Remedy | None = None,
        *,
        is_work: bool = False,
    ) -> None:
        """Do something about a job; `is_work`: a daemon may be started for it."""

        def on_fault(fault: Fault) -> None:
            self.inbox.put(JobFault(job_id, fault))

        self._link.put(Task(work, on_fault, is_work and self.doorway.starts_daemon, remedy))

    def _complain(self, fault: Fault) -> None:
        self.inbox.put(Complaint(fault))

    def _seen(self, job: Job) -> None:
        self.inbox.put(JobSeen(job))

    # On the link's thread

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
        self._followers.follow(session, order, after, job.plan)

    def _look(self, order: Order, command: list[str] | None, session: Session) -> None:
        if command is None:
            self._begin_look(order, session)
        else:
            render_frame(
                order, command, partial(self._begin_look, order, session), self._looker.fail
            )

    def _begin_look(self, order: Order, session: Session) -> None:
        clip, first_number = self._clip(order, session), 0
        if order.is_sequence:
            first_number = session.describe_clip(clip).first_number
        self._looker.begin(session, order, clip, first_number)


def _is_ambiguous(order: Order, info: ClipInfo) -> bool:
    """Whether Blender and Fresco may count the frames of a file differently."""
    if order.expected_frames is None:
        return info.is_variable_rate
    return info.is_variable_rate or info.frame_count != order.expected_frames
