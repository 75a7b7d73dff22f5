"""Sound channels in an order of the file's own, which PyAV cannot carry.

FFmpeg describes them by a list in memory of its own. PyAV 18 hands that list out without copying
it, so that whoever asks for a layout, and every frame that is decoded, frees it once more: the
process dies, or worse. MOV and CAF files with 7.1 have it (sides before backs). So such a layout
is replaced by an ordinary one as soon as a file is open, before anything is asked or decoded.
"""

from __future__ import annotations

import av
import av.container

# The order of FFmpeg's bits, which is the one of all ordinary layouts.
_USUAL = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC"),
    *("TFL", "TFC", "TFR", "TBL", "TBC", "TBR", "DL", "DR", "WL", "WR", "SDL", "SDR"),
    *("LFE2", "TSL", "TSR", "BFC", "BFL", "BFR", "SSL", "SSR", "TTL", "TTR", "BIL", "BIR"),
)
# Streams have no other place that lives as long as they do.
_NOTE = "fresco_channels"
# Decoders of these take the layout that they are told; others make one for themselves.
_OBEDIENT = ("pcm_", "adpcm_")


def settle_layouts(container: av.container.InputContainer) -> None:
    """Give every sound track of `container`, just opened, a layout that is safe to ask for."""
    for stream in container.streams.audio:
        context = stream.codec_context
        if context is None:
            continue
        # This one object frees the list; the context must forget it before that.
        layout = context.layout
        if "(" not in layout.name:
            continue
        names = [channel.name for channel in layout.channels]
        context.layout = _usual_layout(names)
        stream.metadata[_NOTE] = "+".join(names)


def usual_order(stream: av.AudioStream) -> list[int] | None:
    """Which decoded channel comes first, second, ... in the layout; None if they are in order."""
    names = stream.metadata.get(_NOTE, "").split("+")
    if not _are_placed(names):
        return None
    order = sorted(range(len(names)), key=lambda index: _USUAL.index(names[index]))
    return None if order == list(range(len(names))) else order


def can_be_decoded(stream: av.AudioStream) -> bool:
    """Whether decoding is safe: false where the decoder itself would bring such a layout back."""
    name = stream.codec_context.codec.canonical_name
    return _NOTE not in stream.metadata or name.startswith(_OBEDIENT) or _is_usual(stream)


def _is_usual(stream: av.AudioStream) -> bool:
    names = stream.metadata[_NOTE].split("+")
    return _are_placed(names) and usual_order(stream) is None


def _usual_layout(names: list[str]) -> str:
    if not _are_placed(names):
        return f"{len(names)} channels"
    return "+".join(sorted(names, key=_USUAL.index))


def _are_placed(names: list[str]) -> bool:
    return len(set(names)) == len(names) and set(names) <= set(_USUAL)
