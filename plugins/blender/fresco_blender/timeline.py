"""What Fresco puts onto the timeline and finds there again.

Strips are known by custom properties, never by references: those outlive undo and file loading as
pointers to freed memory. Everything here may be called again and changes nothing the second time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import bpy
from fresco_client import JobState

from . import animation, vse
from .core.card import JobCard
from .core.request import RestyleRequest
from .core.timing import Span, keyframe_spans

REQUEST = "fresco:"
"""On a source strip, with the job's id after it: the request, as long as it is open."""
KEY = "fresco_key"
JOB = "fresco_job"
RESULT_REQUEST = "fresco_recipe"
"""On a result: the request it came from."""
KEYFRAMES = "fresco_keyframes"
START = "fresco_start"
LOOK = "fresco_look"
MADE = "· Fresco"
"""In the name of every result."""
PLACEHOLDER = Path(__file__).parent / "planned.png"


class NoRoom(Exception):
    """No channel is free."""

    def __init__(self) -> None:
        super().__init__(
            "All channels above the strip are taken here. Free one, then place the result."
        )


def mark(strip: Any, request: RestyleRequest) -> None:
    """Note a request on its source."""
    strip[REQUEST + request.job_id] = request.to_json()


def unmark(scene: Any, job_id: str) -> None:
    """Take a request that needs nothing any more off its source."""
    for strip in vse.all_strips(scene):
        if REQUEST + job_id in strip.keys():  # noqa: SIM118  strips are no mappings
            del strip[REQUEST + job_id]
            if strip.get(RESULT_REQUEST) is not None:
                strip.color_tag = vse.COLOURS["result"]


def sources(scene: Any, job_id: str) -> list[Any]:
    """Strips that carry a request: several once the source was split or duplicated."""
    return [strip for strip in vse.all_strips(scene) if strip.get(REQUEST + job_id) is not None]


def open_requests(scene: Any) -> Iterator[RestyleRequest]:
    """Requests on strips, each once."""
    seen: set[str] = set()
    for strip in vse.all_strips(scene):
        for name in strip.keys():  # noqa: SIM118
            if not name.startswith(REQUEST) or name in seen:
                continue
            seen.add(name)
            request = RestyleRequest.from_json(str(strip[name]))
            if request is not None:
                yield request


def find_scene(job_id: str) -> Any:
    """The scene in whose sequencer a request is noted, or None."""
    return next((scene for scene in bpy.data.scenes if sources(scene, job_id)), None)


def keys(scene: Any, job_id: str) -> dict[int, list[Any]]:
    """Keyframe strips of a job by source frame."""
    found: dict[int, list[Any]] = {}
    for strip in vse.all_strips(scene):
        if strip.get(JOB) == job_id and strip.get(KEY) is not None:
            found.setdefault(int(strip[KEY]), []).append(strip)
    return found


def results(scene: Any, job_id: str) -> list[Any]:
    """Result strips of a job."""
    return [
        strip
        for strip in vse.all_strips(scene)
        if strip.get(JOB) == job_id and strip.get(RESULT_REQUEST) is not None
    ]


def request_of(strip: Any) -> RestyleRequest | None:
    """The request a result strip came from; None for any other strip."""
    text = strip.get(RESULT_REQUEST) if strip is not None else None
    return RestyleRequest.from_json(str(text)) if text else None


def first_frame(source: Any, request: RestyleRequest) -> int:
    """Timeline frame of a result's first frame, wherever its source is by now."""
    return vse.timing(source).origin + request.lead


def copy_appearance(source: Any, target: Any, request: RestyleRequest) -> None:
    """Place, crop and mix a picture of the source's size as the source is; it is unmuted.

    What moves and fades on the source does so on the target, unless it is in its pixels.
    """
    target.blend_type = "ALPHA_OVER"
    target.mute = False
    _copy_mix(source, target)
    if request.is_rendered:
        # All else is in its pixels: render_strip.py leaves out only what the strip is mixed by.
        animation.copy(source, target, only=_mixed_by(source))
        return
    _copy_place(source, target)
    animation.copy(source, target)
    if "blend_alpha" not in _mixed_by(source):
        animation.clear(target, only=("blend_alpha",))


def _mixed_by(source: Any) -> tuple[str, ...]:
    """What decides how much of a strip is seen; of one that replaces all below not its opacity."""
    return ("mute",) if source.blend_type == "REPLACE" else ("blend_alpha", "mute")


def _copy_mix(source: Any, target: Any) -> None:
    if "blend_alpha" not in _mixed_by(source):
        target.blend_alpha = 1.0
        return
    target.blend_type = source.blend_type if source.blend_type != "CROSS" else "ALPHA_OVER"
    target.blend_alpha = source.blend_alpha


def _copy_place(source: Any, target: Any) -> None:
    target.use_flip_x, target.use_flip_y = source.use_flip_x, source.use_flip_y
    for name in ("offset_x", "offset_y", "scale_x", "scale_y", "rotation", "origin", "filter"):
        if hasattr(source.transform, name):
            setattr(target.transform, name, getattr(source.transform, name))
    for name in ("min_x", "max_x", "min_y", "max_y"):
        setattr(target.crop, name, getattr(source.crop, name))


