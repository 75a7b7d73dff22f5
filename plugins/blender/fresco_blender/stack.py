"""Room in the stack: directly above a strip, without covering what lies over it."""

from __future__ import annotations

from itertools import islice
from typing import Any

from . import timeline, vse
from .core.stacking import CHANNELS, Stack, StackItem
from .core.timing import Span


def top_of(scene: Any, source: Any, wanted: Span, ignored: frozenset[str] = frozenset()) -> int:
    """The channel that something for this strip belongs above.

    That is the strip's own, unless it is seen through an effect or has results already.
    """
    over = [strip for strip in vse.container_of(scene, source) if strip.name not in ignored]
    top = vse.seen_as(source, scene).channel
    while True:
        above = [strip for strip in over if strip.channel == top + 1 and _lies_on(strip, wanted)]
        if not above or not all(map(timeline.is_made_here, above)):
            return top
        top += 1


def free_aside(scene: Any, source: Any, wanted: Span) -> int:
    """A channel out of the way that is free over `wanted`, whatever it is like otherwise.

    Raises:
        NoRoom: there is none.
    """
    strips = [strip for strip in vse.container_of(scene, source) if _lies_on(strip, wanted)]
    taken = {strip.channel for strip in strips}
    free = [channel for channel in range(CHANNELS, 0, -1) if channel not in taken]
    if not free:
        raise timeline.NoRoom
    return free[0]


def make_room(
    scene: Any,
    source: Any,
    wanted: Span,
    above: int,
    job_id: str,
    ignored: frozenset[str] = frozenset(),
) -> int:
    """A channel that is free over `wanted`, directly above another; strips are lifted for it.

    `ignored` are names of strips that are about to go. What is lifted carries a note of the job,
    if there is one, so that `lower` can take it back.

    Raises:
        NoRoom: something there is locked, or no channel is left.
    """
    stack, strips = _stack_of(scene, source, ignored)
    room = stack.room(wanted, above)
    if room is None:
        raise timeline.NoRoom
    for number, channel in room.moves:
        strip = strips[number]
        # Never assign a channel that is taken: 4.5 hangs for ever, others move the strip in time.
        former = strip.channel
        strip.channel = channel
        if job_id:
            noted = strip.get(timeline.LIFTED + job_id)  # by what was put below it before
            if noted is not None and int(noted[1]) == former:
                former = int(noted[0])
            strip[timeline.LIFTED + job_id] = [former, channel]
    return room.channel


def place_over(scene: Any, source: Any, wanted: Span, count: int = 1) -> list[int]:
    """Channels for what is only looked at: directly above if those are free, else above all.

    Nothing is lifted for it. Fewer than `count` if there are not as many.
    """
    stack, strips = _stack_of(scene, source, frozenset())
    found = [top_of(scene, source, wanted)]
    while len(found) <= count:
        room = stack.room(wanted, found[-1])
        if room is None or room.moves:
            break
        found.append(room.channel)
    else:
        return found[1:]
    top = max((strip.channel for strip in strips if _lies_on(strip, wanted)), default=0)
    free = (channel for channel in range(top + 1, CHANNELS + 1) if stack.is_free(wanted, channel))
    return list(islice(free, count))


def lower(scene: Any, job_id: str) -> None:
    """Let what made room for a job sink as far as that is free, at most to where it was."""
    noted = timeline.LIFTED + job_id
    lifted = [strip for strip in vse.all_strips(scene) if strip.get(noted) is not None]
    for strip in sorted(lifted, key=lambda strip: strip.channel):
        former, since = (int(channel) for channel in strip[noted])
        del strip[noted]
        if strip.channel == since:
            stack, _ = _stack_of(scene, strip, frozenset({strip.name}))
            channel = stack.lowest(vse.span(strip), since, former)
            if channel != since:
                strip.channel = channel


def withdraw(scene: Any, job_id: str) -> None:
    """Take a job's keyframes and notes off the timeline; what made room for them sinks again."""
    timeline.remove_keys(scene, job_id)
    lower(scene, job_id)
    timeline.clear_job(scene, job_id)


def _stack_of(scene: Any, source: Any, ignored: frozenset[str]) -> tuple[Stack, list[Any]]:
    owner = vse.owner_of(scene, source)
    strips = [strip for strip in vse.children(owner) if strip.name not in ignored]
    shown = {strip.multicam_source for strip in strips if strip.type == "MULTICAM"}
    channels = {number: owner.channels[number] for number in range(1, CHANNELS + 1)}
    items = [
        StackItem(
            number=number,
            channel=strip.channel,
            span=vse.span(strip),
            is_fixed=strip.lock or strip.channel in shown,
        )
        for number, strip in enumerate(strips)
    ]
    stack = Stack(
        items=items,
        muted={number for number, channel in channels.items() if channel.mute},
        locked={number for number, channel in channels.items() if channel.lock},
    )
    return stack, strips


def _lies_on(strip: Any, wanted: Span) -> bool:
    return vse.span(strip).cut_to(wanted).length > 0
