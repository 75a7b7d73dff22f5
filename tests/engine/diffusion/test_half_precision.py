"""In half precision the full method makes the picture that it makes in single precision."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.batch_run import KeyframeBatch
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.sampler import translate
from fresco_engine.progress_tracker import drained
from fresco_engine.sample import sample_clip_path
from fresco_engine.settings import RestyleSettings
from fresco_media.clip import Clip
from fresco_media.types import Image

SIZE = 128


def frames() -> tuple[Image, ...]:
    clip = Clip.open(sample_clip_path())
    return tuple(frame.image for frame in clip.frames_at([0, 8, 16, 24], size=(SIZE, SIZE)))


def translated(model: Model) -> np.ndarray:
    images = frames()
    settings = model.resolved(RestyleSettings(prompt="", style="watercolour"))
    prompts = ("watercolour",) * len(images)
    batch = KeyframeBatch(indices=(0, 8, 16, 24), images=images, prompts=prompts)
    result = drained(translate(model, batch, settings, correspond(images, DisFlow())))
    return np.stack(result.images).astype(np.float32) / 255


def in_precision(model: Model, dtype: torch.dtype) -> Model:
    (control,) = model.controls
    return replace(
        model,
        unet=model.unet.to(dtype),
        vae=model.vae.to(dtype),
        text_encoder=model.text_encoder.to(dtype),
        controls=(replace(control, network=control.network.to(dtype)),),
        dtype=dtype,
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_the_full_method_stays_within_35_db(dtype: torch.dtype) -> None:
    expected = translated(load_model(device="cpu"))

    result = translated(in_precision(load_model(device="cpu"), dtype))

    error = np.square(result - expected).mean()
    assert np.isfinite(error)
    assert -10 * np.log10(error) > 35
