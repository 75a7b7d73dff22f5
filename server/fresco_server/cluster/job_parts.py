"""The parts of one job: which can be made now, what comes back, and what its run waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Protocol

from fresco_client.values import Failure
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.interpolation.keyframe_span import KeyframeSpan
from fresco_engine.parts import Part, files_for, is_stored, parts_of
from fresco_engine.types import RunWarned

from fresco_server.cluster.answers import take_in
from fresco_server.cluster.errors import PartStopped, raised
from fresco_server.cluster.graph import PartGraph, RunGraph
from fresco_server.cluster.orders import (
    Answer,
    Looked,
    Needs,
    PartEnded,
    PartOrder,
    PartWarned,
    Stepped,
    Stored,
)
from fresco_server.jobs.messages import RunJob
from fresco_server.jobs.starting import worker_lost

_LOSSES_ALLOWED = 2
_BREATH_S = 0.1

PlanGraph = PartGraph[None]
"""The graph of a run that has yet to be planned."""


class PartQueue(Protocol):
    """Whoever has devices take parts."""

    def wake(self) -> None:
        """Look whether there are parts that can be made."""
        ...


@dataclass(frozen=True)
class TakenPart:
    """A part that a device makes; `graph` is the one that it is of."""

    place: int
    graph: PartGraph[Part] | PlanGraph
    order: PartOrder


class JobParts:
    """Has a run's parts made elsewhere, see `RemoteParts`; devices take them from here.

    The run's two threads wait here; devices take, hand in and give back on threads of their own.
    What parts store is stored in the job's `checkpoint` before anything is told of it.
    """

    def __init__(
        self, run: RunJob, needs: Needs, checkpoint: FolderCheckpoint, queue: PartQueue
    ) -> None:
        self.job_id = run.job
        self.device = run.order.device
        self.needs = needs
        self.barred: dict[str, Failure] = {}
        """Devices that cannot make parts of this job, and why."""
        self._order = run.order
        self._checkpoint = checkpoint
        self._queue = queue
        self._changed = threading.Condition()
        self._plan_graph: PlanGraph | None = None
        self._graph: RunGraph | None = None
        self._found_batches: set[int] = set()
        self._found_frames: set[int] = set()
        self._planned_size: int | None = None
        self._looked: tuple[float, float] | None = None
        self._steps = 0
        self._notes: list[str] = []
        self._error: Exception | None = None
        self._is_stopped = self._is_stale = False
        self._losses: dict[int, tuple[int, int]] = {}
        self._orders = 0

    # What the run asks for

    def plan(self) -> Generator[tuple[float, float], None, None]:
        """As the protocol says."""
        with self._changed:
            self._plan_graph = graph = PlanGraph([None], [()], [1.0])
        self._queue.wake()
        while not graph.done_count:
            self._wait(lambda: graph.done_count > 0, lambda: self._looked is not None)
            looked, self._looked = self._looked, None
            if looked is not None:
                yield looked

    def batch(self, first: int) -> Generator[int | RunWarned, None, bool]:
        """As the protocol says."""
        self._begin()
        while not self._wait(lambda: self._has_batch(first), self._has_news):
            yield from self._news()
        yield from self._news()
        return first not in self._found_batches

    def frames(self, span: KeyframeSpan, check: Callable[[], None]) -> int:
        """As the protocol says."""
        while span.frames and not self._wait(lambda: self._has_span(span)):
            check()
        return sum(index in self._found_frames for index in span.frames)

    def stop(self) -> None:
        """Let the run end at its next question, and no part be taken."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    # What devices ask for and bring

    def take(self) -> TakenPart | None:
        """The part to make now, which is to be handed in, given back or reported as lost."""
        with self._changed:
            graph = self._graph or self._plan_graph
            if graph is None or graph.next is None or not self._goes_on:
                return None
            place = graph.take()
            part = graph.nodes[place]
            self._orders += 1
            order = PartOrder(
                token=f"{self.job_id} {self._orders}",
                order=self._order,
                needs=self.needs,
                part=part,
                files=() if part is None else tuple(files_for(part, self._checkpoint)),
            )
            return TakenPart(place, graph, order)

    def hand_in(self, taken: TakenPart, answer: Answer) -> None:
        """Take in what a device says of its part."""
        with self._changed:
            if not self._is_current(taken) or self._error is not None or self._is_stopped:
                return
            try:
                self._take_in(taken, answer)
            # Such as a full disk: it is the job's error, and not the device's.
            except Exception as error:  # noqa: BLE001
                self._error = error
            self._changed.notify_all()
        if isinstance(answer, PartEnded):
            self._queue.wake()

    def give_back(self, taken: TakenPart) -> None:
        """A part was not made, through no fault of its own."""
        with self._changed:
            taken.graph.give_back(taken.place)
            self._changed.notify_all()
        self._queue.wake()

    def lose(self, taken: TakenPart, cause: str) -> None:
        """The worker ended while it made a part: it is made anew, but not without end."""
        with self._changed:
            before, count = self._losses.get(taken.place, (taken.graph.done_count, 0))
            count = 1 if before != taken.graph.done_count else count + 1
            self._losses[taken.place] = taken.graph.done_count, count
            if count > _LOSSES_ALLOWED:
                message = (
                    f"the workers that made a part of it ended {count} times without getting "
                    f"further ({cause}); use a smaller size or batch, or look at the machines' logs"
                )
                self._error = self._error or raised(worker_lost(message, ""))
        self.give_back(taken)

    def bar(self, device: str, failure: Failure) -> None:
        """A device cannot work on this job."""
        with self._changed:
            self.barred[device] = failure

    def unbar(self, device: str) -> None:
        """A device has left; if it comes back it may be another one."""
        with self._changed:
            self.barred.pop(device, None)

    def give_up(self, failure: Failure) -> None:
        """Nobody can work on this job, because of what one of the devices lacks."""
        with self._changed:
            # What a machine lacks can be put there.
            self._error = self._error or raised(replace(failure, can_resume=True))
            self._changed.notify_all()

    def warn(self, message: str) -> None:
        """Tell whoever watches the job."""
        with self._changed:
            self._notes.append(message)
            self._changed.notify_all()

    # Inside, with the lock held

    @property
    def _goes_on(self) -> bool:
        return self._error is None and not self._is_stopped and not self._is_stale

    def _is_current(self, taken: TakenPart) -> bool:
        return taken.graph is (self._graph or self._plan_graph)

    def _take_in(self, taken: TakenPart, answer: Answer) -> None:
        match answer:
            case Stored():
                take_in(self._checkpoint, answer.files, self._order.settings)
            case Looked():
                self._looked = answer.done, answer.total
            case Stepped():
                self._steps += answer.steps
            case PartWarned():
                self._notes.append(answer.message)
            case PartEnded(is_made=True):
                taken.graph.finish(taken.place)
            case PartEnded(failure=None):
                # The device has no room for it: batches are planned anew once nothing is made.
                taken.graph.give_back(taken.place)
                self._is_stale = True
            case PartEnded():
                assert answer.failure is not None
                self._error = raised(answer.failure)

    def _has_news(self) -> bool:
        return self._steps > 0 or bool(self._notes)

    def _has_batch(self, first: int) -> bool:
        return self._graph is not None and not self._is_stale and self._graph.has_batch(first)

    def _has_span(self, span: KeyframeSpan) -> bool:
        return self._graph is not None and not self._is_stale and self._graph.has_span(span)

    def _is_due(self) -> bool:
        """Whether the run is to end, or its batches are to be planned anew."""
        is_free = self._graph is not None and not self._graph.are_under_way
        return self._error is not None or self._is_stopped or (self._is_stale and is_free)

    def _plan_anew(self) -> None:
        plan = self._checkpoint.plan()
        assert plan is not None
        parts = parts_of(plan, self._checkpoint)
        self._graph = RunGraph(parts, lambda part: is_stored(part, self._checkpoint))
        self._is_stale = False
        self._losses.clear()

    # Inside, without it

    def _wait(self, is_so: Callable[[], bool], is_news: Callable[[], bool] = lambda: False) -> bool:
        """Wait until something is so, or for news, but not for long; whether it is so.

        Raises whatever the run is to meet.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_due() or is_so() or is_news(), _BREATH_S)
            if self._is_stopped:
                raise PartStopped
            if self._error is not None:
                raise self._error
            is_planned_anew = self._is_due()
            if is_planned_anew:
                self._plan_anew()
            is_so_now = is_so()
        if is_planned_anew:
            self._queue.wake()
        return is_so_now

    def _begin(self) -> None:
        """Have the parts of the plan made; there is another one where all begins anew."""
        plan = self._checkpoint.plan()
        assert plan is not None
        with self._changed:
            if self._planned_size == plan.settings.size:
                return
            self._planned_size, self._error = plan.settings.size, None
            self._plan_anew()
            assert self._graph is not None
            self._found_batches = self._graph.done_batches
            self._found_frames = set(self._checkpoint.indices("frames"))
        self._queue.wake()

    def _news(self) -> Generator[int | RunWarned, None, None]:
        with self._changed:
            steps, self._steps = self._steps, 0
            notes, self._notes = self._notes, []
        yield from map(RunWarned, notes)
        if steps:
            yield steps
