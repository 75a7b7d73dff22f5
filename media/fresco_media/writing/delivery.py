"""What is wanted of a written video. No codecs are loaded for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Codec = Literal["h264", "lossless", "prores", "images"]
"""How pictures are encoded; `fresco_media.writing.writer` says what each is for."""

Quality = Literal["high", "standard", "small"]
"""How much an H.264 file may lose: next to nothing, nothing that is noticed, or something."""

SoundWish = Literal["kept", "aac", "pcm", "none"]
"""The source's own sound where it plays, AAC only, samples without loss, or none."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How a video is made.

    `plays_everywhere` asks for what every player, browser and phone takes: H.264 in 8 bit 4:2:0
    with even sides and BT.709, at the price of one repeated row or column where a side is odd.
    """

    quality: Quality = "high"
    plays_everywhere: bool = False
    sound: SoundWish = "kept"
