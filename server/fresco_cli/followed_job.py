"""Following a job at a daemon: its events to the user, its end as a result or an error."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

import fresco_client as client
from fresco_client import Plan, ResultInfo, SessionLike
from fresco_media.files.interrupts import CANCELLED
from fresco_media.types import ClipProperties

from fresco_cli.faults import FAILED, CommandFailed, code_of, kind_of
from fresco_cli.job_spec import Warnings
from fresco_cli.output import Output
from fresco_cli.words import moved_in

PATIENCE_S = 600.0
"""Seconds for which a lost connection is tried again."""


class FollowedJob:
    """A job of the clip `info` that is being watched from its first event on, until it ends.

    `prompts` are the frames that have words of their own. `on_plan` is told of every plan before
    there is anything to fetch, `on_keyframe` of every keyframe that can be fetched.
    """

    def __init__(
        self,
        session: SessionLike,
        job_id: str,
        info: ClipProperties,
        channel: Output,
        *,
        prompts: Collection[int] = (),
        on_plan: Callable[[], None] = lambda: None,
        on_keyframe: Callable[[int], None] = lambda index: None,
    ) -> None:
        self.plan: Plan | None = None
        self._end: CommandFailed | None = None
        self._past = 0
        self._standing: str | None = None
        self._warnings = Warnings(channel)
        self._session = session
        self._job_id = job_id
        self._info = info
        self._prompts = prompts
        self._channel = channel
        self._on_plan = on_plan
        self._on_keyframe = on_keyframe

    def result(self) -> ResultInfo:
        """What came out, once it has.

        Raises:
            CommandFailed: the job failed, was cancelled, or cannot be followed any longer.
        """
        try:
            # What comes up to here has happened before; of that only what still holds is said.
            with suppress(client.DaemonUnreachable):  # The watch waits for it to come back.
                self._past = self._session.job(self._job_id).last_sequence
            with self._session.watch(
                self._job_id, patience_s=PATIENCE_S, on_connection=self._tell_connection
            ) as events:
                for event in events:
                    if isinstance(event, client.Finished):
                        return event.result
                    self._take(event)
        except client.DaemonUnreachable as error:
            lost = CommandFailed(type(error).__name__, self._lost(error), FAILED)
            raise self._end or lost from error
        raise self._end or RuntimeError("the job ended without a result")

    def _take(self, event: client.Event) -> None:
        # What is told begins with the job, which may have been resumed since it failed.
        self._end = None
        match event:
            case client.Warned():
                self._warnings.say(event.message)
            case client.StateChanged():
                self._take_state(event)
            case client.Failed():
                self._end = failed(self._job_id, event.failure)
            case client.Analysed():
                self._take_plan(event.plan)
            case client.ProgressMade():
                self._channel.progress(event.progress, event.remaining_s)
            case _:
                self._channel.event(event)
        if self._standing is not None and event.sequence >= self._past:
            self._channel.note(self._standing)
            self._standing = None
        if isinstance(event, client.KeyframeReady):
            self._on_keyframe(event.index)

    def _take_plan(self, plan: Plan) -> None:
        self.plan = plan
        self._on_plan()
        self._channel.planned(plan, self._info)
        self._warnings.say_unused(self._prompts, plan.keyframes)

    def _take_state(self, event: client.StateChanged) -> None:
        self._standing = None
        if event.state is client.JobState.CANCELLED:
            self._end = CommandFailed(
                "Cancelled", f"job {self._job_id} was cancelled by another program", CANCELLED
            )
        elif event.state is client.JobState.PAUSED:
            self._standing = (
                f"Paused; 'fresco jobs resume {self._job_id}' lets it go on, Ctrl-C ends waiting."
            )
        elif event.reason:
            self._standing = f"The job is {event.state.value}: {event.reason}."

    def _tell_connection(self, state: client.ConnectionState) -> None:
        if state == "reconnecting":
            self._channel.note(
                "The connection to the daemon was lost; reconnecting for up to "
                f"{round(PATIENCE_S / 60)} minutes. The job is kept."
            )
        else:
            self._channel.note("Connected again.")

    def _lost(self, error: client.DaemonUnreachable) -> str:
        return (
            f"{error} The job goes on when the daemon runs again: "
            f"'fresco jobs watch {self._job_id}' follows it, "
            f"'fresco jobs fetch {self._job_id} -o OUT' gets its result."
        )


def failed(job_id: str, failure: client.Failure) -> CommandFailed:
    """The error a job ended with."""
    kind, text = kind_of(failure.reason), moved_in(failure.message)
    if failure.can_resume:
        text += f"; then 'fresco jobs resume {job_id}' goes on from what is there"
    return CommandFailed(kind, text, code_of(kind))
