"""Gradient fusion with torch."""

from __future__ import annotations

import numpy as np
import pytest
from fresco_engine.interpolation.blend import fuse_gradients
from fresco_engine.interpolation.fusion_torch import TorchFusion


@pytest.mark.parametrize(("height", "width"), [(24, 31), (17, 40), (1, 8)])
def test_torch_fuses_as_scipy_does(height: int, width: int) -> None:
    random = np.random.default_rng(0)
    base = random.normal(0, 30, (height, width, 3)).astype(np.float32)
    across = random.normal(0, 10, (height, width - 1, 3)).astype(np.float32)
    down = random.normal(0, 10, (height - 1, width, 3)).astype(np.float32)

    fused = TorchFusion("cpu")(base, across, down)

    np.testing.assert_allclose(fused, fuse_gradients(base, across, down), atol=1e-3)
