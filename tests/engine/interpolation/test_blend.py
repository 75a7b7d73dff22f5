"""The choice between two views, their mix, and gradient fusion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fresco_engine.interpolation.blend import (
    View,
    blend,
    choose,
    fuse_gradients,
    mixed_gradients,
    trust,
)
from scipy import sparse
from scipy.sparse import linalg

WEIGHTS = (6.25, 0.25, 0.25)


def random_field(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def difference_matrix(length: int) -> Any:
    return sparse.eye(length - 1, length, 1) - sparse.eye(length - 1, length)


def solve_plainly(
    base: np.ndarray, across: np.ndarray, down: np.ndarray, weight: float
) -> np.ndarray:
    """The same least-squares problem in float64 by a sparse direct solver."""
    height, width = base.shape
    dx = sparse.kron(sparse.eye(height), difference_matrix(width))
    dy = sparse.kron(difference_matrix(height), sparse.eye(width))
    system = sparse.eye(height * width) + weight * (dx.T @ dx + dy.T @ dy)
    right = base.ravel() + weight * (dx.T @ across.ravel() + dy.T @ down.ravel())
    solved = linalg.spsolve(system.tocsc(), right.astype(np.float64))
    return np.asarray(solved).reshape(height, width)


@pytest.mark.parametrize(("height", "width"), [(24, 31), (17, 40)], ids=["odd-wide", "odd-tall"])
def test_fusion_equals_a_sparse_solve_of_the_same_system(height: int, width: int) -> None:
    base = 30 * random_field(height, width, 3)
    across = 10 * random_field(height, width - 1, 3, seed=1)
    down = 10 * random_field(height - 1, width, 3, seed=2)

    fused = fuse_gradients(base, across, down, WEIGHTS)

    for channel, weight in enumerate(WEIGHTS):
        plain = solve_plainly(base[..., channel], across[..., channel], down[..., channel], weight)
        np.testing.assert_allclose(fused[..., channel], plain, atol=1e-3)


def test_fusing_a_picture_with_its_own_gradients_returns_it() -> None:
    picture = 50 * random_field(33, 20, 3)

    fused = fuse_gradients(picture, np.diff(picture, axis=1), np.diff(picture, axis=0))

    np.testing.assert_allclose(fused, picture, atol=1e-3)


def test_fusion_keeps_the_mean_of_the_base() -> None:
    base = 20 + random_field(16, 16, 3)

    fused = fuse_gradients(base, random_field(16, 15, 3, seed=1), random_field(15, 16, 3, seed=2))

    np.testing.assert_allclose(fused.mean((0, 1)), base.mean((0, 1)), atol=1e-4)


def test_gradients_of_a_choice_show_no_step_between_views_that_differ_by_a_constant() -> None:
    first = 10 * random_field(20, 30, 3)
    last = first + 40
    weight = np.zeros((20, 30), np.float32)
    weight[:, 15:] = 1

    across, down = mixed_gradients(first, last, weight)

    np.testing.assert_allclose(across, np.diff(first, axis=1), atol=1e-4)
    np.testing.assert_allclose(down, np.diff(first, axis=0), atol=1e-4)


def test_gradients_mix_alike_across_and_down() -> None:
    first, last = random_field(9, 7, 3), random_field(9, 7, 3, seed=1)
    weight = np.random.default_rng(2).uniform(size=(9, 7)).astype(np.float32)

    across, down = mixed_gradients(first, last, weight)

    def turned(field: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.swapaxes(field, 0, 1))

    other_across, other_down = mixed_gradients(turned(first), turned(last), turned(weight))
    np.testing.assert_array_equal(turned(other_across), down)
    np.testing.assert_array_equal(turned(other_down), across)
    share = (weight[:, 1:, None] + weight[:, :-1, None]) / 2
    wanted = share * np.diff(first, axis=1) + (1 - share) * np.diff(last, axis=1)
    np.testing.assert_allclose(across, wanted, atol=1e-5)


def test_without_preference_the_weight_falls_linearly_from_key_to_key() -> None:
    indifferent = np.zeros((2, 2), np.float32)

    weights = [float(choose(position / 8, indifferent)[0, 0]) for position in range(9)]

    np.testing.assert_allclose(weights, 1 - np.arange(9) / 8, atol=2e-4)


def test_a_sharper_choice_hands_over_at_the_same_place_but_sooner() -> None:
    indifferent = np.zeros((2, 2), np.float32)

    early, middle, late = (choose(p, indifferent, sharpness=3)[0, 0] for p in (0.3, 0.5, 0.7))

    assert early > 0.9
    assert middle == pytest.approx(0.5)
    assert late < 0.1


def test_the_view_that_sees_a_pixel_wins_over_a_nearer_one_that_does_not() -> None:
    lab = np.zeros((4, 4, 3), np.float32)
    none, full = np.zeros((4, 4), np.float32), np.ones((4, 4), np.float32)
    hidden, seen = View(lab, 0.5 * full, none), View(lab, none, full)

    weight = choose(0.25, trust(hidden, 0.06) - trust(seen, 0.06))

    assert weight.max() < 0.01


def test_blending_unlike_textures_keeps_their_contrast() -> None:
    first, last = (50 + 10 * random_field(64, 64, 3, seed=seed) for seed in (0, 1))
    half = np.full((64, 64), 0.5, np.float32)

    mixed = blend(first, last, half)

    assert (0.5 * (first + last))[..., 0].std() < 0.75 * first[..., 0].std()
    assert mixed[..., 0].std() > 0.9 * first[..., 0].std()


def test_blending_a_picture_with_itself_changes_nothing() -> None:
    picture = 50 + 10 * random_field(40, 56, 3)
    weight = np.linspace(0, 1, 40 * 56, dtype=np.float32).reshape(40, 56)

    mixed = blend(picture, picture, weight)

    np.testing.assert_allclose(mixed, picture, atol=0.05)
