"""Weights that flow is found with: from files of strangers, and through a whole restyle."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes.flow_weights import matching_network, random_pictures, random_weights, shapes_of
from fakes.hub import serving
from fresco_engine import flow_models
from fresco_engine.correspondence.flow import DisFlow, Flow, Pair
from fresco_engine.correspondence.gmflow.matcher import GmFlowMatcher
from fresco_engine.correspondence.gmflow.network import GmFlowNetwork
from fresco_engine.correspondence.shared_flow import SharedFlow
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import (
    InvalidSettings,
    ModelCorrupt,
    ModelNotFound,
    OutOfDeviceMemory,
    WrongModelKind,
)
from fresco_engine.flow_models import HUB_FILE, HUB_ID, find_weights, load_estimator, load_gmflow
from fresco_engine.restyling import restyle
from fresco_media.files.opening import confined
from safetensors.torch import save_file
from torch import Tensor

from tests.engine.conftest import MakeClip
from tests.engine.runs import SETTINGS, frames_of

State = dict[str, Tensor]
NAME = "backbone.conv1.weight"


@pytest.fixture(scope="module")
def state() -> State:
    """Random weights in float32."""
    return {
        name: value.float() for name, value in random_weights(shapes_of(GmFlowNetwork())).items()
    }


def _same(network: GmFlowNetwork, state: State) -> bool:
    found = network.state_dict()
    return found.keys() == state.keys() and all(
        torch.equal(found[name], value) for name, value in state.items()
    )


def _with_prefix(state: State) -> State:
    return {f"module.{name}": value for name, value in state.items()}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"model": state},
        lambda state: {"model": _with_prefix(state), "step": 7, "optimizer": {"lr": 0.1}},
        lambda state: {"state_dict": state, "epoch": 3},
        _with_prefix,
    ],
    ids=["bare", "model", "training", "state_dict", "module"],
)
def test_published_weights_are_read_as_they_are_saved(
    tmp_path: Path, state: State, wrapped: Callable[[State], object]
) -> None:
    torch.save(wrapped(state), tmp_path / "gmflow.pth")

    assert _same(load_gmflow(tmp_path / "gmflow.pth"), state)


def test_a_file_of_an_older_torch_is_read(tmp_path: Path, state: State) -> None:
    file = tmp_path / "gmflow.pth"
    torch.save({"model": state}, file, _use_new_zipfile_serialization=False)

    assert _same(load_gmflow(file), state)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_safetensors_of_any_precision_are_worked_with_in_float32(
    tmp_path: Path, state: State, dtype: torch.dtype
) -> None:
    stored = {name: value.to(dtype) for name, value in state.items()}
    save_file(_with_prefix(stored), tmp_path / "gmflow.safetensors")

    network = load_gmflow(tmp_path / "gmflow.safetensors")

    assert _same(network, {name: value.float() for name, value in stored.items()})


class _Program:
    """Would leave a file when it is unpacked."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self._trace),)


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "plain"])
def test_a_program_in_a_file_is_not_run(tmp_path: Path, state: State, is_zip: bool) -> None:
    file, trace = tmp_path / "gmflow.pth", tmp_path / "trace"
    held = {"model": state, "more": _Program(trace)}
    if is_zip:
        torch.save(held, file)
    else:
        file.write_bytes(pickle.dumps(_Program(trace)))

    with pytest.raises(ModelCorrupt, match="more than weights, which is not read"):
        load_gmflow(file)

    assert not trace.exists()


def _bomb() -> bytes:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("archive/data.pkl", "w") as file,
    ):
        for _ in range(300):
            file.write(bytes(1 << 20))
    return packed.getvalue()


def test_a_file_that_unpacks_to_far_more_is_refused_before_it_is(tmp_path: Path) -> None:
    file = tmp_path / "bomb.pth"
    file.write_bytes(_bomb())

    with pytest.raises(WrongModelKind, match="far more than GMFlow's weights"):
        load_gmflow(file)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kept", [0, 1, 1000, -1], ids=lambda count: f"{count} bytes")
