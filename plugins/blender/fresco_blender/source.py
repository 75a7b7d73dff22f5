"""From a strip and the panel's settings to a request, and from a request back to the settings."""

from __future__ import annotations

import random
import re
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from . import vse
from .core import controls, files
from .core.request import RestyleRequest
from .core.shots import words_by_frame
from .core.timing import Span, rate_of
from .preferences import daemon_config, preferences

RENDERED_TYPES = frozenset(
    {
        "SCENE",
        "META",
        "MOVIECLIP",
        "MASK",
        "COLOR",
        "TEXT",
        "CROSS",
        "ADD",
        "SUBTRACT",
        "ALPHA_OVER",
    }
    | {"ALPHA_UNDER", "GAMMA_CROSS", "MULTIPLY", "WIPE", "GLOW", "TRANSFORM", "SPEED", "MULTICAM"}
    | {"ADJUSTMENT", "GAUSSIAN_BLUR", "COLORMIX", "OVER_DROP", "COMPOSITOR"}
)
_NUMBERED = re.compile(r"(?P<prefix>.*?)(?P<number>\d+)(?P<suffix>\.[^.]+)", re.DOTALL)


class StripUnsuitable(Exception):
    """A strip cannot be restyled; the text is a sentence for the user."""


def why_not(strip: Any, scene: Any) -> str:
    """Why a strip cannot be restyled; empty if it can. Quick, as buttons ask at every redraw."""
    if strip is None:
        return "Select a strip in the sequencer first"
    if strip.type == "SOUND":
        return "A sound strip has no picture; select a movie, image, scene or other picture strip"
    channel = vse.channel_of(scene, strip)
    if channel.lock:
        return f"The strip's channel, {channel.name}, is locked; unlock it first"
    if channel.mute:
        return f"The strip's channel, {channel.name}, is muted; unmute it first"
    if strip.lock:
        return "The strip is locked; unlock it first"
    if strip.type not in RENDERED_TYPES and strip.type not in {"MOVIE", "IMAGE"}:
        return f"Strips of the kind {strip.type.lower()} cannot be restyled"
    if strip.type == "MOVIE" and strip.fps <= 0:
        return "The strip's file is missing; relink it first"
    if vse.left(strip) < 0 and not _is_plain(strip, scene):
        return "Move the strip so that it begins at frame 0 or later"
    return ""


def _is_plain(strip: Any, scene: Any) -> bool:
    """Whether the strip's file alone says what is seen when."""
    if strip.type not in {"MOVIE", "IMAGE"} or vse.is_read_otherwise(strip, scene):
        return False
    if vse.is_graded(strip) or vse.is_retimed(strip, scene) or vse.seen_as(strip, scene) != strip:
        return False
    if strip.type == "MOVIE":
        return vse.runs_at_scene_rate(strip, scene)
    # Of pictures many files would have to be sent.
    return _sequence_of(strip) is not None and not daemon_config().is_remote


def _sequence_of(strip: Any) -> tuple[Path, int] | None:
    """The first picture of a sequence strip and its number; None if it is no gapless sequence."""
    names = [element.filename for element in strip.elements]
    parts = [_NUMBERED.fullmatch(name) for name in names]
    first = parts[0] if parts else None
    if first is None or len(names) < 2:
        return None
    begin = int(first["number"])
    for offset, part in enumerate(parts):
        if part is None or part["prefix"] != first["prefix"] or part["suffix"] != first["suffix"]:
            return None
        if int(part["number"]) != begin + offset:
            return None
    return Path(bpy.path.abspath(strip.directory)) / names[0], begin


@dataclass(frozen=True)
class PreparedRequest:
    """A request, and whether its strip has to be rendered before it can be sent."""

    request: RestyleRequest
    needs_render: bool


def prepare_request(
    strip: Any, scene: Any, *, prompts_from_markers: bool = True
) -> PreparedRequest:
    """What the panel's settings ask for of a strip.

    Raises:
        CannotRestyle: there is a reason against it.
    """
    reason = why_not(strip, scene)
    if reason:
        raise StripUnsuitable(f"{strip.name if strip else 'Strip'}: {reason}.")
    settings = scene.fresco
    if settings.mask and all(other.name != settings.mask for other in vse.all_strips(scene)):
        raise StripUnsuitable(
            f"{strip.name}: there is no mask strip {settings.mask} here. Choose another one under "
            "Strips, or empty that field."
        )
    folder = output_folder()
    _try_folder(folder)
    request = RestyleRequest(
        job_id=uuid.uuid4().hex,
        title=strip.name,
        path="",
        start=0,
        stop=0,
        lead=0,
        settings=_with_whole_paths(controls.chosen_settings(settings)),
        model=settings.model,
        output=settings.output,
        folder=str(folder),
        mask=settings.mask if settings.mask != strip.name else "",
        is_source_muted=settings.source_after == "MUTE",
    )
    prepared = (
        PreparedRequest(_plain_request(request, strip, scene, settings.handles), needs_render=False)
        if _is_plain(strip, scene)
        else PreparedRequest(rendered_request(request, strip, scene), needs_render=True)
    )
    if not (prompts_from_markers and settings.use_markers):
        return prepared
    return replace(prepared, request=_with_marker_words(prepared.request, strip, scene))


