"""A reference picture says to the U-Net what diffusers' own IP-Adapter would let it say."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionControlNetImg2ImgPipeline
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.library import Library
from fresco_engine.diffusion.memory import aligned
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.picture_prompt.prompt import PicturePrompt
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.sampler import translate
from fresco_engine.diffusion.schedule import make_scheduler
from fresco_engine.progress_tracker import drained
from fresco_engine.reference_file import reference_digest
from fresco_engine.reference_models import ReferencePicture
from fresco_engine.settings import (
    AttentionSettings,
    OptimisationSettings,
    SmoothingSettings,
)
from fresco_media.stills.images import write_image
from fresco_media.types import Image
from PIL import Image as Pillow

from tests.engine.diffusion import batches
from tests.engine.diffusion.batches import CARD, batch_of
from tests.fakes.tiny_ip_adapter import AdapterKind, write_image_encoder, write_ip_adapter
from tests.fakes.tiny_models import write_model_folder

KINDS: tuple[AdapterKind, ...] = ("plain", "plus", "full")
PLAIN = replace(batches.PLAIN, strength=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    write_model_folder(folder / "tiny", vae="tiny", card=CARD)
    loaded = load_model(folder / "tiny", control="tile", device="cpu")
    for kind in KINDS:
        write_ip_adapter(folder / "models" / "ipadapter" / f"{kind}.safetensors", loaded.unet, kind)
    write_image_encoder(folder / "models" / "ipadapter" / "image_encoder")
    return replace(loaded, library=Library((folder,)))


@pytest.fixture(scope="module")
def picture(folder: Path) -> Path:
    random = np.random.default_rng(5)
    pixels = np.kron(random.integers(0, 255, (6, 9, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    write_image(folder / "look.png", pixels)
    return folder / "look.png"


def prompt_of(model: Model, picture: Path, kind: AdapterKind, scale: float = 0.6) -> PicturePrompt:
    wanted = replace(PLAIN, reference=str(picture), reference_model=kind, reference_scale=scale)
    found = ReferencePicture.of(wanted, lambda: model)
    assert found is not None
    return found.prompt


def latents_of(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    picture: PicturePrompt | None,
    **changes: Any,
) -> torch.Tensor:
    settings = model.resolved(replace(PLAIN, **changes))
    batch = replace(batch_of(images), picture=picture)
    translation = drained(translate(model, batch, settings, correspondence))
    return torch.cat([translation.latents[-1][:1], translation.latents[-1][-1:]])


def stock_latents(
    model: Model, folder: Path, picture: Path, images: tuple[Image, ...], kind: str, guidance: float
) -> torch.Tensor:
    """What diffusers' own pipeline makes of the same frames with the same files."""
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    parts: Any = model
    with quiet_libraries():
        pipeline: Any = StableDiffusionControlNetImg2ImgPipeline(
            vae=parts.vae,
            text_encoder=parts.text_encoder,
            tokenizer=parts.tokenizer,
            unet=deepcopy(parts.unet),
            controlnet=parts.controls[0].network,
            scheduler=make_scheduler(model, 4),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.load_ip_adapter(
            str(folder / "models"), subfolder="ipadapter", weight_name=f"{kind}.safetensors"
        )
        pipeline.set_ip_adapter_scale(0.6)
        # It takes them where they lie in the file, from where some processors compute otherwise.
        for network in (pipeline.unet, pipeline.image_encoder):
            aligned(network)
        pipeline.set_progress_bar_config(disable=True)
        latents = pipeline(
            prompt=["blue"] * len(images),
            negative_prompt=["of"] * len(images),
            image=pictures * 2 - 1,
            control_image=pictures,
            strength=0.5,
            num_inference_steps=4,
            guidance_scale=guidance,
            controlnet_conditioning_scale=0.7,
            ip_adapter_image=Pillow.open(picture),
            generator=[torch.Generator().manual_seed(PLAIN.seed) for _ in images],
            output_type="latent",
        ).images
    return torch.cat([latents[:1], latents[-1:]])


@pytest.mark.parametrize(("kind", "guidance"), [*((kind, 3.0) for kind in KINDS), ("plus", 1.0)])
def test_a_picture_says_what_it_says_in_the_stock_pipeline(
    model: Model,
    folder: Path,
    picture: Path,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    kind: AdapterKind,
    guidance: float,
) -> None:
    alone = latents_of(model, images, correspondence, None, guidance_scale=guidance)

    shown = latents_of(
        model, images, correspondence, prompt_of(model, picture, kind), guidance_scale=guidance
    )

    expected = stock_latents(model, folder, picture, images, kind, guidance)
    assert (shown - alone).abs().max() > 1e-2
    # Keys and values are computed once and not for every frame; with other numbers of rows some
    # processors round otherwise.
    assert (shown - expected).abs().max() < 1e-5


def test_a_picture_that_is_saved_again_while_the_model_loads_is_not_taken_for_the_first(
    model: Model, folder: Path, picture: Path
) -> None:
    path = folder / "painted.png"
    path.write_bytes(picture.read_bytes())
    wanted = replace(PLAIN, reference=str(path), reference_model="plain")

    def loading() -> Model:
        write_image(path, np.zeros((48, 72, 3), np.uint8))
        return model

    first = ReferencePicture.of(wanted, loading)
    assert first is not None
    said = first.prompt
    second = ReferencePicture.of(wanted, lambda: model)
    assert second is not None

    assert first.digest() == reference_digest(picture) != second.digest()
    keys = [next(iter(one.layers.values()))[0] for one in (said, second.prompt)]
    assert not torch.equal(*keys)


def test_a_strength_of_nothing_and_no_picture_are_one(
    model: Model,
    picture: Path,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
) -> None:
    said = prompt_of(model, picture, "plain")

    alone = latents_of(model, images, correspondence, None)
    faint = latents_of(model, images, correspondence, replace(said, strength=0.0))
    again = latents_of(model, images, correspondence, None)

    assert ReferencePicture.of(replace(PLAIN, reference="x", reference_scale=0.0), None) is None  # pyright: ignore[reportArgumentType]
    assert torch.equal(faint, alone)
    assert torch.equal(again, alone)


def test_it_goes_with_all_adaptations(
    model: Model,
    picture: Path,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
) -> None:
    everything: dict[str, Any] = {
        "attention": AttentionSettings(),
        "optimisation": OptimisationSettings(iterations=1),
        "smoothing": SmoothingSettings(),
        "free_u": True,
    }

    said = prompt_of(model, picture, "plus")
    alone, shown = (
        latents_of(model, images, correspondence, one, **everything) for one in (None, said)
    )

    assert torch.isfinite(shown).all()
    assert (shown - alone).abs().max() > 1e-2
