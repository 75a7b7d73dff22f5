"""How much memory this process and its device have used at most."""

from __future__ import annotations

import sys


def peak_memory_bytes(device: str = "cpu") -> int:
    """The process's peak resident memory in bytes, plus the device's own peak where it has one."""
    peak = _peak_resident_bytes()
    if device.startswith("cuda"):
        import torch

        peak += int(torch.cuda.max_memory_allocated())
    return peak


def _peak_resident_bytes() -> int:
    if sys.platform == "win32":
        return _peak_working_set_windows()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in kilobytes.


def _peak_working_set_windows() -> int:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.DWORD),
            ("faults", wintypes.DWORD),
            ("peak_working_set", ctypes.c_size_t),
            ("rest", ctypes.c_size_t * 7),
        )

    counters = Counters(size=ctypes.sizeof(Counters))
    windll = getattr(ctypes, "windll")  # noqa: B009 - absent from type stubs off Windows
    process = windll.kernel32.GetCurrentProcess()
    windll.psapi.GetProcessMemoryInfo(process, ctypes.byref(counters), counters.size)
    return int(counters.peak_working_set)
