"""Files are found by name in folders as this program and others lay them out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from fakes.tiny_models import write_lora
from fresco_engine.diffusion.library import FileKind, Library
from fresco_media.files.opening import confined
from safetensors.torch import save_file

PLACES = {
    "a1111": "models/Lora/ink.safetensors",
    "a1111 deeper": "models/LyCORIS/mine/old/ink.safetensors",
    "comfyui": "models/loras/ink.safetensors",
    "models of comfyui": "loras/ink.safetensors",
    "krita": "server/ComfyUI/models/loras/ink.safetensors",
    "krita's own": "server/models/loras/ink.safetensors",
    "plain": "ink.safetensors",
}


def lora(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_lora(path)
    return path


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("name", ["ink", "INK", "ink.safetensors", "mine/ink", "mine\\ink"])
def test_loras_are_found_in_every_layout(tmp_path: Path, place: str, name: str) -> None:
    path = lora(tmp_path / place)

    assert Library((tmp_path,)).find(FileKind.LORA, name) == path


@pytest.mark.parametrize(
    ("kind", "place", "key"),
    [
        (FileKind.VAE, "models/VAE/one.safetensors", "decoder.conv_in.weight"),
        (FileKind.VAE, "vae/one.safetensors", "first_stage_model.decoder.conv_in.weight"),
        (FileKind.CONTROLNET, "models/ControlNet/one.safetensors", "control_model.a"),
        (FileKind.EMBEDDING, "embeddings/one.safetensors", "emb_params"),
        (FileKind.EMBEDDING, "models/embeddings/one.safetensors", "<one>"),
    ],
)
def test_other_kinds_are_found_in_theirs(
    tmp_path: Path, kind: FileKind, place: str, key: str
) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    save_file({key: torch.zeros(1, 4)}, tmp_path / place)

    assert Library((tmp_path,)).find(kind, "one") == tmp_path / place


def test_what_is_of_another_kind_is_passed_over(tmp_path: Path) -> None:
    save_file({"emb_params": torch.zeros(1, 4)}, tmp_path / "ink.safetensors")
    path = lora(tmp_path / "loras" / "ink.safetensors")

    assert Library((tmp_path,)).find(FileKind.LORA, "ink") == path


def test_the_first_folder_counts(tmp_path: Path) -> None:
    first, second = lora(tmp_path / "b" / "ink.safetensors"), lora(tmp_path / "a/ink.safetensors")

    assert Library((first.parent, second.parent)).find(FileKind.LORA, "ink") == first


def test_it_looks_beside_the_model_and_in_the_layout_around_it(tmp_path: Path) -> None:
    model = tmp_path / "models" / "Stable-diffusion" / "sd.safetensors"
    model.parent.mkdir(parents=True)
    model.touch()
    beside = lora(model.parent / "near.safetensors")
    away = lora(tmp_path / "models" / "Lora" / "ink.safetensors")
    (tmp_path / "embeddings").mkdir()
    save_file({"emb_params": torch.zeros(1, 4)}, tmp_path / "embeddings" / "easy.safetensors")

    library = Library.of(model)

    assert library.find(FileKind.LORA, "near") == beside
    assert library.find(FileKind.LORA, "ink") == away
    assert library.find(FileKind.EMBEDDING, "easy")


def test_names_like_one_are_told_and_can_be_shown(tmp_path: Path) -> None:
    for name in ("ink_wash_v2", "Ink\x1bWash", "oil"):
        lora(tmp_path / f"{name}.safetensors")

    near = Library((tmp_path,)).near(FileKind.LORA, "inkwash")

    assert set(near) == {"ink_wash_v2", "Ink\\x1bWash"}


def test_links_in_a_ring_and_missing_folders_are_borne(tmp_path: Path) -> None:
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "round").symlink_to(tmp_path)

    library = Library((tmp_path, tmp_path / "missing"))

    assert library.find(FileKind.LORA, "ink") is None


def test_a_confined_process_finds_nothing_outside(tmp_path: Path) -> None:
    lora(tmp_path / "a" / "ink.safetensors")

    with confined([tmp_path / "b"]):
        assert Library((tmp_path / "a",)).files(FileKind.LORA) == {}
