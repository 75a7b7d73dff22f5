"""Which of a file's video streams is meant, and what is passed over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import av.container
from av.stream import Disposition

from fresco_media.colour.picture import ALPHA_UNREAD
from fresco_media.errors import ClipUnreadable, NoVideoStream

# Cover art, previews, and parts of pictures: depth, transparency, tiles, second eyes.
_AUXILIARY = (
    Disposition.attached_pic
    | Disposition.timed_thumbnails
    | Disposition.dependent
    | Disposition.metadata
)
_OTHER_SOUND = "the file holds several programmes; only the sound of the picture's own is kept"
# Text files, which FFmpeg would render as character art.
_TEXT_CODECS = {"ansi", "bintext", "xbin", "idf"}


def choose_video(
    container: av.container.InputContainer, path: Path
) -> tuple[av.VideoStream, tuple[str, ...]]:
    """The video that a player shows, and a sentence where the file holds more than one.

    That is the one flagged as the default, else the one with the largest picture, of those that
    are pictures of their own.

    Raises:
        NoVideoStream: there is none.
        ClipUnreadable: there is one that cannot be decoded.
    """
    own = [stream for stream in container.streams.video if not stream.disposition & _AUXILIARY]
    # A photograph beside a film is not meant, one alone is a clip of one frame.
    moving = [one for one in own if not _is_photograph(one)] or own
    if not moving:
        held = "sound but no video" if container.streams.audio else "no video"
        raise NoVideoStream(path, f"the file holds {held}; choose a video or an image sequence")
    # A stream whose codec is unknown has no decoder, hence no context.
    known = [stream for stream in moving if stream.codec_context is not None]
    if not known:
        raise ClipUnreadable(path, "its video codec is unknown; convert it to H.264 or ProRes")
    chosen = _best(known)
    if chosen.codec_context.name in _TEXT_CODECS:
        raise ClipUnreadable(path, "it is a text file, not a video")
    foreign = len(container.streams.audio) - len(sounds_beside(container, chosen))
    said = (_OTHER_SOUND,) if foreign else ()
    if len(moving) == 1:
        return chosen, said
    if any(_is_item(stream) for stream in own) and all(
        stream.codec_context.pix_fmt == "gray" for stream in known if stream is not chosen
    ):
        return chosen, (ALPHA_UNREAD, *said)
    return chosen, (_sentence(moving, chosen), *said)


def sounds_of_picture(container: av.container.InputContainer) -> list[av.AudioStream]:
    """The sound that belongs to the video which `choose_video` chooses, in the file's order."""
    try:
        chosen, _ = choose_video(container, Path())
    except (NoVideoStream, ClipUnreadable):
        return list(container.streams.audio)
    return sounds_beside(container, chosen)


def sounds_beside(
    container: av.container.InputContainer, video: av.VideoStream
) -> list[av.AudioStream]:
    """The sound of the same programme as `video`; all of it where no programme is like that."""
    sounds = list(container.streams.audio)
    if not sounds or len(container.streams.video) < 2 or container.format.name != "mpegts":
        return sounds
    # FFmpeg looks for the best of the programme that a stream is in.
    meant = container.streams.best("video", related=video)
    return [
        one for one in sounds if container.streams.best("video", related=one) == meant
    ] or sounds


def _is_photograph(stream: av.VideoStream) -> bool:
    return _is_item(stream) or bool(stream.disposition & Disposition.still_image)


def _is_item(stream: av.VideoStream) -> bool:
    """Whether it is a photograph, or a part of one, in HEIF (AVIF too)."""
    # FFmpeg gives those one frame, no duration, and no word of what they are.
    return stream.frames == 1 and stream.duration is None


def _best(streams: Sequence[av.VideoStream]) -> av.VideoStream:
    # Of equals the first one wins.
    return max(streams, key=lambda stream: (_is_default(stream), _area(stream)))


def _is_default(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _area(stream: av.VideoStream) -> int:
    context = stream.codec_context
    return (context.width or 0) * (context.height or 0) if context is not None else 0


def _sentence(streams: Sequence[av.VideoStream], chosen: av.VideoStream) -> str:
    size = f"{chosen.codec_context.width}x{chosen.codec_context.height}"
    others = [stream for stream in streams if stream.index != chosen.index]
    if _is_default(chosen) and not any(_is_default(stream) for stream in others):
        which = "the default one"
    elif all(_area(stream) < _area(chosen) for stream in others):
        which = "the largest one"
    else:
        which = "the first one"
    return f"the file holds {len(streams)} video tracks; {which}, {size}, is used"
