"""F-Curves and drivers of strips: found, copied to another strip, taken away.

Blender keeps them with the scene, by the strip's path. This module needs nothing but bpy, as
render_strip.py uses it in a Blender without the add-on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_KEY_NUMBERS = ("amplitude", "back", "period")
_KEY_CHOICES = ("interpolation", "easing", "type")
_KEY_POINTS = ("co", "handle_left", "handle_right")
_OF_CURVE = ("extrapolation", "auto_smoothing", "color_mode", "color", "hide", "lock", "mute")
_STRIP_NAME = re.compile(r'sequence_editor\.(?:sequences|strips)_all\["((?:[^"\\]|\\.)*)"\]')
_LINEAR = "LINEAR"


@dataclass(frozen=True)
class _Channels:
    """The F-Curves that one action has for a scene."""

    action: Any
    slot: Any
    """None before 4.4, where an action belongs to everything that uses it."""
    fcurves: Any

    @property
    def is_editable(self) -> bool:
        """Whether curves may be added and removed."""
        return self.action.library is None


def copy(source: Any, target: Any, only: Collection[str] | None = None) -> None:
    """Let a strip move and fade as another one does; what it did by itself before is gone.

    `only`: these properties and nothing else; None for all that the other strip has, too.
    """
    clear(target)
    scene, begin, end = source.id_data, source.path_from_id(), target.path_from_id()
    for channels in list(_all_channels(scene)):
        for curve in _of(channels.fcurves, begin, only):
            path = end + curve.data_path[len(begin) :]
            if channels.is_editable and _is_there(scene, path):
                _copy_curve(scene, channels, curve, path)
    for driver in _of(_drivers(scene), begin, only):
        path = end + driver.data_path[len(begin) :]
        if _is_there(scene, path):
            _copy_driver(scene, driver, begin, end)


def clear(strip: Any, only: Collection[str] | None = None) -> None:
    """Take a strip's curves and drivers away: all, or those of some of its properties."""
    scene, path = strip.id_data, strip.path_from_id()
    for channels in list(_all_channels(scene)):
        if channels.is_editable:
            _remove(channels.fcurves, _of(channels.fcurves, path, only))
    _remove(_drivers(scene), _of(_drivers(scene), path, only))


def silence(strip: Any, name: str, *, is_silent: bool = True) -> None:
    """Let no curve or driver set a property for now, or let them again; they stay."""
    scene, path = strip.id_data, strip.path_from_id()
    shelves = [channels.fcurves for channels in _all_channels(scene)]
    for shelf in (*shelves, _drivers(scene)):
        for curve in _of(shelf, path, (name,)):
            curve.mute = is_silent


def clear_channels(scene: Any) -> None:
    """Let nothing switch whole channels of the sequencer on and off."""
    path = "sequence_editor.channels"
    for channels in list(_all_channels(scene)):
        _remove(channels.fcurves, _of(channels.fcurves, path))
    _remove(_drivers(scene), _of(_drivers(scene), path))


def is_animated(strip: Any, names: Collection[str]) -> bool:
    """Whether a curve or a driver moves one of these properties of a strip."""
    scene = strip.id_data
    if scene.animation_data is None:
        return False
    path = strip.path_from_id()
    shelves = [channels.fcurves for channels in _all_channels(scene)]
    shelves.append(scene.animation_data.drivers)
    return any(shelf.find(f"{path}.{name}") is not None for shelf in shelves for name in names)


def remove_leftovers(scene: Any, made: str) -> None:
    """Remove what is left of deleted strips whose name has `made` in it.

    Blender itself removes the curves of the action in use, but neither drivers nor other actions'.
    """
    if scene.animation_data is None or scene.sequence_editor is None:
        return
    editor = scene.sequence_editor
    alive = editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
    names = {strip.name for strip in alive}

    def is_dead(curve: Any) -> bool:
        found = _STRIP_NAME.match(curve.data_path)
        name = re.sub(r"\\(.)", r"\1", found[1]) if found else ""
        return made in name and name not in names

    for channels in list(_all_channels(scene)):
        if channels.is_editable:
            _remove(channels.fcurves, [curve for curve in channels.fcurves if is_dead(curve)])
    _remove(_drivers(scene), [driver for driver in _drivers(scene) if is_dead(driver)])


def _all_channels(scene: Any) -> Iterator[_Channels]:
    """Curves of the action in use and of those on the NLA's tracks, each once."""
    data = scene.animation_data
    if data is None:
        return
    used = [(data.action, getattr(data, "action_slot", None))]
    for track in data.nla_tracks:
        used += _used_by(track.strips)
    seen: set[tuple[int, int]] = set()
    for action, slot in used:
        mark = (action.as_pointer() if action else 0, slot.handle if slot else 0)
        if action is not None and mark not in seen:
            seen.add(mark)
            yield from _channels_of(action, slot)


def _used_by(strips: Any) -> Iterator[tuple[Any, Any]]:
    for strip in strips:
        yield strip.action, getattr(strip, "action_slot", None)
        yield from _used_by(strip.strips)


