"""A worker leaves its job soon after it was asked to, whatever the job is at.

The daemon kills it after two seconds; before, it is for the worker to look, between two calls of
the model, at what it was ordered meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from fresco_client.events import StateChanged
from fresco_client.values import JobState
from fresco_engine.settings import RestyleSettings
from fresco_media.clip import Clip
from fresco_server.jobs.job import JobOrder, ModelOrder
from fresco_server.jobs.messages import JobMoved, JobStopped, Order, RunJob, StopJob
from fresco_server.worker.channel import Channel
from fresco_server.worker.device_worker import DeviceWorker
from fresco_server.worker.engine import DeviceEngine
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from tests.engine.conftest import scene, write_clip, write_tiny_model
from tests.engine.runs import JOBS

_STEPS = 2
EDIT = JOBS["edit"]
HELD = {"hold_layout": 1.0, "hold_words": 1.0, "region": "words"}


class _Gone(Exception):
    """The daemon has ended."""


class _Daemon:
    """Orders one job, and its end in the midst of the model's `at_call`th call or as it enters
    `at_state`.
    """

    def __init__(
        self, order: RunJob, *, at_call: int | None = None, at_state: JobState | None = None
    ) -> None:
        self.calls: list[bool] = []
        """Of the model; whether the end was ordered before."""
        self.heard: list[Any] = []
        """After the end was ordered."""
        self._job = order.job
        self._orders: list[Order] = [order]
        self._at_call, self._at_state = at_call, at_state
        self._is_stopping = False

    def next(self, timeout_s: float | None = None) -> Order | None:
        """The next order, if there is one."""
        if self._orders:
            return self._orders.pop()
        if timeout_s == 0:
            return None
        raise _Gone

    def send(self, message: Any) -> None:
        """Hears what the worker tells."""
        if self._is_stopping:
            self.heard.append(message)
        event = message.event if isinstance(message, JobMoved) else None
        if isinstance(event, StateChanged) and event.state is self._at_state:
            self._stop()

    def sees(self, module: nn.Module, _: Any) -> None:
        """A network is called."""
        if isinstance(module, UNet2DConditionModel):
            self.calls.append(self._is_stopping)
            if len(self.calls) == self._at_call:
                self._stop()

    def _stop(self) -> None:
        self._orders.append(StopJob(job=self._job))
        self._is_stopping = True


@pytest.fixture(scope="module")
def engine() -> DeviceEngine:
    """The real engine; it keeps the model that it has loaded."""
    return DeviceEngine("cpu", lambda source: None)


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> JobOrder:
    """A restyle of a few frames."""
    folder = tmp_path_factory.mktemp("ordered")
    clip = write_clip(folder / "clip.mp4", scene(6))
    return JobOrder(
        clip=str(clip),
        settings=JOBS["restyle"].as_dict(),
        model=ModelOrder(source=str(write_tiny_model(folder / "model"))),
        codec="frames",
        clip_state=Clip.open(clip).state,
    )


def _run(order: JobOrder, settings: RestyleSettings, folder: Path) -> RunJob:
    folder.mkdir()
    settings = replace(settings, steps=_STEPS, strength=1.0)
    return RunJob(
        job="a", folder=str(folder), order=replace(order, settings=settings.as_dict()), restarts=0
    )


def _work(engine: DeviceEngine, daemon: _Daemon) -> _Daemon:
    hook = register_module_forward_pre_hook(daemon.sees)
    try:
        with pytest.raises(_Gone):
            DeviceWorker(cast(Channel, daemon), engine).serve()
    finally:
        hook.remove()
    return daemon


def _moments() -> Iterator[Any]:
    """In what call the end is ordered, and how many there are until the worker looks again.

    An edit has a call for each step back to the clip, or four as it is iterated to its fixed
    point; then, like a restyle, one that shows the method the clip, and those of its own steps,
    before each of which the clip's own latents are seen if it holds on to them.
    """
    yield pytest.param(JOBS["restyle"], 1, 1, id="restyle, seeing the clip")
    yield pytest.param(JOBS["restyle"], 2, 0, id="restyle, first step")
    for call in range(1, _STEPS + 1):
        yield pytest.param(EDIT, call, 0, id=f"inversion, step {call}")
    yield pytest.param(EDIT, _STEPS + 1, 1, id="edit, seeing the clip")
    yield pytest.param(EDIT, _STEPS + 2, 0, id="edit, first step")
    followed = replace(EDIT, inversion="ddim", sampler="ddim")
    yield pytest.param(followed, 1, 3, id="inversion by ddim, first round")
    held: Any = replace(EDIT, **HELD)
    yield pytest.param(held, _STEPS + 1, 2, id="edit that holds on, seeing the clip")
    yield pytest.param(held, _STEPS + 4, 1, id="edit that holds on, second step")


@pytest.mark.parametrize(("settings", "call", "more"), list(_moments()))
def test_a_job_is_left_at_the_end_of_the_step_in_which_that_was_asked(
    engine: DeviceEngine,
    order: JobOrder,
    tmp_path: Path,
    settings: RestyleSettings,
    call: int,
    more: int,
) -> None:
    daemon = _Daemon(_run(order, settings, tmp_path / "job"), at_call=call)

    _work(engine, daemon)

    assert daemon.calls == [False] * call + [True] * more
    assert daemon.heard[-1] == JobStopped(job="a")


@pytest.mark.parametrize("mode", JOBS)
@pytest.mark.parametrize("state", [JobState.TRANSLATING, JobState.INTERPOLATING])
def test_a_job_is_left_as_soon_as_it_has_told_where_it_is(
    engine: DeviceEngine, order: JobOrder, tmp_path: Path, mode: str, state: JobState
) -> None:
    daemon = _Daemon(_run(order, JOBS[mode], tmp_path / "job"), at_state=state)

    _work(engine, daemon)

    assert not any(daemon.calls)
    assert daemon.heard == [JobStopped(job="a")]
