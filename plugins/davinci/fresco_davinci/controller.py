"""What a window or a command can do; everything here may take a while and belongs on a thread."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fresco_client import Job, NotFound, PictureOptions, Session, Style
from fresco_client.words import state_of, time_left

from fresco_davinci.bridge.remote import Bridge
from fresco_davinci.choices import StoredChoices, load_choices
from fresco_davinci.core import Outcome, Restyler
from fresco_davinci.errors import NotReady
from fresco_davinci.host import Host
from fresco_davinci.pending_jobs import PendingJob
from fresco_davinci.plugin_folders import PluginFolders

Scope = Literal["clip", "marks"]
Connect = Callable[[], Session]
_PREVIEW = PictureOptions(encoding="jpeg", long_side=640)


@dataclass(frozen=True, kw_only=True)
class PlayheadFrame:
    """What Resolve shows now, and the frame under its playhead."""

    text: str
    frame: bytes | None
    """PNG; None if Resolve does not write it."""


@dataclass(frozen=True, kw_only=True)
class PendingProgress:
    """A pending job and how far its job is; None if the daemon does not know it."""

    pending: PendingJob
    job: Job | None


class ResolveController:
    """Resolve on one side, the daemon on the other. The daemon is started when it is needed."""

    def __init__(self, plugin_folders: PluginFolders, connect: Connect) -> None:
        self.plugin_folders = plugin_folders
        self._connect = connect
        self._session: Session | None = None
        self._bridge: Bridge | None = None
        self._restyler: Restyler | None = None
        self._project_jobs: list[PendingJob] = []
        self.notes: list[str] = []

    def attach(self, bridge: Bridge) -> None:
        """Work with the Resolve at the other end of a bridge from now on."""
        self._bridge = bridge
        self._restyler = None

    @property
    def is_attached(self) -> bool:
        """Whether there is a Resolve to work with."""
        return self._bridge is not None

    def detach(self) -> None:
        """That Resolve is gone."""
        self._bridge = None
        self._restyler = None

    def close(self) -> None:
        """End both sides."""
        if self._bridge is not None:
            self._bridge.close()
        if self._session is not None:
            self._session.close()

    def choices(self) -> StoredChoices:
        """The last settings."""
        return load_choices(self.plugin_folders.choices)

    def styles(self) -> tuple[Style, ...]:
        """Looks that the bundled model knows."""
        models = self._daemon().models()
        return models[0].styles if models else ()

    def shown(self) -> PlayheadFrame:
        """What is under the playhead."""
        host = self._host()
        clip, line = host.current_clip(), host.timeline()
        seconds = float(clip.duration / line.rate)
        text = (
            f"{clip.name} · V{clip.track} · {clip.duration} frames, {seconds:.1f} s · {line.name}"
        )
        with tempfile.TemporaryDirectory(prefix="fresco-") as folder:
            still = Path(folder) / "frame.png"
            host.export_frame(still)
            frame = still.read_bytes() if still.is_file() else None
        return PlayheadFrame(text=text, frame=frame)

    def restyle(self, scope: Scope, choices: StoredChoices) -> list[PendingJob]:
        """Hand the clip under the playhead, or those between the marks, to the daemon."""
        fresco = self._fresco()
        parts = fresco.marked(choices) if scope == "marks" else [fresco.current()]
        try:
            return fresco.restyle(parts, choices)
        finally:
            self._project_jobs = fresco.waiting()

    def look(
        self, choices: StoredChoices, on_step: Callable[[int, int], None] | None = None
    ) -> bytes:
        """The frame under the playhead, restyled, as PNG."""
        return self._fresco().look(choices, on_step).data

    def update(self) -> list[Outcome]:
        """Bring in what is done."""
        outcomes = self._fresco().update()
        self._project_jobs = self._fresco().waiting()
        return outcomes

    def cancel(self, pending: PendingJob) -> None:
        """End a pending job."""
        self._fresco().cancel(pending)
        self._project_jobs = self._fresco().waiting()

    def progress(self) -> list[PendingProgress]:
        """How far the pending jobs of the project are. Asks nothing of Resolve."""
        return [
            PendingProgress(pending=pending, job=self._job(pending))
            for pending in self._project_jobs
        ]

    def keyframe(self, pending: PendingJob, index: int) -> bytes:
        """A keyframe of a job at work, as JPEG."""
        return self._daemon().frame(pending.job_id, "keyframe", index, _PREVIEW).data

    def _job(self, pending: PendingJob) -> Job | None:
        try:
            return self._daemon().job(pending.job_id)
        except NotFound:
            return None

    def _daemon(self) -> Session:
        if self._session is None:
            self._session = self._connect()
        return self._session

    def _host(self) -> Host:
        if self._bridge is None:
            raise NotReady(
                "DaVinci Resolve is not connected. Click Workspace > Scripts > Fresco > Fresco "
                "(free edition) in it."
            )
        return Host(self._bridge.resolve)

    def _fresco(self) -> Restyler:
        if self._restyler is None:
            self._restyler = Restyler(
                self._host(),
                self._daemon(),
                self.plugin_folders,
                wait=time.sleep,
                tell=self.notes.append,
            )
        return self._restyler


def outcome_sentences(outcomes: Sequence[Outcome]) -> list[str]:
    """What an editor is told of pending jobs."""
    told: list[str] = []
    for outcome in outcomes:
        track = outcome.placed.track if outcome.placed else 0
        name = f"“{outcome.pending.title}”"
        if track:
            told.append(f"{name} is on track V{track}. {outcome.problem}".strip())
        elif outcome.problem:
            told.append(f"{name}: {outcome.problem}")
        elif outcome.job is not None:
            told.append(f"{name}: {progress_of(outcome.job)}.")
    return told or ["Nothing is being restyled in this project."]


def progress_of(job: Job) -> str:
    """How far a job is, in a few words."""
    share = f"{job.share:.0%}" if job.progress and not job.state.is_ended else ""
    return ", ".join(filter(None, (state_of(job), share, time_left(job))))
