"""What a job takes on a cluster, by a simulation of events: its parts, devices, link and daemon.

Parts are given out by the daemon's own graph (`RunGraph`), in the way of its dispatcher: to every
idle device the part behind which the most work waits. What is one after the other whatever the
number of devices is there too: the plan, what is sent over the daemon's link, what the daemon does
for each answer, the encoding in the order of the clip, and the look at the result at the end.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count, pairwise

from fresco_engine.batches import keyframes_ahead, plan_batches
from fresco_engine.interpolation.keyframe_span import KeyframeSpan, plan_spans
from fresco_engine.parts import BatchPart, Part, SpanPart, batch_parts
from fresco_server.cluster.graph import RunGraph

_RATE = 24


@dataclass(frozen=True, kw_only=True)
class ClusterFigures:
    """What the model is given.

    Seconds on a device: `analysis_s` for each frame of the plan, `step_s` for each denoising step
    of each keyframe of a batch, `frame_s` for each frame between keyframes, `part_s` for each part
    beside that, `load_s` for the model, once, and `start_s` until a device is there.
    Seconds of the daemon: `encode_s` for each frame in order, `metrics_s` for each frame after
    that, `answer_s` for each answer of a device.
    Bytes: of a batch's record, of a keyframe, of a frame, and of the clip per frame (0 where
    machines share its folder). `bandwidth` is that of the daemon's link in bytes per second,
    `latency_s` what a question and its answer take. `price` is that of a device for an hour.
    """

    analysis_s: float
    step_s: float
    frame_s: float
    encode_s: float
    metrics_s: float
    part_s: float = 0.02
    answer_s: float = 0.001
    load_s: float = 5.0
    start_s: float = 60.0
    record_bytes: float = 5e6
    keyframe_bytes: float = 450e3
    frame_bytes: float = 450e3
    clip_bytes: float = 100e3
    bandwidth: float = 1.25e9
    latency_s: float = 0.001
    machine_devices: int = 8
    price: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ModelledClip:
    """A planned clip: its shots as half-open ranges, and the keyframes of each.

    `batch_size`, `anchors_first`: as the settings of these names; `steps` are denoising steps.
    """

    shots: tuple[tuple[int, int], ...]
    keyframes: tuple[tuple[int, ...], ...]
    batch_size: int = 8
    anchors_first: int = 0
    steps: int = 15

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return self.shots[-1][1] - self.shots[0][0]

    @cached_property
    def spans(self) -> tuple[KeyframeSpan, ...]:
        """What is encoded, in order."""
        together = zip(self.shots, self.keyframes, strict=True)
        # Shot by shot: of many shots at once each would look at all keyframes.
        return tuple(span for shot, keys in together for span in plan_spans(keys, [shot]))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """As `fresco_engine.parts.parts_of` has them."""
        batches = (batch for keys in self.keyframes for batch in self._batches(keys))
        return (*batches, *(SpanPart(span=span) for span in self.spans if span.frames))

    def _batches(self, keys: tuple[int, ...]) -> Iterator[BatchPart]:
        ahead = keyframes_ahead(keys, self.batch_size, self.anchors_first)
        return batch_parts(keys, plan_batches(keys, self.batch_size, ahead), self.steps)


def film(seconds: float, *, shot_s: float = 5.0, gap: int = 12, seed: int = 0) -> ModelledClip:
    """A clip with shots as films have them: many short ones and few long ones.

    `shot_s` is how long a shot is on average (lengths are distributed log-normally), `gap` how far
    keyframes lie apart.
    """
    chance, stop = random.Random(seed), round(seconds * _RATE)
    edges = [0]
    while edges[-1] < stop:
        # The mean of this is exp(0.8 ** 2 / 2) = 1.377.
        length = max(12, round(shot_s * _RATE * chance.lognormvariate(0.0, 0.8) / 1.377))
        edges.append(edges[-1] + length)
    edges[-1] = stop
    shots = tuple(pairwise(edges))
    keyframes = (sorted({*range(first, last, gap), last - 1}) for first, last in shots)
    return ModelledClip(shots=shots, keyframes=tuple(map(tuple, keyframes)))


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a job takes: seconds since devices were ordered, until each stage was done.

    `busy_s` is what devices worked, all together; `encoded_s` when the last frame was.
    """

    devices: int
    planned_s: float
    made_s: float
    encoded_s: float
    total_s: float
    busy_s: float

    def cost(self, figures: ClusterFigures) -> float:
        """What the devices cost, which are there until the end."""
        return self.devices * self.total_s / 3600 * figures.price


class _Line:
    """Something that serves one after the other."""

    def __init__(self) -> None:
        self._free_s = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """When what comes now has been served."""
        self._free_s = max(now, self._free_s) + seconds
        return self._free_s


