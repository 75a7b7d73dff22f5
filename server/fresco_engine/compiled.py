"""Compiling loops: kept on disk between starts wherever that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """`function` as machine code that lets other threads run.

    The code is stored beside the package or in the user's cache folder. Where neither can be
    written it is made anew at every start, which takes seconds.
    """
    try:
        return njit(nogil=True, cache=True)(function)  # pyright: ignore[reportReturnType]
    except RuntimeError:  # no folder to store it in
        return njit(nogil=True)(function)  # pyright: ignore[reportReturnType]
