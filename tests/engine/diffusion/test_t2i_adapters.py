"""T2I-Adapters of every layout bind as in diffusers' own pipeline; what does not fit is said."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from diffusers import MultiAdapter, StableDiffusionAdapterPipeline
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.controlnets import load_controlnet
from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.cost import batch_cost
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.sampler import translate
from fresco_engine.diffusion.schedule import make_scheduler
from fresco_engine.diffusion.weights import WeightsKind, kind_of, read_header
from fresco_engine.errors import ModelCorrupt, WrongModelKind
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import (
    RestyleSettings,
)
from fresco_media.types import Image
from safetensors.torch import load_file, save_file

from tests.engine.diffusion import batches
from tests.engine.diffusion.batches import CARD, SIZE, batch_of
from tests.fakes.tiny_models import tiny_unet, write_model_folder
from tests.fakes.tiny_t2i_adapter import T2IKind, tiny_t2i_adapter, write_t2i_adapter

PLAIN = replace(batches.PLAIN, steps=2, strength=1.0, control_scale=None, control="tile:0.7")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    write_model_folder(folder, vae="tiny", card=CARD)
    loaded = load_model(folder, control="tile", device="cpu")
    # Of other schedules the library's pipeline changes the offset, and warns.
    return replace(loaded, scheduler_config={**loaded.scheduler_config, "steps_offset": 1})


def bound(model: Model, *adapters: Any) -> Model:
    """The model with these in place of its controls."""
    kinds: tuple[Any, ...] = ("tile", "canny")
    pairs = zip(kinds, adapters, strict=False)
    controls = tuple(LoadedControl(kind=kind, network=one) for kind, one in pairs)
    return replace(model, controls=controls)


def latents_of(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    settings: RestyleSettings = PLAIN,
) -> torch.Tensor:
    made = drained(translate(model, batch_of(images), model.resolved(settings), correspondence))
    return torch.cat([made.latents[-1][:1], made.latents[-1][-1:]])


def stock_latents(
    model: Model, adapter: Any, images: tuple[Image, ...], strength: Any
) -> torch.Tensor:
    """What diffusers' own pipeline makes of the same frames."""
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous().float() / 255
    parts: Any = model
    with quiet_libraries():
        pipeline: Any = StableDiffusionAdapterPipeline(
            vae=parts.vae,
            text_encoder=parts.text_encoder,
            tokenizer=parts.tokenizer,
            unet=parts.unet,
            adapter=adapter,
            scheduler=make_scheduler(model, 2),
            safety_checker=None,  # pyright: ignore[reportArgumentType]
            feature_extractor=None,  # pyright: ignore[reportArgumentType]
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        is_multiple = isinstance(adapter, MultiAdapter)
        latents = pipeline(
            prompt=["blue"] * len(images),
            negative_prompt=["of"] * len(images),
            image=[pictures, pictures] if is_multiple else pictures,
            height=SIZE,
            width=SIZE,
            num_inference_steps=2,
            guidance_scale=3.0,
            adapter_conditioning_scale=strength,
            generator=[torch.Generator().manual_seed(PLAIN.seed) for _ in images],
            output_type="latent",
        ).images
    return torch.cat([latents[:1], latents[-1:]])


@pytest.mark.parametrize("kind", ["full", "light"])
def test_an_adapter_binds_as_in_the_stock_pipeline_bit_for_bit(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    tmp_path: Path,
    kind: T2IKind,
) -> None:
    adapter = tiny_t2i_adapter(kind)
    path = write_t2i_adapter(tmp_path / "one.safetensors", adapter)
    ours = bound(model, load_controlnet(path, model.unet, torch.float32))

    made = latents_of(ours, images, correspondence)

    assert torch.equal(made, stock_latents(model, adapter, images, 0.7))
    unbound = latents_of(ours, images, correspondence, replace(PLAIN, control="tile:0"))
    assert (made - unbound).abs().max() > 1e-2


def test_several_adapters_bind_as_in_the_stock_pipeline(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    first, second = tiny_t2i_adapter(), tiny_t2i_adapter()
    for value in second.parameters():
        value.mul_(0.8)
    settings = replace(PLAIN, control="tile:0.7,canny:0.4", canny_low=2000, canny_high=2040)
    # Its canny is shown black pictures, as nothing in them has such contrast.
    black = tuple(np.zeros_like(image) for image in images)

    made = latents_of(bound(model, first, second), black, correspondence, settings)

    both = MultiAdapter([deepcopy(first), deepcopy(second)])
    expected = stock_latents(model, both, black, [0.7, 0.4])
    assert torch.allclose(made, expected, atol=1e-5, rtol=0)
    alone = latents_of(bound(model, first), black, correspondence, settings)
    assert (made - alone).abs().max() > 1e-3


def test_controlnet_and_adapter_bind_together(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    (tile,) = model.controls
    settings = replace(PLAIN, control="tile:0.7,canny:0.4", canny_low=20, canny_high=60)

    both, net, adapter = (
        latents_of(bound(model, *networks), images, correspondence, settings)
        for networks in (
            (tile.network, tiny_t2i_adapter(in_channels=1)),
            (tile.network,),
            (tiny_t2i_adapter(),),
        )
    )

    assert torch.isfinite(both).all()
    assert (both - net).abs().max() > 1e-3
    assert (both - adapter).abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["full", "light"])
@pytest.mark.parametrize("in_channels", [1, 3])
@pytest.mark.parametrize("layout", ["folder", "file", "first"])
def test_every_layout_holds_the_same_adapter(
    tmp_path: Path, kind: T2IKind, in_channels: int, layout: Literal["folder", "file", "first"]
) -> None:
    adapter = tiny_t2i_adapter(kind, in_channels)
    name = "one" if layout == "folder" else "one.safetensors"
    path = write_t2i_adapter(tmp_path / name, adapter, layout)

    loaded: Any = load_controlnet(path, tiny_unet(), torch.float32)

    pictures = torch.rand(1, in_channels, 32, 48)
    for ours, theirs in zip(loaded(pictures), adapter(pictures), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"channels": [32, 32, 64, 32]},
            "this T2I-Adapter is made for another kind of model; give one made for this model, as "
            "those whose names end in sd14v1 or sd15v2 for Stable Diffusion 1.x",
        ),
        (
            {"downscale_factor": 16},
            "this T2I-Adapter is made for Stable Diffusion XL; give one made for this model",
        ),
        ({"in_channels": 5}, "this T2I-Adapter is shown pictures of 5 channels; give another"),
    ],
    ids=["other widths", "XL", "odd pictures"],
)
@pytest.mark.parametrize("layout", ["folder", "first"])
def test_an_adapter_that_does_not_fit_is_refused(
    tmp_path: Path, changes: Any, reason: str, layout: Literal["folder", "first"]
) -> None:
    name = "one" if layout == "folder" else "one.safetensors"
    path = write_t2i_adapter(tmp_path / name, tiny_t2i_adapter(**changes), layout)

    with pytest.raises(WrongModelKind) as caught:
        load_controlnet(path, tiny_unet(), torch.float32)

    assert caught.value.reason.startswith(reason)


