"""One timeline with a strip of every kind, restyled at once: what is seen before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import stage

LENGTH = 6
_STEP = LENGTH + 2
_CHANNEL = 3
_LOCKED, _MUTED = 20, 30


@dataclass
class Table:
    """The timeline; every case has a place of its own on it."""

    scene: Any
    media: dict[str, str]
    start: int = 11
    chosen: dict[str, Any] = field(default_factory=dict)
    """Strips to be restyled, by the name of their case."""
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    opened: dict[str, Any] = field(default_factory=dict)
    """Metas that have to be open, by the name of the case."""

    @property
    def strips(self) -> Any:
        return stage.part("vse").children(self.scene.sequence_editor)

    def movie(self, kind: str = "movie", channel: int = _CHANNEL, first: int = 7) -> Any:
        """A film, cut to the length of a case, on what its frame `first` shows."""
        strip = self.strips.new_movie(
            name=f"{kind} {self.start}",
            filepath=self.media[kind],
            channel=channel,
            frame_start=self.start - first,
        )
        return self.cut(strip)

    def sequence(self, kind: str, first: int = 3) -> Any:
        """A sequence of pictures."""
        path = Path(self.media[kind])
        names = sorted(p.name for p in path.parent.glob("*.png"))
        add = bpy.ops.sequencer.image_strip_add
        known = add.get_rna_type().properties
        at = self.start - first
        arguments: dict[str, Any] = {"length": 1} if "length" in known else {"frame_end": at + 1}
        for name in stage.part("result_placer")._OFF:
            arguments.update({name: False} if name in known else {})
        before = set(stage.part("vse").all_strips(self.scene))
        with stage.sequencer_context(self.scene):
            add(
                directory=str(path.parent),
                files=[{"name": name} for name in names],
                frame_start=at,
                channel=_CHANNEL + 60,
                fit_method="ORIGINAL",
                **arguments,
            )
        strip = next(s for s in stage.part("vse").all_strips(self.scene) if s not in before)
        strip.name = f"{kind} {self.start}"
        self.cut(strip).channel = _CHANNEL
        return strip

    def effect(self, kind: str, channel: int, *inputs: Any) -> Any:
        """An effect as long as the case."""
        known = self.strips.bl_rna.functions["new_effect"].parameters.keys()
        given: dict[str, Any] = {"name": f"{kind} {self.start}", "type": kind, "channel": channel}
        end = {"length": LENGTH} if "length" in known else {"frame_end": self.start + LENGTH}
        names = ("input1", "input2") if "input1" in known else ("seq1", "seq2")
        given.update(zip(names, inputs, strict=False))
        return self.strips.new_effect(**given, frame_start=self.start, **end)

    def colour(self, channel: int, *colour: float) -> Any:
        strip = self.effect("COLOR", channel)
        strip.color = colour
        return strip

    def cut(self, strip: Any, before: int = 0, after: int = 0) -> Any:
        span = stage.part("core.timing").Span
        start, stop = self.start - before, self.start + LENGTH + after
        stage.part("vse").set_span(strip, span(start=start, stop=stop))
        return strip

    def key(self, owner: Any, name: str, first: Any, last: Any) -> None:
        for frame, value in ((self.start, first), (self.start + LENGTH - 1, last)):
            setattr(owner, name, value)
            owner.keyframe_insert(name, frame=frame)


def _graded(strip: Any) -> Any:
    stage.part("vse").set_sequencer_scene(strip.id_data)
    strip.modifiers.new("grade", "BRIGHT_CONTRAST").bright = 20.0
    return strip


def _small(strip: Any) -> Any:
    strip.transform.scale_x = strip.transform.scale_y = 0.5
    strip.transform.offset_x, strip.transform.offset_y = 30, -20
    return strip


def _set(strip: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(strip, name, value)
    return strip


def _trimmed_for_good(table: Table) -> Any:
    strip = table.movie()
    new = "content_trim_start"
    name = new if hasattr(strip, new) else "animation_offset_start"
    setattr(strip, name, 3)
    return table.cut(strip)


def _held(table: Table, kind: str, count: int) -> Any:
    """At its end, three frames before that of the case."""
    strip = table.movie(kind, channel=_CHANNEL + 60, first=count - 3)
    strip.channel = _CHANNEL
    return strip


def _held_at_its_start(table: Table) -> Any:
    strip = table.movie(channel=_CHANNEL + 60, first=-3)
    strip.channel = _CHANNEL
    return strip


def _retimed(table: Table) -> Any:
    strip = table.movie(first=0)
    if hasattr(strip, "speed_factor"):
        strip.speed_factor = 2.0
        return table.cut(strip)
    stage.choose(table.scene, strip)
    with stage.sequencer_context(table.scene):
        bpy.ops.sequencer.retiming_segment_speed_set(speed=200.0)
    return strip


def _at_another_rate(table: Table) -> Any:
    path = Path(table.media["slow"])
    known = bpy.ops.sequencer.movie_strip_add.get_rna_type().properties
    more = {"adjust_playback_rate": True} if "adjust_playback_rate" in known else {}
    more.update({"move_strips": False} if "move_strips" in known else {})
    before = set(stage.part("vse").all_strips(table.scene))
    with stage.sequencer_context(table.scene):
        bpy.ops.sequencer.movie_strip_add(
            filepath=str(path),
            directory=str(path.parent),
            files=[{"name": path.name}],
            frame_start=table.start,
            channel=_CHANNEL + 60,
            sound=False,
            use_framerate=False,
            fit_method="ORIGINAL",
            **more,
        )
    strip = next(s for s in stage.part("vse").all_strips(table.scene) if s not in before)
    table.cut(strip).channel = _CHANNEL
    return strip


def _speed_effect(table: Table) -> Any:
    strip = table.movie(first=0)
    effect = table.effect("SPEED", _CHANNEL + 1, strip)
    effect.speed_control, effect.speed_factor = "MULTIPLY", 2.0
    return strip


def _under(table: Table, kind: str, **values: Any) -> Any:
    strip = table.movie()
    _set(table.effect(kind, _CHANNEL + 1, strip), **values)
    return strip


def _crossed(table: Table) -> Any:
    first, second = table.movie(), table.movie(channel=_CHANNEL + 1, first=20)
    return table.effect("CROSS", _CHANNEL + 2, first, second)


def _with_above(table: Table, add: Callable[[Table], Any]) -> Any:
    strip = table.movie()
    add(table)
    return strip


def _adjusted(table: Table) -> Any:
    layer = table.effect("ADJUSTMENT", _CHANNEL + 1)
    stage.part("vse").set_sequencer_scene(table.scene)
    layer.modifiers.new("grade", "BRIGHT_CONTRAST").bright = -25.0
    return layer


def _title(table: Table, channel: int = _CHANNEL + 1) -> Any:
    return _set(table.effect("TEXT", channel), text="TITLE", font_size=24)


def _meta(table: Table, name: str, *, inside: bool) -> Any:
    meta = table.strips.new_meta(
        name=f"meta {table.start}", channel=_CHANNEL, frame_start=table.start
    )
    inner = (
        stage.part("vse")
        .children(meta)
        .new_movie(
            name=f"inner {table.start}",
            filepath=table.media["movie"],
            channel=1,
            frame_start=table.start - 5,
        )
    )
    table.cut(inner)
    table.cut(meta)
    if inside:
        table.opened[name] = meta
    return inner if inside else meta


def _scene_strip(table: Table) -> Any:
    other = bpy.data.scenes.new(f"other {table.start}")
    other.sequence_editor_create()
    other.render.resolution_x, other.render.resolution_y = 160, 96
    other.render.fps = 24
    other.frame_start, other.frame_end = 1, LENGTH
    other.view_settings.view_transform = "Standard"
    strips = stage.part("vse").children(other.sequence_editor)
    strips.new_movie(name="far", filepath=table.media["movie"], channel=1, frame_start=1)
    strip = table.strips.new_scene(
        name=f"scene {table.start}", scene=other, channel=_CHANNEL, frame_start=table.start
    )
    strip.scene_input = "SEQUENCER"
    return table.cut(strip)


def _driven(table: Table) -> Any:
    strip = table.movie()
    strip.driver_add("blend_alpha").driver.expression = f"(frame - {table.start}) / 8"
    return strip


def _mute_keyed(table: Table) -> Any:
    strip = table.movie()
    table.key(strip, "mute", False, True)
    strip.mute = False
    return strip


def _moved(table: Table, strip: Any) -> Any:
    table.key(strip.transform, "offset_x", -40.0, 40.0)
    return strip


def _keyed(table: Table, strip: Any, name: str, first: Any, last: Any) -> Any:
    owner = strip
    *way, last_name = name.split(".")
    for part in way:
        owner = getattr(owner, part)
    table.key(owner, last_name, first, last)
    return strip


def _in_channel(table: Table, channel: int) -> Any:
    strip = table.movie(channel=channel - 1)
    _title(table, channel + 1)
    if channel == _MUTED:
        table.colour(channel, 1.0, 0.0, 0.0)
    return strip


def _stacked(table: Table) -> Any:
    """Two neighbours above, each half over the strip, and one above both."""
    strip = table.movie()
    span = stage.part("core.timing").Span
    for channel, (start, stop) in ((4, (0, 3)), (4, (3, 6)), (5, (2, 5))):
        colour = table.colour(channel + 60, channel / 6, start / 6, 0.3)
        _small(colour)
        place = span(start=table.start + start, stop=table.start + stop)
        stage.part("vse").set_span(colour, place)
        colour.channel = channel
    return strip


CASES: dict[str, Callable[[Table], Any]] = {
    "movie": lambda t: t.movie(),
    "movie, trimmed for good": _trimmed_for_good,
    "movie, held at its end": lambda t: _held(t, "movie", 40),
    "movie, held at its start": _held_at_its_start,
    "movie, reversed": lambda t: _set(t.movie(), use_reverse_frames=True),
    "movie, strobe": lambda t: _set(t.movie(), strobe=3.0),
    "movie, retimed": _retimed,
    "movie of another frame rate": _at_another_rate,
    "movie under a speed effect": _speed_effect,
    "movie under a glow": lambda t: _under(t, "GLOW"),
    "movie under a blur": lambda t: _under(t, "GAUSSIAN_BLUR", size_x=6.0, size_y=2.0),
    "transparent movie": lambda t: t.movie("transparent movie", first=2),
    "image sequence": lambda t: t.sequence("pictures"),
    "transparent image sequence": lambda t: t.sequence("transparent pictures"),
    "still picture": lambda t: t.cut(
        t.strips.new_image(
            name=f"still {t.start}",
            filepath=t.media["still"],
            channel=_CHANNEL,
            frame_start=t.start,
        )
    ),
    "colour": lambda t: t.colour(_CHANNEL, 0.2, 0.5, 0.7),
    "text": lambda t: _title(t, _CHANNEL),
    "meta": lambda t: _meta(t, "", inside=False),
    "movie in an open meta": lambda t: _meta(t, "movie in an open meta", inside=True),
    "scene": _scene_strip,
    "transition": _crossed,
    "small picture": lambda t: _small(t.movie()),
    "small picture, graded": lambda t: _graded(_small(t.movie())),
    "rotated": lambda t: _keyed(t, t.movie(), "transform.rotation", 0.3, 0.3),
    "cropped": lambda t: _keyed(t, t.movie(), "crop.min_y", 20, 20),
    "letterbox, graded": lambda t: _graded(_keyed(t, t.movie(), "crop.min_y", 20, 20)),
    "flipped": lambda t: _set(t.movie(), use_flip_x=True),
    "graded": lambda t: _graded(t.movie()),
    "half opaque": lambda t: _set(t.movie(), blend_alpha=0.5),
    "half opaque, graded": lambda t: _graded(_set(t.movie(), blend_alpha=0.5)),
    "multiplied": lambda t: _set(t.movie(), blend_type="MULTIPLY"),
    "multiplied, graded": lambda t: _graded(_set(t.movie(), blend_type="MULTIPLY")),
    "added": lambda t: _set(t.movie(), blend_type="ADD", blend_alpha=0.6),
    "screened": lambda t: _set(t.movie(), blend_type="SCREEN"),
    "small picture that replaces": lambda t: _set(_small(t.movie()), blend_type="REPLACE"),
    "faded in": lambda t: _keyed(t, t.movie(), "blend_alpha", 0.0, 1.0),
    "faded in, graded": lambda t: _graded(_keyed(t, t.movie(), "blend_alpha", 0.0, 1.0)),
    "opacity driven": _driven,
    "moved by keys": lambda t: _moved(t, t.movie()),
    "small picture moved by keys, graded": lambda t: _graded(_moved(t, _small(t.movie()))),
    "cropped by keys": lambda t: _keyed(t, t.movie(), "crop.max_x", 0, 60),
    "muted by keys": _mute_keyed,
    "saturation by keys": lambda t: _keyed(t, t.movie(), "color_saturation", 1.0, 0.0),
    "under an adjustment layer": lambda t: _with_above(t, _adjusted),
    "under a title": lambda t: _with_above(t, _title),
    "under several strips": _stacked,
    "under a locked channel": lambda t: _in_channel(t, _LOCKED),
    "under a muted channel": lambda t: _in_channel(t, _MUTED),
    "masked": lambda t: t.movie(),
    "as pictures": lambda t: t.movie(),
    "half opaque, as pictures": lambda t: _set(t.movie(), blend_alpha=0.5),
}
_AS_PICTURES = {"as pictures", "half opaque, as pictures"}
_APART = {*_AS_PICTURES, "masked"}


def _darken(strips: Iterable[Any], factor: float) -> None:
    for strip in strips:
        strip.color_multiply = factor


def timeline(media: dict[str, str], out: str) -> dict[str, Any]:
    """Everything built, rendered, restyled and rendered; and rendered with each of both dark."""
    scene = stage.new_scene()
    scene.fresco.size = 96
    table = Table(scene, media)
    for name, build in CASES.items():
        table.chosen[name] = build(table)
        table.spans[name] = (table.start, table.start + LENGTH)
        table.start += _STEP
    matte = _backdrop(table)
    channels = scene.sequence_editor.channels
    channels[_LOCKED].lock = channels[_MUTED].mute = True
    folder = Path(out)
    before = render(scene, folder / "before")
    _darken(table.chosen.values(), 0.2)
    dark = render(scene, folder / "dark")
    _darken(table.chosen.values(), 1.0)
    marks = {name: _order(scene, *table.spans[name]) for name in CASES}
    cards = _restyle_all(table, matte)
    after = render(scene, folder / "after")
    results = {
        name: stage.part("timeline").results(scene, card.job_id) for name, card in cards.items()
    }
    found = {
        name: {
            "span": table.spans[name],
            "is_rendered": card.request.is_rendered,
            "is_transparent": card.request.is_transparent,
            "is_muted": bool(stage.part("vse").seen_as(table.chosen[name], scene).mute),
            "blend": results[name][0].blend_type,
            "count": len(results[name]),
            "order": [strip for strip in _order(scene, *table.spans[name]) if strip in marks[name]]
            == marks[name],
            "is_above": _is_above(scene, table.chosen[name], results[name][0]),
        }
        for name, card in cards.items()
    }
    for strips in results.values():
        _darken(strips, 0.2)
    return {
        "cases": found,
        "before": before,
        "dark": dark,
        "after": after,
        "black": render(scene, folder / "black"),
    }


def _backdrop(table: Table) -> Any:
    """A picture below everything; the matte's strip, which is muted."""
    span = stage.part("core.timing").Span(start=1, stop=table.start + 2)
    for kind, channel in (("backdrop", 1), ("matte", 100)):
        strip = table.strips.new_image(
            name=kind, filepath=table.media[kind], channel=channel, frame_start=1
        )
        stage.part("vse").set_span(strip, span)
    strip.mute = True
    table.scene.frame_start, table.scene.frame_end = 1, table.start + 1
    return strip


