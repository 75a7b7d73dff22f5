"""Steps and minutes are counted over all runs, and a polite kill is heard."""

import os
import signal
from pathlib import Path

import pytest
import torch
from fresco_training import pace


@pytest.fixture(autouse=True)
def handler():  # noqa: ANN201
    """The signal's handler is put back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_training_ends_after_its_steps_in_however_many_runs() -> None:
    first = pace.Pace(5, None)
    for _ in range(3):
        first.count(1.0)
    second = pace.Pace(5, None)

    second.restore(first.state())
    taken = 0
    while second.goes_on:
        second.count(1.0)
        taken += 1

    assert taken == 2


def test_minutes_take_the_place_of_steps() -> None:
    timed = pace.Pace(1, 2.0)

    timed.restore({"step": 10_000, "seconds": 60.0})

    assert timed.progress == pytest.approx(0.5)
    assert timed.goes_on


def test_the_rate_rises_quickly_and_falls_to_the_end() -> None:
    paced = pace.Pace(1000, None)
    rates = []
    for step in (0, 99, 500, 1000):
        paced.step = step
        rates.append(paced.rate(warm_up=100, least=0.01))

    assert rates[0] == pytest.approx(0.01, abs=1e-3)
    assert rates[1] > 0.95 > rates[2] > rates[3]
    assert rates[3] == pytest.approx(0.01)


def test_a_polite_kill_ends_the_training_after_its_step() -> None:
    paced = pace.Pace(1000, None)
    paced.begin()

    os.kill(os.getpid(), signal.SIGTERM)

    assert not paced.goes_on


def test_a_checkpoint_takes_the_place_of_the_old_one_at_once(tmp_path: Path) -> None:
    path = tmp_path / "unet.pt"
    pace.save({"step": 1}, path)

    pace.save({"step": 2}, path)

    assert torch.load(path, weights_only=True) == {"step": 2}
    assert list(tmp_path.iterdir()) == [path]
