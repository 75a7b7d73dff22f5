"""Noise that moves with the picture stays white; the other kinds are what they say."""

from typing import get_args

import numpy as np
import pytest
import torch
from fresco_engine.correspondence.origins import Origins, trace_origins
from fresco_engine.diffusion.noise import make_noise
from fresco_engine.settings import NoiseKind
from torch import Tensor

FRAMES, CELL, HEIGHT, WIDTH = 3, 8, 24, 32


def origins_of(flow: Tensor, hidden: Tensor | None = None) -> list[Origins]:
    """Every frame follows the one before by the same flow (2, H, W)."""
    known = torch.ones(FRAMES - 1, *flow.shape[1:], dtype=torch.bool)
    if hidden is not None:
        known &= ~hidden
    return trace_origins(flow.expand(FRAMES - 1, -1, -1, -1), known, range(FRAMES))


def shift(x: float, y: float = 0.0) -> Tensor:
    flow = torch.zeros(2, CELL * HEIGHT, CELL * WIDTH)
    flow[0], flow[1] = x, y
    return flow


def zoom(factor: float) -> Tensor:
    y, x = torch.meshgrid(
        torch.arange(CELL * HEIGHT) - 4.0 * HEIGHT, torch.arange(CELL * WIDTH) - 4.0 * WIDTH,
        indexing="ij",
    )  # fmt: skip
    return torch.stack([x, y]) * (factor - 1)


def swirl() -> Tensor:
    y, x = torch.meshgrid(
        torch.arange(CELL * HEIGHT) / 20, torch.arange(CELL * WIDTH) / 17, indexing="ij"
    )
    return 6 * torch.stack([torch.sin(y) + torch.cos(2 * x), torch.cos(x + y)])


def noise_of(
    origins: list[Origins], kind: NoiseKind = "flow", seeds: tuple[int, ...] = (3,) * FRAMES
) -> Tensor:
    shape = (16, HEIGHT, WIDTH)
    numbers = range(FRAMES)
    return make_noise(kind, seeds=seeds, numbers=numbers, shape=shape, origins=origins).draw()


def correlation(one: Tensor, two: Tensor) -> float:
    return float(np.corrcoef(one.flatten().numpy(), two.flatten().numpy())[0, 1])


@pytest.mark.parametrize(
    "flow",
    [shift(0), shift(3.3, -1.7), shift(8), zoom(0.5), zoom(0.8), zoom(1.7), swirl()],
    ids=["still", "fraction", "cell", "magnified", "nearer", "farther", "swirl"],
)
def test_every_frames_noise_stays_white(flow: Tensor) -> None:
    for frame in noise_of(origins_of(flow)):
        assert abs(frame.mean()) < 0.04
        assert abs(frame.std() - 1) < 0.04
        for down, across in [(0, 1), (1, 0), (1, 1), (0, 2)]:
            one = frame[:, : HEIGHT - down, : WIDTH - across]
            assert abs(correlation(one, frame[:, down:, across:])) < 0.045
        assert abs(correlation(frame[:8], frame[8:])) < 0.045
        # The tails too: of a normal distribution 4.55 % lie beyond two deviations.
        assert abs((frame.abs() > 2).float().mean() - 0.0455) < 0.01


def test_noise_moves_with_the_picture() -> None:
    noise = noise_of(origins_of(shift(-CELL, 2 * CELL)))

    # At the borders, pixels from outside share what is left of the outermost cells.
    assert torch.equal(noise[1][:, :-3, 2:], noise[0][:, 2:-1, 1:-1])
    assert abs(correlation(noise[1], noise[0])) < 0.04


def test_a_fraction_of_a_cell_carries_the_share_that_overlaps() -> None:
    noise = noise_of(origins_of(shift(-2)))

    assert correlation(noise[1], noise[0]) == pytest.approx(0.75, abs=0.03)


def test_magnified_noise_keeps_what_it_was_split_from() -> None:
    # Twice as near: four cells show what one did, and together are its noise.
    noise = noise_of(origins_of(zoom(0.5)))

    together = noise[1].unfold(1, 2, 2).unfold(2, 2, 2).sum((3, 4)) / 2
    middle = noise[0][:, HEIGHT // 4 : 3 * HEIGHT // 4, WIDTH // 4 : 3 * WIDTH // 4]
    assert correlation(together, middle) > 0.85


def test_what_was_hidden_has_noise_of_its_own() -> None:
    hidden = torch.zeros(CELL * HEIGHT, CELL * WIDTH, dtype=torch.bool)
    hidden[:, : 16 * CELL] = True

    noise = noise_of(origins_of(shift(0), hidden))

    assert torch.equal(noise[1][..., 16:], noise[0][..., 16:])
    assert abs(correlation(noise[1][..., :16], noise[0][..., :16])) < 0.05
    assert abs(correlation(noise[2][..., :16], noise[1][..., :16])) < 0.05


def test_a_seed_of_its_own_changes_that_frame_alone() -> None:
    plain, other = noise_of(origins_of(swirl())), noise_of(origins_of(swirl()), seeds=(3, 4, 3))

    assert torch.equal(plain[0], other[0])
    assert torch.equal(plain[2], other[2])
    assert abs(correlation(plain[1], other[1])) < 0.04


@pytest.mark.parametrize("kind", get_args(NoiseKind))
def test_each_draw_is_new_and_the_same_every_time(kind: NoiseKind) -> None:
    def draws() -> list[Tensor]:
        noise = make_noise(
            kind, seeds=(1, 1, 1), numbers=range(FRAMES), shape=(4, HEIGHT, WIDTH),
            origins=origins_of(swirl()),
        )  # fmt: skip
        return [noise.draw(), noise.draw()]

    one, two = draws(), draws()

    assert all(map(torch.equal, one, two))
    assert abs(correlation(*one)) < 0.04


def test_shared_noise_is_one_for_all_and_own_noise_none() -> None:
    still = origins_of(shift(0))

    shared, own = noise_of(still, "shared"), noise_of(still, "own")

    assert torch.equal(shared[0], shared[2])
    assert abs(correlation(own[0], own[1])) < 0.04