def _order(scene: Any, start: int, stop: int) -> list[str]:
    """Names of what lies there, from below."""
    vse = stage.part("vse")
    strips = [
        strip
        for strip in vse.children(scene.sequence_editor)
        if vse.left(strip) < stop and vse.right(strip) > start
    ]
    return [strip.name for strip in sorted(strips, key=lambda strip: (strip.channel, strip.name))]


def _is_above(scene: Any, source: Any, result: Any) -> bool:
    """Whether nothing that is seen lies between a result and what it was made from."""
    vse = stage.part("vse")
    owner = vse.owner_of(scene, source)
    low = vse.seen_as(source, scene).channel
    between = [
        strip
        for strip in vse.children(owner)
        if low < strip.channel < result.channel
        and vse.span(strip).cut_to(vse.span(result)).length
        and not owner.channels[strip.channel].mute
    ]
    return result.channel > low and not between


def _restyle_all(table: Table, matte: Any) -> dict[str, Any]:
    scene, cards = table.scene, {}
    names = [name for name in CASES if name not in _APART and name not in table.opened]
    cards.update(_restyle(table, names))
    _wait_for(cards)  # operators are only safe while nothing runs
    for name, meta in table.opened.items():
        stage.choose(scene, meta)
        with stage.sequencer_context(scene):
            bpy.ops.sequencer.meta_toggle()
        cards.update(_restyle(table, [name]))
        _wait_for(cards)
        with stage.sequencer_context(scene):
            bpy.ops.sequencer.meta_toggle()
    scene.fresco.mask = matte.name
    cards.update(_restyle(table, ["masked"]))
    scene.fresco.mask, scene.fresco.output = "", "FRAMES"
    cards.update(_restyle(table, [name for name in CASES if name in _AS_PICTURES]))
    _wait_for(cards)
    return {name: cards[name] for name in CASES}


