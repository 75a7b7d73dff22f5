"""A daemon under load: jobs in the queue, many who watch, one who is slow, uploads beside.

    python -m bench.load [--clients 50] [--jobs 8] [--frames 300] [--side 256] [--upload-mb 100]
                         [--real]

Jobs are made by a worker without a model, which makes a frame in a few milliseconds; `--real`
takes the engine with the bundled model. What every client was told is compared with what the
daemon has stored.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
from fresco_client import ClipSource, RestyleSettings

from bench.crowd import Place, Role, Seen, Watcher
from bench.memory import write_clip
from tests.integration.daemons import DaemonProcess, with_fake_worker

_IDLE_S = 1.0
_EVENTS = {
    "state": "StateChanged",
    "analysed": "Analysed",
    "progress": "ProgressMade",
    "keyframe": "KeyframeReady",
    "frame": "FrameReady",
    "warned": "Warned",
    "restarted": "Restarted",
    "finished": "Finished",
    "failed": "Failed",
}


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """How much there is to do. One more client than `clients` watches: the slow one."""

    clients: int = 50
    processes: int = 4
    jobs: int = 8
    frames: int = 300
    side: int = 256
    uploaders: int = 2
    upload_bytes: int = 100_000_000
    slow_pause_s: float = 1.0
    is_real: bool = False


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What clients were told differently from what is stored, over all clients."""

    lost: int
    doubled: int
    disordered: int
    altered: int
    gaps_in_store: int

    @property
    def are_none(self) -> bool:
        """Whether every client was told everything, once and in order."""
        return not any(asdict(self).values())


@dataclass(frozen=True, kw_only=True)
class Health:
    """How quickly health checks were answered."""

    asked: int
    failed: Sequence[str]
    seconds: Sequence[float]

    @property
    def median_s(self) -> float:
        """Half of the answers took no longer."""
        return statistics.median(self.seconds)

    @property
    def p99_s(self) -> float:
        """99 of 100 answers took no longer."""
        return sorted(self.seconds)[int(0.99 * (len(self.seconds) - 1))]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What the daemon's own process needed, without its workers."""

    start_bytes: int
    peak_bytes: int
    end_bytes: int
    threads: int
    cpu_s: float

    @property
    def growth_bytes(self) -> int:
        """Memory at the peak beyond that at the start."""
        return self.peak_bytes - self.start_bytes


@dataclass(frozen=True, kw_only=True)
class LoadFigures:
    """What was measured."""

    settings: LoadSettings
    wall_s: float
    crowd: Sequence[Seen]
    slow: Seen
    slow_stored: int
    """Events of the job that the slow client watched."""
    faults: Faults
    health: Health
    resources: Resources
    upload_bytes: int
    upload_s: float

    @property
    def events(self) -> int:
        """Events that were delivered, to all clients together."""
        return sum(len(seen.events) for seen in (*self.crowd, self.slow))


def run(settings: LoadSettings) -> LoadFigures:
    """Put a daemon under load and see what becomes of it."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = {} if settings.is_real else with_fake_worker()
        daemon = DaemonProcess(Path(folder) / "daemon" / "data", chosen)
        try:
            return _Run(settings, daemon.start(), Path(folder)).figures()
        finally:
            daemon.stop_whatever()


class _Sampler(threading.Thread):
    """Memory and threads of a process, every tenth of a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._end = threading.Event()
        self._cpu_s = self._used_s()
        self._bytes: list[int] = [self._process.memory_info().rss]
        self._threads = 0

    def run(self) -> None:
        """Until it is told to end."""
        while not self._end.wait(0.1):
            self._bytes.append(self._process.memory_info().rss)
            self._threads = max(self._threads, self._process.num_threads())

    def end(self) -> Resources:
        """What was seen."""
        self._end.set()
        self.join()
        return Resources(
            start_bytes=self._bytes[0],
            peak_bytes=max(self._bytes),
            end_bytes=self._bytes[-1],
            threads=self._threads,
            cpu_s=self._used_s() - self._cpu_s,
        )

    def _used_s(self) -> float:
        used = self._process.cpu_times()
        return used.user + used.system


