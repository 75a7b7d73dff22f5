"""One frame painted with the patches of a key, from coarse to fine.

Where flow explains the frame well, what it carries over is right already, to a fraction of a
pixel. Patches are searched only elsewhere. So few levels and turns are enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, pixel_grid
from fresco_engine.errors import InvalidSettings
from fresco_engine.interpolation.flows import KeyFlow
from fresco_engine.interpolation.guides import GuideWeights, extended_flow, pack, quarters
from fresco_engine.interpolation.patch_kernels import RADIUS, Field
from fresco_engine.interpolation.patches import Patches, PatchProblem, Search

_LEAST_SIDE = 24


@dataclass(frozen=True, kw_only=True)
class SynthesisSettings:
    """How hard to search.

    `turns` is how often, from the coarsest level of the pyramid to the finest, patches are
    searched and the picture painted anew; each time neighbours are asked at every one of
    `strides`. `reaches` are the radii in pixels of a picture 512 wide of the random places tried.
    `doubt` is the mean difference of colours (0-255) from which on flow is not believed. A
    level takes fewer turns where more than `most_searched` times the picture would be
    searched in all.
    """

    weights: GuideWeights = field(default_factory=GuideWeights)
    turns: tuple[int, ...] = (4, 4, 3)
    strides: tuple[int, ...] = (2, 1)
    reaches: tuple[int, ...] = (32, 8, 2)
    doubt: float = 8.0
    most_searched: float = 0.9

    def __post_init__(self) -> None:
        if not self.turns or min(self.turns) < 1 or not self.strides or min(self.strides) < 1:
            raise InvalidSettings("synthesis", "every level needs at least one turn and stride")
        if self.doubt < 0:
            raise InvalidSettings("synthesis.doubt", "it cannot be negative; 0 searches everywhere")


@dataclass(frozen=True, eq=False)
class Synthesised:
    """A frame made of a key's patches.

    `places` (h, w, 2) float32 says which x, y of the key every pixel shows, `source` the key's
    source painted with the same patches: how well it meets the frame's own source is how good the
    frame is. `searched` (h, w) tells where patches were searched.
    """

    image: Image
    source: Image
    places: NDArray[np.float32]
    searched: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _View:
    """The pictures of one level; `carried` and `hint` are None without a frame before."""

    target: Image
    warped_source: Image
    warped_style: Image
    hidden: Image
    places: NDArray[np.float32]
    wanted: NDArray[np.float32]
    active: NDArray[np.uint8]
    temporal: Image | None
    hint: NDArray[np.float32] | None


class Synthesiser:
    """Paints the frames of a segment with the patches of one of its keys."""

    def __init__(
        self, source: Image, stylised: Image, patches: Patches, settings: SynthesisSettings
    ) -> None:
        self._patches = patches
        self._settings = settings
        height, width = source.shape[:2]
        count = len(settings.turns)
        while count > 1 and min(height, width) >> (count - 1) < _LEAST_SIDE:
            count -= 1
        self._sizes = [(width >> level, height >> level) for level in range(count)]
        self._sources = [_shrink(source, size) for size in self._sizes]
        self._styles = [_shrink(stylised, size) for size in self._sizes]
        self._packed = [
            pack(small, style, settings.weights)
            for small, style in zip(self._sources, self._styles, strict=True)
        ]

    def paint(
        self,
        target: Image,
        seen: KeyFlow,
        before: Synthesised | None = None,
        back: Flow | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> Synthesised:
        """The frame whose source is `target`, which sees the key as `seen` says.

        `before` is the neighbour nearer to the key as it was painted, `back` leads to it. `check`
        is called now and then and stops the work by raising.
        """
        view = self._view(target, seen, before, back)
        if not view.active[RADIUS:-RADIUS, RADIUS:-RADIUS].any():
            return Synthesised(
                view.warped_style, view.warped_source, view.places, view.active.astype(np.bool_)
            )
        field: Field | None = None
        result = None
        for level in range(len(self._sizes) - 1, -1, -1):
            size = self._sizes[level]
            small = _shrunk(view, size)
            problem = self._problem(small, level)
            search = self._patches.begin(problem, identity(size), small.warped_style)
            if field is not None:
                search.consider(_enlarged(field, size))
            if small.hint is not None:
                search.consider(_field_of(small.hint, size))
            self._run(search, level, self._turns(level, small), check)
            result = search.result()
            field = result[0]
        assert result is not None
        return self._finished(view, result[0], result[2])

    def _turns(self, level: int, view: _View) -> int:
        """How many turns a level is worth: fewer where much is to be searched.

        So a frame that flow hardly explains does not take many times as long as a usual one.
        """
        turns = self._settings.turns[-1 - level]
        affordable = round(self._settings.most_searched / max(float(view.active.mean()), 1e-3))
        return min(turns, max(2, affordable))

    def _run(self, search: Search, level: int, turns: int, check: Callable[[], None]) -> None:
        """Search and paint in turns."""
        search.paint()
        for turn in range(turns):
            check()
            for number, stride in enumerate(self._settings.strides):
                radii = self._radii(self._sizes[level][0]) if stride == 1 else ()
                search.improve(stride, radii, 64 * level + 8 * turn + number)
            search.paint()

    def _view(
        self, target: Image, seen: KeyFlow, before: Synthesised | None, back: Flow | None
    ) -> _View:
        height, width = target.shape[:2]
        grid = pixel_grid(height, width)
        places = grid + seen.flow
        x, y = np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])
        border = cv2.BORDER_REPLICATE
        temporal = hint = None
        if before is not None and back is not None:
            way = grid + back
            bx, by = np.ascontiguousarray(way[..., 0]), np.ascontiguousarray(way[..., 1])
            temporal = cv2.remap(before.image, bx, by, cv2.INTER_LINEAR, borderMode=border)
            hint = cv2.remap(before.places, bx, by, cv2.INTER_NEAREST, borderMode=border)
        doubtful = (seen.mismatch > 3 * self._settings.doubt) | (seen.visible < 0.5)
        return _View(
            target=target,
            warped_source=_bytes(cv2.remap(self._sources[0], x, y, cv2.INTER_LINEAR, None, border)),
            # Cubic: the one time that a key's pixels are resampled must not blur its strokes.
            warped_style=_bytes(cv2.remap(self._styles[0], x, y, cv2.INTER_CUBIC, None, border)),
            hidden=np.rint((1 - seen.visible) * 255).astype(np.uint8),
            places=places,
            wanted=grid + extended_flow(seen.flow, seen.visible),
            active=_bytes(cv2.dilate(doubtful.astype(np.uint8), np.ones((5, 5), np.uint8))),
            temporal=None if temporal is None else _bytes(temporal),
            hint=None if hint is None else np.asarray(hint, np.float32),
        )

    def _problem(self, view: _View, level: int) -> PatchProblem:
        weights = self._settings.weights
        height, width = view.target.shape[:2]
        warped = pack(view.warped_source, view.warped_style, weights, view.hidden)
        places = np.concatenate([pixel_grid(height, width), view.places], axis=1)
        return PatchProblem(
            target=pack(view.target, None, weights),
            source=np.concatenate([self._packed[level], warped], axis=1),
            style=np.concatenate([self._styles[level], view.warped_style], axis=1),
            position=quarters(places),
            wanted=quarters(view.wanted),
            position_weight=weights.position_weight(width),
            crowding=weights.crowding,
            style_levels=weights.style_levels,
            temporal=view.temporal,
            temporal_share=weights.temporal_share,
            pixels=_inner(view.active),
            painted=_listed(cv2.dilate(view.active, np.ones((5, 5), np.uint8))),
        )

    def _radii(self, width: int) -> tuple[int, ...]:
        scale = width / 512
        return tuple(max(1, round(reach * scale)) for reach in self._settings.reaches)

    def _finished(self, view: _View, field: Field, image: Image) -> Synthesised:
        width = view.target.shape[1]
        y, x = field // (2 * width), field % (2 * width)
        own = np.stack([x, y], axis=-1).astype(np.float32)
        is_warped = x >= width
        carried = view.places[y, np.where(is_warped, x - width, x)]
        places = np.where(is_warped[..., None], carried, own)
        return Synthesised(
            image=image,
            source=self._repainted(view, field),
            places=np.asarray(places, np.float32),
            searched=view.active.astype(np.bool_),
        )

    def _repainted(self, view: _View, field: Field) -> Image:
        """The key's source where the patches of `field` come from."""
        both = np.concatenate([self._sources[0], view.warped_source], axis=1)
        return both.reshape(-1, 3)[field]