def _channels_of(action: Any, slot: Any) -> Iterator[_Channels]:
    if not hasattr(action, "layers"):
        yield _Channels(action, None, action.fcurves)
        return
    for layer in action.layers if slot is not None else ():
        for strip in layer.strips:
            bag = strip.channelbag(slot)
            if bag is not None:
                yield _Channels(action, slot, bag.fcurves)


def _drivers(scene: Any) -> Any:
    return scene.animation_data.drivers if scene.animation_data is not None else ()


def _of(curves: Any, path: str, only: Collection[str] | None = None) -> list[Any]:
    """Curves of what lies below a path."""
    found = [
        curve
        for curve in curves
        if curve.data_path.startswith(path) and curve.data_path[len(path) :][:1] in {".", "["}
    ]
    if only is None:
        return found
    wanted = {f"{path}.{name}" for name in only}
    return [curve for curve in found if curve.data_path in wanted]


def _remove(shelf: Any, curves: list[Any]) -> None:
    for curve in curves:
        shelf.remove(curve)


def _is_there(scene: Any, path: str) -> bool:
    try:
        scene.path_resolve(path)
    except ValueError:
        return False  # a modifier or a custom property that the other strip has not got
    return True


def _copy_curve(scene: Any, channels: _Channels, curve: Any, path: str) -> None:
    group = curve.group
    copied = _keyed(scene, channels, path, curve.array_index)
    if copied is None:
        copied = channels.fcurves.new(path, index=curve.array_index)
    if group is not None:
        copied.group = group
    for modifier in curve.modifiers:
        _copy_modifier(modifier, copied.modifiers.new(modifier.type))
    for name in _OF_CURVE:
        setattr(copied, name, getattr(curve, name))
    _copy_keys(curve, copied)  # last, as what comes before moves handles


def _keyed(scene: Any, channels: _Channels, path: str, index: int) -> Any:
    """A new curve as keying makes it; None where keys cannot be set.

    Only such a curve knows that its property is a whole number, and rounds instead of cutting off.
    """
    data = scene.animation_data
    former = data.action, getattr(data, "action_slot", None)
    is_other = former != (channels.action, channels.slot)
    try:
        if is_other:
            data.action = channels.action
            if channels.slot is not None:
                data.action_slot = channels.slot
        scene.keyframe_insert(path, index=index if _is_array(scene, path) else -1)
    except (AttributeError, RuntimeError, TypeError):
        return None  # while the NLA is tweaked, say, actions cannot be exchanged
    finally:
        if is_other:
            with suppress(AttributeError):
                data.action = former[0]
                if former[1] is not None:
                    data.action_slot = former[1]
    return channels.fcurves.find(path, index=index)


def _is_array(scene: Any, path: str) -> bool:
    return hasattr(scene.path_resolve(path), "__len__")


def _copy_keys(curve: Any, copied: Any) -> None:
    old, new = curve.keyframe_points, copied.keyframe_points
    samples = [tuple(point.co) for point in curve.sampled_points]
    wanted = len(old) or len(samples)
    new.add(max(wanted - len(new), 0))
    for point in list(new)[wanted:]:
        new.remove(point, fast=True)
    if samples:
        new.foreach_set("co", [number for point in samples for number in point])
        for point in new:
            point.interpolation = _LINEAR
        return
    for point, other in zip(new, old, strict=True):  # all at once, 3.4 reads and writes nonsense
        point.handle_left_type = other.handle_left_type
        point.handle_right_type = other.handle_right_type
    for name in (*_KEY_CHOICES, *_KEY_NUMBERS, *_KEY_POINTS):
        length = wanted * (2 if name in _KEY_POINTS else 1)
        values = [0 if name in _KEY_CHOICES else 0.0] * length
        old.foreach_get(name, values)
        new.foreach_set(name, values)


def _copy_modifier(old: Any, new: Any) -> None:
    if old.type == "ENVELOPE":
        for point in old.control_points:
            new.control_points.add(point.frame)
        # Not one by one: told of a point's own change, Blender reads the memory behind the point
        # as a modifier, and now and then crashes over what it finds there.
        for name in ("min", "max"):
            new.control_points.foreach_set(name, [getattr(p, name) for p in old.control_points])
    if old.type == "GENERATOR":
        new.mode, new.poly_order = old.mode, old.poly_order  # they decide how many numbers follow
    names = [prop.identifier for prop in old.bl_rna.properties if not prop.is_readonly]
    for name in 2 * names:  # twice: of a range neither end may pass the other meanwhile
        with suppress(AttributeError, TypeError, ValueError):
            setattr(new, name, getattr(old, name))


def _copy_driver(scene: Any, driver: Any, begin: str, end: str) -> None:
    copied = scene.animation_data.drivers.from_existing(src_driver=driver)
    copied.data_path = end + driver.data_path[len(begin) :]
    for variable in copied.driver.variables:
        for target in variable.targets:
            rest = target.data_path[len(begin) :]
            is_own = target.data_path.startswith(begin) and rest[:1] in {".", "["}
            is_here = target.id == scene or variable.type == "CONTEXT_PROP"
            if is_own and is_here:
                target.data_path = end + rest
