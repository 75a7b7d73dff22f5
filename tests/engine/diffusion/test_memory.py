"""Errors of a full device."""

from __future__ import annotations

import pytest
import torch
from fresco_engine.diffusion.memory import device_memory
from fresco_engine.errors import OutOfDeviceMemory


def test_a_full_accelerator_becomes_an_error_that_says_what_to_do() -> None:
    advice = r"while dreaming.*use a smaller “Working size” or “Keyframes at once”"
    with pytest.raises(OutOfDeviceMemory, match=advice), device_memory("dreaming"):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_full_main_memory_becomes_one_too() -> None:
    with pytest.raises(OutOfDeviceMemory) as caught, device_memory("dreaming"):
        torch.empty(2**56)

    assert caught.value.stage == "dreaming"


def test_it_holds_on_to_no_tensors_of_the_work_that_failed() -> None:
    with pytest.raises(OutOfDeviceMemory) as caught, device_memory("dreaming"):
        torch.empty(2**56)

    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is None


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shapes"), device_memory("dreaming"):
        raise RuntimeError("shapes do not fit")