class _Run:
    """One run."""

    def __init__(self, settings: LoadSettings, daemon: DaemonProcess, folder: Path) -> None:
        self._settings = settings
        self._daemon = daemon
        self._folder = folder
        announced = daemon.announced
        self._place = Place(address=announced["address"], token=announced["token"])
        self._jobs = [f"job-{number}" for number in range(settings.jobs)]

    def figures(self) -> LoadFigures:
        clip = self._folder / "clip.mp4"
        write_clip(clip, self._settings.frames, self._settings.side)
        slow = Watcher(job=self._jobs[0], pictures="png", pause_s=self._settings.slow_pause_s)
        with ExitStack() as stack:
            watching = [self._role(stack, "watchers", _plain(group)) for group in self._groups()]
            waiting = self._role(stack, "watchers", _plain([slow]))
            sending = [self._role(stack, "uploader", file) for file in self._files()]
            probing = self._role(stack, "prober", None)
            for role in (*watching, waiting, *sending, probing):
                role.wait_until_ready()
            probing.go()
            time.sleep(_IDLE_S)
            with _measured(self._daemon.pid) as measured:
                self._submit(clip)
                for role in (*watching, waiting, *sending):
                    role.go()
                uploads = [role.result() for role in sending]
                seen = [Seen.from_dict(each) for role in watching for each in role.result()]
                waiting.hurry()
                slow_seen = Seen.from_dict(waiting.result()[0])
            probing.hurry()
            health = Health(**probing.result())
        stored = {job: self._stored(job) for job in self._jobs}
        return LoadFigures(
            settings=self._settings,
            crowd=seen,
            slow=slow_seen,
            slow_stored=len(stored[slow.job]),
            faults=_faults([*seen, slow_seen], stored),
            health=health,
            upload_bytes=int(sum(upload["bytes"] for upload in uploads)),
            upload_s=max((upload["seconds"] for upload in uploads), default=0.0),
            **measured,
        )

    def _groups(self) -> list[list[Watcher]]:
        """The watchers of each process."""
        settings = self._settings
        crowd = [self._watcher(number) for number in range(settings.clients)]
        groups = [crowd[first :: settings.processes] for first in range(settings.processes)]
        return [group for group in groups if group]

    def _role(self, stack: ExitStack, kind: str, order: Any) -> Role:
        return stack.enter_context(Role(kind, self._place, order))

    def _watcher(self, number: int) -> Watcher:
        """Half of the clients want pictures; every fourth is late, every fifth comes and goes."""
        frames = self._settings.frames
        return Watcher(
            job=self._jobs[number % len(self._jobs)],
            pictures="jpeg" if number // len(self._jobs) % 2 == 0 else None,
            transport="pure" if number % 3 == 2 else "grpcio",
            joins_at=frames // 2 if number % 4 == 3 else 0,
            drops_every=max(5, frames // 6) if number % 5 == 4 else 0,
        )

    def _files(self) -> Iterator[str]:
        for number in range(self._settings.uploaders):
            path = self._folder / f"upload-{number}.mp4"
            path.write_bytes(os.urandom(self._settings.upload_bytes))
            yield str(path)

    def _submit(self, clip: Path) -> None:
        size = max(64, self._settings.side // 2 if self._settings.is_real else self._settings.side)
        settings = RestyleSettings(prompt="a watercolour painting", size=size)
        if self._settings.is_real:
            settings = RestyleSettings(prompt="a watercolour painting", size=size, preset="draft")
        with self._place.session() as session:
            for job in self._jobs:
                session.submit(ClipSource(path=str(clip)), settings, job_id=job)

    def _stored(self, job: str) -> list[tuple[int, str]]:
        """What the daemon has stored, read without it, from a copy, as it holds the file."""
        with tempfile.TemporaryDirectory() as folder:
            for path in self._daemon.data.glob("jobs.sqlite3*"):
                shutil.copy(path, folder)
            database = sqlite3.connect(Path(folder, "jobs.sqlite3"))
            query = "SELECT sequence, kind FROM events WHERE job_id = ? ORDER BY sequence"
            rows = database.execute(query, (job,)).fetchall()
            database.close()
        return [(sequence, _EVENTS[kind]) for sequence, kind in rows]


@contextmanager
def _measured(pid: int) -> Iterator[dict[str, Any]]:
    """What happens inside, as `wall_s` and `resources`."""
    measured: dict[str, Any] = {}
    sampler, begun = _Sampler(pid), time.perf_counter()
    sampler.start()
    try:
        yield measured
    finally:
        measured["wall_s"] = time.perf_counter() - begun
        measured["resources"] = sampler.end()


def _plain(watchers: Sequence[Watcher]) -> list[dict[str, Any]]:
    return [asdict(watcher) for watcher in watchers]


def _faults(crowd: Sequence[Seen], stored: dict[str, list[tuple[int, str]]]) -> Faults:
    found: Counter[str] = Counter()
    for events in stored.values():
        sequences = [sequence for sequence, _ in events]
        found["gaps_in_store"] += sequences != list(range(1, len(events) + 1))
    for seen in crowd:
        events = stored[seen.watcher.job]
        sequences = [sequence for sequence, _ in seen.events]
        found["lost"] += len({sequence for sequence, _ in events} - set(sequences))
        found["doubled"] += len(sequences) - len(set(sequences))
        found["disordered"] += sum(later < sooner for sooner, later in pairwise(sequences))
        found["altered"] += len(set(seen.events) - set(events))
    names = ("lost", "doubled", "disordered", "altered", "gaps_in_store")
    return Faults(**{name: found[name] for name in names})


def print_table(figures: LoadFigures) -> None:
    """The figures, as docs/measurements.md has them."""
    for name, value in (*_told(figures), *_needed(figures)):
        print(f"| {name} | {value} |")


def _told(figures: LoadFigures) -> list[tuple[str, str]]:
    """What clients were told."""
    settings, faults, slow = figures.settings, figures.faults, figures.slow
    previews = [seen for seen in figures.crowd if seen.watcher.pictures]
    return [
        ("wall time", f"{figures.wall_s:.1f} s"),
        (
            "clients, jobs, frames each",
            f"{settings.clients} + 1 slow, {settings.jobs}, {settings.frames} at {settings.side}²",
        ),
        (
            "events delivered",
            f"{figures.events}, {figures.events / figures.wall_s:.0f}/s",
        ),
        (
            "lost, doubled, out of order, altered",
            f"{faults.lost}, {faults.doubled}, {faults.disordered}, {faults.altered}",
        ),
        ("connections dropped and taken up", f"{sum(seen.drops for seen in figures.crowd)}"),
        (
            "previews delivered of those told of",
            f"{sum(seen.pictures for seen in previews)} of "
            f"{sum(seen.announced for seen in previews)}",
        ),
        (
            "slow client: events when others were done",
            f"{slow.when_hurried} of {figures.slow_stored}",
        ),
        ("slow client: lossless pictures", f"{slow.pictures} of {slow.announced}"),
    ]


def _needed(figures: LoadFigures) -> list[tuple[str, str]]:
    """What the daemon needed for it, and how it answered meanwhile."""
    health, used = figures.health, figures.resources
    return [
        (
            "memory: start, peak, growth",
            f"{used.start_bytes / 1e6:.0f}, {used.peak_bytes / 1e6:.0f}, "
            f"{used.growth_bytes / 1e6:.0f} MB",
        ),
        ("threads at most", f"{used.threads}"),
        ("processor time of the daemon", f"{used.cpu_s:.1f} s"),
        ("health checks, unanswered", f"{health.asked}, {health.asked - len(health.seconds)}"),
        (
            "health: median, p99, longest",
            f"{health.median_s * 1e3:.1f}, {health.p99_s * 1e3:.1f}, "
            f"{max(health.seconds) * 1e3:.1f} ms",
        ),
        (
            "uploads",
            f"{figures.upload_bytes / 1e6:.0f} MB, "
            f"{figures.upload_bytes / 1e6 / max(figures.upload_s, 1e-9):.0f} MB/s",
        ),
    ]


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clients", type=int, default=LoadSettings.clients)
    parser.add_argument("--jobs", type=int, default=LoadSettings.jobs)
    parser.add_argument("--frames", type=int, default=LoadSettings.frames)
    parser.add_argument("--side", type=int, default=LoadSettings.side)
    parser.add_argument("--upload-mb", type=float, default=LoadSettings.upload_bytes / 1e6)
    parser.add_argument("--real", action="store_true")
    options = parser.parse_args()
    settings = LoadSettings(
        clients=options.clients,
        jobs=options.jobs,
        frames=options.frames,
        side=options.side,
        upload_bytes=round(options.upload_mb * 1e6),
        is_real=options.real,
    )
    print_table(run(settings))


if __name__ == "__main__":
    main()
