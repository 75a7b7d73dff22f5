"""Which devices this machine has."""

from __future__ import annotations

import psutil
import torch
from fresco_engine.diffusion.models import choose_device

from fresco_server.jobs.devices import DeviceInfo


def list_devices(name: str | None) -> tuple[DeviceInfo, ...]:
    """The device called `name`, or all CUDA devices, or else the best there is.

    Raises:
        InvalidSettings: there is no device of that name.
    """
    if name is None and torch.cuda.is_available():
        return tuple(_describe(f"cuda:{index}") for index in range(torch.cuda.device_count()))
    return (_describe(str(choose_device(name))),)


def _describe(device_id: str) -> DeviceInfo:
    device = torch.device(device_id)
    if device.type == "cuda":
        facts = torch.cuda.get_device_properties(device)
        name, memory = facts.name, facts.total_memory
    else:
        name = {"cpu": "Processor", "mps": "Apple GPU"}.get(device.type, device.type)
        memory = psutil.virtual_memory().total
    return DeviceInfo(id=device_id, name=name, memory_bytes=int(memory))
