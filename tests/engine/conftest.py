"""A tiny random model and small clips that the tests of the whole pipeline share."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_media.clip import Clip
from fresco_media.types import Image

from tests.fakes.tiny_models import write_model_folder

MakeClip = Callable[..., Clip]


def scene(
    frame_count: int, *, cut_at: int | None = None, size: tuple[int, int] = (80, 64)
) -> list[Image]:
    """A textured background that pans, a square that moves on its own, and perhaps a cut."""
    width, height = size
    pictures: list[Image] = []
    for index in range(frame_count):
        is_second = cut_at is not None and index >= cut_at
        random = np.random.default_rng(int(is_second))
        coarse = random.integers(0, 120, (height // 8 + 4, width // 8 + 12, 3))
        texture = np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8) + (120 if is_second else 0)
        shift = index % 40
        picture = texture[8 : 8 + height, shift : shift + width].copy()
        left = (3 * index) % (width - 20)
        picture[20:40, left : left + 20] = (250, 40, 40) if not is_second else (20, 20, 200)
        pictures.append(picture)
    return pictures


def write_clip(path: Path, pictures: list[Image], rate: Fraction = Fraction(24)) -> Path:
    """A lossless video of `pictures`, also of straight RGBA ones, if `path` is a .mov."""
    has_alpha = pictures[0].shape[2] == 4
    kind = "rgba" if has_alpha else "rgb24"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png" if has_alpha else "libx264rgb", rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = kind
        stream.options = {} if has_alpha else {"crf": "0", "preset": "ultrafast"}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format=kind)))
        container.mux(stream.encode(None))
    return path


def with_hole(pictures: list[Image], *, until: int) -> list[Image]:
    """`pictures` as straight RGBA, the first `until` of them fading to nothing at the left."""
    height, width = pictures[0].shape[:2]
    soft = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width))
    opaque = np.full((height, width), 255, np.uint8)
    return [
        np.dstack([picture, soft if index < until else opaque])
        for index, picture in enumerate(pictures)
    ]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Makes a small clip; keywords as for `scene`."""

    def make(frame_count: int, **changes: object) -> Clip:
        path = tmp_path / f"clip{frame_count}.mp4"
        return Clip.open(write_clip(path, scene(frame_count, **changes)))  # pyright: ignore[reportArgumentType]

    return make


def write_tiny_model(folder: Path) -> Path:
    """A model folder with tiny random networks."""
    return write_model_folder(
        folder,
        vae="tiny",
        channels=4,
        card={
            "name": "tiny",
            "controls": {"tile": "controlnet"},
            "defaults": {"control": "tile", "steps": 3, "guidance_scale": 2.0, "strength": 0.7},
        },
    )


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A whole model with tiny random networks."""
    return load_model(write_tiny_model(tmp_path_factory.mktemp("tiny")), device="cpu")
