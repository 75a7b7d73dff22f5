"""The session with the daemon, and the thread that does one thing after the other with it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from fresco_client import ClientError, DaemonUnreachable, LaunchState, Session, SessionClosed

from .daemon_config import DaemonConfig
from .faults import PluginFault, Remedy, fault_of
from .messages import ConnectionChanged, DaemonState, JobsListed, WorkerMessage

_HISTORY = 30


@dataclass(frozen=True)
class Task:
    """Something to do with a session, and what to do if that fails."""

    work: Callable[[Session], None]
    on_fault: Callable[[PluginFault], None]
    may_start: bool = False
    """Whether a daemon may be started for it."""
    remedy: Remedy | None = None


class AddonConnection:
    """One daemon. Tasks are put here from any thread, and return at once."""

    def __init__(
        self, daemon_config: DaemonConfig, inbox: queue.SimpleQueue[WorkerMessage]
    ) -> None:
        self._config = daemon_config
        self._inbox = inbox
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._is_closed = False
        self._put_count = self._done_count = 0
        threading.Thread(target=self._run, daemon=True, name="fresco-link").start()

    def put(self, task: Task) -> None:
        """Do this when what was put before is done."""
        self._put_count += 1
        self._tasks.put(task)

    @property
    def is_idle(self) -> bool:
        """Whether all tasks are done."""
        return self._put_count == self._done_count

    def close(self) -> None:
        """End it at once; what was not done is not done."""
        with self._lock:
            self._is_closed = True
            session, self._session = self._session, None
        self._tasks.put(None)
        if session is not None:
            session.close()

    def greet(self, session: Session) -> None:
        """Ask the daemon what it is and what it has done."""
        try:
            self._tell_ready(session)
        except DaemonUnreachable:
            self._forget(session)
            raise
        self.list_jobs(session)

    def list_jobs(self, session: Session) -> None:
        """Ask the daemon what it has done."""
        self._inbox.put(JobsListed(tuple(islice(session.jobs(), _HISTORY))))

    def fail(self, fault: PluginFault) -> None:
        """Tell that there is no connection."""
        self._inbox.put(ConnectionChanged("failed", fault=fault))

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._do(task)
            self._done_count += 1

    def _do(self, task: Task) -> None:
        try:
            task.work(self._opened(may_start=task.may_start))
        except SessionClosed:
            return
        except ClientError as error:
            task.on_fault(fault_of(error, _remedy(error, task.remedy)))
        except Exception as error:
            task.on_fault(fault_of(error))

    def _opened(self, *, may_start: bool) -> Session:
        """The session, opened when it is first needed.

        Raises:
            ClientError: the daemon is not there or cannot be used; that is also told.
        """
        with self._lock:
            if self._is_closed:
                raise SessionClosed
            if self._session is not None:
                return self._session
        self._inbox.put(ConnectionChanged("connecting"))
        try:
            session = self._config.open(start=may_start, on_state=self._tell_launch)
        except ClientError as error:
            self.fail(fault_of(error))
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
        states: dict[LaunchState, DaemonState] = {"starting": "starting", "waiting": "starting"}
        if state in states:
            self._inbox.put(ConnectionChanged(states[state]))

    def _tell_ready(self, session: Session) -> None:
        self._inbox.put(ConnectionChanged("ready", session.server(), session.models()))

    def _forget(self, session: Session) -> None:
        """The daemon is away for good: look for it anew next time."""
        with self._lock:
            if self._session is session:
                self._session = None
        session.close()


def _remedy(error: ClientError, remedy: Remedy | None) -> Remedy | None:
    """A job's own button, unless it is the connection that has to be mended first."""
    return None if fault_of(error).remedy in {"START", "PREFERENCES", "RECONNECT"} else remedy
