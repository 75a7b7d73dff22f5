"""How quickly the frames of a finished job are streamed to a client on the same machine.

    python -m bench.streaming [--frames 100] [--side 512] [--rounds 3]

The job is made by a worker without a model from the sample clip. Frames are streamed as PNG,
without any loss, and as JPEG previews, over both transports, and thrown away or decoded. The first
round of a daemon encodes pictures that later rounds may find in its memory, so each has a new one.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil
from fresco_client import (
    ClipSource,
    FrameReady,
    KeyframeReady,
    OutputOptions,
    PictureEncoding,
    PictureOptions,
    RestyleSettings,
    Session,
    TransportKind,
)

from bench.memory import write_clip
from tests.integration.daemons import DaemonProcess, with_fake_worker

JOB = "job"


@dataclass(frozen=True)
class Streamed:
    """One stream: frames and bytes of their pictures, seconds, and those of the daemon's CPUs."""

    frames: int
    picture_bytes: int
    seconds: float
    daemon_cpu_s: float


def stream(session: Session, encoding: PictureEncoding, pid: int, *, is_decoding: bool) -> Streamed:
    """Replay the job's events with pictures."""
    frames = picture_bytes = 0
    cpu_s, begun = _cpu_s(pid), time.perf_counter()
    for event in session.watch(JOB, pictures=PictureOptions(encoding=encoding)):
        if isinstance(event, KeyframeReady | FrameReady) and event.picture is not None:
            frames += 1
            picture_bytes += len(event.picture.data)
            if is_decoding:
                cv2.imdecode(np.frombuffer(event.picture.data, np.uint8), cv2.IMREAD_COLOR)
    seconds = time.perf_counter() - begun
    return Streamed(frames, picture_bytes, seconds, _cpu_s(pid) - cpu_s)


def _cpu_s(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return used.user + used.system


@contextmanager
def finished_job(frames: int, side: int) -> Iterator[DaemonProcess]:
    """A daemon with a job of as many frames, whose pictures nobody has asked for."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, frames, side)
        daemon = DaemonProcess(Path(folder) / "daemon" / "data", with_fake_worker())
        try:
            with daemon.start().session() as session:
                session.submit(
                    ClipSource(path=str(clip)),
                    RestyleSettings(prompt="a watercolour painting", size=side),
                    output=OutputOptions(kind="frames"),
                    job_id=JOB,
                )
                for _ in session.watch(JOB):
                    pass
            yield daemon
        finally:
            daemon.stop_whatever()


def restarted(daemon: DaemonProcess) -> int:
    """Start it again, so that it keeps no pictures in memory; the number of its process."""
    daemon.stop()
    return daemon.start().pid


def measure(
    daemon: DaemonProcess,
    encoding: PictureEncoding,
    transport: TransportKind,
    *,
    is_decoding: bool,
) -> Streamed:
    """One round of one way."""
    pid = restarted(daemon)
    with Session.open(daemon.data, start=False, transport=transport) as session:
        return stream(session, encoding, pid, is_decoding=is_decoding)


def print_row(name: str, rounds: list[Streamed]) -> None:
    """Medians of the rounds."""
    per_s = statistics.median(each.frames / each.seconds for each in rounds)
    megabytes = statistics.median(each.picture_bytes / each.seconds for each in rounds) / 1e6
    cpu_ms = statistics.median(each.daemon_cpu_s / each.frames for each in rounds) * 1e3
    print(f"| {name} | {rounds[0].frames} | {per_s:.0f} | {megabytes:.0f} | {cpu_ms:.1f} |")


def main() -> None:
    """Measure all ways and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    encodings: tuple[PictureEncoding, ...] = ("png", "jpeg")
    transports: tuple[TransportKind, ...] = ("grpcio", "pure")
    print("| stream | pictures | pictures/s | MB/s | daemon CPU ms/picture |")
    print("| --- | --- | --- | --- | --- |")
    with finished_job(options.frames, options.side) as daemon:
        for encoding in encodings:
            for transport in transports:
                for is_decoding in (False, True):
                    rounds = [
                        measure(daemon, encoding, transport, is_decoding=is_decoding)
                        for _ in range(options.rounds)
                    ]
                    name = f"{encoding}, {transport}{', decoded' if is_decoding else ''}"
                    print_row(name, rounds)


if __name__ == "__main__":
    main()