def test_a_damaged_file_is_told(tmp_path: Path, state: State, suffix: str, kept: int) -> None:
    file = tmp_path / f"gmflow{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(state, file)
    file.write_bytes(file.read_bytes()[:kept])

    with pytest.raises(ModelCorrupt, match="damaged"):
        load_gmflow(file)


def _without(state: State) -> State:
    return {name: value for name, value in state.items() if name != NAME}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (_without, ModelCorrupt, "1 tensor is missing or misshapen"),
        (lambda state: {**state, NAME: state[NAME][:8]}, ModelCorrupt, "missing or misshapen"),
        (lambda state: {**state, NAME: state[NAME] * np.nan}, ModelCorrupt, "no numbers"),
        (lambda state: {**state, NAME: state[NAME].int()}, WrongModelKind, "numbers are"),
        (
            lambda state: {**state, "backbone.trident_conv.weight": state[NAME]},
            WrongModelKind,
            "another GMFlow, such as the one with refinement",
        ),
        (
            lambda state: {**state, "upsampler.2.weight": torch.zeros(144, 256, 1, 1)},
            WrongModelKind,
            "another GMFlow, such as the one with refinement",
        ),
        (lambda _: {"conv.weight": torch.ones(3)}, WrongModelKind, "not the weights of GMFlow"),
    ],
    ids=["missing", "misshapen", "NaN", "integers", "refinement", "two scales", "another"],
)
def test_weights_that_do_not_fit_are_refused_with_what_to_get(
    tmp_path: Path,
    state: State,
    suffix: str,
    change: Callable[[State], State],
    kind: type[Exception],
    words: str,
) -> None:
    file = tmp_path / f"weights{suffix}"
    changed = {name: value.clone() for name, value in change(state).items()}
    (save_file if suffix == ".safetensors" else torch.save)(changed, file)

    with pytest.raises(kind, match=f"{words}.*gmflow_sintel-0c07dcb3.pth"):
        load_gmflow(file)


def test_a_model_of_another_kind_is_called_by_its_name(tmp_path: Path) -> None:
    save_file({"lora_unet.down.weight": torch.ones(3)}, tmp_path / "ink.safetensors")

    with pytest.raises(WrongModelKind, match="this is a LoRA, not the weights of GMFlow"):
        load_gmflow(tmp_path / "ink.safetensors")


@pytest.mark.parametrize("held", [7, [torch.ones(3)], {1: 2}], ids=["number", "list", "other"])
def test_a_pickle_of_anything_else_is_refused(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "gmflow.pth")

    with pytest.raises(WrongModelKind, match="not the weights of GMFlow"):
        load_gmflow(tmp_path / "gmflow.pth")


def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "gmflow.onnx").write_bytes(b"x")

    with pytest.raises(WrongModelKind, match=r"neither a \.safetensors nor a \.pth"):
        load_gmflow(tmp_path / "gmflow.onnx")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_confined_process_reads_no_weights_from_elsewhere(
    tmp_path: Path, state: State, suffix: str
) -> None:
    (tmp_path / "root").mkdir()
    (save_file if suffix == ".safetensors" else torch.save)(state, tmp_path / f"real{suffix}")
    link = tmp_path / "root" / f"gmflow{suffix}"
    link.symlink_to(tmp_path / f"real{suffix}")

    with confined([tmp_path / "root"]), pytest.raises(ModelNotFound, match="leads outside"):
        load_gmflow(link)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no hub that answers."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    _use_hub(monkeypatch, "http://127.0.0.1:9")
    return tmp_path / "cache"


