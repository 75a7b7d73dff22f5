"""The estimator that settings name: dense inverse search, or a network with weights from a file.

Weights are a stranger's: what a file holds is compared with what the network needs before it is
used, and of a pickle only numbers are read.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from fresco_media.files.opening import NotAFile, OutsideFolders, TooLarge, read_file, settled
from fresco_media.files.text import counted
from fresco_settings import FlowChoice
from torch import Tensor

from fresco_engine.correspondence.flow import DisFlow, Flow, FlowEstimator, Pair
from fresco_engine.correspondence.gmflow.matcher import GmFlowMatcher
from fresco_engine.correspondence.gmflow.network import GmFlowNetwork
from fresco_engine.correspondence.shared_flow import SharedFlow
from fresco_engine.diffusion.memory import device_memory
from fresco_engine.diffusion.sources import hub_file
from fresco_engine.diffusion.weights import (
    LEADS_OUT,
    TensorInfo,
    WeightsKind,
    kind_of,
    read_header,
)
from fresco_engine.errors import ModelCorrupt, ModelError, ModelNotFound, WrongModelKind

HUB_ID = "PKUWilliamYang/Rerender"
HUB_FILE = "models/gmflow_sintel-0c07dcb3.pth"
_PICKLES = (".pth", ".pt", ".ckpt")
_MOST_BYTES = 256 << 20
"""Fourteen times as much as the weights in float32."""
_WRAPPERS = ("model", "state_dict")
_PREFIX = "module."
_UPSAMPLER = "upsampler.2.weight"
"""Its shape tells how much smaller than pictures the finest features are."""
_GET = f"get {HUB_FILE} of the hub's {HUB_ID}, the model with one scale"
_Shapes = Mapping[str, tuple[int, ...]]


def load_estimator(choice: str, device: Callable[[], str]) -> FlowEstimator:
    """The estimator that `choice` names, see `FlowChoice`; `device` is asked when it is first used.

    Raises:
        InvalidSettings: the choice is unknown.
        ModelNotFound, ModelCorrupt, WrongModelKind: there are no weights, or not those of GMFlow.
    """
    wanted = FlowChoice.parse(choice)
    if wanted.kind == "dis":
        return DisFlow()
    try:
        network = load_gmflow(find_weights(wanted.file))
    except ModelError as error:
        error.field = "flow"
        raise
    return SharedFlow(_Guarded(GmFlowMatcher(network, device)))


def find_weights(file: str, *, offline: bool = False) -> Path:
    """The file of weights called `file`; the published one of the hub if that is empty.

    Raises:
        ModelNotFound: there is none, with where to get it and where to put it.
    """
    if file:
        path = Path(file).expanduser()
        if not path.is_file():
            raise ModelNotFound(path, f"there is no such file; check the path, or {_GET}")
        return path
    try:
        return hub_file(HUB_ID, HUB_FILE, offline=offline)
    except ModelNotFound as error:
        raise ModelNotFound(
            "gmflow",
            "its weights are not on this machine and could not be downloaded; run "
            f"'hf download {HUB_ID} {HUB_FILE}' here, or on a machine with network access, copy "
            f"the file {Path(HUB_FILE).name} to any folder here and name it as gmflow:FILE; or "
            "use dis, which needs no weights",
        ) from error


def load_gmflow(path: Path) -> GmFlowNetwork:
    """GMFlow with the weights in a .safetensors or .pth file, of any precision, on the CPU.

    Raises:
        ModelNotFound: there is no such file, or it may not be read.
        ModelCorrupt: it is damaged or incomplete.
        WrongModelKind: it holds other weights, or is a file of another kind.
    """
    # Without memory for its numbers, which are those of the file.
    with torch.device("meta"):
        network = GmFlowNetwork()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        tensors = _from_safetensors(path, shapes)
    elif suffix in _PICKLES:
        tensors = _from_pickle(path, shapes)
    else:
        raise WrongModelKind(path, f"it is neither a .safetensors nor a .pth file; {_GET}")
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise ModelCorrupt(path, f"it holds values that are no numbers (NaN or infinity); {_GET}")
    full = {name: tensor.float() for name, tensor in tensors.items()}
    network.load_state_dict(full, assign=True)
    return network


def _from_safetensors(path: Path, shapes: _Shapes) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    header = read_header(path)
    named = {name.removeprefix(_PREFIX): one for name, one in header.items()}
    kind = kind_of(header)
    if kind is not WeightsKind.UNKNOWN and not shapes.keys() & named.keys():
        raise WrongModelKind(path, f"this is {kind.value}, not the weights of GMFlow; {_GET}")
    _check(path, {name: one.shape for name, one in named.items()}, shapes)
    _check_numbers(path, named)
    try:
        with settled(path) as name:
            tensors = load_file(name)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ModelCorrupt(path, f"it does not load ({error}); {_GET}") from error
    return {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}


def _check_numbers(path: Path, header: Mapping[str, TensorInfo]) -> None:
    kinds = {one.dtype for one in header.values()} - {"F16", "BF16", "F32", "F64"}
    if kinds:
        raise WrongModelKind(path, f"its numbers are {', '.join(sorted(kinds))}; {_GET}")


def _from_pickle(path: Path, shapes: _Shapes) -> dict[str, Tensor]:
    """What is read is bounded before it is unpacked, and no program in it is run."""
    data = _whole(path)
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                if sum(one.file_size for one in packed.infolist()) > _MOST_BYTES:
                    raise WrongModelKind(path, f"it holds far more than GMFlow's weights; {_GET}")
        held: Any = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except ModelError:
        raise
    # Whatever unpacking raises over what is no such file, or over what it refuses to run.
    except Exception as error:
        raise ModelCorrupt(
            path, f"it is damaged, or holds more than weights, which is not read; {_GET}"
        ) from error
    tensors = _unwrapped(held)
    _check(path, {name: tuple(one.shape) for name, one in tensors.items()}, shapes)
    if not all(one.layout is torch.strided and one.is_floating_point() for one in tensors.values()):
        raise WrongModelKind(path, f"its numbers are of another kind; {_GET}")
    return tensors


def _whole(path: Path) -> bytes:
    try:
        return read_file(path, _MOST_BYTES)
    except OutsideFolders as error:
        raise ModelNotFound(path, LEADS_OUT) from error
    except (NotAFile, TooLarge) as error:
        raise WrongModelKind(path, f"{error.strerror}; {_GET}") from error
    except OSError as error:
        raise ModelNotFound(path, f"cannot be read ({error.strerror}); check the path") from error


def _unwrapped(held: Any) -> dict[str, Tensor]:
    """The tensors by name, also where they lie beside what training needed to go on."""
    if not isinstance(held, Mapping):
        return {}
    for name in _WRAPPERS:
        if isinstance(held.get(name), Mapping):
            held = held[name]
            break
    return {
        str(name).removeprefix(_PREFIX): tensor
        for name, tensor in held.items()
        if isinstance(tensor, Tensor)
    }


def _check(path: Path, found: _Shapes, wanted: _Shapes) -> None:
    """Raises the fitting error where what was found is not all of GMFlow, and nothing else."""
    if not found.keys() & wanted.keys():
        raise WrongModelKind(path, f"these are not the weights of GMFlow; {_GET}")
    foreign = len(found.keys() - wanted.keys())
    if foreign or found.get(_UPSAMPLER, wanted[_UPSAMPLER]) != wanted[_UPSAMPLER]:
        raise WrongModelKind(
            path, f"these weights are of another GMFlow, such as the one with refinement; {_GET}"
        )
    lacking = sum(found.get(name) != shape for name, shape in wanted.items())
    if lacking:
        count = counted(lacking, "tensor is", "tensors are")
        raise ModelCorrupt(path, f"{count} missing or misshapen; {_GET}")


class _Guarded:
    """Finds flow with a full device turned into an error that says what to do."""

    def __init__(self, matcher: GmFlowMatcher) -> None:
        self._matcher = matcher
        self.at_once = matcher.at_once

    def both_ways(self, pairs: Sequence[Pair]) -> list[tuple[Flow, Flow]]:
        """As the matcher's; raises `OutOfDeviceMemory`."""
        with device_memory("finding flow"):
            return self._matcher.both_ways(pairs)
