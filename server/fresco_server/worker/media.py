"""Looking at files, in a process of its own: a damaged one can take it down, but nothing else."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from fresco_engine.diffusion.catalogue import list_models
from fresco_engine.errors import InvalidSettings
from fresco_media.clip import Clip

from fresco_server.jobs.codec import to_plain
from fresco_server.jobs.messages import (
    ClipDescribed,
    DescribeClip,
    ListModels,
    MediaMessage,
    ModelsListed,
    QuestionRefused,
    Ready,
)
from fresco_server.worker.channel import Channel
from fresco_server.worker.faults import failure_of


def serve(channel: Channel) -> None:
    """Answer questions about clips and models until the daemon is gone."""
    channel.send(Ready())
    while True:
        order = channel.next()
        assert isinstance(order, DescribeClip | ListModels)
        try:
            channel.send(_answer(order))
        # Whatever a library raises over a damaged file, the client gets a sentence.
        except Exception as error:  # noqa: BLE001
            channel.send(QuestionRefused(ask=order.ask, failure=failure_of(error)))


def _answer(order: DescribeClip | ListModels) -> MediaMessage:
    if isinstance(order, DescribeClip):
        info = describe(open_clip(order.clip, order.frame_rate))
        return ClipDescribed(ask=order.ask, info=info)
    entries = list_models([Path(folder) for folder in order.folders])
    return ModelsListed(ask=order.ask, models=tuple(map(to_plain, entries)))


def open_clip(path: str, frame_rate: str | None) -> Clip:
    """The clip of an order.

    Raises:
        ClipError, InvalidSettings: it cannot be used.
    """
    try:
        rate = None if frame_rate is None else Fraction(frame_rate)
    except (ValueError, ZeroDivisionError) as error:
        raise InvalidSettings("frame-rate", f"{frame_rate!r} is no frame rate") from error
    return Clip.open(Path(path), frame_rate=rate)


def describe(clip: Clip) -> dict[str, Any]:
    """What is known of a clip, as plain values."""
    info = clip.info
    return {
        "width": info.width,
        "height": info.height,
        "frame_count": info.frame_count,
        "frame_rate": _text(info.frame_rate),
        "duration": _text(info.duration_s),
        "has_audio": info.has_audio,
        "is_variable_rate": info.is_variable_rate,
        "is_sequence": info.is_sequence,
        "first_number": clip.first_number,
        "bit_depth": info.bit_depth,
        "has_alpha": info.has_alpha,
        "codec": info.codec,
        "warnings": list(clip.warnings),
    }


def _text(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"
