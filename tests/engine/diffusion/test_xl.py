"""A model of Stable Diffusion XL's shape works as diffusers has it, and is guided like others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLControlNetImg2ImgPipeline
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.hooks import guided_blocks, guided_sizes
from fresco_engine.diffusion.library import Library
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prompting.encoding import encode_prompt, encode_words
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.schedule import make_scheduler
from fresco_engine.errors import InvalidSettings, WrongModelKind
from fresco_engine.settings import (
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
)
from fresco_media.types import Image
from safetensors.torch import save_file

from tests.engine.diffusion import batches
from tests.engine.diffusion.batches import CARD, NO_ATTENTION, moving, run
from tests.fakes.tiny_models import TOKENS
from tests.fakes.tiny_xl import POOLED, TEXT_WIDTHS, write_xl_folder

PLAIN = replace(batches.PLAIN, size=batches.SIZE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_xl_folder(tmp_path_factory.mktemp("xl"), vae="tiny", card=CARD)


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder, control="tile", device="cpu")


@pytest.fixture(scope="module")
def images() -> tuple[Image, ...]:
    """Wider than they are high, as what such models are told of the size is."""
    return moving(96)


def stock(model: Model, settings: RestyleSettings) -> Any:
    """diffusers' own pipeline over the same networks."""
    assert settings.steps is not None
    with quiet_libraries():
        pipeline: Any = StableDiffusionXLControlNetImg2ImgPipeline(
            vae=cast(Any, model.vae),
            text_encoder=model.text_encoder,
            text_encoder_2=cast(Any, model.text_encoder_2),
            tokenizer=model.tokenizer,
            tokenizer_2=cast(Any, model.tokenizer_2),
            unet=model.unet,
            controlnet=cast(Any, model.controls[0].network),
            scheduler=cast(Any, make_scheduler(model, settings.steps)),
            add_watermarker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
    return pipeline


def stock_latents(
    model: Model, images: tuple[Image, ...], settings: RestyleSettings
) -> torch.Tensor:
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    negative = [settings.negative_prompt] * len(images) if settings.negative_prompt else None
    with quiet_libraries():
        return stock(model, settings)(
            prompt=[settings.prompt] * len(images),
            negative_prompt=negative,
            image=pictures * 2 - 1,
            control_image=pictures,
            strength=settings.strength,
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance_scale,
            controlnet_conditioning_scale=settings.control_scale,
            generator=[torch.Generator().manual_seed(settings.seed) for _ in images],
            output_type="latent",
        ).images


def test_without_adaptations_the_result_is_the_stock_pipelines_bit_for_bit(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
) -> None:
    settings = replace(PLAIN, guidance_scale=1.0)

    translation = run(model, images, correspondence, settings)

    expected = stock_latents(model, images, settings)
    assert torch.equal(translation.latents[-1][:1], expected[:1])
    assert torch.equal(translation.latents[-1][-1:], expected[-1:])


@pytest.mark.parametrize("negative", ["of", ""])
def test_with_guidance_it_is_that_but_for_rounding(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence, negative: str
) -> None:
    settings = replace(PLAIN, negative_prompt=negative)

    translation = run(model, images, correspondence, settings)

    # The library pools both halves apart, whose products round otherwise than those of both.
    expected = stock_latents(model, images, settings)
    torch.testing.assert_close(translation.latents[-1][:1], expected[:1], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(translation.latents[-1][-1:], expected[-1:], atol=1e-3, rtol=1e-3)


def test_an_empty_negative_prompt_is_words_where_the_model_says_so(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    settings = replace(PLAIN, negative_prompt="")

    said, unsaid = (
        run(replace(model, zeros_no_words=zeros), images, correspondence, settings)
        for zeros in (False, True)
    )

    assert not torch.equal(said.latents[-1][-1:], unsaid.latents[-1][-1:])


def test_prompts_are_what_the_stock_pipeline_reads_of_them(model: Model) -> None:
    words = encode_words(model, ["a blue dog"])

    states, _, pooled, _ = stock(model, PLAIN).encode_prompt("a blue dog", device="cpu")
    assert torch.equal(words.states, states)
    assert words.pooled is not None
    assert torch.equal(words.pooled, pooled)


def test_weights_breaks_and_long_prompts_are_read_by_both_text_encoders(model: Model) -> None:
    plain, weighted, long = (
        encode_words(model, [text]) for text in ("a b", "a (b:1.5)", "a b BREAK " + "c, " * 60)
    )

    first = slice(0, TEXT_WIDTHS[0])
    assert plain.states.shape == (1, TOKENS, sum(TEXT_WIDTHS))
    assert long.states.shape == (1, 3 * TOKENS, sum(TEXT_WIDTHS))
    for part in (first, slice(TEXT_WIDTHS[0], None)):
        assert not torch.equal(plain.states[..., part], weighted.states[..., part])
        torch.testing.assert_close(plain.states[..., part], long.states[:, :TOKENS, part])
    # A prompt as a whole is what its first chunk says, without weights.
    assert plain.pooled is not None
    assert weighted.pooled is not None
    assert long.pooled is not None
    assert torch.equal(weighted.pooled, plain.pooled)
    torch.testing.assert_close(long.pooled, plain.pooled)
    assert plain.pooled.shape == (1, POOLED)


def test_an_embedding_for_both_text_encoders_stands_for_a_word(
    model: Model, tmp_path: Path
) -> None:
    names = dict(zip(("clip_l", "clip_g"), TEXT_WIDTHS, strict=True))
    save_file({n: torch.ones(2, width) for n, width in names.items()}, tmp_path / "ink.safetensors")
    there = replace(model, library=Library((tmp_path,)))

    named, plain = encode_words(there, ["a ink town"]), encode_words(model, ["a ink town"])

    for part in (slice(0, TEXT_WIDTHS[0]), slice(TEXT_WIDTHS[0], None)):
        assert not torch.equal(named.states[..., part], plain.states[..., part])
    assert named.pooled is not None
    assert plain.pooled is not None
    assert not torch.equal(named.pooled, plain.pooled)


def test_an_embedding_for_another_kind_of_model_is_refused(model: Model, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(2, TEXT_WIDTHS[0])}, tmp_path / "ink.safetensors")

    with pytest.raises(WrongModelKind, match=r"use one made for Stable Diffusion XL"):
        encode_prompt(replace(model, library=Library((tmp_path,))), ["ink"])


def test_layers_that_not_both_text_encoders_have_are_refused(model: Model) -> None:
    with pytest.raises(InvalidSettings, match="use 1 to 1"):
        encode_prompt(model, ["rain"], 2)


def test_the_two_finest_blocks_with_attention_are_guided(model: Model) -> None:
    assert guided_blocks(model.unet) == (0, 1)


def test_blocks_are_counted_from_the_finest(model: Model) -> None:
    draft = OptimisationSettings(blocks=(0, 1, 2))

    sizes = guided_sizes(model.unet, (32, 48), NO_ATTENTION, draft)

    assert sizes == ((8, 12), (16, 24))  # All but the last, as in a model with four.


ALONE: dict[str, dict[str, Any]] = {
    "cross-frame": {"attention": replace(NO_ATTENTION, cross_frame=True)},
    "temporal": {"attention": replace(NO_ATTENTION, temporal=True)},
    "spatial": {"attention": replace(NO_ATTENTION, spatial=True)},
    "motion": {"optimisation": OptimisationSettings(spatial=False, iterations=2)},
    "layout": {"optimisation": OptimisationSettings(temporal=False, iterations=2)},
    "smoothing": {"smoothing": SmoothingSettings(start=0.5, stop=1.0, dilation=0)},
    "own noise": {"start_noise": "own"},
    "FreeU": {"free_u": True},
    "no control": {"control_scale": 0.0},
    "UniPC": {"sampler": "unipc"},
    "rescaled": {"guidance_rescale": 0.7},
}
EVERYTHING = {
    "attention": AttentionSettings(),
    "optimisation": OptimisationSettings(iterations=2),
    "smoothing": SmoothingSettings(),
    "free_u": True,
}


@pytest.mark.parametrize("name", ALONE)
def test_every_adaptation_acts(
    name: str, model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    plain = run(model, images, correspondence, PLAIN)

    changed = run(model, images, correspondence, replace(PLAIN, **ALONE[name]))

    assert all(torch.isfinite(x).all() for x in changed.latents)
    assert not np.array_equal(np.stack(changed.images), np.stack(plain.images))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_everything_together_is_finite_and_leaves_the_networks_as_they_were(
    dtype: torch.dtype,
    folder: Path,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
) -> None:
    model = in_precision(load_model(folder, control="tile", device="cpu"), dtype)
    settings = replace(PLAIN, **EVERYTHING)

    first, again = (run(model, images, correspondence, settings) for _ in range(2))

    assert all(torch.isfinite(x).all() for x in first.latents)
    assert torch.equal(first.latents[-1][-1:], again.latents[-1][-1:])


def in_precision(model: Model, dtype: torch.dtype) -> Model:
    (control,) = model.controls
    assert model.text_encoder_2 is not None
    return replace(
        model,
        unet=model.unet.to(dtype),
        vae=model.vae.to(dtype),
        text_encoder=model.text_encoder.to(dtype),
        text_encoder_2=model.text_encoder_2.to(dtype),
        controls=(replace(control, network=control.network.to(dtype)),),
        dtype=dtype,
    )


def test_a_size_far_below_its_own_is_told(model: Model) -> None:
    small, fitting = (model.resolved(replace(PLAIN, size=size)) for size in (64, 128))

    assert "choose 128 for “Working size”" in "".join(model.doubts(small))
    assert list(model.doubts(fitting)) == []
