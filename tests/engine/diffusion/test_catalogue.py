"""The list of models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from fakes.hub import COMMIT
from fakes.tiny_models import write_checkpoint, write_lora, write_model_folder
from fresco_engine.diffusion.catalogue import ModelEntry, ModelState, list_models
from fresco_engine.diffusion.models import load_model
from fresco_engine.settings import Style
from fresco_media.files.text import printable
from safetensors.torch import save_file

CARD = {"name": "Little", "styles": [{"name": "ink", "words": "an ink drawing"}]}
CACHED_ID = "stable-diffusion-v1-5/stable-diffusion-v1-5"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model in each format, a LoRA and a truncated checkpoint."""
    folder = tmp_path_factory.mktemp("models")
    write_model_folder(folder / "little", card=CARD, controlnet=False)
    path = write_checkpoint(folder / "painted.safetensors")
    (folder / "broken.safetensors").write_bytes(path.read_bytes()[:-500])
    write_lora(folder / "style.safetensors")
    return folder


@pytest.fixture(autouse=True)
def _fresh_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fresco_engine.diffusion.catalogue.BUNDLED", tmp_path / "no bundled")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


def test_a_models_folder_is_listed_without_loras(models: Path) -> None:
    entries = installed(list_models([models]))

    assert [entry.name for entry in entries] == ["broken", "Little", "painted"]


def test_what_is_listed_loads_by_its_source(models: Path) -> None:
    for entry in installed(list_models([models]))[1:]:
        assert load_model(entry.source, control="none").name == entry.name


def test_names_of_models_and_styles_steer_no_front_end_and_still_choose(tmp_path: Path) -> None:
    odd = "ink\x1b[2J\u202egnp.\nx"
    folder = tmp_path / odd
    write_model_folder(folder, controlnet=False)
    card = {"name": odd, "styles": [{"name": odd, "words": [odd, "wash"]}]}
    write_model_folder(tmp_path / "carded", card=card, controlnet=False)
    (tmp_path / f"{odd}.safetensors").write_bytes(b"no weights")

    entries = installed(list_models([tmp_path]))

    shown = printable(odd)
    assert sorted(entry.name for entry in entries) == sorted([shown, shown, str(printable(folder))])
    assert all((entry.problem or "x").isprintable() for entry in entries)
    styles = next(entry.styles for entry in entries if entry.styles)
    assert styles == (Style(name=shown, words=f"{shown}, wash"),)
    for entry in entries:
        assert Path(entry.source).exists()
        if not entry.problem:
            assert load_model(entry.source, control="none").name == shown


def test_a_styles_picture_is_one_of_the_models_own_files(tmp_path: Path) -> None:
    for name, picture in (("good", "cards/ink.jpg"), ("bad", "../ink.jpg")):
        card = {"name": name, "styles": [{"name": "ink", "picture": picture}]}
        write_model_folder(tmp_path / name, card=card, controlnet=False)

    bad, good = sorted(installed(list_models([tmp_path])), key=lambda entry: entry.source)

    assert good.styles == (Style(name="ink", picture=str(tmp_path / "good" / "cards" / "ink.jpg")),)
    assert bad.problem


def test_memory_is_four_bytes_a_number(models: Path) -> None:
    entry = next(entry for entry in list_models([models]) if entry.name == "Little")

    model = load_model(entry.source, control="none", device="cpu")

    networks = (model.unet, model.vae, model.text_encoder)
    numbers = sum(value.numel() for network in networks for value in network.parameters())
    assert entry.memory_bytes == 4 * numbers
    assert entry.size_bytes > entry.memory_bytes


def test_a_broken_model_is_listed_with_its_problem(models: Path) -> None:
    entry = next(entry for entry in list_models([models]) if entry.name == "broken")

    assert entry.problem is not None
    assert "download it again" in entry.problem


def test_an_incomplete_model_is_listed_with_its_problem(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "little", tmp_path / "models" / "little")
    next((tmp_path / "models" / "little" / "vae").glob("*.safetensors")).unlink()

    (entry,) = installed(list_models([tmp_path / "models"]))

    assert entry.problem == "it is incomplete; get it again"


def test_a_models_styles_are_listed(models: Path) -> None:
    entry = next(entry for entry in list_models([models]) if entry.name == "Little")

    assert [style.name for style in entry.styles] == ["ink"]


def test_the_bundled_model_is_first(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fresco_engine.diffusion.catalogue.BUNDLED", models / "little")

    first = list_models()[0]

    assert (first.name, first.state) == ("Little", ModelState.BUNDLED)


def test_a_known_model_is_available_until_it_is_in_the_cache(models: Path, tmp_path: Path) -> None:
    before = {entry.source: entry.state for entry in list_models()}
    cached = tmp_path / "cache" / f"models--{CACHED_ID.replace('/', '--')}"
    shutil.copytree(models / "little", cached / "snapshots" / COMMIT)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(COMMIT, encoding="utf-8")

    after = {entry.source: entry.state for entry in list_models()}

    assert before == {CACHED_ID: ModelState.AVAILABLE}
    assert after == {CACHED_ID: ModelState.INSTALLED}


def test_folders_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    assert not installed(list_models([tmp_path / "nothing"]))


def installed(entries: tuple[ModelEntry, ...]) -> list[ModelEntry]:
    """The entries of models on this machine, by name."""
    return [
        entry for entry in entries if entry.state is ModelState.INSTALLED and entry.kind == "whole"
    ]


LAYOUTS = {
    "a1111": ("models/Stable-diffusion", "models/Lora", "embeddings", "models/VAE"),
    "comfyui": ("models/checkpoints", "models/loras", "models/embeddings", "models/vae"),
    "krita": tuple(
        f"server/ComfyUI/models/{name}" for name in ("checkpoints", "loras", "embeddings", "vae")
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_folders_of_other_programs_are_listed(
    tmp_path: Path, models: Path, layout: tuple[str, str, str, str]
) -> None:
    for name in layout:
        (tmp_path / name / "mine").mkdir(parents=True)
    checkpoints, loras, embeddings, vaes = (tmp_path / name / "mine" for name in layout)
    (checkpoints / "painted.safetensors").symlink_to(models / "painted.safetensors")
    write_lora(loras / "style.safetensors")
    torch.save({"<easy>": torch.zeros(1, 8)}, embeddings / "easy.pt")
    save_file({"decoder.conv_in.weight": torch.zeros(1)}, vaes / "soft.safetensors")

    entries = [entry for entry in list_models([tmp_path]) if entry.state is ModelState.INSTALLED]

    assert {(entry.name, entry.kind) for entry in entries} == {
        ("painted", "whole"),
        ("style", "lora"),
        ("easy", "embedding"),
        ("soft", "vae"),
    }
    assert not any(entry.problem for entry in entries)


def test_words_and_pictures_beside_a_file_are_listed_and_follow_changes(tmp_path: Path) -> None:
    write_lora(tmp_path / "style.safetensors")

    before = listed(tmp_path)
    (tmp_path / "style.civitai.info").write_text(json.dumps({"trainedWords": ["ink", "a\x1bb"]}))
    (tmp_path / "style.preview.png").write_bytes(b"picture")

    assert (before.trigger_words, before.preview_path) == ((), "")
    assert listed(tmp_path).trigger_words == ("ink", "a\\x1bb")
    assert listed(tmp_path).preview_path == str(tmp_path / "style.preview.png")


def listed(folder: Path) -> ModelEntry:
    (entry,) = [one for one in list_models([folder]) if one.kind != "whole"]
    return entry
