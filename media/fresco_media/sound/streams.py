"""Which sound tracks a file has, which one is meant, and what is said of each."""

from __future__ import annotations

import av
import av.container
from av.stream import Disposition

from fresco_media.video.streams import sounds_of_picture

# Names that programs give to every track; they say nothing.
_NAMELESS = ("soundhandler", "core media audio", "apple sound media handler", "mainconcept")


def sound_streams(container: av.container.InputContainer) -> list[av.AudioStream]:
    """The sound tracks of the picture that can be decoded, in the file's order."""
    return [stream for stream in sounds_of_picture(container) if is_known(stream)]


def is_known(stream: av.AudioStream) -> bool:
    """Whether there is a decoder; a track without one has no context."""
    return stream.codec_context is not None


def main_sound(container: av.container.InputContainer) -> av.AudioStream | None:
    """The track that a player plays: the first one flagged as default, else the first."""
    known = sound_streams(container)
    flagged = (stream for stream in known if stream.disposition & Disposition.default)
    return next(flagged, known[0] if known else None)


def codec_of(stream: av.AudioStream) -> str:
    """FFmpeg's name of the codec, whichever decoder reads it."""
    return stream.codec_context.codec.canonical_name


def title_of(stream: av.AudioStream) -> str:
    """The title that a person gave to the track, or nothing."""
    # MP4 and MOV keep it in their own field, and many programs write the handler's name instead.
    stated = stream.metadata.get("title") or stream.metadata.get("name") or ""
    handler = stream.metadata.get("handler_name", "")
    if stated or any(handler.lower().startswith(name) for name in _NAMELESS):
        return stated
    return handler


def describe(target: av.AudioStream, source: av.AudioStream) -> None:
    """Give `target` the title, the language and the flags of `source`."""
    title = title_of(source)
    if title:
        target.metadata["title"] = title
        if target.container.format.name in {"mp4", "mov"}:
            # Some players of these show nothing but the handler's name.
            target.metadata["handler_name"] = title
    language = source.metadata.get("language", "")
    if language and language != "und":
        target.metadata["language"] = language
    target.disposition = Disposition(source.disposition)
