"""The network's side of the plugin: threads that talk to the daemon and fill the inbox.

Nothing here waits on the main thread. All threads are daemon threads: Blender would wait for any
other for ever when it quits.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from fresco_client import ClipInfo, ClipSource, Job, JobState, KeyframeChange, NotFound, Session

from . import files
from .connection import AddonConnection, Task
from .daemon_config import DaemonConfig
from .faults import PluginFault, Remedy
from .follower import Followers
from .look_runner import LookRunner
from .messages import (
    JobDeleted,
    JobDescribed,
    JobProblem,
    RenderNeeded,
    RequestChanged,
    RequestFailed,
    WorkerMessage,
)
from .rendering import StripRenders
from .request import RestyleRequest

_WORKERS = ("fresco-job", "fresco-look", "fresco-render")
"""Names of threads that end when what they do has ended."""


class DaemonWorker:
    """What talks to one daemon. Every method returns at once; answers come through `inbox`."""

    def __init__(self, daemon_config: DaemonConfig) -> None:
        self.daemon_config = daemon_config
        self.inbox: queue.SimpleQueue[WorkerMessage] = queue.SimpleQueue()
        self._connection = AddonConnection(daemon_config, self.inbox)
        self._followers = Followers(self.inbox)
        self._renders = StripRenders(self.inbox)
        self._look_runner = LookRunner(self.inbox)

    def connect(self, *, start: bool) -> None:
        """Find the daemon, or start one; tells how that goes."""
        self._connection.put(Task(self._connection.greet, self._connection.fail, may_start=start))

    def submit(self, request: RestyleRequest) -> None:
        """Send a request; sending it again does no harm."""
        self._put_for(request.job_id, partial(self._submit, request), "SEND", is_work=True)

    def render(self, request: RestyleRequest, command: list[str], frame_count: int) -> None:
        """Let a Blender in the background render a strip; tells when its request can be sent."""
        self._renders.begin(request, command, frame_count)

    def stop_rendering(self, request: RestyleRequest) -> None:
        """End the Blender that renders a strip, if one does."""
        self._renders.cancel(request)

    def follow(self, request: RestyleRequest, after: int = 0) -> None:
        """Watch a job until it has ended, and fetch what it makes."""
        self._put_for(request.job_id, partial(self._follow, request, after), "FOLLOW", is_work=True)

    def look(self, request: RestyleRequest, command: list[str] | None = None) -> None:
        """Restyle one frame, `request.start`; the newest look takes the place of earlier ones.

        `command` renders the frame first, if the strip is more than its file.
        """
        work = partial(self._look, request, command)
        self._connection.put(Task(work, self._look_runner.fail, self.daemon_config.starts_daemon))

    def cancel(self, request: RestyleRequest) -> None:
        """End a job for good, wherever it is by now."""
        if self._renders.cancel(request):
            return

        def work(session: Session) -> None:
            try:
                self._described(session.cancel(request.job_id))
            finally:  # Of one that is rendered and not sent yet the daemon knows nothing.
                files.remove_work(Path(request.folder), request.job_id)

        self._put_for(request.job_id, work)

    def pause(self, job_id: str) -> None:
        """Stop a job so that it can go on."""
        self._put_for(job_id, lambda session: self._described(session.pause(job_id)))

    def resume(self, request: RestyleRequest, after: int) -> None:
        """Let a paused or failed job go on."""

        def work(session: Session) -> None:
            self._described(session.resume(request.job_id))
            self._follow(request, after, session)

        self._put_for(request.job_id, work, is_work=True)

    def reroll(
        self, request: RestyleRequest, parent_id: str, index: int, prompt: str | None
    ) -> None:
        """Translate one keyframe of a finished job anew, as the job of `request`."""

        def work(session: Session) -> None:
            change = KeyframeChange(index=index, prompt=prompt)
            self._described(session.reroll(parent_id, [change], new_job_id=request.job_id))
            self._follow(request, 0, session)

        self._put_for(request.job_id, work, is_work=True)

    def delete(self, job_id: str, folder: Path) -> None:
        """Forget a job and what it has made at the daemon; of `folder` only results stay."""

        def work(session: Session) -> None:
            session.delete(job_id)
            files.remove_work(folder, job_id)
            self.inbox.put(JobDeleted(job_id))
            self._connection.list_jobs(session)

        self._connection.put(Task(work, self._request_failed))

    def list_history(self) -> None:
        """Ask for the daemon's jobs."""
        self._connection.put(Task(self._connection.list_jobs, self._request_failed))

    def release_memory(self) -> None:
        """Free the memory of devices that are not in use."""
        self._connection.put(Task(lambda session: session.unload(), self._request_failed))

    def leave(self, job_id: str) -> None:
        """Stop following a job; it goes on."""
        self._followers.leave(job_id)

    def leave_all(self) -> set[str]:
        """Stop following every job; which jobs were followed. They go on."""
        return self._followers.leave_all()

    @property
    def is_idle(self) -> bool:
        """Whether no thread of ours does anything, now that no job is followed."""
        is_busy = any(thread.name.startswith(_WORKERS) for thread in threading.enumerate())
        return not is_busy and self._connection.is_idle

    def close(self) -> None:
        """End everything here at once; jobs go on at the daemon."""
        self._followers.close()
        self._renders.close()
        self._look_runner.close()
        self._connection.close()

    def _put_for(
        self,
        job_id: str,
        work: Callable[[Session], None],
        remedy: Remedy | None = None,
        *,
        is_work: bool = False,
    ) -> None:
        """Do something about a job; `is_work`: a daemon may be started for it."""

        def on_fault(fault: PluginFault) -> None:
            self.inbox.put(JobProblem(job_id, fault))

        self._connection.put(
            Task(work, on_fault, is_work and self.daemon_config.starts_daemon, remedy)
        )

    def _request_failed(self, fault: PluginFault) -> None:
        self.inbox.put(RequestFailed(fault))

    def _described(self, job: Job) -> None:
        self.inbox.put(JobDescribed(job))

    # On the connection's thread

    def _submit(self, request: RestyleRequest, session: Session) -> None:
        if self.daemon_config.is_remote and request.is_sequence:
            self.inbox.put(RenderNeeded(request))  # of many files only what is rendered can be sent
            return
        clip = self._clip(request, session)
        request = self._with_reference(request, session)
        info = session.describe_clip(clip)
        if not request.is_rendered and _is_ambiguous(request, info):
            self.inbox.put(RenderNeeded(request))
            return
        if not request.is_rendered and info.has_alpha:
            request = replace(request, is_transparent=True)
            self.inbox.put(RequestChanged(request))
        job = session.submit(
            clip,
            request.restyle_settings(info.first_number if request.is_sequence else 0),
            model=request.model_choice,
            output=request.output_options,
            title=request.title,
            job_id=request.job_id,
        )
        self._described(job)
        self._follow(request, 0, session)

    def _clip(self, request: RestyleRequest, session: Session) -> ClipSource:
        """The clip as the daemon can read it: sent, if it is on another machine."""
        return session.upload(request.path) if self.daemon_config.is_remote else request.clip

    def _with_reference(self, request: RestyleRequest, session: Session) -> RestyleRequest:
        """The same with its reference picture sent, if the daemon is on another machine."""
        path = request.settings.get("reference")
        if path is None or not self.daemon_config.is_remote:
            return request
        sent = session.upload(path).as_setting
        return replace(request, settings={**request.settings, "reference": sent})

    def _follow(self, request: RestyleRequest, after: int, session: Session) -> None:
        try:
            job = session.job(request.job_id)
        except NotFound:
            text = (
                "The daemon does not know this job: it was deleted, or never sent. Send it again."
            )
            self.inbox.put(JobProblem(request.job_id, PluginFault(text, "SEND")))
            return
        self._described(job)
        if job.state is JobState.CANCELLED:
            return
        if job.state is JobState.DONE:
            # Its last event says what to fetch; it may be known already, and the fetching failed.
            after = min(after, job.last_sequence - 1)
        self._followers.follow(session, request, after, job.plan)

    def _look(self, request: RestyleRequest, command: list[str] | None, session: Session) -> None:
        if command is None:
            self._begin_look(request, session)
        else:
            self._renders.render_frame(
                request,
                command,
                lambda is_transparent: self._begin_look(
                    replace(request, is_transparent=is_transparent), session
                ),
                self._look_runner.fail,
            )

    def _begin_look(self, request: RestyleRequest, session: Session) -> None:
        clip = self._clip(request, session)
        info = session.describe_clip(clip)
        first_number = info.first_number if request.is_sequence else 0
        if not request.is_rendered:
            request = replace(request, is_transparent=info.has_alpha)
        request = self._with_reference(request, session)
        self._look_runner.begin(session, request, clip, first_number)


def _is_ambiguous(request: RestyleRequest, info: ClipInfo) -> bool:
    """Whether Blender and Fresco may count the frames of a file differently."""
    if request.expected_frames is None:
        return info.is_variable_rate
    return info.is_variable_rate or info.frame_count != request.expected_frames
