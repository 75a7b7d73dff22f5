"""A model that computes NaN or infinity ends with a sentence, never with a black picture."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fresco_engine.diffusion import sampler
from fresco_engine.diffusion.batch_run import StepDone, Translation
from fresco_engine.diffusion.finite import FiniteWatch
from fresco_engine.diffusion.latents import decode_latents, encode_images
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prompting.encoding import encode_prompt
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.sampler import translate
from fresco_engine.errors import ResultNotFinite
from fresco_engine.looks import look
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import RestyleSettings, SmoothingSettings
from torch import Tensor, nn

from tests.engine.conftest import MakeClip
from tests.engine.diffusion.batches import CARD, PLAIN, SIZE, batch_of, moving
from tests.engine.diffusion.conftest import MakeCorrespondence
from tests.fakes.tiny_models import write_model_folder

META = torch.device("meta")

SETTINGS = RestyleSettings(
    prompt="blue", size=64, steps=2, strength=1, control="tile", control_scale=1.0
)


class _Broken:
    """A network's first weight is replaced while a test runs."""

    def __init__(self, network: nn.Module, value: float) -> None:
        self._weight = next(iter(network.parameters()))
        self._value = value

    def __enter__(self) -> None:
        self._place = (0,) * self._weight.ndim
        self._kept = self._weight[self._place].item()
        self._weight[self._place] = self._value

    def __exit__(self, *error: object) -> None:
        self._weight[self._place] = self._kept


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("unet", "its U-Net"),
        ("vae.encoder", "its VAE"),
        ("vae.decoder", "its VAE"),
        ("text_encoder", "its text encoder"),
        ("controls", r"its ControlNet \(tile\)"),
    ],
)
def test_a_weight_that_is_no_number_is_told_with_its_network(
    tiny_model: Model, make_clip: MakeClip, part: str, said: str, value: float
) -> None:
    network: Any = tiny_model
    for name in part.split("."):
        network = getattr(network, name)
    if part == "controls":
        network = network[0].network
    clip = make_clip(1)

    # A row of the table of words is used by one word only; the last layer by all.
    last = [part for name, part in network.named_modules() if name.endswith("final_layer_norm")]
    broken = last[0] if last else network
    with _Broken(broken, value), pytest.raises(ResultNotFinite, match=said) as caught:
        look(clip, 0, SETTINGS, tiny_model)

    assert "no numbers" in str(caught.value)
    assert "get the model again" in str(caught.value)


@dataclass
class _Decoded:
    sample: Tensor


def _overflowed(latent: Tensor) -> _Decoded:
    return _Decoded(torch.full((1, 3, 8 * latent.shape[2], 8 * latent.shape[3]), torch.inf))


def test_numbers_that_overflow_with_sound_weights_are_told_otherwise(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_model.vae, "decode", _overflowed)

    with pytest.raises(ResultNotFinite, match="while decoding frames") as caught:
        decode_latents(tiny_model, torch.ones(2, tiny_model.unet.config["in_channels"], 8, 8))

    assert "damaged" not in str(caught.value)


def test_half_precision_that_overflows_says_how_to_have_full_precision(
    tiny_model: Model,
) -> None:
    # Only what the model is said to compute in matters to the sentence.
    half = replace(tiny_model, dtype=torch.float16)

    with pytest.raises(ResultNotFinite, match=r"float16; work on the processor"):
        encode_images(half, torch.full((1, 3, 64, 64), torch.inf))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_latents_that_are_no_numbers_are_never_decoded(tiny_model: Model, value: float) -> None:
    latents = torch.zeros(2, tiny_model.unet.config["in_channels"], 8, 8)
    latents[1, 0, 3, 3] = value

    with pytest.raises(ResultNotFinite, match="while denoising"):
        decode_latents(tiny_model, latents)


def test_finite_numbers_pass_unchanged(tiny_model: Model, make_clip: MakeClip) -> None:
    picture = look(make_clip(1), 0, SETTINGS, tiny_model)

    assert np.ptp(picture) > 0
    assert torch.isfinite(encode_prompt(tiny_model, ["blue", ""])).all()


def test_on_a_device_the_answer_is_taken_when_all_steps_are_launched(tiny_model: Model) -> None:
    # Numbers are wanted here, so it is the model alone that says it lies elsewhere.
    watch = FiniteWatch(replace(tiny_model, device=torch.device("meta")))
    good, bad = torch.ones(3), torch.tensor([1.0, torch.nan])

    watch(good, "decoding frames")
    assert watch(bad, "denoising") is bad

    with pytest.raises(ResultNotFinite, match="while denoising"):
        watch.settle()
    watch.settle()  # What was told is not told again.


def test_on_the_processor_the_answer_is_taken_at_once(tiny_model: Model) -> None:
    with pytest.raises(ResultNotFinite, match="while denoising"):
        FiniteWatch(tiny_model)(torch.tensor([torch.inf]), "denoising")


def test_a_batch_is_made_again_if_its_autoencoder_turns_out_to_overflow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_correspondence: MakeCorrespondence
) -> None:
    write_model_folder(tmp_path, card=CARD)
    model = load_model(tmp_path, control="tile", device="cpu")
    dict(model.vae.named_parameters())["decoder.conv_in.weight"].mul_(1e5)
    settings = replace(PLAIN, smoothing=SmoothingSettings(start=0.5, stop=0.9))
    settings, batch = model.resolved(settings), batch_of(moving(), settings)
    correspondence = make_correspondence(3, SIZE, SIZE)
    in_full = drained(translate(model, batch, settings, correspondence))
    with quiet_libraries():
        model.vae.half()
    # As on a device that would have to be waited for.
    monkeypatch.setattr(
        sampler, "FiniteWatch", lambda model: FiniteWatch(replace(model, device=META))
    )

    told, made = _told(translate(model, batch, settings, correspondence))

    assert model.vae.dtype == torch.float32
    assert [(step.step, step.is_again) for step in told] == [
        *((k, False) for k in (1, 2, 3)),
        *((k, True) for k in (1, 2, 3)),
    ]
    for mine, theirs in zip(made.images, in_full.images, strict=True):
        assert np.abs(mine.astype(int) - theirs.astype(int)).max() <= 6


def _told(
    steps: Generator[StepDone, None, Translation],
) -> tuple[list[StepDone], Translation]:
    told: list[StepDone] = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return told, end.value