def identity(size: tuple[int, int]) -> Field:
    """The field that takes every pixel from the key as flow carries it; `size` (width, height)."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.int32)
    return _kept_inside(y, x, size, np.int32(width))


def _kept_inside(
    y: NDArray[np.int32], x: NDArray[np.int32], size: tuple[int, int], half: NDArray | np.int32
) -> Field:
    """The field of places (y, x), moved so far in that whole patches fit."""
    width, height = size
    y = np.clip(y, RADIUS, height - 1 - RADIUS)
    x = np.clip(x, RADIUS, width - 1 - RADIUS)
    return (y * (2 * width) + x + half).astype(np.int32)


def _field_of(places: NDArray[np.float32], size: tuple[int, int]) -> Field:
    """The field that takes every pixel from the key's nearest whole pixel."""
    whole = np.rint(places).astype(np.int32)
    return _kept_inside(whole[..., 1], whole[..., 0], size, np.int32(0))


def _enlarged(field: Field, size: tuple[int, int]) -> Field:
    """A field of the next coarser level, on the level of `size` (width, height)."""
    width, height = size
    small_height, small_width = field.shape
    y, x = np.mgrid[:height, :width].astype(np.int32)
    parent = field[np.minimum(y // 2, small_height - 1), np.minimum(x // 2, small_width - 1)]
    row, column = parent // (2 * small_width), parent % (2 * small_width)
    half = column >= small_width
    column = column - half * small_width
    return _kept_inside(2 * row + y % 2, 2 * column + x % 2, size, half * width)


def _shrunk(view: _View, size: tuple[int, int]) -> _View:
    width, height = size
    if view.target.shape[:2] == (height, width):
        return view
    scale = np.array([width / view.target.shape[1], height / view.target.shape[0]], np.float32)
    hint = None
    if view.hint is not None:
        hint = cv2.resize(view.hint, size, interpolation=cv2.INTER_NEAREST) * scale
    return _View(
        target=_shrink(view.target, size),
        warped_source=_shrink(view.warped_source, size),
        warped_style=_shrink(view.warped_style, size),
        hidden=_shrink(view.hidden, size),
        places=np.asarray(cv2.resize(view.places, size, interpolation=cv2.INTER_AREA) * scale),
        wanted=np.asarray(cv2.resize(view.wanted, size, interpolation=cv2.INTER_AREA) * scale),
        active=(_shrink(view.active * np.uint8(255), size) > 64).astype(np.uint8),
        temporal=None if view.temporal is None else _shrink(view.temporal, size),
        hint=None if hint is None else np.asarray(hint, np.float32),
    )


def _shrink(picture: Image, size: tuple[int, int]) -> Image:
    if picture.shape[1::-1] == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _bytes(picture: object) -> Image:
    return np.asarray(picture, np.uint8)


def _listed(mask: NDArray) -> NDArray[np.int32]:
    return np.flatnonzero(mask).astype(np.int32)


def _inner(mask: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The pixels of `mask` that are the centre of a whole patch, as y * w + x."""
    inside = np.zeros_like(mask)
    inside[RADIUS:-RADIUS, RADIUS:-RADIUS] = mask[RADIUS:-RADIUS, RADIUS:-RADIUS]
    return _listed(inside)
