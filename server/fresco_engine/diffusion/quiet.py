"""Keeping the model libraries silent while they load."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LIBRARIES = ("diffusers", "transformers", "accelerate", "huggingface_hub")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Hides warnings, log lines and progress bars of the model libraries.

    What goes wrong inside is raised too, and the caller turns it into an error of ours. Levels
    and switches are put back on the way out.
    """
    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _without_progress_bars():
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            try:
                yield
            finally:
                for logger, level in zip(loggers, levels, strict=True):
                    logger.setLevel(level)


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    from diffusers.utils import logging as diffusers_logging
    from huggingface_hub import utils as hub
    from transformers.utils import logging as transformers_logging

    shown_by_hub = not hub.are_progress_bars_disabled()
    shown_by_libraries = [
        library
        for library in (diffusers_logging, transformers_logging)
        if library.is_progress_bar_enabled()
    ]
    for library in shown_by_libraries:
        library.disable_progress_bar()
    hub.disable_progress_bars()
    try:
        yield
    finally:
        for library in shown_by_libraries:
            library.enable_progress_bar()
        if shown_by_hub:
            hub.enable_progress_bars()
