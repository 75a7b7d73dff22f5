"""An estimate in words a person reads."""

from __future__ import annotations

from fresco_client.words import duration
from fresco_media.files.text import sized
from PyQt6.QtCore import QCoreApplication

from fresco_gui.estimates.estimate import Estimate

translate = QCoreApplication.translate


def words_of(found: Estimate) -> str:
    """What a restyle will take, as far as it is known."""
    text = translate("estimate", "About {count} keyframes")
    if found.keyframes == 1:
        text = translate("estimate", "1 keyframe")
    parts = [text.format(count=found.keyframes)]
    if found.seconds is not None:
        text = translate("estimate", "{span}")
        if found.is_without_frames:
            text = translate("estimate", "{span} for them")
        parts.append(text.format(span=duration(found.seconds)))
    if found.memory_bytes:
        # Without a finished job only the model's own share is known.
        text = translate("estimate", "{size} for the model")
        if found.based_on:
            text = translate("estimate", "{size} memory")
        parts.append(text.format(size=sized(found.memory_bytes)))
    return ", ".join(parts) + "."


def grounds_of(found: Estimate) -> str:
    """Why it is thought so."""
    if found.based_on:
        text = translate("estimate", "Learned from {count} finished jobs here.")
        if found.based_on == 1:
            text = translate("estimate", "Learned from the finished job here.")
        return text.format(count=found.based_on)
    if found.seconds is not None:
        return translate("estimate", "From your last look; frames between keyframes come on top.")
    return translate("estimate", "Take a look first, and the time can be told.")
