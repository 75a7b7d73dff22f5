"""What windows call remedies; settings keep their titles, which are the labels of forms."""

from __future__ import annotations

from collections.abc import Mapping

from fresco_settings import Remedy, reworded

_WORDS = {
    Remedy.REPLACE_OUTPUT: "let it be replaced",
    Remedy.START_DAEMON: "Start one.",
    Remedy.REPORT_FAULT: "copy the report and send it to the people who make Fresco",
    Remedy.ADD_NAMED_LORA: "add the file “{}” as a LoRA",
}


def in_window(text: str, own: Mapping[Remedy, str] | None = None) -> str:
    """A sentence in the words of windows; `own` are those of a single one that has others."""
    return reworded(text, {**_WORDS, **(own or {})}, {})