def _use_hub(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


def test_published_weights_are_fetched_once_and_then_found_without_the_hub(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    (repository / "models").mkdir(parents=True)
    (repository / HUB_FILE).write_bytes(b"the weights")
    (repository / "models" / "large.ckpt").write_bytes(b"not needed")

    with serving({HUB_ID: repository}) as address:
        _use_hub(monkeypatch, address)
        fetched = find_weights("")
    again = find_weights("", offline=True)

    assert fetched == again
    assert fetched.read_bytes() == b"the weights"
    assert fetched.is_relative_to(cache)
    assert list(cache.rglob("large.ckpt")) == []


def test_weights_that_are_nowhere_are_told_with_what_to_fetch_and_where_to_put_it(
    cache: Path,
) -> None:
    with pytest.raises(ModelNotFound) as caught:
        load_estimator("gmflow", lambda: "cpu")

    assert f"hf download {HUB_ID} {HUB_FILE}" in str(caught.value)
    assert "gmflow:FILE" in str(caught.value)
    assert caught.value.field == "flow"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"nothing\.pth: there is no such file"):
        load_estimator(f"gmflow:{tmp_path}/nothing.pth", lambda: "cpu")


def test_dense_inverse_search_needs_nothing() -> None:
    assert type(load_estimator("dis", lambda: "cpu")) is DisFlow
    with pytest.raises(InvalidSettings, match="'raft' is unknown; use dis, gmflow"):
        load_estimator("raft", lambda: "cpu")


def test_a_full_device_is_told(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(state, tmp_path / "gmflow.pth")

    def full(matcher: GmFlowMatcher, pairs: Sequence[Pair]) -> list[tuple[Flow, Flow]]:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(flow_models.GmFlowMatcher, "both_ways", full)
    first, second = random_pictures(2, 32, 32)

    with pytest.raises(OutOfDeviceMemory, match="while finding flow"):
        load_estimator(f"gmflow:{tmp_path}/gmflow.pth", lambda: "cpu")(first, second)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[bytes]]:
    """The pairs that are worked out, by what their pictures hold."""
    pairs_asked: list[frozenset[bytes]] = []
    both_ways = GmFlowMatcher.both_ways

    def noting(matcher: GmFlowMatcher, pairs: Sequence[Pair]) -> list[tuple[Flow, Flow]]:
        pairs_asked.extend(frozenset(one.tobytes() for one in pair) for pair in pairs)
        return both_ways(matcher, pairs)

    monkeypatch.setattr(GmFlowMatcher, "both_ways", noting)
    return pairs_asked


def test_a_clip_is_restyled_with_it_and_no_pair_is_worked_out_twice(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path, asked: list[frozenset[bytes]]
) -> None:
    torch.save({"model": matching_network().state_dict()}, tmp_path / "gmflow.pth")
    usual = replace(SETTINGS, interpolation="flow", keyframe_min=1, keyframe_max=3)
    settings = replace(usual, flow=f"gmflow:{tmp_path}/gmflow.pth")

    plain = frames_of(restyle(make_clip(9), usual, tiny_model))
    frames = frames_of(restyle(make_clip(9), settings, tiny_model))

    assert [frame.frame.index for frame in frames] == list(range(9))
    assert any(
        not np.array_equal(one.frame.image, other.frame.image)
        for one, other in zip(frames, plain, strict=True)
    )
    steps = 8
    assert len(asked) > steps
    assert len(asked) == len(set(asked))


def test_weights_that_are_missing_are_told_before_anything_is_done(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    def model() -> Model:
        raise AssertionError("it was loaded")

    events = restyle(make_clip(4), replace(SETTINGS, flow=f"gmflow:{tmp_path}/no.pth"), model)

    with pytest.raises(ModelNotFound):
        next(events)


def test_one_estimator_serves_keyframes_and_the_frames_between(
    tmp_path: Path, state: State
) -> None:
    torch.save(state, tmp_path / "gmflow.pth")

    assert isinstance(load_estimator(f"gmflow:{tmp_path}/gmflow.pth", lambda: "cpu"), SharedFlow)
