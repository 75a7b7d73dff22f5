"""Models of strangers: what they ask for is looked at before anything is taken or run."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.tiny_models import write_checkpoint, write_lora, write_model_folder
from fresco_engine.diffusion import catalogue
from fresco_engine.diffusion.catalogue import list_models
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.weights import read_header
from fresco_engine.errors import ModelCorrupt, ModelError, WrongModelKind
from fresco_media.files import opening as files
from safetensors.torch import load_file, save_file

Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model; to be copied."""
    return write_model_folder(tmp_path_factory.mktemp("models") / "sd")


@pytest.fixture
def model(original: Path, tmp_path: Path) -> Path:
    """A model that a test may change."""
    return Path(shutil.copytree(original, tmp_path / "models" / "sd"))


@pytest.fixture(autouse=True)
def _no_other_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fresco_engine.diffusion.catalogue.BUNDLED", tmp_path / "no bundled")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    catalogue._KNOWN.clear()


def _change(path: Path, **changes: Any) -> None:
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, **changes}))


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("unet", {"block_out_channels": [10**6] * 4}),
        ("unet", {"block_out_channels": [32, 32, 64, 65536]}),
        ("unet", {"layers_per_block": 10**9}),
        ("unet", {"layers_per_block": [1, 1, 1, 5000]}),
        ("unet", {"transformer_layers_per_block": 10**6}),
        ("unet", {"attention_head_dim": 10**400}),
        ("unet", {"sample_size": float("inf")}),
        ("unet", {"down_block_types": _nested(40)}),
        ("unet", {"num_class_embeds": 1_000_000}),
        ("vae", {"layers_per_block": 10**7}),
        ("vae", {"block_out_channels": [2**19] * 4}),
        ("text_encoder", {"num_hidden_layers": 10**8}),
        ("text_encoder", {"vocab_size": 10**12}),
        ("text_encoder", {"intermediate_size": 1_000_000}),
        ("text_encoder", {"max_position_embeddings": 1_000_000}),
    ],
)
def test_a_configuration_beyond_its_weights_takes_no_memory(
    model: Path, part: str, changes: dict[str, Any]
) -> None:
    _change(model / part / "config.json", **changes)

    with pytest.raises(ModelError, match="configuration"):
        load_model(model, control="none")


@pytest.mark.parametrize(
    "changes",
    [
        {"beta_schedule": "nobody's"},
        {"beta_start": "a"},
        {"steps_offset": "a"},
        {"timestep_spacing": "nobody's"},
        {"trained_betas": [float("nan")] * 9},
    ],
)
def test_a_schedule_that_cannot_be_made_is_told(model: Path, changes: dict[str, Any]) -> None:
    _change(model / "scheduler" / "scheduler_config.json", **changes)

    with pytest.raises(ModelCorrupt, match="configuration"):
        load_model(model, control="none")


@pytest.mark.parametrize(
    ("part", "changes"), [("unet", {"norm_eps": "x"}), ("vae", {"scaling_factor": "x"})]
)
def test_a_text_in_place_of_a_number_is_told(
    model: Path, part: str, changes: dict[str, Any]
) -> None:
    _change(model / part / "config.json", **changes)

    with pytest.raises(ModelCorrupt, match="configuration"):
        load_model(model, control="none")


def test_a_vae_that_makes_pictures_of_terapixels_is_refused(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "small", vae="tiny", controlnet=False)
    _change(folder / "vae" / "config.json", upsampling_scaling_factor=1_000_000)

    with pytest.raises(ModelCorrupt, match="upsampling"):
        load_model(folder, control="none")


@pytest.mark.parametrize("steps", [0, -5, 10**12, "many", [1]])
def test_a_schedule_without_end_is_refused(model: Path, steps: Any) -> None:
    _change(model / "scheduler" / "scheduler_config.json", num_train_timesteps=steps)

    with pytest.raises(ModelCorrupt, match="configuration"):
        load_model(model, control="none")


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "{" + '"a":[' * 100_000, "1" * 300_000, '{"a": 1e99', "null"]
)
@pytest.mark.parametrize("name", ["unet/config.json", "fresco.json"])
def test_a_text_that_is_no_description_is_told(model: Path, name: str, text: str) -> None:
    (model / name).write_text(text)

    with pytest.raises(ModelError):
        load_model(model, control="none")


