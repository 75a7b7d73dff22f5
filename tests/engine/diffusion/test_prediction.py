"""What a checkpoint predicts is taken from wherever its maker or user says it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from fakes.tiny_models import write_checkpoint
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prediction import has_zero_snr, prediction_of
from fresco_engine.diffusion.weights import read_header
from fresco_engine.errors import ModelCorrupt
from safetensors.torch import save_file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return written(tmp_path / "m.safetensors")


def written(path: Path, **metadata: str) -> Path:
    """A file whose header is all that matters."""
    save_file({"weight": torch.zeros(1)}, path, metadata or None)
    return path


def found(path: Path) -> str:
    return prediction_of(path, read_header(path))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.yaml", 'model:\n  target: ldm\n  params:\n    parameterization: "v"\n'),
        ("m.yml", "model: {params: {parameterization: v}}\n"),
        ("m.yaml", "\ufeffparameterization: V\n"),
        ("m.yaml", "scheduler:\n  prediction_type: v_prediction\n"),
        ("m.json", '{"prediction_type": "v-prediction"}'),
        ("m.json", '{"modelspec": {"prediction_type": "v"}}'),
        ("m.safetensors.json", '{"modelspec.prediction_type": "v"}'),
        ("m.safetensors.yaml", "parameterization: v"),
    ],
)
def test_a_configuration_beside_the_file_says_v(model: Path, name: str, text: str) -> None:
    (model.parent / name).write_text(text, encoding="utf-8")

    assert found(model) == "v_prediction"


@pytest.mark.parametrize(
    "metadata",
    [
        {"modelspec.prediction_type": "v"},
        {"modelspec.prediction_type": "v-prediction"},
        {"prediction_type": "v_prediction"},
        {"ss_v_parameterization": "True"},
    ],
)
def test_the_files_own_metadata_says_v(tmp_path: Path, metadata: dict[str, str]) -> None:
    assert found(written(tmp_path / "m.safetensors", **metadata)) == "v_prediction"


def test_an_empty_tensor_says_v(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"weight": torch.zeros(1), "v_pred": torch.zeros(0)}, path)

    assert found(path) == "v_prediction"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.yaml", "model:\n  params:\n    parameterization: eps\n"),
        ("m.yaml", "model:\n  target: ldm\n"),
        ("m.yaml", ""),
        ("m.yaml", "- v\n"),
        ("m.json", '{"description": "v"}'),
        ("m.json", "notes, not JSON"),
        ("other.yaml", "parameterization: v"),
    ],
)
def test_otherwise_it_predicts_the_noise(model: Path, name: str, text: str) -> None:
    (model.parent / name).write_text(text, encoding="utf-8")

    assert found(model) == "epsilon"


def test_the_configuration_beside_the_file_wins_over_its_metadata(tmp_path: Path) -> None:
    path = written(tmp_path / "m.safetensors", prediction_type="epsilon")
    (tmp_path / "m.yaml").write_text("parameterization: v", encoding="utf-8")

    assert found(path) == "v_prediction"


@pytest.mark.parametrize("text", ["model: [", "a: !!python/object/apply:os.system ['true']", "\0"])
def test_a_yaml_that_cannot_be_read_is_told(model: Path, text: str) -> None:
    (model.parent / "m.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ModelCorrupt, match="configuration beside the model cannot be read"):
        found(model)


def test_a_schedule_that_ends_in_pure_noise_is_taken_from_metadata(tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.safetensors")
    zero = written(tmp_path / "zero.safetensors", ss_zero_terminal_snr="True")

    assert not has_zero_snr(plain, read_header(plain))
    assert has_zero_snr(zero, read_header(zero))


def test_a_loaded_checkpoint_predicts_what_its_yaml_says(tmp_path: Path) -> None:
    file = write_checkpoint(tmp_path / "m.safetensors")
    (tmp_path / "m.yaml").write_text("model: {params: {parameterization: v}}", encoding="utf-8")

    model = load_model(file, tokenizer_source=tmp_path / "tokenizer", control="none", device="cpu")

    assert model.scheduler_config["prediction_type"] == "v_prediction"