def test_an_incomplete_adapter_is_told(tmp_path: Path) -> None:
    path = write_t2i_adapter(tmp_path / "one.safetensors", tiny_t2i_adapter())
    tensors = load_file(path)
    del tensors["body.3.block2.bias"]
    save_file(tensors, path)

    with pytest.raises(ModelCorrupt, match="do not make a complete T2I-Adapter"):
        load_controlnet(path, tiny_unet(), torch.float32)


def test_one_that_is_given_as_a_model_is_called_by_its_name(tmp_path: Path) -> None:
    path = write_t2i_adapter(tmp_path / "one.safetensors", tiny_t2i_adapter("light"))

    assert kind_of(read_header(path)) is WeightsKind.T2I_ADAPTER
    with pytest.raises(WrongModelKind, match=r"this is a T2I-Adapter, .* as its control source"):
        load_model(path, device="cpu")


def test_what_it_takes_is_told_ahead(model: Model) -> None:
    adapter = tiny_t2i_adapter()
    stored = sum(4 * value.numel() for value in adapter.parameters())

    told = batch_cost(
        bound(model, adapter), model.resolved(PLAIN), frames=1, height=SIZE, width=SIZE
    )

    networks: tuple[Any, ...] = (model.unet, model.vae, model.text_encoder)
    others = sum(4 * value.numel() for one in networks for value in one.parameters())
    assert told.weights_bytes == pytest.approx(others + stored, rel=0.01)
