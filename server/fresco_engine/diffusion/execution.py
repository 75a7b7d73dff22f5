"""How a model's networks are kept and run, where that can be chosen: in 8 bits, compiled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import WeightsKept

_BACKEND = "inductor"
_MOST_FORMS = 256
"""Sizes of maps and batches that one kind of block may be compiled for."""


@dataclass(frozen=True)
class ExecutionChoice:
    """How networks are kept and run."""

    weights: WeightsKept = "full"
    is_compiled: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ExecutionChoice:
        """As settings (as a dict) choose it."""
        return cls(settings.get("weights") or "full", bool(settings.get("compile")))

    def apply(self, networks: Iterable[Any], device: torch.device) -> None:
        """Let networks that are placed on their device be kept and run so.

        Raises:
            InvalidSettings: nothing here can compile.
        """
        for network in networks:
            if self.weights == "float8":
                _keep_in_8_bits(network)
            elif self.is_compiled:
                _compile(network, device)


AS_IT_IS = ExecutionChoice()


def _keep_in_8_bits(network: Any) -> None:
    """Keep weights of convolutions and matrices as float8 (e4m3); they are widened when used."""
    network.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=network.dtype)


def _compile(network: nn.Module, device: torch.device) -> None:
    """Compile what no guidance reaches into: once, whatever guides the steps."""
    from diffusers.models.attention import FeedForward
    from diffusers.models.resnet import ResnetBlock2D

    _check_compiler(device)
    limit = "recompile_limit"
    setattr(torch._dynamo.config, limit, max(_MOST_FORMS, getattr(torch._dynamo.config, limit)))
    kinds = (ResnetBlock2D, FeedForward)
    blocks: list[Any] = [module for module in network.modules() if isinstance(module, kinds)]
    for module in blocks:
        # Not the module: hooks on it stay outside of what is compiled.
        module.forward = torch.compile(module.forward, backend=_BACKEND)


def _check_compiler(device: torch.device) -> None:
    reason = _why_not(device)
    if reason is not None:
        raise InvalidSettings(
            "compile", f"{reason}, so that networks cannot be compiled; turn it off"
        )


def _why_not(device: torch.device) -> str | None:
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        return None if has_triton() else "Triton is not installed, or not for this graphics card"
    if device.type != "cpu":
        return f"torch compiles nothing for {device.type}"
    from torch._inductor import exc
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        get_cpp_compiler()
    except (exc.InvalidCxxCompiler, OSError):
        return "there is no C++ compiler"
    return None
