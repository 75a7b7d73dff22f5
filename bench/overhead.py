"""What the daemon adds to a job: the same job in this process and by way of a daemon, in turn.

    python -m bench.overhead [--size 256] [--frames 60] [--rounds 3]

In this process: `render` without a checkpoint, all events taken. By the daemon: submitted, watched
with JPEG previews, the result fetched. Neither counts the start of a process or loading the model:
both have done the job once before. Besides the time on the clock there is processor time, which
other work on the machine disturbs less: that of this process, or of daemon, worker and client.
Threads that wait do not spin for long on either way, as the daemon and the command line see to.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from fresco_client import ClipSource, PictureOptions, Session
from fresco_client import RestyleSettings as ClientSettings
from fresco_engine.sample import sample_clip_path
from fresco_engine.settings import RestyleSettings

from tests.integration.daemons import DaemonProcess

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model

PROMPT = "a watercolour painting"


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, processor seconds, and the digest of the result."""

    seconds: float
    cpu_s: float
    digest: str


@dataclass
class Bench:
    """The job, both ways."""

    daemon: DaemonProcess
    model: Model
    folder: Path
    size: int
    frames: int
    count: int = 0

    def in_process(self) -> Path:
        """By a call."""
        from fresco_engine.rendering import render
        from fresco_media.clip import Clip

        settings = RestyleSettings(prompt=PROMPT, size=self.size, stop=self.frames)
        output = self._output()
        clip = Clip.open(sample_clip_path())
        for _ in render(clip, output, settings.with_preset("standard"), self.model):
            pass
        return output

    def by_daemon(self) -> Path:
        """By way of the daemon; what it keeps of the job is removed later."""
        settings = ClientSettings(prompt=PROMPT, size=self.size, stop=self.frames)
        output = self._output()
        with self.session() as session:
            job = session.submit(ClipSource(path=str(sample_clip_path())), settings)
            for _ in session.watch(job.id, pictures=PictureOptions(encoding="jpeg")):
                pass
            session.fetch_result(job.id, output)
        return output

    def session(self) -> Session:
        """A client of the daemon."""
        return self.daemon.session()

    def forget(self) -> None:
        """Let every job begin with an empty disk."""
        with self.session() as session:
            for job in session.jobs():
                session.delete(job.id)

    def cpu_s(self) -> float:
        """Processor seconds of this process, the daemon and its workers so far."""
        daemon = psutil.Process(self.daemon.pid)
        processes = (psutil.Process(), daemon, *daemon.children(recursive=True))
        used = [process.cpu_times() for process in processes]
        return sum(times.user + times.system for times in used)

    def took(self, way: Callable[[], Path]) -> Took:
        """How long one way takes."""
        cpu_s, begun = self.cpu_s(), time.perf_counter()
        output = way()
        took = Took(
            seconds=time.perf_counter() - begun,
            cpu_s=self.cpu_s() - cpu_s,
            digest=hashlib.sha256(output.read_bytes()).hexdigest(),
        )
        self.forget()
        return took

    def _output(self) -> Path:
        self.count += 1
        return self.folder / f"{self.count}.mp4"


def measure(size: int, frames: int, rounds: int) -> tuple[list[Took], list[Took]]:
    """Both ways in turn, after one round that does not count."""
    # Read when torch is loaded, so not before this.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    from fresco_engine.diffusion.models import load_model

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        daemon = DaemonProcess(folder / "daemon" / "data")
        try:
            bench = Bench(daemon.start(), load_model(), folder, size, frames)
            pairs = [
                (bench.took(bench.in_process), bench.took(bench.by_daemon))
                for _ in range(rounds + 1)
            ]
        finally:
            daemon.stop_whatever()
    return [ours for ours, _ in pairs[1:]], [theirs for _, theirs in pairs[1:]]


def print_table(direct: list[Took], served: list[Took]) -> None:
    """Medians, and the median of the ratios of neighbours in time."""
    print("| way | seconds | processor seconds |")
    print("| --- | --- | --- |")
    for name, rounds in (("in this process", direct), ("by the daemon", served)):
        seconds = statistics.median(took.seconds for took in rounds)
        cpu_s = statistics.median(took.cpu_s for took in rounds)
        print(f"| {name} | {seconds:.2f} | {cpu_s:.2f} |")
    pairs = list(zip(direct, served, strict=True))
    clock = statistics.median(theirs.seconds / ours.seconds for ours, theirs in pairs)
    processor = statistics.median(theirs.cpu_s / ours.cpu_s for ours, theirs in pairs)
    print(f"| the daemon adds | {clock - 1:+.1%} | {processor - 1:+.1%} |")
    is_same = len({took.digest for took in (*direct, *served)}) == 1
    print(f"results are {'the same, byte for byte' if is_same else 'NOT the same'}")
    for ours, theirs in pairs:
        print(
            f"  {ours.seconds:.2f} and {theirs.seconds:.2f} s, processor {ours.cpu_s:.2f} and "
            f"{theirs.cpu_s:.2f} s"
        )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print_table(*measure(options.size, options.frames, options.rounds))


if __name__ == "__main__":
    main()
