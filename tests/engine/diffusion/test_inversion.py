"""An edit leads back to its input where nothing is changed, and keeps what words leave alone."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence, correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.batch_run import StepDone, Translation
from fresco_engine.diffusion.editing import inversion
from fresco_engine.diffusion.latents import decode_latents, encode_images
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.sampler import translate
from fresco_engine.diffusion.samplers import batch_steps
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import AttentionSettings, SamplerKind
from fresco_media.types import Image

from tests.engine.diffusion.batches import CARD, PLAIN, batch_of, run
from tests.engine.diffusion.stock import STOCK
from tests.fakes.tiny_models import write_model_folder

SAME = replace(PLAIN, mode="edit", source_prompt="blue", guidance_scale=1.0)


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    write_model_folder(
        folder,
        vae="tiny",
        channels=6,
        prediction_type=request.param,
        card=CARD,
    )
    return load_model(folder, control="tile", device="cpu")


def clean_of(model: Model, images: tuple[Image, ...]) -> torch.Tensor:
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return encode_images(model, pictures).float()


def last_of(translation: Translation) -> torch.Tensor:
    return translation.latents[-1][-1:]


@pytest.mark.parametrize("sampler", STOCK)
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_with_the_same_words_and_no_guidance_the_input_comes_back(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    sampler: SamplerKind,
    strength: float,
) -> None:
    settings = replace(SAME, sampler=sampler, strength=strength)

    translation = run(model, images, correspondence, settings)

    clean = clean_of(model, images)
    torch.testing.assert_close(last_of(translation), clean[-1:], atol=1e-4, rtol=0)
    for image, latent in zip(translation.images, clean, strict=True):
        again = (decode_latents(model, latent[None])[0].permute(1, 2, 0) + 1) * 127.5
        assert np.abs(image - again.numpy()).max() < 1


def test_ddim_comes_back_by_iterating_each_step(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = replace(SAME, inversion="ddim", strength=0.5)
    clean = clean_of(model, images)[-1:]
    # A network that was trained hardly changes its mind within a step; random ones do.
    calm: Any = deepcopy(model.unet)
    calm.conv_out.weight.mul_(0.1)
    model = replace(model, unet=calm)

    def error(steps: int) -> float:
        found = last_of(run(model, images, correspondence, replace(settings, steps=steps)))
        return float((found - clean).square().mean() / clean.square().mean())

    refined = error(20)
    monkeypatch.setattr(inversion, "_REFINEMENTS", 0)
    assert refined < 0.001
    assert refined < 0.5 * error(20)


def test_other_words_change_the_picture_and_less_so_where_all_is_kept(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    settings = replace(SAME, prompt="of blue", guidance_scale=3.0)
    clean = clean_of(model, images)[-1:]

    def change(**changes: object) -> float:
        found = last_of(run(model, images, correspondence, replace(settings, **changes)))
        return float((found - clean).square().mean())

    kept, half, none = change(), change(keep=0.5), change(mode="restyle")
    assert 0 < kept < half
    assert kept < none


def test_the_methods_own_means_act_on_an_edit(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    plain = last_of(run(model, images, correspondence, SAME))
    guided = run(model, images, correspondence, replace(SAME, attention=AttentionSettings()))

    assert not torch.allclose(last_of(guided), plain, atol=1e-3)
    assert torch.isfinite(last_of(guided)).all()


def test_every_step_back_and_forth_is_told_once(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    settings = model.resolved(SAME)
    batch = batch_of(images[:1])

    alone = correspond(images[:1], DisFlow())
    steps = list(translate(model, batch, settings, alone))

    count = batch_steps(settings)
    assert steps == [StepDone(number, count) for number in range(1, count + 1)]


def test_ddim_goes_back_along_its_own_sampler_only() -> None:
    with pytest.raises(InvalidSettings, match="choose that sampler, or the inversion ddpm"):
        replace(SAME, inversion="ddim", sampler="unipc")