@dataclass
class _Simulation:
    clip: ModelledClip
    figures: ClusterFigures
    devices: int
    link: _Line = field(default_factory=_Line)
    daemon: _Line = field(default_factory=_Line)
    busy_s: float = 0.0

    def __post_init__(self) -> None:
        self.graph = RunGraph(self.clip.parts, lambda _: False)
        self._have_clip: dict[int, float] = {}
        self._have_model: set[int] = set()
        self._made_s: dict[int, float] = {}

    def run(self) -> Forecast:
        """Everything, event by event."""
        figures = self.figures
        planned = self._planned()
        # Those that have worked come first, as they have the clip.
        idle = [(device > 0, device) for device in range(self.devices)]
        under_way: list[tuple[float, int, int, int]] = []
        made, now, order = planned, planned, count()
        while True:
            while idle and self.graph.next is not None:
                _, device = heapq.heappop(idle)
                place = self.graph.take()
                ends = self._computed(now, device, self.graph.nodes[place])
                heapq.heappush(under_way, (ends, next(order), device, place))
            if not under_way:
                break
            now, _, device, place = heapq.heappop(under_way)
            if device >= 0:
                # What it has made is on its way; the device waits until it has arrived.
                part = self.graph.nodes[place]
                arrives = self.link.serve(now, self._bytes_out(part) / figures.bandwidth)
                arrives = self.daemon.serve(arrives, _answers(part) * figures.answer_s)
                heapq.heappush(under_way, (arrives, next(order), -1 - device, place))
                continue
            self._made_s[place] = made = now
            self.graph.finish(place)
            heapq.heappush(idle, (False, -1 - device))
        encoded = self._encoded(planned)
        return Forecast(
            devices=self.devices,
            planned_s=planned,
            made_s=made,
            encoded_s=encoded,
            total_s=encoded + self.clip.frames * figures.metrics_s,
            busy_s=self.busy_s,
        )

    def _planned(self) -> float:
        figures = self.figures
        self._have_model.add(0)
        seconds = figures.load_s + self.clip.frames * figures.analysis_s + figures.part_s
        self.busy_s += seconds
        return self._with_clip(figures.start_s, 0) + seconds

    def _computed(self, now: float, device: int, part: Part) -> float:
        """When a device has made a part that it is given now."""
        figures = self.figures
        ready = self._with_clip(now, device) + figures.latency_s
        ready = self.link.serve(ready, self._bytes_in(part) / figures.bandwidth)
        seconds = seconds_of(part, figures) + figures.part_s
        if isinstance(part, BatchPart) and device not in self._have_model:
            self._have_model.add(device)
            seconds += figures.load_s
        self.busy_s += seconds
        return ready + seconds

    def _with_clip(self, now: float, device: int) -> float:
        """When the clip is on a device's machine."""
        machine = device // self.figures.machine_devices
        if machine not in self._have_clip:
            size = self.clip.frames * self.figures.clip_bytes
            self._have_clip[machine] = self.link.serve(now, size / self.figures.bandwidth)
        return max(now, self._have_clip[machine])

    def _bytes_in(self, part: Part) -> float:
        if isinstance(part, SpanPart):
            return len(part.keyframes) * self.figures.keyframe_bytes
        return len(part.records) * self.figures.record_bytes

    def _bytes_out(self, part: Part) -> float:
        if isinstance(part, SpanPart):
            return len(part.span.frames) * self.figures.frame_bytes
        return self.figures.record_bytes + len(part.batch.new) * self.figures.keyframe_bytes

    def _encoded(self, planned: float) -> float:
        """When the last frame is encoded: each after those before it, and when it is there."""
        of_key: dict[int, float] = {}
        of_span: dict[KeyframeSpan, float] = {}
        for place, part in enumerate(self.graph.nodes):
            made = self._made_s[place]
            if isinstance(part, BatchPart):
                of_key |= dict.fromkeys(part.batch.new, made)
            else:
                of_span[part.span] = made
        now = planned
        for span in self.clip.spans:
            frames = len(span.frames) + span.has_last
            last = of_key[span.stop - 1] if span.has_last else 0.0
            now = max(now, of_span.get(span, 0.0), last) + frames * self.figures.encode_s
        return now


def seconds_of(part: Part, figures: ClusterFigures) -> float:
    """How long a device works on a part."""
    if isinstance(part, SpanPart):
        return figures.frame_s * len(part.span.frames)
    return figures.step_s * part.steps * len(part.batch.frames)


def _answers(part: Part) -> int:
    """How often a device says something while it makes a part."""
    if isinstance(part, SpanPart):
        return 2 * len(part.span.frames) + 1
    return part.steps + 2


def simulate(clip: ModelledClip, devices: int, figures: ClusterFigures) -> Forecast:
    """What a job of `clip` takes on so many devices that do nothing else."""
    return _Simulation(clip, figures, devices).run()


def floor_s(clip: ModelledClip, figures: ClusterFigures) -> float:
    """Seconds that no number of devices can shorten, if nothing has to be waited for."""
    per_frame = figures.analysis_s + figures.encode_s + figures.metrics_s
    return figures.start_s + figures.load_s + clip.frames * per_frame


def ideal_s(clip: ModelledClip, devices: int, figures: ClusterFigures) -> float:
    """What the parts of a planned clip take if nothing else takes any time."""
    parts = ("analysis_s", "encode_s", "metrics_s", "part_s", "answer_s", "load_s", "start_s")
    sizes = ("record_bytes", "keyframe_bytes", "frame_bytes", "clip_bytes", "latency_s")
    return simulate(clip, devices, replace(figures, **dict.fromkeys(parts + sizes, 0.0))).made_s
