"""Hub ids: from the cache, from a hub over real HTTP, and without either."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.hub import serving
from fakes.tiny_models import write_model_folder
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.sources import BUNDLED, locate
from fresco_engine.errors import DiskFull, ModelNotFound

HUB_ID = "somebody/tiny-model"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a model and things beside it that need no download."""
    folder = write_model_folder(tmp_path_factory.mktemp("hub") / "repository", controlnet=False)
    (folder / "safety_checker").mkdir()
    (folder / "safety_checker" / "model.safetensors").write_bytes(b"not needed")
    (folder / "checkpoint.safetensors").write_bytes(b"not needed")
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no hub that answers."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    _use_hub(monkeypatch, "http://127.0.0.1:9")
    return tmp_path / "cache"


@pytest.fixture
def hub(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A hub with the repository; gives the cache's folder."""
    with serving({HUB_ID: folder}) as address:
        _use_hub(monkeypatch, address)
        yield cache


def _use_hub(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


def test_a_hub_id_is_downloaded_and_then_found_without_the_hub(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloaded = load_model(HUB_ID, control="none")
    _use_hub(monkeypatch, "http://127.0.0.1:9")

    again = load_model(HUB_ID, control="none", offline=True)

    assert downloaded.name == again.name == HUB_ID
    assert hub in locate(HUB_ID, offline=True).parents


def test_only_what_is_needed_is_downloaded(hub: Path) -> None:
    folder = locate(HUB_ID)

    assert hub in folder.parents
    assert not (folder / "checkpoint.safetensors").exists()
    assert not (folder / "safety_checker").exists()


@pytest.mark.usefixtures("hub")
def test_a_download_that_broke_off_is_taken_up_again(folder: Path) -> None:
    (locate(HUB_ID) / "vae" / "diffusion_pytorch_model.safetensors").unlink()

    found = locate(HUB_ID)

    name = "vae/diffusion_pytorch_model.safetensors"
    assert (found / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.usefixtures("hub")
def test_an_id_the_hub_does_not_know_is_not_found() -> None:
    with pytest.raises(ModelNotFound, match="check the name"):
        locate("somebody/else")


@pytest.mark.usefixtures("cache")
def test_without_an_answer_from_the_hub_one_is_told_how_to_download() -> None:
    with pytest.raises(ModelNotFound, match=r"could not be downloaded.*hf download somebody/tiny"):
        locate(HUB_ID)


@pytest.mark.usefixtures("cache")
def test_a_disk_that_fills_up_during_a_download_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_up(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fill_up)

    with pytest.raises(DiskFull, match="free some room"):
        locate(HUB_ID)


@pytest.mark.usefixtures("hub")
def test_offline_the_hub_is_not_asked() -> None:
    with pytest.raises(ModelNotFound, match="offline; run 'hf download"):
        locate(HUB_ID, offline=True)


def test_what_is_neither_there_nor_a_hub_id_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no such folder or file"):
        locate(tmp_path / "nothing")


def test_no_source_is_the_bundled_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fresco_engine.diffusion.sources.BUNDLED", tmp_path)

    assert locate(None) == tmp_path
    assert BUNDLED.name == "fresco-small"


def test_a_missing_bundled_model_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fresco_engine.diffusion.sources.BUNDLED", tmp_path / "nothing")

    with pytest.raises(ModelNotFound, match="install the program again"):
        locate(None)
