"""Results onto the timeline: directly above their sources, in sync, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import appearance, stack, timeline, vse
from .core.card import JobCard
from .core.request import RestyleRequest
from .core.timing import Span


def place_result(scene: Any, card: JobCard) -> list[Any]:
    """The result above each source that carries the request, in sync and as long as it; each once.

    Raises:
        NoRoom: a channel is missing.
    """
    request, made = card.request, timeline.results(scene, card.job_id)
    placed: list[Any] = []
    for source in timeline.sources(scene, card.job_id):
        wanted = Span(start=0, stop=card.result_frames).moved(timeline.first_frame(source, request))
        shown = vse.timing(source).covered(wanted)
        beside = [strip for strip in made if _covers(strip, shown)]
        is_mixed_twice = appearance.is_mixed_twice(scene, source, request)
        if shown.length and not beside:
            placed.append(_place_beside(scene, card, source, wanted, shown))
            if is_mixed_twice:
                _mute_earlier(scene, source, placed[-1])
        # A part of the source that has no result stays to be seen.
        if request.is_source_muted or (is_mixed_twice and shown == vse.span(source)):
            appearance.mute(scene, source)
    return placed


def _mute_earlier(scene: Any, source: Any, result: Any) -> None:
    """Mute earlier results of a source, as they would be seen through the new one, too."""
    bottom = vse.seen_as(source, scene).channel
    for strip in list(vse.container_of(scene, source)):
        is_between = bottom < strip.channel < result.channel
        if is_between and strip.get(timeline.RESULT_REQUEST) is not None:
            lies = vse.span(strip)
            if lies.length and lies == lies.cut_to(vse.span(result)):
                appearance.mute(scene, strip)


def _covers(strip: Any, shown: Span) -> bool:
    return vse.span(strip).cut_to(shown).length > 0


def _place_beside(scene: Any, card: JobCard, source: Any, wanted: Span, shown: Span) -> Any:
    request, path = card.request, card.result
    assert path is not None
    channel = _take_place_of_keys(scene, source, shown, request.job_id)
    # As long as it is not trimmed, the strip must not touch anything either.
    aside = stack.free_aside(scene, source, wanted.joined(shown))
    strip = _add_result(scene, vse.container_of(scene, source), card, wanted, aside)
    vse.show_file(strip, path)
    vse.set_span(strip, shown)
    _keep_inside(scene, source, strip)
    strip.channel = channel
    strip[timeline.JOB], strip[timeline.RESULT_REQUEST] = request.job_id, request.to_json()
    if card.plan is not None:
        strip[timeline.KEYFRAMES] = list(card.plan.keyframes)
        strip[timeline.START] = card.plan.start
    strip.color_tag = vse.COLOURS["result"]
    appearance.copy(scene, source, strip, request)
    if request.mask:
        limit_to_mask(scene, strip, request.mask)
    return strip


def _take_place_of_keys(scene: Any, source: Any, shown: Span, job_id: str) -> int:
    """The channel that a result belongs in, free over `shown`; the keyframes there are gone.

    Raises:
        NoRoom: there is none; nothing has been removed.
    """
    placed = timeline.keys(scene, job_id).values()
    keys = [strip for strips in placed for strip in strips]
    # Covers first, as an effect goes with what it is made of.
    gone = [s for s in (*timeline.covers(scene, job_id), *keys) if _covers(s, shown)]
    names = frozenset(strip.name for strip in gone)
    above = stack.top_of(scene, source, shown, names)
    channel = stack.make_room(scene, source, shown, above, job_id, names)
    for strip in gone:
        timeline.remove(scene, strip)
    return channel


def _keep_inside(scene: Any, source: Any, strip: Any) -> None:
    """Bring a strip into the source's meta, where an operator has put it elsewhere."""
    meta = source.parent_meta()
    if meta is not None and strip.parent_meta() != meta:
        strip.move_to_meta(meta)


def needs_operator(request: RestyleRequest) -> bool:
    """Whether placing a result takes an operator of Blender (see `vse.sequencer_context`)."""
    return request.output_kind == "FRAMES" and not request.replaces


def _add_result(scene: Any, holder: Any, card: JobCard, wanted: Span, channel: int) -> Any:
    path = card.result
    assert path is not None
    name = f"{card.request.title} {timeline.MADE}"[:60]
    if card.request.output_kind != "FRAMES":
        return holder.new_movie(
            name=name, filepath=str(path), channel=channel, frame_start=wanted.start
        )
    if wanted.length == 1:
        return holder.new_image(
            name=name, filepath=str(path), channel=channel, frame_start=wanted.start
        )
    return _add_sequence(scene, path, wanted, channel, name)


def _add_sequence(scene: Any, path: Path, wanted: Span, channel: int, name: str) -> Any:
    """An image sequence strip by the operator: `elements.append` leaves sizes uninitialised."""
    add = bpy.ops.sequencer.image_strip_add
    known = add.get_rna_type().properties
    files = [{"name": f"frame_{number:06d}.png"} for number in range(wanted.length)]
    arguments: dict[str, Any] = {
        "directory": str(path.parent),
        "files": files,
        "frame_start": wanted.start,
        "channel": channel,
        "fit_method": "ORIGINAL",
        "relative_path": False,
        "set_view_transform": False,
        "overlap": True,
        "replace_sel": False,
    }
    if "length" in known:
        arguments["length"] = 1
    else:
        arguments["frame_end"] = wanted.start + 1
    arguments.update({key: False for key in _OFF if key in known})
    if "image_import_type" in known:
        kinds = [item.identifier for item in known["image_import_type"].enum_items]
        if "IMAGE_SEQUENCE" in kinds:
            arguments["image_import_type"] = "IMAGE_SEQUENCE"
    before = {strip.as_pointer() for strip in vse.all_strips(scene)}
    with vse.sequencer_context(scene):
        add(**arguments)
    strip = next(s for s in vse.all_strips(scene) if s.as_pointer() not in before)
    strip.name = name
    return strip


_OFF = ("move_strips", "use_sequence_detection")


def limit_to_mask(scene: Any, strip: Any, mask_name: str) -> None:
    """Let a strip be seen only where the mask strip is white; elsewhere the source is untouched."""
    mask = next((other for other in vse.all_strips(scene) if other.name == mask_name), None)
    if mask is None:
        return
    vse.set_sequencer_scene(scene)
    modifier = strip.modifiers.new("Fresco mask", "MASK")
    modifier.input_mask_type = "STRIP"
    modifier.input_mask_strip = mask
    mask.mute = True


def swap_result(scene: Any, card: JobCard) -> list[Any]:
    """Let results that wait for this one show it: every edit made to them stays."""
    assert card.result is not None
    swapped = [
        strip
        for strip in timeline.sources(scene, card.job_id)
        if strip.get(timeline.RESULT_REQUEST) is not None
    ]
    for strip in swapped:
        vse.show_file(strip, card.result)
        strip[timeline.JOB], strip[timeline.RESULT_REQUEST] = card.job_id, card.request.to_json()
        strip.color_tag = vse.COLOURS["result"]
    return swapped
