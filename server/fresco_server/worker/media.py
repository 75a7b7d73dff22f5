"""Looking at files, in a process of its own: a damaged one can take it down, but nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from fresco_engine.diffusion.catalogue import list_models
from fresco_engine.errors import InvalidSettings
from fresco_media.clip import Clip
from fresco_media.colour.scaling import working_size
from fresco_media.mask import MaskClip

from fresco_server.jobs.codec import to_plain
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.messages import (
    CheckOrder,
    ClipDescribed,
    DescribeClip,
    MediaMessage,
    ModelsListed,
    OrderChecked,
    Question,
    QuestionRefused,
    Ready,
    WantedMask,
)
from fresco_server.worker.channel import Channel
from fresco_server.worker.faults import failure_of
from fresco_server.worker.files import check_files, file_states

_LOOK_S = 10.0
"""How long a mask is looked through for something white."""


def serve(channel: Channel) -> None:
    """Answer questions about clips and models until the daemon is gone."""
    channel.send(Ready())
    while True:
        order = channel.next()
        assert isinstance(order, Question)
        try:
            channel.send(_answer(order))
        # Whatever a library raises over a damaged file, the client gets a sentence.
        except Exception as error:  # noqa: BLE001
            channel.send(QuestionRefused(ask=order.ask, failure=failure_of(error)))


def _answer(order: Question) -> MediaMessage:
    if isinstance(order, CheckOrder):
        open_ordered(order.order)
        return OrderChecked(ask=order.ask)
    if isinstance(order, DescribeClip):
        clip = open_clip(order.clip, order.frame_rate)
        mask = None if order.mask is None else _checked_mask(order.mask, clip)
        return ClipDescribed(
            ask=order.ask,
            info=describe(clip),
            state=clip.state,
            mask_state=None if mask is None else mask.state,
            file_states=() if order.naming is None else file_states(order.naming),
        )
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


def open_ordered(order: JobOrder) -> Clip:
    """The clip of a job; all that it needs has to be as it was when the job was made.

    Raises:
        ClipError, InvalidSettings: it, or the mask, cannot be used, or is another one by now.
        FileChanged: another file is another one by now, or gone.
    """
    clip = open_clip(order.clip, order.frame_rate)
    clip.check(order.clip_state)
    mask = order.settings.get("subject_mask")
    if mask is not None and order.mask_state is not None:
        MaskClip.open(mask, clip.info).check_state(order.mask_state)
    check_files(order)
    return clip


def check_mask(
    mask: MaskClip,
    clip: Clip,
    start: int,
    stop: int | None,
    size: int,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Raises what a job would over a mask that ends early or, as far as is seen, is never white."""
    info = clip.info
    scaled = working_size(info.width, info.height, size).scaled
    mask.check(start, info.frame_count if stop is None else stop, scaled, goes_on)


def _checked_mask(wanted: WantedMask, clip: Clip) -> MaskClip:
    """The mask; who asks waits, so that white that comes very late is left to the job to find."""
    mask = MaskClip.open(wanted.mask, clip.info)
    count = clip.info.frame_count
    ends = time.monotonic() + _LOOK_S
    # Of a range that is none the daemon tells.
    if 0 <= wanted.start < (wanted.stop or count) <= count:
        check_mask(
            mask, clip, wanted.start, wanted.stop, wanted.size, lambda: time.monotonic() < ends
        )
    return mask


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
