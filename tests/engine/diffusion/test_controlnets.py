"""Which ControlNet a model of Stable Diffusion 1.5's own shape gets."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes.hub import COMMIT
from fakes.tiny_models import tiny_controlnet, tiny_unet
from fresco_engine.diffusion.card import ModelCard
from fresco_engine.diffusion.controlnets import find_controlnet
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
) -> Path | None:
    """What is found without asking the hub."""
    return find_controlnet(kind, folder, card or ModelCard(name="sd"), unet, source, True)
