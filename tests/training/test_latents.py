import numpy as np
import pytest
import torch
from fresco_training.latents import (
    CHANNELS,
    SCALING_FACTOR,
    PatchBasis,
    build_autoencoder,
    fit,
    widened,
)
from fresco_training.scenes import scene


class _Pictures:
    """Stands for the stored pictures: random crops of procedural scenes."""

    def batch(self, size: int, side: int, chances: np.ndarray) -> "_Pictures":
        rng = np.random.default_rng(0)
        pictures = np.stack([scene(rng, 128) for _ in range(size)])
        self.styled = np.round(pictures[:, :side, :side] * 255).astype(np.uint8)
        return self


@pytest.fixture(scope="module")
def basis() -> PatchBasis:
    return fit(_Pictures(), np.ones(1), crops=24)  # type: ignore[arg-type]


def test_the_stock_encoder_computes_the_basis_exactly(basis: PatchBasis) -> None:
    images = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    autoencoder = build_autoencoder(basis)

    with torch.no_grad():
        latents = autoencoder.encode(images * 2 - 1).latents

    torch.testing.assert_close(latents * SCALING_FACTOR, basis.encode(images), atol=2e-3, rtol=1e-3)


def test_latents_of_what_was_fitted_are_white(basis: PatchBasis) -> None:
    pixels = _Pictures().batch(24, 64, np.ones(1)).styled
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255

    latents = basis.encode(images).permute(1, 0, 2, 3).flatten(1)

    torch.testing.assert_close(torch.cov(latents), torch.eye(CHANNELS), atol=0.05, rtol=0)
    assert latents.mean(dim=1).abs().max() < 0.05


def test_a_saved_basis_is_the_same_when_loaded(basis: PatchBasis, tmp_path) -> None:  # noqa: ANN001
    basis.save(tmp_path / "basis.npz")

    loaded = PatchBasis.load(tmp_path / "basis.npz")

    np.testing.assert_array_equal(loaded.weight, basis.weight)
    np.testing.assert_array_equal(loaded.deviation, basis.deviation)


def test_components_come_in_order_of_size(basis: PatchBasis) -> None:
    assert (np.diff(basis.deviation) <= 0).all()


def test_a_widened_basis_keeps_its_channels_and_adds_white_ones(basis: PatchBasis) -> None:
    narrow = PatchBasis(
        weight=basis.weight[:20], bias=basis.bias[:20], deviation=basis.deviation[:20]
    )

    wide = widened(narrow, _Pictures(), np.ones(1), crops=24)  # type: ignore[arg-type]

    np.testing.assert_array_equal(wide.weight[:20], narrow.weight)
    np.testing.assert_allclose(wide.deviation, basis.deviation, rtol=0.02)
    pixels = _Pictures().batch(24, 64, np.ones(1)).styled
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    latents = wide.encode(images).permute(1, 0, 2, 3).flatten(1)
    torch.testing.assert_close(torch.cov(latents), torch.eye(CHANNELS), atol=0.05, rtol=0)