def _plain_request(request: RestyleRequest, strip: Any, scene: Any, handles: int) -> RestyleRequest:
    lies = vse.timing(strip)
    count = vse.media_length(strip)
    shown = lies.source_frames(count)
    if shown.length == 0:
        raise StripUnsuitable(f"{strip.name}: nothing of its file is seen. Change its trim.")
    wanted = lies.widened(shown, handles, count)
    if strip.type == "MOVIE":
        path = Path(bpy.path.abspath(strip.filepath))
        return replace(
            request,
            path=str(path),
            start=wanted.start,
            stop=wanted.stop,
            lead=wanted.start,
            expected_frames=count,
        )
    found = _sequence_of(strip)
    assert found is not None
    path, number = found
    return replace(
        request,
        path=str(path),
        is_sequence=True,
        frame_rate=str(rate_of(scene.render.fps, scene.render.fps_base)),
        start=number + wanted.start,
        stop=number + wanted.stop,
        lead=wanted.start,
    )


def rendered_request(request: RestyleRequest, strip: Any, scene: Any) -> RestyleRequest:
    """The request for a strip that is rendered first: to pictures, or to a movie to be sent.

    Pictures have the timeline's numbers.
    """
    lies, base = vse.timing(strip), Path(request.folder)
    request = replace(request, is_rendered=True, expected_frames=None, lead=lies.left - lies.origin)
    if daemon_config().is_remote:
        path = files.rendered_movie(base, request.job_id)
        return replace(
            request, path=str(path), is_sequence=False, start=0, stop=lies.visible.length
        )
    folder = files.rendered_folder(base, request.job_id)
    return replace(
        request,
        path=str(folder / picture_name(lies.left)),
        is_sequence=True,
        frame_rate=str(rate_of(scene.render.fps, scene.render.fps_base)),
        start=lies.left,
        stop=lies.right,
    )


def picture_name(frame: int) -> str:
    """As render_strip.py names them."""
    return f"f_{frame:06d}.png"


def _with_marker_words(request: RestyleRequest, strip: Any, scene: Any) -> RestyleRequest:
    markers = [(marker.frame, marker.name) for marker in scene.timeline_markers]
    words = words_by_frame(markers, vse.span(strip))
    # The request counts frames from `start`, which is the timeline's frame `origin + lead`.
    shift = request.start - request.lead - vse.timing(strip).origin
    frames = Span(start=request.start, stop=request.stop)
    prompts = {
        str(frame + shift): text
        for frame, text in words.items()
        if frames.start <= frame + shift < frames.stop
    }
    return replace(request, settings={**request.settings, "keyframe_prompts": prompts})


def prepare_look(strip: Any, scene: Any, frame: int) -> PreparedRequest:
    """A request for one frame: the one under the playhead.

    Raises:
        CannotRestyle: the playhead is not on the strip, or there is another reason.
    """
    if not vse.left(strip) <= frame < vse.right(strip):
        raise StripUnsuitable("Put the playhead onto the strip to see how its frame would look.")
    prepared = prepare_request(strip, scene)
    request = prepared.request
    shift = request.start - request.lead - vse.timing(strip).origin
    index = min(max(frame + shift, request.start), request.stop - 1)
    request = replace(request, start=index, stop=index + 1, lead=frame - vse.timing(strip).origin)
    if not prepared.needs_render:
        return replace(prepared, request=request)
    if request.is_sequence:
        path = Path(request.path).with_name(picture_name(frame))
        return replace(prepared, request=replace(request, path=str(path)))
    # A movie of that frame alone.
    words = request.settings.get("keyframe_prompts", {}).get(str(index))
    prompts = {"keyframe_prompts": {"0": words}} if words else {"keyframe_prompts": {}}
    settings = {**request.settings, **prompts}
    return replace(prepared, request=replace(request, start=0, stop=1, settings=settings))


def show_settings(settings: Any, chosen: Mapping[str, Any], model: str) -> None:
    """Put the settings of a request, or of a job of the daemon, into the panel."""
    controls.show_settings(settings, chosen)
    settings.model = model


def show_request(settings: Any, request: RestyleRequest) -> None:
    """Put all that a request was made with into the panel."""
    show_settings(settings, request.settings, request.model)
    settings.output, settings.mask = request.output, request.mask
    settings.source_after = "MUTE" if request.is_source_muted else "KEEP"


def kept_settings(settings: Any) -> dict[str, Any]:
    """What the panel's fields hold."""
    names = [prop.identifier for prop in settings.bl_rna.properties if not prop.is_readonly]
    return {name: getattr(settings, name) for name in names}


def restore_settings(settings: Any, kept: dict[str, Any]) -> None:
    """Let the panel's fields hold that again."""
    for name, value in kept.items():
        setattr(settings, name, value)


def draw_seed(settings: Any) -> None:
    """Another seed, unless it is locked."""
    if not settings.is_seed_locked:
        settings.seed = random.randint(0, controls.LARGEST)


def output_folder() -> Path:
    """Where results go: as the preferences say, else beside the file, else in the user's folder."""
    chosen = preferences().output_folder
    if chosen.startswith("//") and not bpy.data.filepath:
        chosen = ""
    if chosen:
        return Path(bpy.path.abspath(chosen)).absolute()
    if bpy.data.filepath:
        return Path(bpy.data.filepath).parent / "fresco"
    return Path(bpy.utils.user_resource("DATAFILES", path="fresco"))


def _try_folder(folder: Path) -> None:
    """Insist on results finding a place, before anything is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        raise StripUnsuitable(
            f"{folder}: {error.strerror or error}, so nothing can be put there. Mend that, or "
            "choose another folder in the add-on's preferences."
        ) from error


def moved_here(request: RestyleRequest) -> RestyleRequest:
    """A request of this file whose folder is gone, as after the project was moved, in today's."""
    if request.folder and Path(request.folder).is_dir():
        return request
    return replace(request, folder=str(output_folder()))


def _with_whole_paths(chosen: dict[str, Any]) -> dict[str, Any]:
    """Settings whose files are named as the daemon reads them; what is only a name stays one."""
    named = {name: bpy.path.abspath(chosen[name]) for name in controls.FILES if name in chosen}
    return {**chosen, **named}
