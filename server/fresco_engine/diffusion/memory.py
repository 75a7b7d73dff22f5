"""Where numbers lie, and a full device turned into an error that says what to do."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from fresco_engine.errors import OutOfDeviceMemory

Network = TypeVar("Network", bound=nn.Module)
_ALIGNMENT = 64
_CPU_ALLOCATOR = "can't allocate memory"


@contextmanager
def device_memory(stage: str, *, is_of_autoencoder: bool = False) -> Iterator[None]:
    """Raises `OutOfDeviceMemory` when the work inside runs out of memory.

    `stage` completes the sentence `the device ran out of memory while ...`.
    """
    try:
        yield
    except RuntimeError as error:
        is_full = isinstance(error, torch.OutOfMemoryError)
        if not is_full and _CPU_ALLOCATOR not in str(error):
            raise
        free = _free_bytes() if is_full else None
        # The tensors hang on the traceback's frames; without it they can be freed by a retry.
        raise OutOfDeviceMemory(
            stage, None, free, is_of_autoencoder=is_of_autoencoder
        ) from error.with_traceback(None)


def sent(x: Tensor, like: Tensor) -> Tensor:
    """`x`, which is on the processor, in the precision and on the device of `like`.

    The host does not wait for it: it is read from memory that stays where it is, so that the copy
    takes its turn behind the work that was launched before.
    """
    if like.device.type == "cuda" and torch.cuda.is_available():
        x = x.pin_memory()
    return x.to(like, non_blocking=True)


def aligned(network: Network) -> Network:
    """`network` with weights that begin where the processor's kernels want them to.

    In a file they lie anywhere, and so they do in memory that is mapped to it; some processors
    then compute other last bits, and the same model would give other pictures from another file.
    """
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.data = aligned_tensor(tensor.data)
    return network


def aligned_tensor(tensor: Tensor) -> Tensor:
    """`tensor`, or where it lies otherwise a copy that begins where kernels want it to."""
    is_anywhere = tensor.device.type == "cpu" and tensor.data_ptr() % _ALIGNMENT
    return tensor.clone() if is_anywhere else tensor


def release_device_memory() -> None:
    """Give back what nobody holds any more, so that a smaller try finds it free."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()


def device_room(device: torch.device) -> int | None:
    """Bytes that can still be taken on a device; None for a processor, whose memory can be lent."""
    if device.type != "cuda":
        return None
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + unused


def _free_bytes() -> int | None:
    return torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