def _wait_for(cards: dict[str, Any]) -> None:
    """Until all results are on the timeline."""
    for name, card in cards.items():
        wanted = f"the result of {name}"
        stage.wait_for(wanted, lambda card=card: card.phase == "placed" or card.fault, 300)
        assert card.phase == "placed", (name, card.fault)


def _restyle(table: Table, names: list[str]) -> dict[str, Any]:
    """Several strips by one press."""
    known = set(stage.part("state").state.cards)
    for other in stage.part("vse").all_strips(table.scene):
        other.select = False
    for name in names:
        table.chosen[name].select = True
    table.scene.sequence_editor.active_strip = table.chosen[names[0]]
    stage.restyle(table.scene)
    cards = stage.part("state").state.cards
    new = {card.request.title: card for job_id, card in cards.items() if job_id not in known}
    titles = {name: table.chosen[name].name for name in names}
    assert set(new) == set(titles.values()), (sorted(new), sorted(titles.values()))
    return {name: new[title] for name, title in titles.items()}


def render(scene: Any, folder: Path) -> str:
    """The final pictures of the whole timeline; the beginning of their names."""
    chosen = scene.render.image_settings
    if hasattr(chosen, "media_type"):
        chosen.media_type = "IMAGE"
    chosen.file_format, chosen.color_mode, chosen.compression = "PNG", "RGB", 0
    scene.render.use_sequencer = True
    scene.render.resolution_percentage, scene.render.dither_intensity = 100, 0.0
    scene.render.filepath = str(folder / "f_######")
    bpy.ops.render.render(animation=True, scene=scene.name)
    return str(folder)
