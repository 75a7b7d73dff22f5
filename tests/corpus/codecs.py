"""How the codecs of the corpus are described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREDICTED = ("intra", "ipp")
BIDIRECTIONAL = (*PREDICTED, "b-frames")
REORDERED = (*BIDIRECTIONAL, "open-gop")
MPEG_RATES = "24|25|30000/1001|60000/1001|1 frame"
FINE = {"q": "2"}
"""The finest fixed quantiser of FFmpeg's older encoders."""


@dataclass(frozen=True, kw_only=True)
class VideoCodec:
    """An encoder, the pixel formats to try it with and the containers that take its packets.

    `groups` says which groups of pictures it can make; `rates` is empty where any will do.
    """

    encoder: str
    formats: tuple[str, ...]
    containers: tuple[str, ...]
    size: tuple[int, int]
    groups: tuple[str, ...]
    options: Mapping[str, str]
    rates: tuple[str, ...]
    bit_rate: int


@dataclass(frozen=True, kw_only=True)
class SoundCodec:
    """An encoder of sound, the containers that take it, samples a second, numbers of channels."""

    encoder: str
    containers: tuple[str, ...]
    rate: int
    channels: tuple[int, ...]
    bit_rate: int


def video(
    encoder: str,
    formats: str,
    containers: str,
    *,
    size: tuple[int, int] = (80, 64),
    groups: tuple[str, ...] = ("intra",),
    options: Mapping[str, str] | None = None,
    rates: str = "",
    bit_rate: int = 0,
) -> VideoCodec:
    """A codec of pictures; `formats` and `containers` are words, `rates` are parted by bars."""
    return VideoCodec(
        encoder=encoder,
        formats=tuple(formats.split()),
        containers=tuple(containers.split()),
        size=size,
        groups=groups,
        options=options or {},
        rates=tuple(rates.split("|")) if rates else (),
        bit_rate=bit_rate,
    )


def sound(
    encoder: str,
    containers: str,
    *,
    rate: int = 48000,
    channels: tuple[int, ...] = (1, 2, 6, 8),
    bit_rate: int = 0,
) -> SoundCodec:
    """A codec of sound; `containers` are words."""
    return SoundCodec(
        encoder=encoder,
        containers=tuple(containers.split()),
        rate=rate,
        channels=channels,
        bit_rate=bit_rate,
    )
