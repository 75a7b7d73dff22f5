"""Which ControlNet a model of Stable Diffusion 1.5's own shape gets."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from fakes.hub import COMMIT
from fakes.tiny_detectors import tiny_depth, write_network
from fakes.tiny_models import tiny_controlnet, tiny_unet
from fresco_engine.diffusion.card import ModelCard
from fresco_engine.diffusion.controlnets import ControlPlaces, find_controlnet, load_controls
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import ControlUnavailable
from fresco_engine.settings import ControlKind

SD15 = SimpleNamespace(
    config={
        "in_channels": 4,
        "block_out_channels": [320, 640, 1280, 1280],
        "layers_per_block": 2,
        "cross_attention_dim": 768,
    }
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("kind", "hub_id"),
    [
        ("tile", "lllyasviel/control_v11f1e_sd15_tile"),
        ("canny", "lllyasviel/control_v11p_sd15_canny"),
        ("hed", "lllyasviel/control_v11p_sd15_softedge"),
        ("depth", "lllyasviel/control_v11f1p_sd15_depth"),
        ("openpose", "lllyasviel/control_v11p_sd15_openpose"),
        ("lineart", "lllyasviel/control_v11p_sd15_lineart"),
    ],
)
def test_the_known_controlnet_is_taken_from_the_cache(
    cache: Path, kind: ControlKind, hub_id: str
) -> None:
    repository = cache / f"models--{hub_id.replace('/', '--')}"
    with quiet_libraries():
        tiny_controlnet(tiny_unet()).save_pretrained(repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT, encoding="utf-8")

    assert find(kind, SD15) == repository / "snapshots" / COMMIT


@pytest.mark.usefixtures("cache")
def test_offline_without_it_one_is_told_how_to_download() -> None:
    with pytest.raises(
        ControlUnavailable, match=r"hf download lllyasviel/.*or choose none for “Structure”"
    ):
        find("tile", SD15)


def test_what_is_given_goes_before_what_the_model_brings(tmp_path: Path) -> None:
    card = ModelCard(name="little", controls={"tile": "controlnet"})

    found = find("tile", SD15, folder=tmp_path / "model", card=card, source=tmp_path)

    assert found == tmp_path


def test_what_the_model_brings_goes_before_the_hub(tmp_path: Path) -> None:
    card = ModelCard(name="little", controls={"tile": "controlnet"})

    assert find("tile", SD15, folder=tmp_path, card=card) == tmp_path / "controlnet"


def find(
    kind: ControlKind,
    unet: Any,
    *,
    folder: Path = Path("model"),
    card: ModelCard | None = None,
    source: Path | None = None,
    is_alone: bool = True,
) -> Path:
    """What is found without asking the hub."""
    places = ControlPlaces(folder, card or ModelCard(name="sd"), source, offline=True)
    return find_controlnet(kind, places, unet, is_alone=is_alone)


@pytest.mark.parametrize("is_alone", [True, False])
def test_one_of_several_kinds_is_found_in_a_folder_by_its_name(
    tmp_path: Path, is_alone: bool
) -> None:
    (tmp_path / "depth").mkdir()
    (tmp_path / "canny.safetensors").touch()

    found = [find(one, SD15, source=tmp_path, is_alone=is_alone) for one in ("depth", "canny")]

    assert found == [tmp_path / "depth", tmp_path / "canny.safetensors"]


def test_one_controlnet_is_not_taken_for_several_kinds(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()

    with pytest.raises(ControlUnavailable, match=r"called depth or depth\.safetensors"):
        find("depth", SD15, source=tmp_path, is_alone=False)


def test_kinds_that_share_a_controlnet_load_it_once_and_none_loads_nothing(tmp_path: Path) -> None:
    unet = tiny_unet()
    with quiet_libraries():
        tiny_controlnet(unet).save_pretrained(tmp_path / "controlnet")
    card = ModelCard(name="little", controls={"tile": "controlnet", "canny": "controlnet"})
    places = ControlPlaces(tmp_path, card, offline=True)

    controls = load_controls(("canny", "tile"), places, unet, torch.device("cpu"))

    assert [one.kind for one in controls] == ["canny", "tile"]
    assert controls[0].network is controls[1].network
    assert load_controls(("none",), places, unet, torch.device("cpu")) == ()


def test_a_control_brings_its_detector_from_beside_the_controlnet(tmp_path: Path) -> None:
    unet = tiny_unet()
    with quiet_libraries():
        tiny_controlnet(unet).save_pretrained(tmp_path / "mine" / "depth")
    write_network(tiny_depth(), tmp_path / "mine" / "detectors" / "depth")
    places = ControlPlaces(tmp_path, ModelCard(name="sd"), tmp_path / "mine", offline=True)

    (control,) = load_controls(("depth",), places, unet, torch.device("cpu"))

    assert control.detector is not None
    assert control.detector.is_relative
