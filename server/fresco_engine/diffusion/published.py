"""Weights that others have published for a network of ours, read from their file.

Weights are a stranger's: what a file holds is compared with what the network needs before it is
used, and of a pickle only numbers are read.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from fresco_media.files.opening import NotAFile, OutsideFolders, TooLarge, read_file, settled
from fresco_media.files.text import counted
from torch import Tensor, nn

from fresco_engine.diffusion.finite import are_finite
from fresco_engine.diffusion.memory import aligned
from fresco_engine.diffusion.weights import (
    LEADS_OUT,
    TensorInfo,
    WeightsKind,
    kind_of,
    read_header,
)
from fresco_engine.errors import ModelCorrupt, ModelError, ModelNotFound, WrongModelKind

_PICKLES = (".pth", ".pt", ".ckpt")
_MOST_BYTES = 256 << 20
"""Several times as much as the largest of these files."""
_WRAPPERS = ("model", "state_dict")
_PREFIX = "module."
_Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is said of published weights: their name, how to get them, what others there are.

    `other` completes "these weights are of"; a file whose tensor `telling` is of another shape is
    of those, as is one with tensors that the network does not have.
    """

    name: str
    get: str
    other: str
    telling: str = ""


def load_published(network: nn.Module, path: Path, published: Published) -> None:
    """Gives a network made on the meta device its numbers, in float32 on the CPU.

    The file is a .safetensors or .pth file, its numbers of any precision.

    Raises:
        ModelNotFound: there is no such file, or it may not be read.
        ModelCorrupt: it is damaged or incomplete.
        WrongModelKind: it holds other weights, or is a file of another kind.
    """
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        tensors = _from_safetensors(path, shapes, published)
    elif suffix in _PICKLES:
        tensors = _from_pickle(path, shapes, published)
    else:
        raise WrongModelKind(path, f"it is neither a .safetensors nor a .pth file; {published.get}")
    if not are_finite(tensors.values()):
        raise ModelCorrupt(
            path, f"it holds values that are no numbers (NaN or infinity); {published.get}"
        )
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
    aligned(network)


def _from_safetensors(path: Path, shapes: _Shapes, published: Published) -> dict[str, Tensor]:
    header = read_header(path)
    named = {name.removeprefix(_PREFIX): one for name, one in header.items()}
    kind = kind_of(header)
    if kind is not WeightsKind.UNKNOWN and not shapes.keys() & named.keys():
        raise WrongModelKind(
            path, f"this is {kind.value}, not the weights of {published.name}; {published.get}"
        )
    _check(path, {name: one.shape for name, one in named.items()}, shapes, published)
    _check_numbers(path, named, published)
    tensors = tensors_of(path, published)
    return {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}


def tensors_of(path: Path, published: Published) -> dict[str, Tensor]:
    """The tensors in a .safetensors file; raises `ModelCorrupt`."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with settled(path) as name:
            return load_file(name)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ModelCorrupt(path, f"it does not load ({error}); {published.get}") from error


def _check_numbers(path: Path, header: Mapping[str, TensorInfo], published: Published) -> None:
    kinds = {one.dtype for one in header.values()} - {"F16", "BF16", "F32", "F64"}
    if kinds:
        raise WrongModelKind(path, f"its numbers are {', '.join(sorted(kinds))}; {published.get}")


def _from_pickle(path: Path, shapes: _Shapes, published: Published) -> dict[str, Tensor]:
    tensors = _unwrapped(unpacked(path, published, _MOST_BYTES))
    _check(path, {name: tuple(one.shape) for name, one in tensors.items()}, shapes, published)
    if not all(one.layout is torch.strided and one.is_floating_point() for one in tensors.values()):
        raise WrongModelKind(path, f"its numbers are of another kind; {published.get}")
    return tensors


def unpacked(path: Path, published: Published, most_bytes: int) -> Any:
    """What a pickle of weights holds, of which at most `most_bytes` are read.

    What is read is bounded before it is unpacked, and no program in it is run.

    Raises:
        ModelNotFound: there is no such file, or it may not be read.
        ModelCorrupt: it is damaged, or holds more than numbers.
        WrongModelKind: it is far too large.
    """
    data = _whole(path, published, most_bytes)
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                if sum(one.file_size for one in packed.infolist()) > most_bytes:
                    raise WrongModelKind(
                        path, f"it holds far more than {published.name}'s weights; {published.get}"
                    )
        held = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        _check_plain(held)
        return held
    except ModelError:
        raise
    # Whatever unpacking raises over what is no such file, or over what it refuses to run.
    except Exception as error:
        raise ModelCorrupt(
            path, f"it is damaged, or holds more than weights, which is not read; {published.get}"
        ) from error


def _check_plain(held: Any) -> None:
    """Insist on tensors having all their numbers in the file.

    A few bytes may stand for any number of them, by strides of 0 or as sparse ones.

    Raises:
        ValueError: one has not.
    """
    if isinstance(held, Mapping):
        held = list(held.values())
    if isinstance(held, list | tuple):
        for one in held:
            _check_plain(one)
    if not isinstance(held, Tensor):
        return
    if held.layout is not torch.strided or held.device.type != "cpu" or held.is_quantized:
        raise ValueError("a tensor that is not plain")
    if math.prod(held.shape) * held.element_size() > held.untyped_storage().nbytes():
        raise ValueError("a tensor of fewer numbers than it has places")


def _whole(path: Path, published: Published, most_bytes: int) -> bytes:
    try:
        return read_file(path, most_bytes)
    except OutsideFolders as error:
        raise ModelNotFound(path, LEADS_OUT) from error
    except (NotAFile, TooLarge) as error:
        raise WrongModelKind(path, f"{error.strerror}; {published.get}") from error
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


def _check(path: Path, found: _Shapes, wanted: _Shapes, published: Published) -> None:
    """Raises the fitting error where what was found is not all of the network, and nothing else."""
    if not found.keys() & wanted.keys():
        raise WrongModelKind(
            path, f"these are not the weights of {published.name}; {published.get}"
        )
    foreign = len(found.keys() - wanted.keys())
    telling = published.telling
    if foreign or (telling in found and found[telling] != wanted[telling]):
        raise WrongModelKind(path, f"these weights are of {published.other}; {published.get}")
    lacking = sum(found.get(name) != shape for name, shape in wanted.items())
    if lacking:
        count = counted(lacking, "tensor is", "tensors are")
        raise ModelCorrupt(path, f"{count} missing or misshapen; {published.get}")
