"""Searching patches: what a search may do, and that every implementation does the same."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from fresco_engine.interpolation.guides import GuideWeights, pack, quarters
from fresco_engine.interpolation.patch_kernels import RADIUS
from fresco_engine.interpolation.patches import (
    CpuPatches,
    Patches,
    PatchProblem,
    Search,
    crowds,
    valid_centres,
)
from fresco_engine.interpolation.patches_torch import TorchPatches
from fresco_engine.interpolation.synthesis import identity
from fresco_media.types import Image

HEIGHT, WIDTH = 40, 48
SHIFT = 5
WEIGHTS = GuideWeights()


def texture(seed: int, width: int = WIDTH) -> Image:
    noise = np.random.default_rng(seed).standard_normal((HEIGHT, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.clip(128 + 50 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def problem(**changes: object) -> PatchProblem:
    """A frame that shows the key moved by five pixels, of which flow knows nothing."""
    wide = texture(0, WIDTH + SHIFT)
    key, frame = wide[:, :WIDTH].copy(), wide[:, SHIFT:].copy()
    style = 255 - key
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    grid = np.stack([x, y], -1)
    both = pack(key, style, WEIGHTS)
    inner = np.zeros((HEIGHT, WIDTH), bool)
    inner[RADIUS:-RADIUS, RADIUS:-RADIUS] = True
    made = PatchProblem(
        target=pack(frame, None, WEIGHTS),
        source=np.concatenate([both, both], axis=1),
        style=np.concatenate([style, style], axis=1),
        position=quarters(np.concatenate([grid, grid], axis=1)),
        wanted=quarters(grid),
        position_weight=WEIGHTS.position_weight(512),
        crowding=WEIGHTS.crowding,
        style_levels=WEIGHTS.style_levels,
        temporal=255 - frame,
        temporal_share=WEIGHTS.temporal_share,
        pixels=np.flatnonzero(inner).astype(np.int32),
        painted=np.arange(HEIGHT * WIDTH, dtype=np.int32),
    )
    return replace(made, **changes)  # pyright: ignore[reportArgumentType]


def begun(patches: Patches, task: PatchProblem) -> Search:
    return patches.begin(task, identity((WIDTH, HEIGHT)), task.style[:, WIDTH:].copy())


def searched(patches: Patches, task: PatchProblem, turns: int = 4) -> Search:
    search = begun(patches, task)
    for turn in range(turns):
        for number, (stride, radii) in enumerate(((2, ()), (1, (8, 2)))):
            search.improve(stride, radii, 8 * turn + number)
        search.paint()
    return search


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as pool:
        yield pool


def test_patches_find_the_motion_that_flow_missed() -> None:
    field, _, picture = searched(CpuPatches(), problem()).result()

    inner = (slice(4, -4), slice(4, -8))
    right = field % WIDTH - np.arange(WIDTH)
    truth = 255 - texture(0, WIDTH + SHIFT)[:, SHIFT:]
    assert (right[inner] == SHIFT).mean() > 0.9
    assert np.abs(picture[inner].astype(int) - truth[inner]).mean() < 3


def test_a_patch_is_only_given_up_for_a_cheaper_one() -> None:
    search = begun(CpuPatches(), problem(crowding=0))
    before = search.result()[1].copy()

    search.improve(1, (8, 2), seed=1)

    after = search.result()[1]
    assert (after <= before).all()
    assert after.sum() < 0.8 * before.sum()


def test_costs_are_those_of_the_field_that_comes_with_them() -> None:
    task = problem()
    search = searched(CpuPatches(), task, turns=1)
    field, costs, picture = search.result()

    again = CpuPatches().begin(task, field, picture).result()[1]

    np.testing.assert_array_equal(costs, again)


def test_whole_patches_stay_inside_one_of_the_two_source_pictures() -> None:
    field = searched(CpuPatches(), problem()).result()[0]

    valid = valid_centres(HEIGHT, WIDTH)
    assert valid[field].all()
    assert valid.sum() == 2 * (HEIGHT - 2 * RADIUS) * (WIDTH - 2 * RADIUS)


@pytest.mark.parametrize("with_temporal", [True, False], ids=["temporal", "no temporal"])
def test_torch_gives_the_same_field_costs_and_picture(with_temporal: bool) -> None:
    task = problem() if with_temporal else problem(temporal=None)

    ours = searched(CpuPatches(), task, turns=2).result()
    theirs = searched(TorchPatches("cpu"), task, turns=2).result()

    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_torch_takes_over_the_same_places_from_another_field() -> None:
    task = problem()
    moved = np.clip(identity((WIDTH, HEIGHT)) - WIDTH + SHIFT, 0, 2 * HEIGHT * WIDTH - 1)
    valid = valid_centres(HEIGHT, WIDTH)
    other = np.where(valid[moved] == 1, moved, identity((WIDTH, HEIGHT))).astype(np.int32)

    fields = []
    for patches in (CpuPatches(), TorchPatches("cpu")):
        search = begun(patches, task)
        search.consider(other)
        fields.append(search.result()[0])

    np.testing.assert_array_equal(*fields)
    assert (fields[0] == other).mean() > 0.7


def test_sharing_the_pixels_among_threads_changes_nothing(threads: ThreadPoolExecutor) -> None:
    everything = np.tile(problem().pixels, 4)
    task = problem(pixels=everything, painted=np.tile(problem().painted, 4))

    alone = searched(CpuPatches(), problem(), turns=2).result()
    shared = searched(CpuPatches(threads, 3), task, turns=2).result()

    np.testing.assert_array_equal(alone[0], shared[0])


def test_a_patch_used_once_a_pixel_costs_nothing_extra_and_a_crowded_one_does() -> None:
    task = problem()
    even = identity((WIDTH, HEIGHT))
    crowded = np.full_like(even, (HEIGHT // 2) * 2 * WIDTH + WIDTH // 2)

    assert crowds(even, task).max() == 0
    assert crowds(crowded, task)[HEIGHT // 2, WIDTH // 2] > 10 * task.crowding


def test_uniformity_spreads_the_use_of_the_key() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    flat[:, ::7] = 124
    task = problem(target=pack(flat, None, WEIGHTS), position_weight=0, temporal=None)

    def most_used(crowding: int) -> int:
        field = searched(CpuPatches(), replace(task, crowding=crowding)).result()[0]
        return int(crowds(field, replace(task, crowding=25)).max())

    assert most_used(WEIGHTS.crowding) < most_used(0)
