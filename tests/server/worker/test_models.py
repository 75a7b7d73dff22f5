"""A worker keeps its model as long as what is asked for is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.tiny_models import write_lora, write_model_folder
from fresco_engine.errors import InvalidSettings
from fresco_server.jobs.job import ModelOrder
from fresco_server.worker.models import Models


def test_a_model_is_loaded_anew_only_for_other_loras_folders_or_weights(tmp_path: Path) -> None:
    source = str(write_model_folder(tmp_path / "sd", vae="tiny", controlnet=False))
    (tmp_path / "loras").mkdir()
    write_lora(tmp_path / "loras" / "ink.safetensors")
    held: list[str | None] = []
    models = Models("cpu", held.append)
    order = ModelOrder(source=source, folders=(str(tmp_path),))
    settings = {"control": "none", "prompt": "a town <lora:ink:0.8>"}

    first = models.get(order, settings)
    again = models.get(order, {**settings, "prompt": "rain (hard:1.2) <lora:ink:0.8>"})
    # A VAE of the same name may be another one there.
    elsewhere = models.get(
        ModelOrder(source=source, folders=(str(tmp_path), str(tmp_path / "loras"))), settings
    )
    plain = models.get(order, {**settings, "prompt": "a town"})
    small = models.get(order, {**settings, "prompt": "a town", "weights": "float8"})

    assert first.unet is again.unet
    assert elsewhere.unet is not again.unet
    assert elsewhere.library.folders[1] == tmp_path / "loras"
    assert plain.unet is not first.unet
    assert small.unet is not plain.unet
    assert held == [source, source, source, source]


def test_a_lora_that_is_nowhere_fails_the_job(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="lies in no model folder"):
        Models("cpu", lambda source: None).get(ModelOrder(), {"prompt": "<lora:ink:1>"})


@pytest.mark.parametrize("name", ["ink.safetensors", "sd/unet/config.json"])
def test_a_model_is_loaded_anew_when_one_of_its_files_was_written_anew(
    tmp_path: Path, name: str
) -> None:
    source = str(write_model_folder(tmp_path / "sd", vae="tiny", controlnet=False))
    write_lora(tmp_path / "ink.safetensors")
    models = Models("cpu", lambda source: None)
    order = ModelOrder(source=source)
    settings = {"control": "none", "prompt": "a town <lora:ink:0.8>"}
    first = models.get(order, settings)
    path = tmp_path / name

    path.write_bytes(path.read_bytes())

    assert models.get(order, settings).unet is not first.unet