class KeyframePlacer:
    """Puts a job's keyframes onto the timeline, a few at a time.

    It holds no strip and no scene between two times, as the user may remove them meanwhile.
    """

    def __init__(self, card: JobCard, indices: Collection[int] | None = None) -> None:
        """`indices`: only these keyframes; None for all."""
        self.job_id = card.job_id
        self._card = card
        self._left: deque[int] | None = None if indices is None else deque(sorted(indices))

    def work(self, is_over: Callable[[], bool]) -> bool:
        """Place at least one, and more until it is over; whether any are left."""
        plan = self._card.plan
        scene = find_scene(self.job_id)
        if plan is None or scene is None:
            return False
        if self._left is None:
            self._left = deque(plan.keyframes)
        source, placed = sources(scene, self.job_id)[0], keys(scene, self.job_id)
        spans = dict(keyframe_spans(plan.keyframes, plan.start, plan.stop))
        begin = first_frame(source, self._card.request) - plan.start
        channel = self._channel(scene, source, placed)
        while self._left and channel is not None:
            index = self._left.popleft()
            if index in spans:
                shown = spans[index].moved(begin).cut_to(vse.span(source))
                self._place(scene, source, index, shown, placed.get(index, []), channel)
            if is_over():
                break
        return bool(self._left) and channel is not None

    def _place(
        self, scene: Any, source: Any, index: int, shown: Span, strips: list[Any], channel: int
    ) -> None:
        if not strips and shown.length:
            strips = [self._add(scene, source, index, shown, channel)]
        for strip in strips:
            self._fill(strip, index)

    def _channel(self, scene: Any, source: Any, placed: dict[int, list[Any]]) -> int | None:
        for strips in placed.values():
            return strips[0].channel
        holder = vse.container_of(scene, source)
        return vse.free_channel(holder, vse.span(source), source.channel)

    def _add(self, scene: Any, source: Any, index: int, shown: Span, channel: int) -> Any:
        request = self._card.request
        holder = vse.container_of(scene, source)
        # A strip made with a large picture decodes it here and now; a name given later does not.
        strip = holder.new_image(
            name=f"Key {index}",
            filepath=str(PLACEHOLDER),
            channel=channel,
            frame_start=shown.start,
        )
        vse.set_span(strip, shown)
        strip[JOB], strip[KEY] = request.job_id, index
        strip.color_tag = vse.COLOURS["planned"]
        strip.select = False
        copy_appearance(source, strip, request)
        return strip

    def _fill(self, strip: Any, index: int) -> None:
        path = self._card.keyframe_files.get(index)
        if path is None:
            has_failed = self._card.state is JobState.FAILED
            strip.color_tag = vse.COLOURS["failed" if has_failed else "planned"]
            return
        if Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename != path:
            vse.show_file(strip, path)
        if strip.color_tag != vse.COLOURS["ready"]:
            strip.color_tag = vse.COLOURS["ready"]


def clear_job(scene: Any, job_id: str) -> None:
    """Take off the timeline what is only there as long as a job is open."""
    remove_keys(scene, job_id)
    unmark(scene, job_id)


def remove_keys(scene: Any, job_id: str) -> None:
    """Take a job's keyframes off the timeline; their files stay."""
    for strips in keys(scene, job_id).values():
        for strip in strips:
            remove(scene, strip)


def remove(scene: Any, strip: Any) -> None:
    """Take one strip off the timeline, and what moved it."""
    animation.clear(strip)
    vse.container_of(scene, strip).remove(strip)


def place_result(scene: Any, card: JobCard) -> list[Any]:
    """The result above each source that carries the request, in sync and as long as it; each once.

    Raises:
        NoRoom: a channel is missing.
    """
    request, made = card.request, results(scene, card.job_id)
    placed: list[Any] = []
    for source in sources(scene, card.job_id):
        wanted = Span(start=0, stop=card.result_frames).moved(first_frame(source, request))
        shown = wanted.cut_to(vse.span(source))
        beside = [strip for strip in made if _covers(strip, shown)]
        if shown.length and not beside:
            placed.append(_place_beside(scene, card, source, wanted, shown))
        if request.is_source_muted:
            source.mute = True
    return placed


def _covers(strip: Any, shown: Span) -> bool:
    return vse.span(strip).cut_to(shown).length > 0


def _place_beside(scene: Any, card: JobCard, source: Any, wanted: Span, shown: Span) -> Any:
    request = card.request
    holder = vse.container_of(scene, source)
    ours = {strip.as_pointer() for found in keys(scene, request.job_id).values() for strip in found}
    others = [strip for strip in holder if strip.as_pointer() not in ours]
    # Before it is trimmed the strip is as long as the result, and must not touch anything either.
    channel = vse.free_channel(others, wanted.joined(shown), source.channel)
    if channel is None:
        raise NoRoom
    for found in keys(scene, request.job_id).values():
        for strip in found:
            if _covers(strip, shown):
                remove(scene, strip)
    strip = _add_result(scene, holder, card, wanted, channel)
    assert card.result is not None
    vse.show_file(strip, card.result)
    vse.set_span(strip, shown)
    strip[JOB], strip[RESULT_REQUEST] = request.job_id, request.to_json()
    if card.plan is not None:
        strip[KEYFRAMES] = list(card.plan.keyframes)
        strip[START] = card.plan.start
    strip.color_tag = vse.COLOURS["result"]
    copy_appearance(source, strip, request)
    if request.mask:
        limit_to_mask(scene, strip, request.mask)
    return strip


def needs_operator(request: RestyleRequest) -> bool:
    """Whether placing a result takes an operator of Blender (see `vse.sequencer_context`)."""
    return request.output == "FRAMES" and not request.replaces


def _add_result(scene: Any, holder: Any, card: JobCard, wanted: Span, channel: int) -> Any:
    path = card.result
    assert path is not None
    name = f"{card.request.title} {MADE}"[:60]
    if card.request.output != "FRAMES":
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
    swapped = [s for s in sources(scene, card.job_id) if s.get(RESULT_REQUEST) is not None]
    for strip in swapped:
        vse.show_file(strip, card.result)
        strip[JOB], strip[RESULT_REQUEST] = card.job_id, card.request.to_json()
        strip.color_tag = vse.COLOURS["result"]
    return swapped
