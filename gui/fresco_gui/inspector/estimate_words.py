"""An estimate in words a person reads."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

from fresco_gui.estimate import Estimate
from fresco_gui.jobs.words import bytes_text, span_text


def words_of(found: Estimate) -> str:
    """What a restyle will take, as far as it is known."""
    tr = QCoreApplication.translate
    parts = [tr("estimate", "About {count} keyframes").format(count=found.keyframes)]
    if found.seconds is not None:
        text = tr("estimate", "{span}")
        if found.is_without_frames:
            text = tr("estimate", "{span} for them")
        parts.append(text.format(span=span_text(found.seconds)))
    if found.memory_bytes:
        # Without a finished job only the model's own share is known.
        text = tr("estimate", "{size} for the model")
        if found.based_on:
            text = tr("estimate", "{size} memory")
        parts.append(text.format(size=bytes_text(found.memory_bytes)))
    return ", ".join(parts) + "."


def grounds_of(found: Estimate) -> str:
    """Why it is thought so."""
    tr = QCoreApplication.translate
    if found.based_on:
        return tr("estimate", "Learned from {count} finished jobs here.").format(
            count=found.based_on
        )
    if found.seconds is not None:
        return tr("estimate", "From your last look; frames between keyframes come on top.")
    return tr("estimate", "Take a look first, and the time can be told.")
