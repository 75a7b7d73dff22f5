"""All steps of the training one after another, on two pictures and for a few steps each."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from fresco_training import data, decoder, export, latents, restyling, scenes, start, text, train
from fresco_training.styles import STYLES, apply_style

SETTINGS = train.TrainSettings(steps=2, small=(2, 64), large=(2, 64))
DECODING = decoder.DecoderSettings(steps=2, batch=4, side=64)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after two steps of every training."""
    folder = tmp_path_factory.mktemp("work")
    pictures = [scenes.scene(np.random.default_rng(seed), data.SIDE) for seed in (1, 2)]
    np.save(
        folder / "pictures.npy",
        np.array([[data.to_pixels(apply_style(s, p, 1.0)) for s in STYLES] for p in pictures]),
    )
    dataset = data.Dataset(folder / "pictures.npy", seed=0)
    latents.fit(dataset, train.style_chances(), crops=60).save(folder / "basis.npz")
    encoder = text.build_encoder(text.build_tokenizer(folder / "tokenizer"))
    encoder.save_pretrained(folder / "text_encoder")
    train.Trainer(folder, SETTINGS).run()
    _decoder_trainer(folder, DECODING).run()
    return folder


def _decoder_trainer(
    work: Path, settings: decoder.DecoderSettings, restyler: restyling.Restyler | None = None
) -> decoder.DecoderTrainer:
    dataset = data.Dataset(work / "pictures.npy", seed=0)
    basis = latents.PatchBasis.load(work / "basis.npz")
    return decoder.DecoderTrainer(
        work / "vae", dataset, basis, train.style_chances(), settings, restyler
    )


def test_a_training_goes_on_where_it_stopped(work: Path) -> None:
    again = train.Trainer(work, replace(SETTINGS, steps=3))

    stored = torch.load(work / "unet.pt", weights_only=True)
    name, weight = next(iter(stored["networks"].items()))
    assert again.pace.step == 2
    assert len(again.optimiser.state) > 0
    torch.testing.assert_close(again.networks.state_dict()[name], weight)


def test_the_same_seed_gives_the_same_training(work: Path, tmp_path: Path) -> None:
    def losses() -> list[float]:
        trainer = train.Trainer(tmp_path, SETTINGS)
        return [trainer._train_step() for _ in range(2)]

    for name in ("pictures.npy", "basis.npz", "tokenizer", "text_encoder"):
        (tmp_path / name).symlink_to(work / name)

    assert losses() == losses()


def test_a_decoder_also_learns_from_what_the_networks_make(work: Path) -> None:
    restyler = restyling.Restyler(work, torch.device("cpu"), seed=0)

    trainer = _decoder_trainer(work, replace(DECODING, steps=3), restyler)
    before = trainer.decoder.state_dict()["layers.0.weight"].clone()
    trainer.run()

    assert trainer.pace.step == 3
    assert not torch.equal(trainer.decoder.state_dict()["layers.0.weight"], before)


def test_decoders_are_blended_by_the_wanted_share(work: Path, tmp_path: Path) -> None:
    basis = latents.PatchBasis.load(work / "basis.npz")
    first, second = (latents.build_autoencoder(basis) for _ in range(2))
    for name, autoencoder in (("first", first), ("second", second)):
        autoencoder.save_pretrained(tmp_path / name)

    decoder.blend(tmp_path / "first", tmp_path / "second", share=0.25)

    name = "decoder.layers.0.weight"
    blended = AutoencoderTiny.from_pretrained(tmp_path / "first").state_dict()[name]
    wanted = 0.25 * first.state_dict()[name] + 0.75 * second.state_dict()[name]
    torch.testing.assert_close(blended, wanted)


def test_an_exported_model_can_be_trained_on(work: Path, tmp_path: Path) -> None:
    export.export(work, tmp_path / "model", version=7)

    start.start(tmp_path / "model", tmp_path)

    card = json.loads((tmp_path / "model" / "fresco.json").read_text(encoding="utf-8"))
    basis, before = (latents.PatchBasis.load(f / "basis.npz") for f in (tmp_path, work))
    networks, step = train.averaged(tmp_path)
    first, _ = train.averaged(work)
    assert (card["version"], step) == (7, 0)
    np.testing.assert_allclose(basis.weight, before.weight, rtol=0, atol=0.02)
    np.testing.assert_allclose(basis.deviation, before.deviation, rtol=0.01)
    for ours, theirs in zip(networks.parameters(), first.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=2e-3)
