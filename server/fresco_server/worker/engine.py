"""The engine as a worker uses it: one device, the last model and clip kept."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.diffusion.model import Model
from fresco_engine.looks import look_controls, look_steps
from fresco_engine.rendering import render
from fresco_engine.settings import settings_from_dict
from fresco_engine.types import Event, LookedFrame

from fresco_server.jobs.job import JobOrder, ModelOrder, Values
from fresco_server.jobs.looks import LookOrder
from fresco_server.jobs.messages import RunJob
from fresco_server.worker.files import check_files
from fresco_server.worker.job_run import folders_beside, result_path
from fresco_server.worker.looked_clip import LookedClip
from fresco_server.worker.media import open_ordered
from fresco_server.worker.models import Models


class DeviceEngine:
    """Restyles on `device`; `holds` is told which model is loaded, by its source."""

    def __init__(self, device: str, holds: Callable[[str | None], None]) -> None:
        self._models = Models(device, holds)
        self._looked_at = LookedClip()

    def render(self, run: RunJob) -> Generator[Event, None, None]:
        """The events of a job; what its folder holds already is not made again."""
        order = run.order
        codec: Any = None if order.codec == "frames" else order.codec
        yield from render(
            open_ordered(order),
            None if codec is None else result_path(run),
            settings_from_dict(order.settings),
            lambda: self._checked_model(order),
            codec=codec,
            overwrite=True,
            checkpoint=FolderCheckpoint(Path(run.folder), partial(folders_beside, run)),
        )

    def model(self, order: ModelOrder, settings: Values) -> Model:
        """The model that an order names, with what its settings name; raises as `Models.get`."""
        return self._models.get(order, settings)

    def _checked_model(self, order: JobOrder) -> Model:
        model = self.model(order.model, order.settings)
        # Files may have been replaced while the clip was looked at, or while they were read.
        check_files(order)
        return model

    def look(self, order: LookOrder) -> Generator[tuple[int, int], None, LookedFrame]:
        """What a look shows: yields denoising steps done and in all, and returns the frame."""
        clip = self._looked_at.open(order)
        settings = settings_from_dict(order.settings)
        model = self.model(order.model, order.settings)
        if order.shows_control:
            return LookedFrame(look_controls(clip, order.index, settings, model))
        steps = look_steps(clip, order.index, settings, model)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            yield step.step, step.steps

    def load(self, source: str | None) -> None:
        """Load a model ahead of its first use."""
        self.model(ModelOrder(source=source), {})
