"""Which device a question goes to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from fresco_server.errors import DeviceUnknown
from fresco_server.jobs import runner_pool
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.runner_pool import RunnerPool
from fresco_server.settings import ServerSettings

MakePool = Callable[..., RunnerPool]


class _Runner:
    """A runner in one state, which works on nothing."""

    can_start = True
    is_replaceable: Callable[[], bool] | None = None

    def __init__(self, device_id: str, state: Any) -> None:
        self.device_id = device_id
        self.info = DeviceInfo(id=device_id, name=device_id, state=state)

    def start(self) -> None:
        """Begin."""


@pytest.fixture
def make_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePool:
    """Makes a pool of the devices whose states are given, each named for its state."""

    def make(*states: str) -> RunnerPool:
        runners = tuple(_Runner(state, state) for state in states)
        monkeypatch.setattr(runner_pool, "_runners_found", lambda *_: runners)
        nothing = cast(Any, None)
        pool = RunnerPool(ServerSettings(data=tmp_path), nothing, nothing)
        pool.start()
        return pool

    return make


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        (("busy", "ready"), "ready"),
        (("busy", "starting", "stopped"), "stopped"),
        (("busy", "starting"), "starting"),
    ],
)
def test_a_look_goes_to_the_device_with_least_to_do(
    make_pool: MakePool, states: tuple[str, ...], chosen: str
) -> None:
    pool = make_pool(*states)

    assert pool.runner_for("").device_id == chosen
    assert pool.runner_for("", is_first=True).device_id == "busy"
    assert pool.runner_for("busy").device_id == "busy"


def test_a_device_that_is_not_there_is_refused_with_those_that_are(make_pool: MakePool) -> None:
    pool = make_pool("busy", "ready")

    pool.check("ready")
    with pytest.raises(DeviceUnknown, match="no device 'gone'; there is busy, ready"):
        pool.check("gone")


@pytest.mark.parametrize(
    ("states", "is_busy"), [(("ready", "stopped"), False), (("ready", "busy"), True)]
)
def test_a_pool_is_busy_while_one_of_its_devices_is(
    make_pool: MakePool, states: tuple[str, ...], is_busy: bool
) -> None:
    pool = make_pool(*states)
    pool.check(states[0])  # the devices are known by now

    assert pool.is_busy is is_busy