@pytest.mark.parametrize("name", ["model_index.json", "vae/config.json", "fresco.json"])
def test_a_description_of_terabytes_is_not_read(model: Path, name: str) -> None:
    (model / name).touch()
    os.truncate(model / name, 1 << 40)

    with pytest.raises(ModelCorrupt, match="more than the 1 MB"):
        load_model(model, control="none")


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../other.safetensors", "diffusion_pytorch_model.bin", "sub/x.safetensors"],
)
@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_an_index_names_files_beside_it_only(model: Path, part: str, name: str) -> None:
    stem = "model" if part == "text_encoder" else "diffusion_pytorch_model"
    index = model / part / f"{stem}.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": {"conv_in.weight": name}}))
    (model / part / "diffusion_pytorch_model.bin").write_bytes(b"cposix\nsystem\n")

    with pytest.raises(WrongModelKind, match="beside it"):
        load_model(model, control="none")


def test_an_index_that_looks_in_the_wrong_file_is_told(model: Path) -> None:
    whole = next((model / "unet").glob("*.safetensors"))
    tensors = load_file(whole)
    names, stem = sorted(tensors), "diffusion_pytorch_model"
    shards = [f"{stem}-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for shard, part in zip(shards, (names[::2], names[1::2]), strict=True):
        save_file({name: tensors[name] for name in part}, model / "unet" / shard)
    whole.unlink()
    weights = dict.fromkeys(names, shards[0])
    index = model / "unet" / f"{stem}.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weights}))

    with pytest.raises(ModelCorrupt, match="tensors are missing or misshapen"):
        load_model(model, control="none")


def test_a_tokenizer_that_is_not_there_is_told(model: Path) -> None:
    shutil.rmtree(model / "tokenizer")

    with pytest.raises(ModelCorrupt, match="the tokenizer is missing; get the model again"):
        load_model(model, control="none")


@pytest.mark.parametrize(
    "changes",
    [
        {"auto_map": {"AutoModel": "code.Model"}},
        {"quantization_config": {"quant_method": "bitsandbytes"}},
        {"_attn_implementation": "somebody/kernels"},
        {"trust_remote_code": True},
    ],
)
@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_code_of_its_own_is_refused(model: Path, part: str, changes: dict[str, Any]) -> None:
    _change(model / part / "config.json", **changes)

    with pytest.raises(WrongModelKind, match="not run"):
        load_model(model, control="none")


@pytest.mark.parametrize("key", ["vocab_file", "merges_file", "tokenizer_file"])
def test_a_tokenizer_that_names_other_files_is_refused(model: Path, key: str) -> None:
    _change(model / "tokenizer" / "tokenizer_config.json", **{key: "/etc/passwd"})

    with pytest.raises(WrongModelKind, match="of its own"):
        load_model(model, control="none")


def test_what_else_lies_beside_the_weights_is_not_used(model: Path) -> None:
    (model / "text_encoder" / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "somebody/else", "peft_type": "LORA"})
    )
    (model / "unet" / "code.py").write_text("raise SystemExit")

    assert load_model(model, control="none").unet is not None


@pytest.mark.parametrize("place", ["../../outside", "/etc", "a/../../b", ""])
def test_a_card_names_its_own_folders_only(model: Path, place: str) -> None:
    (model / "fresco.json").write_text(json.dumps({"controls": {"tile": place}}))

    with pytest.raises(ModelCorrupt, match="no subfolder"):
        load_model(model, control="tile")


def _header(path: Path, entries: dict[str, Any], size: int = 0) -> Path:
    text = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + size)
    return path


@pytest.mark.parametrize(
    "item",
    [
        {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1] * 100, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [1e400], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
    ],
)
def test_a_tensor_takes_as_many_bytes_as_it_says(tmp_path: Path, item: dict[str, Any]) -> None:
    path = _header(tmp_path / "odd.safetensors", {"lora_a": item}, 64)

    with pytest.raises(ModelCorrupt, match="damaged"):
        read_header(path)


def test_a_header_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 30))
    os.truncate(path, 2 << 30)

    with pytest.raises(ModelCorrupt, match="far more than a model has"):
        read_header(path)


def test_a_lora_of_a_million_tensors_is_refused(model: Path, tmp_path: Path) -> None:
    item = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    path = _header(tmp_path / "l.safetensors", {f"lora_{n}": item for n in range(100_001)}, 4)

    with pytest.raises(ModelError):
        load_model(model, control="none", loras=[Lora(path)])


def test_a_file_of_holes_is_not_taken_into_memory(model: Path, tmp_path: Path) -> None:
    size = 4 << 40
    item = {"dtype": "F32", "shape": [1 << 20, 1 << 20], "data_offsets": [0, size]}
    path = _header(tmp_path / "holes.safetensors", {"lora_unet_a.lora_down.weight": item}, size)

    with pytest.raises(WrongModelKind, match="far more than"):
        load_model(model, control="none", loras=[Lora(path)])


def _fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _endless(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path)


