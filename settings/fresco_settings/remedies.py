"""Remedies in neutral words, and the way to put a front end's own words in their place.

A sentence names a setting by its title in typographic quotes and a remedy by the words of `said`.
Both are marks as well: `reworded` finds them wherever the sentence has travelled, as an error, a
warning, a stored record or a line of a log. A sentence of another version, whose words differ,
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from fresco_settings.declaration import parameters_of
from fresco_settings.errors import Remedy
from fresco_settings.restyle import RestyleSettings


@cache
def titles() -> Mapping[str, str]:
    """The titles of all settings, by their declared names."""
    return {one.name: one.title for one in parameters_of(RestyleSettings)}


def marked(field: str) -> str:
    """A setting as sentences name it: its title in typographic quotes."""
    return f"“{titles()[field]}”"


@cache
def neutral_words() -> Mapping[Remedy, str]:
    """What is said of each remedy that is more than a setting; `{}` stands for its value."""
    return {
        Remedy.LESS_MEMORY: f"use a smaller {marked('size')} or {marked('batch_size')}",
        Remedy.LESS_GUIDANCE: (
            f"less {marked('guidance_scale')}, {marked('control_scale')} or LoRA weight"
        ),
        Remedy.NO_CONTROL: f"choose none for {marked('control')}",
        Remedy.ADD_LORA: "add this file as a LoRA",
        Remedy.ADD_NAMED_LORA: "add “{}” as a LoRA",
        Remedy.USE_PROCESSOR: "work on the processor",
        Remedy.REPLACE_OUTPUT: "allow it to be replaced",
        Remedy.FIRST_NUMBER: "give the clip's first frame the number {}",
        Remedy.TELL_FIRST_NUMBER: "say which number the keys give to the clip's first frame",
        Remedy.ALLOW_FOLDER: "let the daemon read its folder",
        Remedy.ALLOW_LINKED_FOLDER: "let the daemon read the folder where it really lies, too",
        Remedy.MORE_ROOM: "give the daemon more room",
        Remedy.LIST_JOBS: "the list of jobs has those there are",
        Remedy.START_DAEMON: "Start the daemon.",
        Remedy.START_DAEMON_ONCE: "start its daemon once",
        Remedy.USE_PRINTED_TOKEN: "Use the one that the daemon printed",
        Remedy.DIAGNOSE: "a check of the installation may tell why",
        Remedy.REPORT_FAULT: "a report of it needs the log",
    }


def said(remedy: Remedy, value: object = "") -> str:
    """The remedy in neutral words."""
    return neutral_words()[remedy].replace("{}", str(value))


def reworded(text: str, words: Mapping[Remedy, str], names: Mapping[str, str]) -> str:
    """`text` with a front end's own words for remedies, and its names of settings.

    A remedy or a setting that is not among them keeps its neutral words.
    """
    for remedy, own in words.items():
        text = _pattern(remedy).sub(lambda found, own=own: own.format(*found.groups()), text)
    for field, name in names.items():
        text = text.replace(marked(field), name)
    return text


@cache
def _pattern(remedy: Remedy) -> re.Pattern[str]:
    before, value, after = neutral_words()[remedy].partition("{}")
    held = ("(.+?)" if after else "([0-9]+)") if value else ""
    return re.compile(re.escape(before) + held + re.escape(after))
