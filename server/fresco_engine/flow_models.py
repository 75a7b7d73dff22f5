"""The estimator that settings name: dense inverse search, or a network with weights from a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from fresco_settings import FlowChoice

from fresco_engine.correspondence.flow import DisFlow, Flow, FlowEstimator, Pair
from fresco_engine.correspondence.gmflow.matcher import GmFlowMatcher
from fresco_engine.correspondence.gmflow.network import GmFlowNetwork
from fresco_engine.correspondence.shared_flow import SharedFlow
from fresco_engine.diffusion.memory import device_memory
from fresco_engine.diffusion.published import Published, load_published
from fresco_engine.diffusion.sources import hub_file
from fresco_engine.errors import ModelError, ModelNotFound

HUB_ID = "PKUWilliamYang/Rerender"
HUB_FILE = "models/gmflow_sintel-0c07dcb3.pth"
_GET = f"get {HUB_FILE} of the hub's {HUB_ID}, the model with one scale"
_PUBLISHED = Published(
    name="GMFlow",
    get=_GET,
    other="another GMFlow, such as the one with refinement",
    # Its shape tells how much smaller than pictures the finest features are.
    telling="upsampler.2.weight",
)


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
    load_published(network, path, _PUBLISHED)
    return network


class _Guarded:
    """Finds flow with a full device turned into an error that says what to do."""

    def __init__(self, matcher: GmFlowMatcher) -> None:
        self._matcher = matcher
        self.at_once = matcher.at_once

    def both_ways(self, pairs: Sequence[Pair]) -> list[tuple[Flow, Flow]]:
        """As the matcher's; raises `OutOfDeviceMemory`."""
        with device_memory("finding flow"):
            return self._matcher.both_ways(pairs)