def _huge(path: Path) -> None:
    path.write_bytes(b"\xff" * 8)
    os.truncate(path, 1 << 40)


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
@pytest.mark.parametrize("make", [_fifo, _endless, _loop, _huge, _folder])
@pytest.mark.parametrize(
    "name",
    [
        "sd/model_index.json",
        "sd/fresco.json",
        "sd/unet/diffusion_pytorch_model.safetensors",
        "other.safetensors",
    ],
)
def test_a_broken_entry_is_its_own_affair(model: Path, make: Change, name: str) -> None:
    write_checkpoint(model.parent / "good.safetensors")
    make(model.parent / name)

    entries = {Path(entry.source).name: entry for entry in list_models([model.parent])}

    broken = [entry for name, entry in entries.items() if name in ("sd", "other.safetensors")]
    assert entries["good.safetensors"].problem is None
    assert all(entry.problem for entry in broken if name.startswith(Path(entry.source).name))


def test_a_folder_of_far_too_much_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "everything"
    folder.mkdir()
    for number in range(1100):
        (folder / f"{number:04}.safetensors").touch()

    entries = [entry for entry in list_models([folder]) if entry.source.startswith(str(folder))]

    assert len(entries) == 1001
    assert "only the first 1000" in str(entries[-1].problem)


@pytest.fixture
def deep(model: Path) -> Path:
    """A model in which folders lie deep."""
    here, depth = Path.cwd(), 400
    os.chdir(model)
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(here)
    return model


def test_a_model_of_deep_folders_is_listed(deep: Path) -> None:
    entry = next(entry for entry in list_models([deep.parent]) if entry.source == str(deep))

    assert entry.problem is None
    assert entry.size_bytes > 0


def test_an_entry_that_changes_is_looked_at_again(model: Path) -> None:
    before = next(entry for entry in list_models([model.parent]) if entry.source == str(model))

    (model / "fresco.json").write_text(json.dumps({"name": "Renamed"}))
    after = [entry.name for entry in list_models([model.parent])]

    assert before.problem is None
    assert "Renamed" in after
    assert str(model) not in after


def test_a_cards_words_are_bounded(model: Path) -> None:
    style = {"name": "s" * 5000, "prompt": "p" * 50_000}
    (model / "fresco.json").write_text(json.dumps({"name": "n" * 9000, "styles": [style] * 10}))

    entry = next(entry for entry in list_models([model.parent]) if entry.name.startswith("nnn"))

    assert len(entry.name) == 200
    assert len(entry.styles[0].prompt) == 4000


def test_a_list_of_models_fits_a_message(model: Path) -> None:
    style = {"name": "s", "prompt": "p" * 4000, "words": "w" * 4000}
    card = json.dumps({"name": "Wordy", "styles": [style] * 90})
    for number in range(6):
        folder = model.parent / f"wordy{number}"
        folder.mkdir()
        (folder / "model_index.json").write_text("{}")
        (folder / "fresco.json").write_text(card)

    entries = list_models([model.parent])

    letters = sum(len(style.prompt) + len(style.words) for e in entries for style in e.styles)
    assert len([entry for entry in entries if entry.name == "Wordy"]) == 6
    assert letters < 1_000_000


def test_a_confined_process_takes_no_weights_from_elsewhere(model: Path, tmp_path: Path) -> None:
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    outside = weights.rename(tmp_path / "private.safetensors")
    weights.symlink_to(outside)
    lora = tmp_path / "models" / "l.safetensors"
    write_lora(tmp_path / "private-lora.safetensors")
    lora.symlink_to(tmp_path / "private-lora.safetensors")

    with files.confined([model.parent]):
        for path, loras in ((model, []), (model, [Lora(lora)])):
            with pytest.raises(ModelError, match="outside the folders"):
                load_model(path, control="none", loras=loras)


@pytest.mark.parametrize(
    "name",
    [
        "model_index.json",
        "unet/config.json",
        "tokenizer/vocab.json",
        "unet/diffusion_pytorch_model.safetensors",
    ],
)
def test_who_has_linked_parts_of_a_model_is_told_to_name_their_folder(
    model: Path, tmp_path: Path, name: str
) -> None:
    elsewhere = (model / name).rename(tmp_path / Path(name).name)
    (model / name).symlink_to(elsewhere)

    with (
        files.confined([model.parent]),
        pytest.raises(ModelError, match=r"outside the folders.*let the daemon read the folder"),
    ):
        load_model(model, control="none")
    with files.confined([model.parent, tmp_path]):
        assert load_model(model, control="none").unet is not None


def test_a_confined_process_loads_a_model_of_its_own(model: Path) -> None:
    with files.confined([model.parent]):
        loaded = load_model(model, control="none")

    assert loaded.unet is not None
