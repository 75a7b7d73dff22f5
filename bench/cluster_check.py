"""Real jobs on small local clusters of Ray's, whose workers sleep as long as the engine would.

What they take is compared with what the model says of the same plan, sleeps and overheads. The
latter are measured in a job of workers that do not sleep.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from fresco_client import (
    Analysed,
    ClipSource,
    Device,
    Event,
    Failed,
    Finished,
    JobState,
    OutputOptions,
    RestyleSettings,
    Session,
    StateChanged,
)

from bench.cluster_model import ClusterFigures, ModelledClip, simulate
from tests.cluster.local_cluster import LocalCluster
from tests.fakes.cluster_program import sleeping_command
from tests.fakes.sleeping_worker import SleepSeconds
from tests.integration.daemons import DaemonProcess, wait_for

_SIDE = 64
_GAP = 10
_SHOTS = (61, 31, 91, 21, 41, 121, 31, 51)
STEPS = 5
ATTEMPTS = 2
"""How often a job is done; what else the machine does may cost one of them its time."""
SECONDS = SleepSeconds(plan_frame=0.002, step=0.05, frame=0.15)
"""Long beside what a busy machine takes for everything else."""


def write_shots(path: Path, lengths: Sequence[int]) -> Path:
    """A small clip with shots of these lengths, in frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = _SIDE, _SIDE, "rgb24"
        stream.options = {"crf": "0", "preset": "ultrafast"}
        for shot, length in enumerate(lengths):
            random = np.random.default_rng(shot)
            coarse = random.integers(0, 120, (_SIDE // 8, _SIDE // 8, 3))
            # Every cut is one of light and of colours.
            coarse[..., shot % 3] += 130
            texture = np.kron(coarse, np.ones((8, 8, 1))) // (1 + shot % 2)
            for index in range(length):
                picture = np.roll(texture.astype(np.uint8), index, axis=1)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@dataclass(frozen=True, kw_only=True)
class SleptJob:
    """A job as its daemon's events tell it; seconds since it began.

    `planned_s` is when its plan was there, `made_s` when its last frame was, and `total_s` when it
    was done.
    """

    planned_s: float
    made_s: float
    total_s: float
    events: tuple[Event, ...]
    anchors_first: int = 0

    @property
    def clip(self) -> ModelledClip:
        """Its plan as the model takes it."""
        plan = next(event.plan for event in self.events if isinstance(event, Analysed))
        shots = tuple((shot.start, shot.stop) for shot in plan.shots)
        keys = (tuple(key for key in plan.keyframes if a <= key < b) for a, b in shots)
        return ModelledClip(
            shots=shots, keyframes=tuple(keys), steps=STEPS, anchors_first=self.anchors_first
        )


def slept_job(
    session: Session, clip: Path, settings: RestyleSettings, device: str = ""
) -> SleptJob:
    """Have a job done, on one of the cluster's devices or on all.

    Raises:
        RuntimeError: it fails.
    """
    output = OutputOptions(kind="lossless")
    job = session.submit(ClipSource(path=str(clip)), settings, output=output, device=device)
    events = tuple(session.watch(job.id))
    if not isinstance(events[-1], Finished):
        failed = [event.failure for event in events if isinstance(event, Failed)]
        raise RuntimeError(f"the job has not finished: {failed or events[-1]}")
    began = next(event.time for event in events if _is_beginning(event))
    planned = next(event.time for event in events if isinstance(event, Analysed))
    encoded = [event.time for event in events if type(event).__name__ == "FrameReady"]
    return SleptJob(
        planned_s=(planned - began).total_seconds(),
        made_s=(encoded[-1] - began).total_seconds(),
        total_s=(events[-1].time - began).total_seconds(),
        events=events,
        anchors_first=settings.anchors_first or 0,
    )


def quickest_job(session: Session, clip: Path, settings: RestyleSettings) -> SleptJob:
    """The same as often as it is attempted, and of these the quickest."""
    jobs = (slept_job(session, clip, settings) for _ in range(ATTEMPTS))
    return min(jobs, key=lambda job: job.total_s)


def _is_beginning(event: Event) -> bool:
    return isinstance(event, StateChanged) and event.state is JobState.ANALYSING


def settings_for(lengths: Sequence[int], gap: int = _GAP) -> RestyleSettings:
    """Settings with a keyframe every `gap` frames of each shot, and at its end."""
    keyframes: set[int] = set()
    first = 0
    for length in lengths:
        keyframes |= {*range(first, first + length, gap), first + length - 1}
        first += length
    return RestyleSettings(
        prompt="asleep", size=_SIDE, steps=STEPS, strength=1.0, keyframes=tuple(sorted(keyframes))
    )


def figures_of(seconds: SleepSeconds, idle: SleptJob | None = None) -> ClusterFigures:
    """What the model is told of workers that sleep so long.

    The rest is that of `idle`, a job on one device whose worker did not sleep, or about what two
    cores take.
    """
    figures = ClusterFigures(
        analysis_s=seconds.plan_frame,
        step_s=seconds.step,
        frame_s=seconds.frame,
        encode_s=0.0005,
        metrics_s=0.002,
        answer_s=0.0,
        load_s=0.0,
        start_s=0.0,
        record_bytes=1e3,
        keyframe_bytes=1e4,
        frame_bytes=1e4,
        clip_bytes=0.0,
    )
    if idle is None:
        return figures
    finished, frames = idle.events[-1], idle.clip.frames
    assert isinstance(finished, Finished)
    encoding_s = json.loads(finished.result.report_json)["seconds"]["encoding"]
    return replace(
        figures,
        part_s=(idle.made_s - idle.planned_s - encoding_s) / len(idle.clip.parts),
        encode_s=encoding_s / frames,
        metrics_s=(idle.total_s - idle.made_s) / frames,
    )


@dataclass(frozen=True, kw_only=True)
class CheckedRun:
    """What a real job took on so many devices, in seconds, and what the model had said."""

    devices: int
    predicted_s: float
    measured_s: float

    @property
    def error(self) -> float:
        """By how much of what is true the model is wrong."""
        return abs(self.predicted_s - self.measured_s) / self.measured_s


def checked_runs(sizes: Iterable[int] = (2, 4, 8)) -> Iterator[CheckedRun]:
    """A job for each size of the cluster, to which machines are added meanwhile.

    Of everything the quicker of two counts, as other work on this machine makes it slower.
    """
    with LocalCluster(1) as cluster, tempfile.TemporaryDirectory() as folder:
        clip, settings = write_shots(Path(folder) / "clip.mp4", _SHOTS), settings_for(_SHOTS)
        with sleeping_daemon(cluster, 1, SleepSeconds()) as daemon, daemon.session() as session:
            figures = figures_of(SECONDS, quickest_job(session, clip, settings))
        print(
            f"{figures.part_s * 1e3:.1f} ms for a part, {figures.encode_s * 1e3:.1f} ms and ",
            end="",
        )
        print(f"{figures.metrics_s * 1e3:.1f} ms for a frame at the daemon beside sleeping")
        with sleeping_daemon(cluster, 1, SECONDS) as daemon, daemon.session() as session:
            there = 1
            for devices in sizes:
                for _ in range(devices - there):
                    cluster.add_node()
                there = devices
                wait_for_devices(session, devices)
                job = quickest_job(session, clip, settings)
                said = simulate(job.clip, devices, figures)
                yield CheckedRun(devices=devices, predicted_s=said.total_s, measured_s=job.total_s)


@contextmanager
def sleeping_daemon(
    cluster: LocalCluster, devices: int, seconds: SleepSeconds, **settings: object
) -> Iterator[DaemonProcess]:
    """A daemon whose workers have all started on a cluster; `settings` as `DaemonProcess` has."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = {"cluster": cluster.address, "cluster_worker": sleeping_command(seconds)}
        daemon = DaemonProcess(Path(folder) / "data", {**chosen, **settings})
        try:
            daemon.start()
            with daemon.session() as session:
                wait_for_devices(session, devices)
            yield daemon
        finally:
            daemon.stop_whatever()


def wait_for_devices(session: Session, number: int) -> None:
    """Wait until so many have started."""
    wait_for(f"{number} devices", lambda: len(started_devices(session)) >= number)


def started_devices(session: Session) -> list[Device]:
    """Those that can be given work, or have some."""
    return [one for one in session.server().devices if one.state in ("ready", "busy")]
