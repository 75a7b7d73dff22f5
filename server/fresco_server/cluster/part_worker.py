"""What works on one device of a cluster: makes the parts of jobs that it is given, and looks.

An actor of Ray's, but it knows nothing of Ray. Parts are made one after the other; a look is made
between two steps of a part, as on a single machine.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace

from fresco_client.values import Failure
from fresco_engine.checkpoint import ScratchCheckpoint, StoredPlan
from fresco_engine.errors import OutputError
from fresco_engine.lazy_model import LazyModel
from fresco_engine.parts import BatchPart, SpanPart, make_batch, make_frames_of, make_plan
from fresco_engine.pipeline_stage import PipelineStageClosed
from fresco_engine.settings import settings_from_dict
from fresco_engine.types import Progress, RunWarned
from fresco_media.clip import Clip
from fresco_media.stills.png import encode_png

from fresco_server.cluster.files import (
    SourceCache,
    SourceGone,
    check_models,
    placed,
    placed_settings,
)
from fresco_server.cluster.orders import (
    Answer,
    LookAnswer,
    Looked,
    Needs,
    PartEnded,
    PartOrder,
    PartWarned,
    SourceFile,
    Stepped,
    Stored,
    WorkerFacts,
)
from fresco_server.cluster.scratch import part_folder, remove_afterwards, shared_folder
from fresco_server.cluster.version import installed
from fresco_server.jobs.job import ModelOrder
from fresco_server.jobs.looks import LookOrder
from fresco_server.worker.devices import list_devices
from fresco_server.worker.digests import DigestStopped
from fresco_server.worker.engine import DeviceEngine
from fresco_server.worker.faults import failure_of
from fresco_server.worker.media import open_clip

_NICENESS = 5


class PartWorker:
    """Works on `device`; `token` names the folder that all workers of a daemon share here."""

    def __init__(self, device: str, token: str) -> None:
        os.nice(_NICENESS)
        self._device = device
        self._folder = shared_folder(token)
        remove_afterwards(self._folder)
        self._cache = SourceCache(self._folder)
        self._engine = DeviceEngine(device, lambda _: None)
        self._stopped: set[str] = set()
        self._one_at_a_time = threading.Lock()
        self._looks_waiting = 0

    def facts(self) -> WorkerFacts:
        """What it is."""
        return WorkerFacts(
            installed=installed(),
            device=list_devices(self._device)[0],
            process_id=os.getpid(),
        )

    def missing(self, needs: Needs) -> tuple[SourceFile, ...]:
        """Files that have to be sent here before a job can be worked on."""
        return self._cache.missing(needs)

    def make_room(self, in_use: frozenset[str], wanted_bytes: int) -> None:
        """See `SourceCache.make_room`."""
        self._cache.make_room(in_use, wanted_bytes)

    def receive(self, file: SourceFile, offset: int, data: bytes) -> Failure | None:
        """Take in a piece of a file, see `SourceCache.write`; why that cannot be."""
        try:
            self._cache.write(file, offset, data)
        except OutputError as error:
            return failure_of(error)
        return None

    def process_id(self) -> int:
        """Its process, which answers."""
        return os.getpid()

    def stop(self, token: str) -> None:
        """End the part or the look that was ordered with `token`; from any thread."""
        self._stopped.add(token)

    # Parts

    def make(self, order: PartOrder) -> Generator[Answer, None, None]:
        """Make a part; what is stored, and how far it is, comes as it is known."""
        try:
            yield from self._made(order)
        except SourceGone:
            yield PartEnded(lacks_files=True)
        except DigestStopped:
            yield PartEnded()
        # The process lives on, and the daemon is told, whatever it was.
        except Exception as error:  # noqa: BLE001
            yield PartEnded(failure=failure_of(error))
        finally:
            self._stopped.discard(order.token)

    def _made(self, order: PartOrder) -> Generator[Answer, None, None]:
        check_models(order.needs.models, lambda: order.token not in self._stopped)
        path, settings = placed(order.order, self._places(order.needs))
        with part_folder(self._folder) as folder:
            checkpoint = ScratchCheckpoint(folder, order.files)
            clip = open_clip(path, order.order.frame_rate)
            model = LazyModel(lambda: self._engine.model(order.order.model, settings), self._device)
            work = self._work(order, settings, clip, model, checkpoint)
            is_made = yield from self._answers(order.token, work, checkpoint)
        yield PartEnded(is_made=is_made)

    def _work(
        self,
        order: PartOrder,
        settings: dict[str, object],
        clip: Clip,
        model: LazyModel,
        checkpoint: ScratchCheckpoint,
    ) -> Generator[Answer, None, bool]:
        part = order.part
        if part is None:
            yield from _planning(make_plan(clip, settings_from_dict(settings), model, checkpoint))
            return True
        plan = checkpoint.sound_plan()
        values = placed_settings(plan.settings.as_dict(), self._places(order.needs))
        plan = replace(plan, settings=settings_from_dict(values))
        if isinstance(part, BatchPart):
            return (yield from _translating(make_batch(clip, plan, model, checkpoint, part)))
        for _ in self._frames(order.token, clip, plan, model, checkpoint, part):
            yield Stepped(0)
        return True

    def _places(self, needs: Needs) -> dict[str, str]:
        """Where the sources are here, by their names in the order."""
        return {source.name: self._cache.place(source) for source in needs.sources}

    def _frames(
        self,
        token: str,
        clip: Clip,
        plan: StoredPlan,
        model: LazyModel,
        checkpoint: ScratchCheckpoint,
        part: SpanPart,
    ) -> Iterator[int]:
        def check() -> None:
            if token in self._stopped:
                raise PipelineStageClosed

        try:
            yield from make_frames_of(clip, plan, model, checkpoint, part, check)
        except PipelineStageClosed:
            return

    def _answers(
        self, token: str, work: Generator[Answer, None, bool], checkpoint: ScratchCheckpoint
    ) -> Generator[Answer, None, bool]:
        """What `work` tells and stores; whether it came to its end."""
        with closing(work):
            while token not in self._stopped:
                self._let_looks_go_first()
                answer: Answer | None = None
                is_made: bool | None = None
                with self._one_at_a_time:
                    try:
                        answer = next(work)
                    except StopIteration as end:
                        is_made = end.value
                if files := tuple(checkpoint.taken()):
                    yield Stored(files)
                if is_made is not None:
                    return is_made and token not in self._stopped
                if answer is not None:
                    yield answer
        return False

    def _let_looks_go_first(self) -> None:
        while self._looks_waiting:
            with self._one_at_a_time:
                pass

    # Looks and models

    def look(self, token: str, order: LookOrder, needs: Needs) -> Generator[LookAnswer, None, None]:
        """Make a look: its steps, and then its pictures."""
        self._looks_waiting += 1
        try:
            with self._one_at_a_time:
                self._looks_waiting -= 1
                yield from self._looked(token, order, needs)
        except SourceGone:
            yield LookAnswer(lacks_files=True)
        except DigestStopped:
            return
        # As for a part: the process lives on.
        except Exception as error:  # noqa: BLE001
            yield LookAnswer(failure=failure_of(error))
        finally:
            self._stopped.discard(token)

    def _looked(
        self, token: str, order: LookOrder, needs: Needs
    ) -> Generator[LookAnswer, None, None]:
        check_models(needs.models, lambda: token not in self._stopped)
        places = self._places(needs)
        settings = placed_settings(order.settings, places)
        clip = places.get(order.clip, order.clip)
        steps = self._engine.look(replace(order, clip=clip, settings=settings))
        while token not in self._stopped:
            try:
                done, total = next(steps)
            except StopIteration as end:
                looked = end.value
                matte = None if looked.matte is None else encode_png(looked.matte)
                picture = encode_png(looked.image, mask=looked.region)
                yield LookAnswer(picture=picture, matte=matte)
                return
            yield LookAnswer(done, total)
        steps.close()

    def load(self, model: ModelOrder, needs: Needs) -> PartEnded:
        """Load a model ahead of its first use."""
        try:
            check_models(needs.models)
            with self._one_at_a_time:
                self._engine.model(model, {})
        # As for a part: the process lives on.
        except Exception as error:  # noqa: BLE001
            return PartEnded(failure=failure_of(error))
        return PartEnded(is_made=True)


def _planning(items: Generator[Progress | RunWarned, None, None]) -> Generator[Answer, None, None]:
    for item in items:
        # What there is to warn of is in the plan.
        if isinstance(item, Progress):
            yield Looked(item.done, item.total)


def _translating(
    items: Generator[Progress | RunWarned, None, bool],
) -> Generator[Answer, None, bool]:
    seen = 0
    while True:
        try:
            item = next(items)
        except StopIteration as end:
            return end.value
        if isinstance(item, RunWarned):
            yield PartWarned(item.message)
        else:
            yield Stepped(round(item.done) - seen)
            seen = round(item.done)
