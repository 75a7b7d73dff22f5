from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_training import data, sources
from fresco_training.conditions import ConditionShares, canny, random_conditions
from fresco_training.scenes import colour_field, scene
from fresco_training.styles import STYLES


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Two pictures in every style; each pixel tells its picture, style and position."""
    shape = (2, len(STYLES), data.SIDE, data.SIDE, 3)
    store = np.zeros(shape, np.uint8)
    store[..., 0] = np.arange(2)[:, None, None, None] * 100
    store[..., 1] += np.arange(len(STYLES), dtype=np.uint8)[None, :, None, None]
    store[..., 2] += (np.arange(data.SIDE) % data.LATENT_PATCH).astype(np.uint8)[None, None, None]
    np.save(tmp_path / "pictures.npy", store)
    return tmp_path / "pictures.npy"


def test_a_batch_pairs_each_photo_with_its_own_styled_version(stored: Path) -> None:
    chances = np.full(len(STYLES), 1 / len(STYLES))

    batch = data.Dataset(stored, seed=0).batch(32, 64, chances)

    assert batch.photo.shape == batch.styled.shape == (32, 64, 64, 3)
    np.testing.assert_array_equal(batch.photo[..., 0], batch.styled[..., 0])
    np.testing.assert_array_equal(batch.photo[..., 2], batch.styled[..., 2])
    np.testing.assert_array_equal(batch.styled[:, 0, 0, 1], batch.styles)


def test_crops_lie_on_the_latent_grid(stored: Path) -> None:
    batch = data.Dataset(stored, seed=0).batch(32, 64, np.eye(len(STYLES))[4])

    first = batch.styled[:, 0, 0, 2]

    assert set(first.tolist()) <= {0, data.LATENT_PATCH - 1}  # The latter where mirrored.


def test_a_scene_depends_on_its_seed_alone() -> None:
    one, same, other = (scene(np.random.default_rng(seed), 64) for seed in (1, 1, 2))

    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).mean() > 0.02


@pytest.mark.parametrize("make", [scene, colour_field])
def test_procedural_pictures_stay_in_range(make) -> None:  # noqa: ANN001
    picture = make(np.random.default_rng(0), 80)

    assert picture.shape == (80, 80, 3)
    assert 0.0 <= picture.min() < picture.max() <= 1.0


def test_crops_and_jitter_give_full_squares_in_range() -> None:
    rng = np.random.default_rng(0)
    photograph = scene(rng, 200)[:150]

    squares = [sources.jitter(sources.crop(photograph, rng, 96), rng) for _ in range(8)]

    assert all(square.shape == (96, 96, 3) for square in squares)
    assert all(square.min() >= 0.0 and square.max() <= 1.0 for square in squares)


def test_a_view_into_a_panorama_keeps_the_sky_above() -> None:
    panorama = np.zeros((64, 128, 3), np.float32)
    panorama[:32] = [0.2, 0.4, 0.9]

    view = sources.perspective(panorama, np.random.default_rng(0), 48)

    assert view[0, :, 2].mean() > 0.8
    assert view[-1].max() < 0.1


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")

    with pytest.raises(FileNotFoundError, match=r"broken\.png"):
        sources.load(broken)


def test_canny_finds_the_rim_of_a_square() -> None:
    photo = np.zeros((40, 40, 3), np.uint8)
    cv2.rectangle(photo, (10, 10), (29, 29), (255, 255, 255), -1)

    edges = canny(photo, (100, 200))

    assert edges.shape == photo.shape
    assert edges[8:12, 15:25].max() == 255
    assert edges[15:25, 15:25].max() == 0


def test_conditions_come_in_the_asked_shares() -> None:
    photos = np.full((400, 16, 16, 3), (200, 100, 50), np.uint8)
    shares = ConditionShares(none=0.25, canny=0.5, blurred=0.0, grey=0.25)

    images, heard = random_conditions(photos, shares, np.random.default_rng(0))

    black = (images.amax(dim=(1, 2, 3)) == 0).float().mean()
    grey = ((images[:, 0] == images[:, 2]).flatten(1).all(1)).float().mean() - black
    assert images.shape == (400, 3, 16, 16)
    assert heard.float().mean() == pytest.approx(0.75, abs=0.08)
    assert black == pytest.approx(0.5, abs=0.08)
    assert grey == pytest.approx(0.25, abs=0.08)
