"""What a terminal calls remedies and settings: its options and commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType

from fresco_settings import Remedy, RestyleSettings, parameters_of, reworded

_WORDS = {
    Remedy.NO_CONTROL: "use --control none",
    Remedy.ADD_LORA: "add this file with --lora",
    Remedy.ADD_NAMED_LORA: "add the LoRA with --lora {}",
    Remedy.USE_PROCESSOR: "use --device cpu",
    Remedy.REPLACE_OUTPUT: "add --overwrite",
    Remedy.FIRST_NUMBER: "add --first-number {}",
    Remedy.TELL_FIRST_NUMBER: (
        "add --first-number with the number that the keys give to the clip's first frame"
    ),
    Remedy.ALLOW_FOLDER: "start the daemon with --root or --models",
    Remedy.ALLOW_LINKED_FOLDER: (
        "start the daemon with --models or --root for the folder where it really lies, too"
    ),
    Remedy.MORE_ROOM: "start the daemon with a larger --quota",
    Remedy.LIST_JOBS: "'fresco jobs' lists those there are",
    Remedy.START_DAEMON: "Start one with 'fresco serve'.",
    Remedy.START_DAEMON_ONCE: "run 'fresco serve' once",
    Remedy.USE_PRINTED_TOKEN: "Use the one that 'fresco serve' printed",
    Remedy.DIAGNOSE: "'fresco doctor' may tell why",
    Remedy.REPORT_FAULT: "'fresco doctor --report' collects what a report of it needs",
}

_OWN: ContextVar[Mapping[str, str]] = ContextVar("_OWN", default=MappingProxyType({}))


def in_flags(text: object) -> str:
    """A sentence with this command line's options and commands for what it names."""
    return reworded(str(text), _WORDS, options())


def options() -> dict[str, str]:
    """The option of every setting that has one, as the command that runs calls it."""
    return {**_options(), **_OWN.get()}


@contextmanager
def calling(setting: str, option: str) -> Iterator[None]:
    """Within it a setting is called by an option of the command's own."""
    before = _OWN.set({**_OWN.get(), setting: option})
    try:
        yield
    finally:
        _OWN.reset(before)


@cache
def _options() -> dict[str, str]:
    return {one.name: one.option for one in parameters_of(RestyleSettings) if one.option}
